//! What the page knows of its visitor: what the edge answered, and what happened since.

use endcap_protocol::UnixMillis;
use endcap_targeting::{Act, Behaviour};

/// What an event did, until the edge answers for it.
pub(crate) struct Pending {
    /// Its message ID.
    pub(crate) id: String,
    /// When it happened.
    pub(crate) at: UnixMillis,
    /// What it changes.
    pub(crate) acts: [Option<Act>; 2],
}

/// What is known of the visitor.
#[derive(Default)]
pub(crate) struct Decisions {
    /// The visitor's behaviour as the edge last knew it, in binary form; empty before.
    pub(crate) base: Vec<u8>,
    /// The same with everything applied that the edge has not seen.
    pub(crate) behaviour: Behaviour,
    /// This browser subscribed to web push on this page.
    pub(crate) subscribed: bool,
    /// Events that the edge has not answered for.
    pub(crate) pending: Vec<Pending>,
}
