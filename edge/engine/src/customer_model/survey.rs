//! What a model needs to know of all customers together, before each can be put into a group.

use std::collections::BTreeMap;

use endcap_models::lifecycle::IntentCounts;
use endcap_models::rfm::{EXACT_CUSTOMERS, RfmCounts};
use endcap_protocol::DAY_MS;
use serde::{Deserialize, Serialize};

use super::customer_orders::{CustomerOrders, order_days, rfm_values};
use super::grouping::Grouping;
use super::model::CustomerModel;

/// Moments, the latest, whose fifths are exact up to [`EXACT_CUSTOMERS`]; a line of days needs no more than a sketch.
const EXACT_MOMENTS: usize = 2;
/// Customers of an answer up to which every moment is sent exactly.
const SENT_EXACTLY: u64 = 2_000;
/// Values of an axis of RFM that are sent of more customers: ranks are off by 0.2 % at most.
const SENT_VALUES: u64 = 500;
/// Values of an axis from which on what was added up becomes a sketch, and how many are left about: that adds 0.04 %, once for thousands of
/// customers.
const MOST_VALUES: usize = 10_000;
const LEFT_VALUES: u64 = 2_500;
/// Longest gap that counts by itself, in days.
const LONGEST_GAP: i64 = 3_650;

/// Counts of customers that add up over shards.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Survey {
    /// Days between two days with an order, with how often they were.
    gaps: BTreeMap<i64, u64>,
    /// How customers spread over RFM's axes, at each moment.
    rfm: Vec<RfmCounts>,
    /// How DCIU's scores spread over customers.
    #[serde(default)]
    intents: IntentCounts,
}

impl Survey {
    /// Counts a customer.
    pub fn add(&mut self, grouping: &Grouping, orders: &CustomerOrders<'_>) {
        match grouping.model.known() {
            Some(CustomerModel::Rfm) => {
                self.rfm.resize_with(grouping.moments.len(), RfmCounts::default);
                for (counts, moment) in self.rfm.iter_mut().zip(&grouping.moments) {
                    if let Some(values) = rfm_values(orders.sold_by(moment)) {
                        counts.add(&values);
                    }
                }
            }
            Some(CustomerModel::Nes) => {
                let Some(latest) = grouping.moments.last() else { return };
                let days = order_days(orders.sold_by(latest));
                for (before, after) in days.iter().zip(days.iter().skip(1)) {
                    let gap = (after.saturating_sub(*before) / DAY_MS).min(LONGEST_GAP);
                    *self.gaps.entry(gap).or_default() += 1;
                }
            }
            Some(CustomerModel::Dciu) => {
                let Some(latest) = grouping.moments.last() else { return };
                if !orders.sold_by(latest).is_empty() {
                    self.intents.add(orders.intent_by(latest));
                }
            }
            Some(CustomerModel::Nasld | CustomerModel::Napl) | None => {}
        }
    }

    /// The same for its way to whoever asked: of many customers, sketches of all moments but the latest.
    #[must_use]
    pub fn for_sending(mut self) -> Self {
        let sketched = self.rfm.len().saturating_sub(EXACT_MOMENTS);
        for counts in self.rfm.iter_mut().take(sketched).filter(|counts| counts.customers() > SENT_EXACTLY) {
            *counts = counts.shortened(SENT_VALUES);
        }
        self
    }

    /// Adds what was counted of other customers. What becomes too long is shortened.
    pub fn merge(&mut self, other: &Self) {
        self.intents.merge(&other.intents);
        other.gaps.iter().for_each(|(gap, count)| *self.gaps.entry(*gap).or_default() += count);
        if self.rfm.len() < other.rfm.len() {
            self.rfm.resize_with(other.rfm.len(), RfmCounts::default);
        }
        let sketched = self.rfm.len().saturating_sub(EXACT_MOMENTS);
        for (place, (counts, more)) in self.rfm.iter_mut().zip(&other.rfm).enumerate() {
            counts.merge(more);
            let may_be_short = place < sketched || counts.customers() > EXACT_CUSTOMERS;
            if may_be_short && counts.values() > MOST_VALUES {
                *counts = counts.shortened(LEFT_VALUES);
            }
        }
    }

    /// Tells a grouping what it needs.
    #[must_use]
    pub fn tell(&self, mut grouping: Grouping) -> Grouping {
        match grouping.model.known() {
            Some(CustomerModel::Rfm) => grouping.cuts = self.rfm.iter().map(RfmCounts::cuts).collect(),
            Some(CustomerModel::Nes) => {
                let median_ms = self.median_gap().map(|days| days.saturating_mul(DAY_MS));
                grouping.cycle_ms = grouping.cycle_of(median_ms, self.gaps.values().sum());
            }
            Some(CustomerModel::Dciu) => grouping.intent = Some(self.intents.cuts(grouping.shares)),
            Some(CustomerModel::Nasld | CustomerModel::Napl) | None => {}
        }
        grouping
    }

