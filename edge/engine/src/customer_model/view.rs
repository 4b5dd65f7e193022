//! Models as the API tells of them.

use std::collections::BTreeMap;

use endcap_protocol::{DAY_MS, Date, UnixMillis};
use schemars::JsonSchema;
use serde::Serialize;

use super::customer_orders::Moment;
use super::grouping::Grouping;
use super::model::{CustomerModel, Group};
use super::named_model::NamedModel;
use super::own_model::OwnModel;
use super::people::{GroupPerson, MovedCustomer};
use super::tally::{GroupTally, Movement};

/// Days of sizes where nobody says how many.
pub const DEFAULT_DAYS: usize = 30;
/// Most days of sizes.
pub const MAX_DAYS: usize = 366;
/// Most days of RFM's sizes: each day has fifths of its own.
pub const MAX_RFM_DAYS: usize = 31;
/// Days between the two dates of movements where nobody names the first.
pub const DEFAULT_SPAN: i64 = 30;

/// The models that the edge knows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct ModelList {
    /// The models.
    pub models: Vec<ModelView>,
}

/// A model.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct ModelView {
    /// Its name in addresses.
    pub model: String,
    /// What it tells apart.
    pub about: String,
    /// Its groups. `prospect` stands for people who had not bought yet.
    pub groups: Vec<String>,
}

impl ModelList {
    /// The models of a shop, its own at the end.
    #[must_use]
    pub fn of(own: &BTreeMap<String, OwnModel>) -> Self {
        let view = |model: NamedModel| ModelView {
            model: model.id().to_owned(),
            about: model.about().to_owned(),
            groups: model.groups().into_iter().map(str::to_owned).collect(),
        };
        Self { models: NamedModel::all(own).map(view).collect() }
    }
}

/// What customers were grouped by.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Thresholds {
    /// The repurchase cycle, in days; only of a model that knows one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cycle_days: Option<f64>,
    /// The window, in days; only of a model that knows one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub window_days: Option<u32>,
}

impl Thresholds {
    fn of(grouping: &Grouping) -> Self {
        let has_cycle = matches!(grouping.model.known(), Some(CustomerModel::Nasld | CustomerModel::Nes));
        Self {
            cycle_days: has_cycle.then(|| grouping.cycle_ms as f64 / DAY_MS as f64),
            window_days: (grouping.model.known() == Some(CustomerModel::Napl)).then_some(grouping.window_days),
        }
    }
}

/// How a scan of all customers went.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Scanned {
    /// When it began.
    pub as_of: UnixMillis,
    /// Profiles that could not be read, and are not among the customers.
    pub unreadable: u64,
}

/// How many customers are in each group.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct ModelSizes {
    /// The model.
    pub model: String,
    /// When this was counted, Unix milliseconds.
    pub as_of: i64,
    /// Customers: people with an order that the model looks at.
    pub customers: u64,
    /// Profiles that could not be read, and are not among the customers.
    pub unreadable: u64,
    /// What customers were grouped by.
    pub thresholds: Thresholds,
    /// The groups now, each.
    pub groups: Vec<GroupSize>,
    /// The groups at the beginning of each day, the earliest first.
    pub days: Vec<DaySizes>,
}

/// A group now.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct GroupSize {
    /// The group.
    pub group: String,
    /// Customers in it.
    pub customers: u64,
    /// Their share of all customers; null where there are none.
    pub share: Option<f64>,
}

/// The groups at the beginning of a day.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct DaySizes {
    /// The day in the shop's time zone, as `2026-11-29`.
    pub date: String,
    /// Customers by then.
    pub customers: u64,
    /// Of each group.
    pub groups: BTreeMap<String, u64>,
}

fn groups_of(model: &NamedModel) -> Vec<(Group, &str)> {
    let named = model.groups().into_iter().filter_map(|name| Some((model.group(name)?, name)));
    named.filter(|(group, _)| *group != Group::PROSPECT).collect()
}

impl ModelSizes {
    /// What was counted: the last moment is now, those before it are beginnings of days.
    #[must_use]
    pub fn new(grouping: &Grouping, tally: &GroupTally, scanned: Scanned) -> Self {
        let model = &grouping.model;
        let (named, last) = (groups_of(model), grouping.moments.len().saturating_sub(1));
        let all = |place: usize| tally.sizes(place).values().sum::<u64>();
        let of = |place: usize, group: Group| tally.sizes(place).get(&group).copied().unwrap_or_default();
        let customers = all(last);
        let share = |count: u64| (customers > 0).then(|| count as f64 / customers as f64);
        let group = |(group, name): &(Group, &str)| {
            let count = of(last, *group);
            GroupSize { group: (*name).to_owned(), customers: count, share: share(count) }
        };
        let day = |(place, moment): (usize, &Moment)| DaySizes {
            date: Date::from_day(moment.day).to_string(),
            customers: all(place),
            groups: named.iter().map(|(group, name)| ((*name).to_owned(), of(place, *group))).collect(),
        };
        Self {
            model: model.id().to_owned(),
            as_of: scanned.as_of,
            customers,
            unreadable: scanned.unreadable,
            thresholds: Thresholds::of(grouping),
            groups: named.iter().map(group).collect(),
            days: grouping.moments.iter().enumerate().take(last).map(day).collect(),
        }
    }
}

