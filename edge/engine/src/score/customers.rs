//! What the models are fitted to: the orders of every customer, and counts of them.

use std::collections::BTreeMap;

use endcap_models::rfm::{EXACT_CUSTOMERS, RfmCounts, RfmValues};
use endcap_models::value::{PurchaseDay, PurchaseDays, RepeatCounts, SpendCounts};
use endcap_profile::timeline::OrderRecord;
use endcap_protocol::UnixMillis;
use endcap_validation::DomainError;
use endcap_validation::hash::hash;
use serde::{Deserialize, Serialize};

use super::packed;

/// Customers that the learned scores learn from. More would not make them better: the published results were reached with fewer.
pub const LEARNED_FROM: usize = 5_000;
/// Customers that the models of value are fitted to, about; of a larger shop a fair part.
pub const FITTED_TO: u64 = 200_000;
/// Values of an axis of RFM of one part of the shop, where it has more than [`EXACT_CUSTOMERS`].
const RFM_VALUES: u64 = 500;
/// Version of a packed page.
const FORMAT: u8 = 1;

/// What is counted of orders: the shop's settings at the moment when a fit began.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrderRules {
    /// The last day that counts, since 1970-01-01 in the shop's time zone.
    pub until: i64,
    /// The shop's time zone.
    pub time_zone: String,
    /// The shop's currency, an ISO 4217 code in capitals.
    pub currency: String,
}

/// What a customer ordered.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Customer {
    /// A number that is drawn by the profile's name: a part of the shop that is chosen by it is a fair one.
    pub lot: u32,
    /// Orders; several of one day count each.
    pub orders: u32,
    /// The days.
    pub days: PurchaseDays,
}

impl Customer {
    /// What a profile's orders make of somebody, as of the end of the last day that counts. An order in another currency counts, and
    /// what was paid is not known; one below 0 is a return and left out. None without an order that counts.
    #[must_use]
    pub fn of(
        profile_id: &str,
        orders: &[OrderRecord],
        rules: &OrderRules,
        day_of: &dyn Fn(UnixMillis) -> i64,
    ) -> Option<Self> {
        let [a, b, c, d, ..] = hash(profile_id);
        let lot = u32::from_be_bytes([a, b, c, d]);
        Some(Self { lot, ..Self::ordered(orders, rules.until, &rules.currency, day_of)? })
    }

    /// The same without a lot, in a shop with this currency.
    #[must_use]
    pub fn ordered(
        orders: &[OrderRecord],
        until: i64,
        currency: &str,
        day_of: &dyn Fn(UnixMillis) -> i64,
    ) -> Option<Self> {
        let mut customer = Self::default();
        for order in orders.iter().filter(|order| !order.is_return()) {
            let day = day_of(order.at);
            if day <= until {
                let is_ours = order.currency == currency;
                customer.orders = customer.orders.saturating_add(1);
                customer.days.record(PurchaseDay { day, amount: is_ours.then_some(order.revenue_minor) });
            }
        }
        (customer.orders > 0).then_some(customer)
    }

    /// What RFM scores. None for a customer without an order.
    #[must_use]
    pub fn rfm(&self) -> Option<RfmValues> {
        let days = self.days.until(i64::MAX);
        let spent = days.iter().filter_map(|day| day.amount).fold(0i64, i64::saturating_add);
        Some(RfmValues { last_day: days.last()?.day, orders: self.orders, spent })
    }
}

/// Customers as they are sent and stored.
///
/// # Errors
/// Never in practice; the serialiser's own failure is passed on.
pub fn pack(customers: &[Customer]) -> Result<Vec<u8>, DomainError> {
    packed::pack(FORMAT, customers)
}

/// Reads packed customers. None for another version.
#[must_use]
pub fn unpack(bytes: &[u8]) -> Option<Vec<Customer>> {
    packed::unpack(FORMAT, bytes)
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
    /// Customers.
    pub count: u64,
    /// Those that the learned scores learn from, by lot: the least.
    sample: BTreeMap<u32, PurchaseDays>,
}

