//! Putting one customer into a model's groups.

use endcap_models::lifecycle::{Config, Napl, Nes, Orders, stage_at};
use endcap_models::rfm::{RfmCuts, RfmValues, SecondAxis};
use endcap_profile::timeline::OrderRecord;
use endcap_protocol::{DAY_MS, UnixMillis};
use serde::{Deserialize, Serialize};

use super::model::{CustomerModel, Group};
use crate::shop::Snapshot;

/// A moment for which customers are put into groups.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Moment {
    /// The moment: orders before it count.
    pub at: UnixMillis,
    /// The day it lies in, since 1970-01-01 in the shop's time zone.
    pub day: i64,
    /// Whether it is now: then an order whose time is in the future, by a clock that was wrong, counts too.
    pub is_now: bool,
}

impl Moment {
    /// The beginning of one of the shop's days.
    #[must_use]
    pub fn of_day(day: i64, shop: &Snapshot) -> Self {
        Self { at: shop.calendar.start(day), day, is_now: false }
    }

    /// Now.
    #[must_use]
    pub fn now(now: UnixMillis, shop: &Snapshot) -> Self {
        Self { at: now, day: shop.calendar.day(now), is_now: true }
    }

    /// How many of a customer's orders, by time, had been placed.
    pub(super) fn orders_before(&self, times: &[UnixMillis]) -> usize {
        if self.is_now { times.len() } else { times.partition_point(|at| *at < self.at) }
    }
}

/// A model with all that is a shop's own of it: every shard that is asked groups alike.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Grouping {
    /// The model.
    pub model: CustomerModel,
    /// Thresholds of the models that know cycles.
    lifecycle: Config,
    /// The repurchase cycle, in milliseconds.
    pub cycle_ms: i64,
    /// NAPL's window, in days.
    pub window_days: u32,
    /// The shop's currency: what orders in others brought is not known.
    pub currency: String,
    /// The shop's time zone, whose days count.
    pub time_zone: String,
    /// When, the earliest first.
    pub moments: Vec<Moment>,
    /// Where RFM's scores begin at each moment; empty before they were surveyed.
    pub cuts: Vec<RfmCuts>,
}

/// A customer's orders, as models look at them.
pub struct CustomerOrders<'a> {
    all: &'a [OrderRecord],
    /// Times of all of them.
    times: Vec<UnixMillis>,
    /// Those that are no returns.
    sold: Vec<Sold>,
    /// Their times.
    sold_times: Vec<UnixMillis>,
}

/// An order that is no return.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sold {
    /// The day, since 1970-01-01 in the shop's time zone.
    pub(super) day: i64,
    /// What it brought, in minor units; None in another currency than the shop's.
    pub(super) amount: Option<i64>,
}

impl<'a> CustomerOrders<'a> {
    /// The orders of one customer, by time.
    #[must_use]
    pub fn new(orders: &'a [OrderRecord], currency: &str, day_of: &dyn Fn(UnixMillis) -> i64) -> Self {
        let sold = || orders.iter().filter(|order| !order.is_return());
        let one = |order: &OrderRecord| Sold {
            day: day_of(order.at),
            amount: (order.currency == currency).then_some(order.revenue_minor),
        };
        Self {
            all: orders,
            times: orders.iter().map(|order| order.at).collect(),
            sold: sold().map(one).collect(),
            sold_times: sold().map(|order| order.at).collect(),
        }
    }

    /// Those that are no returns and were placed by a moment.
    pub(super) fn sold_by(&self, moment: &Moment) -> &[Sold] {
        self.sold.get(..moment.orders_before(&self.sold_times)).unwrap_or_default()
    }

    /// All orders between two moments.
    pub(super) fn between(&self, from: &Moment, to: &Moment) -> &'a [OrderRecord] {
        self.all.get(from.orders_before(&self.times)..to.orders_before(&self.times)).unwrap_or_default()
    }

    fn summary_by(&self, moment: &Moment) -> Orders {
        Orders::of_sorted(self.times.get(..moment.orders_before(&self.times)).unwrap_or_default())
    }

    fn sold_summary_by(&self, moment: &Moment) -> Orders {
        Orders::of_sorted(self.sold_times.get(..moment.orders_before(&self.sold_times)).unwrap_or_default())
    }
}

/// Days with an order, as orders at their beginning.
pub(super) fn order_days(sold: &[Sold]) -> Vec<UnixMillis> {
    let mut days: Vec<UnixMillis> = sold.iter().map(|order| order.day.saturating_mul(DAY_MS)).collect();
    days.dedup();
    days
}

/// What RFM scores; None without an order.
pub(super) fn rfm_values(sold: &[Sold]) -> Option<RfmValues> {
    let spent = sold.iter().filter_map(|order| order.amount).fold(0, i64::saturating_add);
    Some(RfmValues { last_day: sold.last()?.day, orders: u32::try_from(sold.len()).unwrap_or(u32::MAX), spent })
}

