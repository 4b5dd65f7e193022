//! RFM: how lately, how often and for how much somebody bought, each as a score of 1 to 5 within the shop, and eleven named
//! groups of customers.
//!
//! Customers are counted by value in parts ([`RfmCounts`]); from the merged counts follows where the scores begin
//! ([`RfmCuts`]), and every shard scores by that. Up to [`EXACT_CUSTOMERS`] the counts are whole, above they are
//! shortened ([`ValueCounts::shortened`]), with a bound on the error of a rank.

mod group;
mod score;
mod value_counts;

pub use group::{RfmGroup, SecondAxis};
pub use score::{RfmCounts, RfmCuts, RfmScore, RfmValues};
pub use value_counts::{Cuts, ValueCounts};

/// Up to so many customers of a shop scores are exact.
pub const EXACT_CUSTOMERS: u64 = 100_000;
