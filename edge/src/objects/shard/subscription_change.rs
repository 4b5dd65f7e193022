//! A change of a browser's push subscription.

use endcap_protocol::AnonymousId;
use serde::{Deserialize, Serialize};

use super::destination::Destination;
use super::table::subscription::StoredSubscription;
use crate::rpc::message::{Done, Message};

/// A change of subscription on its way to another shard.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct ChangeSubscription {
    /// Where the browser's fragment is.
    #[serde(rename = "place")]
    pub(super) destination: Destination,
    /// What changes.
    pub(super) change: CheckedChange,
}

impl Message for ChangeSubscription {
    const PATH: &'static str = "/subscribe";
    type Reply = Done;
}

/// A checked change of subscription.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct CheckedChange {
    /// The browser.
    pub(super) anonymous_id: AnonymousId,
    /// The new subscription.
    pub(super) subscribe: Option<StoredSubscription>,
    /// The endpoint of the subscription that ended.
    pub(super) unsubscribe: Option<String>,
}