    /// The lower median of the gaps, in days.
    fn median_gap(&self) -> Option<i64> {
        let rank = self.gaps.values().sum::<u64>().div_ceil(2);
        let mut seen = 0;
        let reaches_rank = |(_, count): &(&i64, &u64)| {
            seen += **count;
            seen >= rank
        };
        self.gaps.iter().find(reaches_rank).map(|(gap, _)| *gap)
    }
}

#[cfg(test)]
mod tests {
    use super::super::customer_orders::Moment;
    use super::*;
    use crate::shop::Snapshot;
    use crate::test_orders::order;

    fn grouping(model: CustomerModel, days: &[i64]) -> Grouping {
        let shop = Snapshot::empty();
        Grouping::new(model, days.iter().map(|day| Moment::of_day(*day, &shop)).collect(), &shop)
    }

    fn survey(grouping: &Grouping, customers: &[Vec<(i64, i64)>]) -> Survey {
        let mut survey = Survey::default();
        for orders in customers {
            let record = |(day, revenue_minor): &(i64, i64)| order(day * DAY_MS, *revenue_minor, "EUR");
            let orders: Vec<_> = orders.iter().map(record).collect();
            survey.add(grouping, &CustomerOrders::new(&orders, &Snapshot::empty()));
        }
        survey
    }

    #[test]
    fn the_cycle_is_the_lower_median_of_days_between_order_days() {
        let grouping = grouping(CustomerModel::Nes, &[1_000]);
        let few = survey(&grouping, &[vec![(1, 5), (8, 5)]]);
        assert_eq!(few.tell(grouping.clone()).cycle_ms, 30 * DAY_MS, "until there are a hundred gaps");
        let customers: Vec<Vec<(i64, i64)>> = (0..100).map(|n| vec![(1, 5), (1, 5), (2 + n % 4, 5)]).collect();
        let (half, rest) = customers.split_at(37);
        let mut both = survey(&grouping, half);
        both.merge(&survey(&grouping, rest));
        assert_eq!(both, survey(&grouping, &customers));
        assert_eq!(both.tell(grouping).cycle_ms, 2 * DAY_MS);
    }

    #[test]
    fn fifths_are_of_those_who_had_bought_by_then() {
        let grouping = grouping(CustomerModel::Rfm, &[50, 200]);
        let customers: Vec<Vec<(i64, i64)>> = (0..100).map(|n| vec![(n, 5 + n)]).collect();
        let told = survey(&grouping, &customers).tell(grouping);
        let first = |recency: i64, cuts: usize| {
            let values = endcap_models::rfm::RfmValues { last_day: recency, orders: 1, spent: 5 };
            told.cuts[cuts].score(&values).recency
        };
        assert_eq!((first(49, 0), first(49, 1), first(99, 1)), (5, 3, 5));
    }

    #[test]
    fn of_a_large_shop_a_sketch_is_kept_and_ranks_stay_close() {
        let grouping = grouping(CustomerModel::Rfm, &[100, 150, 200]);
        let page = |n: i64| {
            let customers: Vec<Vec<(i64, i64)>> = (0..5_000).map(|k| vec![(k % 90, k * 40 + n)]).collect();
            survey(&grouping, &customers)
        };
        let sent = page(0).for_sending();
        assert_eq!((sent.rfm[1..] == page(0).rfm[1..], sent.rfm[0] == page(0).rfm[0]), (true, false));
        let mut all = Survey::default();
        (0..40).for_each(|n| all.merge(&page(n).for_sending()));
        // Every sum from 0 to 199,999 was spent once.
        for counts in &all.rfm {
            assert_eq!(counts.customers(), 200_000);
            assert!(counts.values() <= MOST_VALUES);
            let score =
                |spent| counts.cuts().score(&endcap_models::rfm::RfmValues { last_day: 1, orders: 1, spent }).monetary;
            for (fifth, begins) in [(2, 40_000), (3, 80_000), (4, 120_000), (5, 160_000)] {
                assert_eq!(
                    (score(begins - 2_000), score(begins + 2_000)),
                    (fifth - 1, fifth),
                    "within 1 % of the customers"
                );
            }
        }
    }

    #[test]
    fn a_small_shop_is_exact_at_every_moment() {
        let grouping = grouping(CustomerModel::Rfm, &[100, 150, 200]);
        let customers: Vec<Vec<(i64, i64)>> = (0..2_000).map(|n| vec![(n % 90, n)]).collect();
        let page = survey(&grouping, &customers);
        let mut all = Survey::default();
        all.merge(&page.clone().for_sending());
        assert_eq!(all, page);
    }
}
