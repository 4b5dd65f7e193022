//! Fitting scores: what shards tell of their customers, and what the shop gets.

use endcap_engine::score::customers::OrderRules;
use endcap_engine::score::view::ScoresView;
use serde::{Deserialize, Serialize};

use super::message::{Done, Message};

/// Asks a shard for its customers, some at a time.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct CustomersAsk {
    /// The last profile that was told of; empty before the first.
    pub(crate) after: String,
    /// Which orders count, and how.
    pub(crate) rules: OrderRules,
}

impl Message for CustomersAsk {
    const PATH: &'static str = "/customers";
    type Reply = CustomersPage;
}

/// Some of a shard's customers.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct CustomersPage {
    /// The customers, packed, as base64.
    pub(crate) customers: String,
    /// How many they are.
    pub(crate) count: u64,
    /// Profiles that could not be read.
    pub(crate) unreadable: u64,
    /// The last profile told of, where there may be more.
    pub(crate) next: Option<String>,
}

/// Asks how the scores are.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct GetScores {
    /// Whether who asks only wants to know whether all is well: then no fit is asked for.
    #[serde(default)]
    pub(crate) for_health: bool,
}

impl Message for GetScores {
    const PATH: &'static str = "/scores/get";
    type Reply = ScoresView;
}

/// Has the models fitted anew.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct FitScores {
    /// True: a fit begins now. False: in an hour, but no sooner than a day after the last one.
    pub(crate) at_once: bool,
}

impl Message for FitScores {
    const PATH: &'static str = "/scores/begin";
    type Reply = ScoresView;
}

/// Gives the shop models that were fitted.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct PublishScores {
    /// The models, packed, as base64.
    pub(crate) packed: String,
}

impl Message for PublishScores {
    const PATH: &'static str = "/scores/publish";
    type Reply = Done;
}
