//! A customer's orders as the models of value and purchase count them: the days on which something was bought.

use serde::{Deserialize, Serialize};

/// A day with at least one order. Orders of one day count as one, as in the literature.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct PurchaseDay {
    /// The day, since 1970-01-01 in the shop's time zone.
    pub day: i64,
    /// What was paid on it, in minor units of the shop's currency. None where that is not known.
    pub amount: Option<i64>,
}

/// The days of one customer, in order, each once.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PurchaseDays(Vec<PurchaseDay>);

impl FromIterator<PurchaseDay> for PurchaseDays {
    fn from_iter<T: IntoIterator<Item = PurchaseDay>>(orders: T) -> Self {
        let mut days = Self::default();
        orders.into_iter().for_each(|order| days.record(order));
        days
    }
}

impl PurchaseDays {
    /// Counts an order.
    pub fn record(&mut self, order: PurchaseDay) {
        match self.0.binary_search_by_key(&order.day, |held| held.day) {
            Ok(at) => {
                if let Some(held) = self.0.get_mut(at) {
                    let known = held.amount.into_iter().chain(order.amount);
                    held.amount = known.reduce(i64::saturating_add);
                }
            }
            Err(at) => self.0.insert(at, order),
        }
    }

    /// The days up to and including one.
    #[must_use]
    pub fn until(&self, day: i64) -> &[PurchaseDay] {
        let end = self.0.partition_point(|held| held.day <= day);
        self.0.get(..end).unwrap_or_default()
    }

    /// How many days with an order there are after `day`, up to and including `end`.
    #[must_use]
    pub fn count_between(&self, day: i64, end: i64) -> usize {
        self.until(end).len().saturating_sub(self.until(day).len())
    }

    /// What the models of repeat purchase need, as of the end of a day. None for a customer without an order by that day.
    #[must_use]
    pub fn repeats(&self, until: i64) -> Option<Repeats> {
        let days = self.until(until);
        let (first, last) = (days.first()?, days.last()?);
        let after_first = |day: i64| u32::try_from(day.saturating_sub(first.day)).unwrap_or(u32::MAX);
        let repeats = u32::try_from(days.len() - 1).unwrap_or(u32::MAX);
        Some(Repeats { repeats, last_day: after_first(last.day), age_days: after_first(until) })
    }

    /// What the model of order values needs: the orders after the first of which it is known what was paid. None without one.
    #[must_use]
    pub fn spend(&self, until: i64) -> Option<Spend> {
        let mut spend = Spend { repeats: 0, total: 0 };
        for amount in self.until(until).iter().skip(1).filter_map(|day| day.amount) {
            spend.repeats = spend.repeats.saturating_add(1);
            spend.total = spend.total.saturating_add(amount);
        }
        (spend.repeats > 0).then_some(spend)
    }
}

/// A customer in the terms of Fader and Hardie: x repeat purchases, the last of them t_x and now T after the first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Repeats {
    /// Days with an order after the first one (x).
    pub repeats: u32,
    /// Days from the first to the last (t_x).
    pub last_day: u32,
    /// Days from the first until now (T).
    pub age_days: u32,
}

/// Days of one unit of time of the models: a week, as in the literature.
pub const DAYS_OF_WEEK: f64 = 7.0;

impl Repeats {
    /// x.
    #[must_use]
    pub fn x(&self) -> f64 {
        f64::from(self.repeats)
    }

    /// t_x in weeks.
    #[must_use]
    pub fn last(&self) -> f64 {
        f64::from(self.last_day) / DAYS_OF_WEEK
    }

    /// T in weeks.
    #[must_use]
    pub fn age(&self) -> f64 {
        f64::from(self.age_days) / DAYS_OF_WEEK
    }
}

/// The orders after a customer's first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Spend {
    /// How many.
    pub repeats: u32,
    /// What they come to, in minor units.
    pub total: i64,
}

impl Spend {
    /// How many, as the formulas want it.
    #[must_use]
    pub fn x(&self) -> f64 {
        f64::from(self.repeats)
    }

    /// Their mean, in minor units.
    #[must_use]
    pub fn mean(&self) -> f64 {
        self.total as f64 / self.x().max(1.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn days(orders: &[(i64, i64)]) -> PurchaseDays {
        orders.iter().map(|(day, amount)| PurchaseDay { day: *day, amount: Some(*amount) }).collect()
    }

    #[test]
    fn orders_of_a_day_are_one_whatever_their_sequence() {
        let bought = days(&[(20, 5), (10, 1), (20, 7), (34, 3)]);
        assert_eq!(bought, days(&[(34, 3), (20, 12), (10, 1)]));
        assert_eq!(bought.repeats(38), Some(Repeats { repeats: 2, last_day: 24, age_days: 28 }));
        assert_eq!(bought.spend(38), Some(Spend { repeats: 2, total: 15 }));
    }

    #[test]
    fn what_is_not_known_is_no_amount() {
        let mut bought = days(&[(10, 1), (20, 12)]);
        bought.record(PurchaseDay { day: 20, amount: None });
        bought.record(PurchaseDay { day: 34, amount: None });
        assert_eq!(
            (bought.repeats(40).map(|it| it.repeats), bought.spend(40)),
            (Some(2), Some(Spend { repeats: 1, total: 12 }))
        );
    }

    #[test]
    fn nothing_after_the_day_is_seen() {
        let bought = days(&[(10, 1), (20, 12), (34, 3)]);
        assert_eq!(bought.repeats(9), None);
        assert_eq!(bought.repeats(10), Some(Repeats { repeats: 0, last_day: 0, age_days: 0 }));
        assert_eq!((bought.spend(19), bought.spend(20).map(|spend| spend.mean())), (None, Some(12.0)));
        assert_eq!(
            (bought.count_between(10, 20), bought.count_between(20, 99), bought.count_between(34, 99)),
            (1, 1, 0)
        );
    }
}
