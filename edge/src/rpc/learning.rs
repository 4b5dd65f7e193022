//! What shards report to the shop, so that its models learn.

use endcap_profile::Signal;
use serde::{Deserialize, Serialize};

use super::message::{Done, Message};

/// Signals of a shard's log up to a cursor.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct LearningReport {
    /// The shard.
    pub(crate) shard: String,
    /// Sequence number of the last log row reported.
    pub(crate) cursor: i64,
    /// The signals.
    pub(crate) signals: Vec<Signal>,
}

impl Message for LearningReport {
    const PATH: &'static str = "/learn";
    type Reply = Done;
}
