//! What a model needs to know of all customers together, before each can be put into a group.

use std::collections::BTreeMap;

use endcap_models::rfm::{EXACT_CUSTOMERS, RfmCounts};
use endcap_protocol::DAY_MS;
use serde::{Deserialize, Serialize};

use super::grouping::{CustomerOrders, Grouping, order_days, rfm_values};
use super::model::CustomerModel;

/// Values of an axis of RFM that are kept of a part of a shop that has too many for each: ranks are off by 0.2 % at most.
const RFM_VALUES: u64 = 500;
/// Moments, the latest, whose fifths are exact; a line of days needs no more than a sketch.
const EXACT_MOMENTS: usize = 2;
/// Longest gap that counts by itself, in days.
const LONGEST_GAP: i64 = 3_650;

/// Counts of customers that add up over shards.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Survey {
    /// Days between two days with an order, with how often they were.
    gaps: BTreeMap<i64, u64>,
    /// How customers spread over RFM's axes, at each moment.
    rfm: Vec<RfmCounts>,
    /// Whether that is a sketch already.
    is_short: bool,
}

impl Survey {
    /// Counts a customer.
    pub fn add(&mut self, grouping: &Grouping, orders: &CustomerOrders<'_>) {
        match grouping.model {
            CustomerModel::Rfm => {
                self.rfm.resize_with(grouping.moments.len(), RfmCounts::default);
                for (counts, moment) in self.rfm.iter_mut().zip(&grouping.moments) {
                    if let Some(values) = rfm_values(orders.sold_by(moment)) {
                        counts.add(&values);
                    }
                }
            }
            CustomerModel::Nes => {
                let Some(latest) = grouping.moments.last() else { return };
                let days = order_days(orders.sold_by(latest));
                for (before, after) in days.iter().zip(days.iter().skip(1)) {
                    let gap = (after.saturating_sub(*before) / DAY_MS).min(LONGEST_GAP);
                    *self.gaps.entry(gap).or_default() += 1;
                }
            }
            CustomerModel::Nasld | CustomerModel::Napl => {}
        }
    }

    /// The same for its way to whoever asked: sketches of all moments but the latest.
    #[must_use]
    pub fn for_sending(mut self) -> Self {
        let sketched = self.rfm.len().saturating_sub(EXACT_MOMENTS);
        self.rfm.iter_mut().take(sketched).for_each(|counts| *counts = counts.shortened(RFM_VALUES));
        self
    }

    /// Adds what was counted of other customers.
    pub fn merge(&mut self, other: &Self) {
        other.gaps.iter().for_each(|(gap, count)| *self.gaps.entry(*gap).or_default() += count);
        if self.rfm.len() < other.rfm.len() {
            self.rfm.resize_with(other.rfm.len(), RfmCounts::default);
        }
        for (counts, more) in self.rfm.iter_mut().zip(&other.rfm) {
            counts.merge(&if self.is_short { more.shortened(RFM_VALUES) } else { more.clone() });
        }
        if !self.is_short && self.rfm.iter().any(|counts| counts.customers() > EXACT_CUSTOMERS) {
            self.is_short = true;
            self.rfm.iter_mut().for_each(|counts| *counts = counts.shortened(RFM_VALUES));
        }
    }

    /// Tells a grouping what it needs.
    #[must_use]
    pub fn tell(&self, mut grouping: Grouping) -> Grouping {
        match grouping.model {
            CustomerModel::Rfm => grouping.cuts = self.rfm.iter().map(RfmCounts::cuts).collect(),
            CustomerModel::Nes => {
                let median_ms = self.median_gap().map(|days| days.saturating_mul(DAY_MS));
                grouping.cycle_ms = grouping.cycle_of(median_ms, self.gaps.values().sum());
            }
            CustomerModel::Nasld | CustomerModel::Napl => {}
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
    use endcap_profile::timeline::OrderRecord;

    use super::super::grouping::Moment;
    use super::*;
    use crate::shop::Snapshot;

    fn grouping(model: CustomerModel, days: &[i64]) -> Grouping {
        let shop = Snapshot::empty();
        Grouping::new(model, days.iter().map(|day| Moment::of_day(*day, &shop)).collect(), &shop)
    }

    fn survey(grouping: &Grouping, customers: &[Vec<(i64, i64)>]) -> Survey {
        let mut survey = Survey::default();
        for orders in customers {
            let record = |(day, revenue_minor): &(i64, i64)| OrderRecord {
                at: day * DAY_MS,
                order_id: day.to_string(),
                revenue_minor: *revenue_minor,
                currency: "EUR".to_owned(),
                units: 1,
            };
            let orders: Vec<OrderRecord> = orders.iter().map(record).collect();
            survey.add(grouping, &CustomerOrders::new(&orders, "EUR", &|at| at / DAY_MS));
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
    fn of_a_large_shop_a_sketch_is_kept_and_days_gone_by_always_are_one() {
        let grouping = grouping(CustomerModel::Rfm, &[100, 150, 200]);
        let customers: Vec<Vec<(i64, i64)>> = (0..5_000).map(|n| vec![(n % 90, n)]).collect();
        let page = survey(&grouping, &customers);
        let sent = page.clone().for_sending();
        assert_eq!((sent.rfm[1..] == page.rfm[1..], sent.rfm[0] == page.rfm[0]), (true, false));
        let mut all = Survey::default();
        (0..21).for_each(|_| all.merge(&page));
        assert!(all.is_short);
        assert_eq!(all.rfm[2].customers(), 105_000);
    }
}