impl Grouping {
    /// A model with the shop's thresholds, at these moments. Those of RFM, and the cycle of NES, come from a survey
    /// ([`Survey::tell`](super::Survey::tell)).
    #[must_use]
    pub fn new(model: CustomerModel, moments: Vec<Moment>, shop: &Snapshot) -> Self {
        Self {
            model,
            lifecycle: shop.settings.lifecycle.config(),
            cycle_ms: shop.cycle_ms,
            window_days: shop.settings.lifecycle.napl_days,
            currency: shop.settings.currency.clone(),
            time_zone: shop.settings.time_zone.clone(),
            moments,
            cuts: Vec::new(),
        }
    }

    /// Whether the model needs to know something of all customers first.
    #[must_use]
    pub fn needs_survey(&self) -> bool {
        matches!(self.model, CustomerModel::Rfm | CustomerModel::Nes)
    }

    /// The cycle of the shop that a median makes, or the configured one while there are too few gaps for it.
    pub(super) fn cycle_of(&self, median_ms: Option<i64>, gaps: u64) -> i64 {
        median_ms.filter(|_| gaps >= self.lifecycle.least_gaps).unwrap_or(self.lifecycle.default_cycle_ms).max(1)
    }

    /// The group of a customer at each moment.
    #[must_use]
    pub fn groups(&self, orders: &CustomerOrders<'_>) -> Vec<Group> {
        let group = |(place, moment): (usize, &Moment)| self.group(orders, place, moment).unwrap_or(Group::PROSPECT);
        self.moments.iter().enumerate().map(group).collect()
    }

    fn group(&self, orders: &CustomerOrders<'_>, place: usize, moment: &Moment) -> Option<Group> {
        match self.model {
            CustomerModel::Nasld => {
                let orders = orders.summary_by(moment);
                let bounds = self.lifecycle.bounds_of(&orders, self.cycle_ms);
                Some(stage_at(&orders, &bounds, moment.at).into())
            }
            CustomerModel::Napl => {
                let window = i64::from(self.window_days).saturating_mul(DAY_MS);
                Napl::of(&orders.sold_summary_by(moment), window, moment.at).map(Group::from)
            }
            CustomerModel::Nes => {
                let days = Orders::of_sorted(&order_days(orders.sold_by(moment)));
                // Whole days, up to the last one that is over.
                let over = moment.day.saturating_sub(1).saturating_mul(DAY_MS);
                Nes::of(&days, self.lifecycle.cycle_of(&days, self.cycle_ms), over).map(Group::from)
            }
            CustomerModel::Rfm => {
                let values = rfm_values(orders.sold_by(moment))?;
                let score = self.cuts.get(place)?.score(&values);
                Some(score.group(SecondAxis::FrequencyAndMonetary).into())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn order(day: i64, revenue_minor: i64) -> OrderRecord {
        crate::test_orders::order(day * DAY_MS + 5, revenue_minor, "EUR")
    }

    fn groups(model: CustomerModel, orders: &[OrderRecord], days: &[i64]) -> Vec<&'static str> {
        let shop = Snapshot::empty();
        let moments = days.iter().map(|day| Moment::of_day(*day, &shop)).collect();
        let grouping = Grouping::new(model, moments, &shop);
        let orders = CustomerOrders::new(orders, "EUR", &|at| at.div_euclid(DAY_MS));
        grouping.groups(&orders).into_iter().map(|group| model.name(group)).collect()
    }

    #[test]
    fn somebody_is_in_the_group_that_their_orders_by_then_make() {
        let orders = [order(100, 50), order(120, 60)];
        let days = [100, 101, 120, 121, 160, 300, 400];
        assert_eq!(
            groups(CustomerModel::Nasld, &orders, &days),
            ["prospect", "new", "new", "active", "sleep", "lost", "deep"]
        );
        assert_eq!(groups(CustomerModel::Napl, &orders, &days), ["prospect", "N", "N", "A", "A", "P", "P"]);
        assert_eq!(
            groups(CustomerModel::Nes, &orders, &[100, 101, 121, 160, 300]),
            ["prospect", "N", "E0", "S1", "S3"]
        );
    }

    #[test]
    fn a_return_makes_nobody_a_customer_of_the_models_that_leave_it_out() {
        let orders = [order(100, -50)];
        assert_eq!(groups(CustomerModel::Napl, &orders, &[101]), ["prospect"]);
        assert_eq!(groups(CustomerModel::Nes, &orders, &[101]), ["prospect"]);
    }

    #[test]
    fn now_counts_an_order_of_a_clock_that_was_wrong() {
        let shop = Snapshot::empty();
        let orders = [order(500, 50)];
        let orders = CustomerOrders::new(&orders, "EUR", &|at| at.div_euclid(DAY_MS));
        let moments = vec![Moment::of_day(100, &shop), Moment::now(100 * DAY_MS + 1, &shop)];
        let found = Grouping::new(CustomerModel::Nasld, moments, &shop).groups(&orders);
        assert_eq!(
            found.into_iter().map(|group| CustomerModel::Nasld.name(group)).collect::<Vec<_>>(),
            ["prospect", "new"]
        );
    }
}