/// One of two moments that are compared.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct ComparedMoment {
    /// The day in the shop's time zone, as `2026-11-29`.
    pub date: String,
    /// The moment, Unix milliseconds: the beginning of that day, or now. Orders before it count.
    pub at: i64,
}

impl ComparedMoment {
    fn of(moment: Option<&Moment>) -> Self {
        moment.map_or(Self { date: String::new(), at: 0 }, |moment| Self {
            date: Date::from_day(moment.day).to_string(),
            at: moment.at,
        })
    }
}

/// Who moved from which group to which.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Transitions {
    /// The model.
    pub model: String,
    /// The first moment.
    pub from: ComparedMoment,
    /// The last moment.
    pub to: ComparedMoment,
    /// When this was counted, Unix milliseconds.
    pub as_of: i64,
    /// The shop's currency, in which revenue is.
    pub currency: String,
    /// Customers by the last moment.
    pub customers: u64,
    /// Profiles that could not be read, and are not among the customers.
    pub unreadable: u64,
    /// What customers were grouped by.
    pub thresholds: Thresholds,
    /// Movements that somebody made, staying included.
    pub cells: Vec<TransitionCell>,
}

/// Customers who were in one group, and are in one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct TransitionCell {
    /// Their group at the first moment; `prospect`: they had not bought.
    pub from: String,
    /// Their group at the last moment.
    pub to: String,
    /// How many they are.
    pub customers: u64,
    /// Those of them who bought between the two.
    pub buyers: u64,
    /// Their orders between the two, returns left out.
    pub orders: u64,
    /// What came in between the two, less what went back, in minor units of the shop's currency.
    pub revenue_minor: i64,
}

impl Transitions {
    /// What was counted.
    #[must_use]
    pub fn new(grouping: &Grouping, tally: &GroupTally, scanned: Scanned) -> Self {
        let model = &grouping.model;
        let cell = |(from, to, movement): (Group, Group, &Movement)| TransitionCell {
            from: model.name(from).to_owned(),
            to: model.name(to).to_owned(),
            customers: movement.customers,
            buyers: movement.buyers,
            orders: movement.orders,
            revenue_minor: movement.revenue_minor,
        };
        let last = grouping.moments.len().saturating_sub(1);
        Self {
            model: model.id().to_owned(),
            from: ComparedMoment::of(grouping.moments.first()),
            to: ComparedMoment::of(grouping.moments.last()),
            as_of: scanned.as_of,
            currency: grouping.currency.clone(),
            customers: tally.sizes(last).values().sum(),
            unreadable: scanned.unreadable,
            thresholds: Thresholds::of(grouping),
            cells: tally.movements().map(cell).collect(),
        }
    }
}

/// What the customers of each group brought.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct GroupRevenue {
    /// The model.
    pub model: String,
    /// The first moment.
    pub from: ComparedMoment,
    /// The last moment.
    pub to: ComparedMoment,
    /// When this was counted, Unix milliseconds.
    pub as_of: i64,
    /// The shop's currency, in which revenue is.
    pub currency: String,
    /// Profiles that could not be read, and are not among the customers.
    pub unreadable: u64,
    /// What customers were grouped by.
    pub thresholds: Thresholds,
    /// Each group at the first moment. `prospect`: who had not bought until then, and did between the two.
    pub groups: Vec<RevenueOfGroup>,
}

/// What the customers of a group brought.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct RevenueOfGroup {
    /// The group.
    pub group: String,
    /// Customers who were in it at the first moment.
    pub customers: u64,
    /// Those of them who bought between the two.
    pub buyers: u64,
    /// Their orders between the two, returns left out.
    pub orders: u64,
    /// What came in between the two, less what went back, in minor units of the shop's currency.
    pub revenue_minor: i64,
    /// The share of that in what all brought; null where they brought nothing.
    pub share: Option<f64>,
}

