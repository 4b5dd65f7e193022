//! What a browser reports about a notification.

use endcap_identity::FragmentId;
use endcap_protocol::ProfileId;
use endcap_push::Report;
use serde::{Deserialize, Serialize};

use crate::rpc::message::{Done, Message};

/// A report on its way to the profile that remembers the message.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct NotificationReport {
    /// Where it is looked for.
    pub(super) profile_id: ProfileId,
    /// The fragment of the browser that showed the message.
    pub(super) fragment: FragmentId,
    /// The message.
    pub(super) message_id: String,
    /// What happened.
    pub(super) outcome: Report,
    /// Pointers followed so far.
    pub(super) hops: u8,
}

impl Message for NotificationReport {
    const PATH: &'static str = "/reported";
    type Reply = Done;
}
