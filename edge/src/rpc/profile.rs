//! Asking a shard for a profile.

use endcap_engine::condition_explained::ExplainAsk;
use endcap_identity::FragmentId;
use endcap_protocol::{AnonymousId, ProfileId, UnixMillis};
use serde::{Deserialize, Serialize};

use super::message::Message;

/// A question for a profile.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct ProfileQuestion {
    /// The profile.
    pub(crate) profile_id: String,
    /// The browser asked for, where one was named: its fragment may have moved.
    pub(crate) anonymous_id: Option<AnonymousId>,
    /// The fragment of it, once one was found.
    pub(crate) fragment: Option<FragmentId>,
    /// Whether it was found by what only browsers say, without proof.
    #[serde(default)]
    pub(crate) unproved: bool,
    /// How much later it is looked at, in milliseconds; only in development.
    #[serde(default)]
    pub(crate) later_ms: UnixMillis,
}

impl Message for ProfileQuestion {
    const PATH: &'static str = "/profile";
    type Reply = serde_json::Value;
}

/// Asks why a condition holds of a profile.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct ExplainCondition {
    /// The profile.
    pub(crate) profile_id: ProfileId,
    /// The condition.
    pub(crate) ask: ExplainAsk,
    /// How much later it is looked at, in milliseconds; only in development.
    #[serde(default)]
    pub(crate) later_ms: UnixMillis,
}

impl Message for ExplainCondition {
    const PATH: &'static str = "/profile/explain";
    type Reply = serde_json::Value;
}

/// Asks what a fragment did, where it is.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct FragmentAsk {
    /// The profile that has it.
    pub(crate) profile_id: ProfileId,
    /// The fragment.
    pub(crate) fragment: FragmentId,
}

impl Message for FragmentAsk {
    const PATH: &'static str = "/fragment";
    type Reply = FragmentSeen;
}

/// What a fragment did.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct FragmentSeen {
    /// Events accepted.
    pub(crate) events: u64,
    /// Orders.
    pub(crate) orders: u64,
    /// Time of the latest event.
    pub(crate) last_seen: UnixMillis,
}

/// Where a browser's fragment went.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Moved {
    /// The profile that has it now.
    pub(crate) moved_to: ProfileId,
    /// The fragment that the browser adds to.
    pub(crate) fragment: FragmentId,
}
