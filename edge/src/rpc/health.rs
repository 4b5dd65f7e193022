//! How objects are, and what shards carry.

use endcap_engine::health::{GraphHealth, ShardHealth, ShopHealth};
use endcap_engine::layout::growth::ShardLoad;
use serde::{Deserialize, Serialize};

use super::message::{Done, Message};

/// Asks a shard how it is.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct ShardHealthAsk {}

impl Message for ShardHealthAsk {
    const PATH: &'static str = "/health/shard";
    type Reply = ShardHealth;
}

/// Asks a part of the identity graph how it is.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct GraphHealthAsk {
    /// Its number.
    pub(crate) part: u16,
}

impl Message for GraphHealthAsk {
    const PATH: &'static str = "/health/graph";
    type Reply = GraphHealth;
}

/// Asks the shop's object how it is.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct ShopHealthAsk {}

impl Message for ShopHealthAsk {
    const PATH: &'static str = "/health/shop";
    type Reply = ShopHealth;
}

/// Tells the registry that a shard carries more than it should.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct ReportLoad(pub(crate) ShardLoad);

impl Message for ReportLoad {
    const PATH: &'static str = "/shards/load";
    type Reply = Done;
}
