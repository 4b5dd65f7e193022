//! Whether a crossing from one domain to another arrives for the first time.

use endcap_protocol::UnixMillis;
use serde::{Deserialize, Serialize};

use super::message::Message;

/// A crossing arrives.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct CrossingArrival {
    /// Its name.
    pub(crate) nonce: String,
    /// Until when its token is good.
    pub(crate) expires_at: UnixMillis,
}

/// The answer.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Arrival {
    /// Whether it had not arrived before.
    pub(crate) is_first: bool,
}

impl Message for CrossingArrival {
    const PATH: &'static str = "/crossing";
    type Reply = Arrival;
}
