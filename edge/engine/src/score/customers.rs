//! What the models are fitted to: the orders of every customer, and counts of them.

use endcap_models::rfm::{RfmCounts, RfmValues};
use endcap_models::value::{PurchaseDay, PurchaseDays, RepeatCounts, SpendCounts};
use endcap_profile::timeline::OrderRecord;
use endcap_protocol::UnixMillis;
use serde::{Deserialize, Serialize};

/// Customers that the learned scores learn from, the first that are collected. More would not make them better: the
/// published results were reached with fewer.
pub const LEARNED_FROM: usize = 10_000;
/// Values of an axis of RFM of one part of the shop, from [`endcap_models::rfm::EXACT_CUSTOMERS`] on.
const RFM_VALUES: u64 = 500;

/// What a customer ordered.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Customer {
    /// Orders; several of one day count each.
    pub orders: u32,
    /// The days.
    pub days: PurchaseDays,
}

impl Customer {
    /// What these orders make of somebody. Days are those of the shop's time zone (`day_of`); amounts are in the shop's
    /// currency: an order in another one counts with nothing paid, as does a refund.
    #[must_use]
    pub fn of(orders: &[OrderRecord], currency: &str, day_of: &dyn Fn(UnixMillis) -> i64) -> Self {
        let day = |order: &OrderRecord| {
            let is_ours = order.currency == currency;
            PurchaseDay { day: day_of(order.at), amount: if is_ours { order.revenue_minor.max(0) } else { 0 } }
        };
        Self { orders: u32::try_from(orders.len()).unwrap_or(u32::MAX), days: orders.iter().map(day).collect() }
    }

    /// What RFM scores. None for a customer without an order.
    #[must_use]
    pub fn rfm(&self) -> Option<RfmValues> {
        let days = self.days.until(i64::MAX);
        let spent = days.iter().fold(0i64, |sum, day| sum.saturating_add(day.amount));
        Some(RfmValues { last_day: days.last()?.day, orders: self.orders, spent })
    }
}

/// Everything that a fit needs of the shop's customers.
#[derive(Debug, Default)]
pub struct Customers {
    /// Histories of repeat purchase.
    pub repeats: RepeatCounts,
    /// Orders after the first.
    pub spends: SpendCounts,
    /// Values of RFM.
    pub rfm: RfmCounts,
    /// Those that the learned scores learn from.
    pub sample: Vec<PurchaseDays>,
}

impl Customers {
    /// Counts customers as of the end of a day.
    pub fn add(&mut self, customers: Vec<Customer>, today: i64) {
        let mut rfm = RfmCounts::default();
        for customer in customers {
            self.repeats.extend(customer.days.repeats(today));
            self.spends.extend(customer.days.spend(today));
            if let Some(values) = customer.rfm() {
                rfm.add(&values);
            }
            if self.sample.len() < LEARNED_FROM {
                self.sample.push(customer.days);
            }
        }
        self.rfm.merge(&rfm);
    }

    /// Customers counted.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.repeats.customers()
    }

    /// The counts of RFM, shortened where the shop has more customers than are scored exactly.
    #[must_use]
    pub fn rfm(&self) -> RfmCounts {
        let exact = self.rfm.customers() <= endcap_models::rfm::EXACT_CUSTOMERS;
        if exact { self.rfm.clone() } else { self.rfm.shortened(RFM_VALUES) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn order(at: UnixMillis, revenue_minor: i64, currency: &str) -> OrderRecord {
        OrderRecord { at, order_id: at.to_string(), revenue_minor, currency: currency.to_owned(), units: 1 }
    }

    #[test]
    fn orders_count_each_and_days_once() {
        let orders = [order(10, 500, "EUR"), order(11, 300, "EUR"), order(25, 900, "USD"), order(39, -50, "EUR")];
        let customer = Customer::of(&orders, "EUR", &|at| at / 10);
        let days = [(1, 800), (2, 0), (3, 0)].map(|(day, amount)| PurchaseDay { day, amount });
        assert_eq!((customer.orders, customer.days.until(i64::MAX)), (4, days.as_slice()));
        assert_eq!(customer.rfm(), Some(RfmValues { last_day: 3, orders: 4, spent: 800 }));
        assert_eq!(Customer::default().rfm(), None);
    }

    #[test]
    fn who_first_bought_after_the_day_is_not_counted_yet() {
        let customer = |day| Customer::of(&[order(day, 5, "EUR")], "EUR", &|at| at);
        let mut customers = Customers::default();
        customers.add(vec![customer(3), customer(8)], 5);
        assert_eq!((customers.count(), customers.sample.len()), (1, 2));
    }
}
