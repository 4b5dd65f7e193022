//! How many customers are in each group, and how many moved from which to which.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::customer_orders::CustomerOrders;
use super::grouping::Grouping;
use super::model::Group;

/// Customers who were in one group at the first moment and in one at the last, and what they bought between the two.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Movement {
    /// The customers.
    pub customers: u64,
    /// Those of them who bought.
    pub buyers: u64,
    /// Their orders, returns left out.
    pub orders: u64,
    /// What came in, less what went back, in minor units of the shop's currency.
    pub revenue_minor: i64,
}

impl Movement {
    /// Adds other customers.
    pub fn add(&mut self, other: &Self) {
        self.customers += other.customers;
        self.buyers += other.buyers;
        self.orders += other.orders;
        self.revenue_minor = self.revenue_minor.saturating_add(other.revenue_minor);
    }

    /// That of one customer.
    #[must_use]
    pub fn of(grouping: &Grouping, orders: &CustomerOrders<'_>) -> Self {
        let (Some(from), Some(to)) = (grouping.moments.first(), grouping.moments.last()) else {
            return Self::default();
        };
        let between = orders.between(from, to);
        let placed = between.iter().filter(|order| !order.is_return()).count() as u64;
        let ours = between.iter().filter(|order| order.currency == grouping.currency);
        let revenue_minor = ours.map(|order| order.revenue_minor).fold(0, i64::saturating_add);
        Self { customers: 1, buyers: u64::from(placed > 0), orders: placed, revenue_minor }
    }
}

/// Counts of customers that add up over shards.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct GroupTally {
    /// Customers of each group at each moment.
    sizes: Vec<BTreeMap<Group, u64>>,
    /// Movements from the first moment to the last, by the group then, and by the one of the last moment.
    movements: BTreeMap<Group, BTreeMap<Group, Movement>>,
}

impl GroupTally {
    /// Counts a customer.
    pub fn add(&mut self, grouping: &Grouping, orders: &CustomerOrders<'_>) {
        let groups = grouping.groups(orders);
        let (Some(first), Some(last)) = (groups.first(), groups.last()) else { return };
        if self.sizes.len() < groups.len() {
            self.sizes.resize_with(groups.len(), BTreeMap::new);
        }
        for (sizes, group) in self.sizes.iter_mut().zip(&groups) {
            if *group != Group::PROSPECT {
                *sizes.entry(*group).or_default() += 1;
            }
        }
        if (*first, *last) != (Group::PROSPECT, Group::PROSPECT) {
            let movement = Movement::of(grouping, orders);
            self.movements.entry(*first).or_default().entry(*last).or_default().add(&movement);
        }
    }

    /// Adds what was counted of other customers.
    pub fn merge(&mut self, other: &Self) {
        if self.sizes.len() < other.sizes.len() {
            self.sizes.resize_with(other.sizes.len(), BTreeMap::new);
        }
        for (sizes, more) in self.sizes.iter_mut().zip(&other.sizes) {
            more.iter().for_each(|(group, count)| *sizes.entry(*group).or_default() += count);
        }
        for (from, row) in &other.movements {
            let to = self.movements.entry(*from).or_default();
            row.iter().for_each(|(group, movement)| to.entry(*group).or_default().add(movement));
        }
    }

    /// Customers of each group at a moment, by its place.
    #[must_use]
    pub fn sizes(&self, place: usize) -> &BTreeMap<Group, u64> {
        static NOBODY: BTreeMap<Group, u64> = BTreeMap::new();
        self.sizes.get(place).unwrap_or(&NOBODY)
    }

    /// Movements: from which group, to which, and of how many.
    pub fn movements(&self) -> impl Iterator<Item = (Group, Group, &Movement)> {
        self.movements.iter().flat_map(|(from, row)| row.iter().map(move |(to, movement)| (*from, *to, movement)))
    }
}

#[cfg(test)]
mod tests {
    use endcap_protocol::DAY_MS;

    use super::super::customer_orders::Moment;
    use super::super::model::CustomerModel;
    use super::*;
    use crate::shop::Snapshot;
    use crate::test_orders::order;

    #[test]
    fn movements_say_what_was_bought_between() {
        let shop = Snapshot::empty();
        let moments = vec![Moment::of_day(100, &shop), Moment::of_day(110, &shop), Moment::of_day(120, &shop)];
        let grouping = Grouping::new(CustomerModel::Nasld, moments, &shop);
        let customers: [&[(i64, i64, &str)]; 4] = [
            &[(90, 500, "EUR"), (105, 700, "EUR"), (106, -200, "EUR"), (107, 99, "USD")],
            &[(115, 400, "EUR")],
            &[(95, 100, "EUR"), (120, 100, "EUR")],
            &[(130, 100, "EUR")],
        ];
        let mut tally = GroupTally::default();
        for orders in customers {
            let record =
                |(day, revenue_minor, currency): &(i64, i64, &str)| order(day * DAY_MS, *revenue_minor, currency);
            let orders: Vec<_> = orders.iter().map(record).collect();
            let mut one = GroupTally::default();
            one.add(&grouping, &CustomerOrders::new(&orders, &shop));
            tally.merge(&one);
        }
        let name = |group| grouping.model.name(group);
        let found: Vec<_> = tally.movements().map(|(from, to, movement)| (name(from), name(to), *movement)).collect();
        let movement = |buyers, orders, revenue_minor| Movement { customers: 1, buyers, orders, revenue_minor };
        assert_eq!(
            found,
            [
                ("prospect", "new", movement(1, 1, 400)),
                ("new", "new", movement(0, 0, 0)),
                ("new", "active", movement(1, 2, 500)),
            ]
        );
        let sizes =
            |place: usize| tally.sizes(place).iter().map(|(group, count)| (name(*group), *count)).collect::<Vec<_>>();
        assert_eq!((sizes(0), sizes(2)), (vec![("new", 2)], vec![("new", 2), ("active", 1)]));
        assert!(tally.sizes(3).is_empty());
    }
}
