//! Telling shards that the shop's models were fitted anew.

use endcap_protocol::UnixMillis;
use serde::{Deserialize, Serialize};

use super::message::{Done, Message};

/// The shop has models of a new fit: whom conditions on scores let in may have changed.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct FitPublished {
    /// When they were fitted.
    pub(crate) fitted_at: UnixMillis,
}

impl Message for FitPublished {
    const PATH: &'static str = "/scores/published";
    type Reply = Done;
}
