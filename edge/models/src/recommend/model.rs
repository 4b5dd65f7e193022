//! Both parts of the recommender as one value: what is learned, stored and handed to whoever decides.

use serde::{Deserialize, Serialize};

use super::best_sellers::{BestSellers, SalesSignal};
use super::co_visits::CoVisits;
use super::visit_context::Step;

/// Everything learned from visits and sales. Serialises compactly (some 10 bytes a neighbour with postcard) and is
/// bounded by the limits of its parts.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Model {
    /// What is visited together.
    pub co_visits: CoVisits,
    /// What is popular.
    pub sellers: BestSellers,
}

impl Model {
    /// Learns that a visit arrived at a product at `at` (milliseconds since 1970): from what came before it, and as
    /// a view of it.
    pub fn step(&mut self, step: &Step, at: i64) {
        self.co_visits.learn(step, at);
        self.sellers.record(&step.item, SalesSignal::View, at);
    }

    /// Learns that a product was put into a cart at `at`.
    pub fn added(&mut self, item: &str, at: i64) {
        self.sellers.record(item, SalesSignal::Add, at);
    }

    /// Learns that units of a product were ordered at `at`.
    pub fn ordered(&mut self, item: &str, units: u32, at: i64) {
        self.sellers.record(item, SalesSignal::Order { units }, at);
    }

    /// Adds what another model learned from other visits.
    pub fn merge(&mut self, other: &Self) {
        self.co_visits.merge(&other.co_visits);
        self.sellers.merge(&other.sellers);
    }
}