impl Customers {
    /// Counts customers as of the end of a day, of so many in all.
    pub fn add(&mut self, customers: Vec<Customer>, today: i64, all: u64) {
        let mut rfm = RfmCounts::default();
        let greatest = u64::from(u32::MAX).saturating_mul(FITTED_TO) / all.max(FITTED_TO);
        for customer in customers {
            self.count += 1;
            if u64::from(customer.lot) <= greatest {
                self.repeats.extend(customer.days.repeats(today));
                self.spends.extend(customer.days.spend(today));
            }
            if let Some(values) = customer.rfm() {
                rfm.add(&values);
            }
            self.sample.insert(customer.lot, customer.days);
            if self.sample.len() > LEARNED_FROM {
                self.sample.pop_last();
            }
        }
        self.rfm.merge(&if all > EXACT_CUSTOMERS { rfm.shortened(RFM_VALUES) } else { rfm });
    }

    /// Order days of those that the learned scores learn from.
    #[must_use]
    pub fn sample(&self) -> Vec<PurchaseDays> {
        self.sample.values().cloned().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_orders::order;

    fn rules(until: i64) -> OrderRules {
        OrderRules { until, time_zone: "UTC".to_owned(), currency: "EUR".to_owned() }
    }

    fn customer(n: u32, day: i64) -> Customer {
        let days = [PurchaseDay { day, amount: Some(i64::from(n)) }].into_iter().collect();
        Customer { lot: n.wrapping_mul(0x9E37_79B9), orders: 1, days }
    }

    #[test]
    fn orders_count_each_and_days_once_and_what_is_in_another_currency_is_not_known() {
        let orders = [
            order(10, 500, "EUR"),
            order(11, 300, "EUR"),
            order(25, 900, "USD"),
            order(39, -50, "EUR"),
            order(50, 1, "EUR"),
        ];
        let found = Customer::of("p", &orders, &rules(4), &|at| at / 10).unwrap();
        let days = [(1, Some(800)), (2, None)].map(|(day, amount)| PurchaseDay { day, amount });
        assert_eq!((found.orders, found.days.until(i64::MAX)), (3, days.as_slice()));
        assert_eq!(found.rfm(), Some(RfmValues { last_day: 2, orders: 3, spent: 800 }));
        assert_eq!(found.days.spend(4), None);
        assert_eq!(Customer::of("p", &orders, &rules(0), &|at| at / 10), None);
    }

    #[test]
    fn the_sample_is_the_same_in_whatever_order_customers_come() {
        let all: Vec<Customer> = (0..7_000).map(|n| customer(n, 3)).collect();
        let (mut forwards, mut backwards) = (Customers::default(), Customers::default());
        all.chunks(50).for_each(|page| forwards.add(page.to_vec(), 5, 7_000));
        all.chunks(50).rev().for_each(|page| backwards.add(page.to_vec(), 5, 7_000));
        assert_eq!((forwards.sample().len(), forwards.count), (LEARNED_FROM, 7_000));
        assert_eq!(forwards.sample(), backwards.sample());
        assert_eq!((&forwards.repeats, &forwards.rfm), (&backwards.repeats, &backwards.rfm));
    }

    #[test]
    fn of_a_large_shop_a_fair_part_is_fitted_and_all_are_scored() {
        let mut customers = Customers::default();
        (0..80_000).for_each(|n| customers.add(vec![customer(n, 3)], 5, 2_000_000));
        let part = customers.repeats.customers();
        assert!((7_500..8_500).contains(&part), "{part}");
        assert_eq!((customers.rfm.customers(), customers.count), (80_000, 80_000));
    }

    #[test]
    fn pages_of_another_version_are_not_read() {
        let mut bytes = pack(&[customer(3, 4)]).unwrap();
        assert_eq!(unpack(&bytes), Some(vec![customer(3, 4)]));
        bytes[0] = 9;
        assert_eq!((unpack(&bytes), unpack(&[])), (None, None));
    }
}