impl GroupRevenue {
    /// What was counted.
    #[must_use]
    pub fn new(grouping: &Grouping, tally: &GroupTally, scanned: Scanned) -> Self {
        let mut by_group: BTreeMap<Group, Movement> = BTreeMap::new();
        tally.movements().for_each(|(from, _, movement)| by_group.entry(from).or_default().add(movement));
        let all = by_group.values().fold(0_i64, |sum, movement| sum.saturating_add(movement.revenue_minor));
        let of_group = |name: &str| {
            let found = grouping.model.group(name).and_then(|group| by_group.get(&group));
            let Movement { customers, buyers, orders, revenue_minor } = found.copied().unwrap_or_default();
            let share = (all > 0).then(|| revenue_minor as f64 / all as f64);
            RevenueOfGroup { group: name.to_owned(), customers, buyers, orders, revenue_minor, share }
        };
        Self {
            model: grouping.model.id().to_owned(),
            from: ComparedMoment::of(grouping.moments.first()),
            to: ComparedMoment::of(grouping.moments.last()),
            as_of: scanned.as_of,
            currency: grouping.currency.clone(),
            unreadable: scanned.unreadable,
            thresholds: Thresholds::of(grouping),
            groups: grouping.model.groups().into_iter().map(of_group).collect(),
        }
    }
}

/// The people of a group, or of a movement.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct GroupPeople {
    /// The model.
    pub model: String,
    /// The first moment.
    pub from: ComparedMoment,
    /// The last moment.
    pub to: ComparedMoment,
    /// When the page was read, Unix milliseconds.
    pub as_of: i64,
    /// Profiles that could not be read on the way.
    pub unreadable: u64,
    /// The people.
    pub people: Vec<GroupPerson>,
    /// Where to go on; null at the end.
    pub cursor: Option<String>,
}

impl GroupPeople {
    /// A page of them.
    #[must_use]
    pub fn new(grouping: &Grouping, people: Vec<MovedCustomer>, cursor: Option<String>, scanned: Scanned) -> Self {
        let model = &grouping.model;
        let person = |one: MovedCustomer| GroupPerson {
            profile_id: one.profile_id,
            user_ids: one.user_ids,
            was: model.name(one.was).to_owned(),
            is: model.name(one.is).to_owned(),
            orders: one.movement.orders,
            revenue_minor: one.movement.revenue_minor,
        };
        Self {
            model: model.id().to_owned(),
            from: ComparedMoment::of(grouping.moments.first()),
            to: ComparedMoment::of(grouping.moments.last()),
            as_of: scanned.as_of,
            unreadable: scanned.unreadable,
            people: people.into_iter().map(person).collect(),
            cursor,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::customer_orders::CustomerOrders;
    use super::*;
    use crate::shop::Snapshot;
    use crate::test_orders::order;

    fn counted(model: CustomerModel) -> (Grouping, GroupTally) {
        let shop = Snapshot::empty();
        let moments = vec![Moment::of_day(100, &shop), Moment::now(120 * DAY_MS, &shop)];
        let grouping = Grouping::new(model, moments, &shop);
        let mut tally = GroupTally::default();
        for (day, revenue_minor) in [(90, 300), (110, 700)] {
            let order = order(day * DAY_MS, revenue_minor, "EUR");
            tally.add(&grouping, &CustomerOrders::new(&[order], &shop));
        }
        (grouping, tally)
    }

    #[test]
    fn sizes_are_of_customers_and_every_group_is_named() {
        let (grouping, tally) = counted(CustomerModel::Napl);
        let sizes =
            serde_json::to_value(ModelSizes::new(&grouping, &tally, Scanned { as_of: 7, unreadable: 1 })).unwrap();
        assert_eq!(sizes["groups"][0], json!({"group": "N", "customers": 2, "share": 1.0}));
        assert_eq!(
            sizes["days"],
            json!([{"date": "1970-04-11", "customers": 1, "groups": {"N": 1, "A": 0, "P": 0, "L": 0}}])
        );
        assert_eq!((&sizes["customers"], &sizes["unreadable"]), (&json!(2), &json!(1)));
        assert_eq!(sizes["thresholds"], json!({"window_days": 90}));
    }

    #[test]
    fn revenue_is_that_of_the_group_before() {
        let (grouping, tally) = counted(CustomerModel::Nasld);
        let revenue = serde_json::to_value(GroupRevenue::new(&grouping, &tally, Scanned::default())).unwrap();
        assert_eq!(
            revenue["groups"][0],
            json!({"group": "prospect", "customers": 1, "buyers": 1, "orders": 1, "revenue_minor": 700, "share": 1.0})
        );
        assert_eq!(revenue["groups"][1]["revenue_minor"], json!(0));
        let moved = serde_json::to_value(Transitions::new(&grouping, &tally, Scanned::default())).unwrap();
        assert_eq!((&moved["cells"][0]["to"], &moved["cells"][1]["from"]), (&json!("new"), &json!("new")));
    }
}
