//! The three scores of a customer.

use serde::{Deserialize, Serialize};

use super::group::{RfmGroup, SecondAxis};
use super::value_counts::{Cuts, ValueCounts};

/// What a customer is scored by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct RfmValues {
    /// The day of the last order, since 1970-01-01 in the shop's time zone.
    pub last_day: i64,
    /// Orders.
    pub orders: u32,
    /// What they come to, in minor units of the shop's currency.
    pub spent: i64,
}

/// How customers spread over each of the three.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RfmCounts {
    recency: ValueCounts,
    frequency: ValueCounts,
    monetary: ValueCounts,
}

impl RfmCounts {
    /// Counts a customer.
    pub fn add(&mut self, customer: &RfmValues) {
        self.recency.add(customer.last_day);
        self.frequency.add(i64::from(customer.orders));
        self.monetary.add(customer.spent);
    }

    /// Adds the counts of other customers.
    pub fn merge(&mut self, other: &Self) {
        self.recency.merge(&other.recency);
        self.frequency.merge(&other.frequency);
        self.monetary.merge(&other.monetary);
    }

    /// Customers counted.
    #[must_use]
    pub fn customers(&self) -> u64 {
        self.recency.customers()
    }

    /// Values apart, of the axis that has most.
    #[must_use]
    pub fn values(&self) -> usize {
        [&self.recency, &self.frequency, &self.monetary].map(ValueCounts::values).into_iter().max().unwrap_or_default()
    }

    /// The same with a bounded number of values, see [`ValueCounts::shortened`].
    #[must_use]
    pub fn shortened(&self, most: u64) -> Self {
        Self {
            recency: self.recency.shortened(most),
            frequency: self.frequency.shortened(most),
            monetary: self.monetary.shortened(most),
        }
    }

    /// Where the scores begin.
    #[must_use]
    pub fn cuts(&self) -> RfmCuts {
        RfmCuts { recency: self.recency.cuts(), frequency: self.frequency.cuts(), monetary: self.monetary.cuts() }
    }
}

/// Where the scores of each axis begin.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct RfmCuts {
    recency: Cuts,
    frequency: Cuts,
    monetary: Cuts,
}

impl RfmCuts {
    /// The scores of a customer.
    #[must_use]
    pub fn score(&self, customer: &RfmValues) -> RfmScore {
        RfmScore {
            recency: self.recency.score(customer.last_day),
            frequency: self.frequency.score(i64::from(customer.orders)),
            monetary: self.monetary.score(customer.spent),
        }
    }
}

/// Three scores of 1 to 5; 5 is the latest, the most often, the most.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct RfmScore {
    /// How lately.
    pub recency: u8,
    /// How often.
    pub frequency: u8,
    /// For how much.
    pub monetary: u8,
}

impl RfmScore {
    /// How often and for how much in one: `floor((F + M) / 2 + 1/2)`.
    #[must_use]
    pub fn frequency_and_monetary(&self) -> u8 {
        self.frequency.saturating_add(self.monetary).saturating_add(1) / 2
    }

    /// The named group.
    #[must_use]
    pub fn group(&self, second: SecondAxis) -> RfmGroup {
        let second = match second {
            SecondAxis::FrequencyAndMonetary => self.frequency_and_monetary(),
            SecondAxis::Frequency => self.frequency,
        };
        RfmGroup::of(self.recency, second)
    }
}
