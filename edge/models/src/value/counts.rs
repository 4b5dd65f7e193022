//! How many customers there are of each kind.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::purchase_days::{Repeats, Spend};

/// What of a customer a model is fitted to.
pub trait History: Ord + Copy {
    /// Whether it says something to the model.
    fn counts(&self) -> bool;
}

impl History for Repeats {
    fn counts(&self) -> bool {
        true
    }
}

impl History for Spend {
    /// Who paid nothing says nothing of values.
    fn counts(&self) -> bool {
        self.total > 0 && self.repeats > 0
    }
}

/// How many customers there are of each history. Adding counts of disjoint customers is adding numbers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts<H: Ord>(BTreeMap<H, u32>);

/// Customers by their repeat purchases.
pub type RepeatCounts = Counts<Repeats>;
/// Customers by number and sum of their repeat orders.
pub type SpendCounts = Counts<Spend>;

impl<H: History> Default for Counts<H> {
    fn default() -> Self {
        Self(BTreeMap::new())
    }
}

impl<H: History> Counts<H> {
    /// Counts a customer.
    pub fn add(&mut self, customer: H) {
        if customer.counts() {
            self.add_many(customer, 1);
        }
    }

    fn add_many(&mut self, customer: H, more: u32) {
        let count = self.0.entry(customer).or_default();
        *count = count.saturating_add(more);
    }

    /// Adds the counts of other customers.
    pub fn merge(&mut self, other: &Self) {
        other.0.iter().for_each(|(customer, more)| self.add_many(*customer, *more));
    }

    /// Histories apart: what one evaluation of the likelihood goes through.
    #[must_use]
    pub fn histories(&self) -> usize {
        self.0.len()
    }

    /// Customers counted.
    #[must_use]
    pub fn customers(&self) -> u64 {
        self.0.values().map(|count| u64::from(*count)).sum()
    }

    /// Each history, in order, with its number of customers.
    pub(super) fn each(&self) -> impl Iterator<Item = (&H, f64)> {
        self.0.iter().map(|(customer, count)| (customer, f64::from(*count)))
    }
}

impl<H: History> Extend<H> for Counts<H> {
    fn extend<T: IntoIterator<Item = H>>(&mut self, customers: T) {
        customers.into_iter().for_each(|customer| self.add(customer));
    }
}

impl<H: History> FromIterator<H> for Counts<H> {
    fn from_iter<T: IntoIterator<Item = H>>(customers: T) -> Self {
        let mut counts = Self::default();
        counts.extend(customers);
        counts
    }
}
