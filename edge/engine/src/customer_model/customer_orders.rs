//! One customer's orders, as models look at them, and the moments that they are looked at.

use endcap_models::lifecycle::{Intent, Orders, intent_score};
use endcap_models::rfm::RfmValues;
use endcap_profile::timeline::{OrderRecord, TimelineEvent};
use endcap_protocol::{DAY_MS, UnixMillis};
use serde::{Deserialize, Serialize};

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

/// A customer's orders, as models look at them.
pub struct CustomerOrders<'a> {
    all: &'a [OrderRecord],
    /// Times of all of them.
    times: Vec<UnixMillis>,
    /// Those that are no returns.
    sold: Vec<Sold>,
    /// Their times.
    sold_times: Vec<UnixMillis>,
    shop: &'a Snapshot,
    /// What they did that shows that they may be about to buy, as far as it was read.
    intents: Vec<(Intent, UnixMillis)>,
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
    /// The orders of one customer, by time. `shop` is that of the grouping ([`Grouping::shop`](super::Grouping::shop)).
    #[must_use]
    pub fn new(orders: &'a [OrderRecord], shop: &'a Snapshot) -> Self {
        let sold = || orders.iter().filter(|order| !order.is_return());
        let one = |order: &OrderRecord| Sold {
            day: shop.calendar.day(order.at),
            amount: (order.currency == shop.settings.currency).then_some(order.revenue_minor),
        };
        Self {
            all: orders,
            times: orders.iter().map(|order| order.at).collect(),
            sold: sold().map(one).collect(),
            sold_times: sold().map(|order| order.at).collect(),
            shop,
            intents: Vec::new(),
        }
    }

    /// The same with events of theirs, for the model that asks for more than orders.
    #[must_use]
    pub fn with_events<'b>(mut self, events: impl Iterator<Item = &'b TimelineEvent>) -> Self {
        self.intents = events.filter_map(|event| Some((Intent::of_event(&event.name)?, event.at))).collect();
        self
    }

    /// How much they look as if they were about to buy: what they did since their last order counts.
    pub(super) fn intent_by(&self, moment: &Moment) -> i64 {
        let since = self.sold_summary_by(moment).last().unwrap_or(UnixMillis::MIN);
        intent_score(self.intents.iter().copied().filter(|(_, at)| *at > since), moment.at)
    }

    /// The shop whose days and currency count.
    pub(super) fn shop(&self) -> &'a Snapshot {
        self.shop
    }

    /// How many were placed by a moment.
    pub(super) fn count_by(&self, moment: &Moment) -> usize {
        moment.orders_before(&self.times)
    }

    /// Those that were placed by a moment.
    pub(super) fn by(&self, moment: &Moment) -> &'a [OrderRecord] {
        self.all.get(..self.count_by(moment)).unwrap_or_default()
    }

    /// Those that are no returns and were placed by a moment.
    pub(super) fn sold_by(&self, moment: &Moment) -> &[Sold] {
        self.sold.get(..moment.orders_before(&self.sold_times)).unwrap_or_default()
    }

    /// All orders between two moments.
    pub(super) fn between(&self, from: &Moment, to: &Moment) -> &'a [OrderRecord] {
        self.all.get(self.count_by(from)..self.count_by(to)).unwrap_or_default()
    }

    pub(super) fn summary_by(&self, moment: &Moment) -> Orders {
        Orders::of_sorted(self.times.get(..self.count_by(moment)).unwrap_or_default())
    }

    pub(super) fn sold_summary_by(&self, moment: &Moment) -> Orders {
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
