//! Push messages that were decided for a browser, and what became of them.

use endcap_protocol::UnixMillis;
use endcap_push::Outcome;
use serde::{Deserialize, Serialize};

/// One push message and what became of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PushRecord {
    /// The message.
    pub message_id: String,
    /// The journey or campaign it belongs to.
    pub campaign: String,
    /// When it was decided.
    pub at: UnixMillis,
    /// What the push service said last; None until it answered.
    pub outcome: Option<Outcome>,
    /// When the push service last answered.
    pub answered_at: Option<UnixMillis>,
    /// When the browser showed it.
    pub shown_at: Option<UnixMillis>,
    /// When the person clicked it.
    pub clicked_at: Option<UnixMillis>,
    /// When the person closed it.
    pub closed_at: Option<UnixMillis>,
}
