//! Moving a bucket from one shard to another: the registry asks for it, the shards carry it out.

use std::collections::BTreeMap;

use endcap_engine::layout::placement::Move;
use serde::{Deserialize, Serialize};

use super::message::{Done, Message};

/// Asks the shard that has a bucket to hand it over. It answers when nothing of it is left there.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct MoveBucket {
    /// Which, and to whom.
    pub(crate) order: Move,
}

impl Message for MoveBucket {
    const PATH: &'static str = "/bucket/move";
    type Reply = Done;
}

/// Announces a bucket to the shard that is to have it.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct TransferAnnouncement {
    /// Which, and to whom.
    pub(crate) order: Move,
    /// Names this try.
    pub(crate) session: String,
}

impl Message for TransferAnnouncement {
    // Versions with another form of rows use another path. So a transfer between two such versions fails at this
    // message, before the bucket is closed, and is tried again.
    const PATH: &'static str = "/bucket/announce";
    type Reply = TransferAccepted;
}

/// What the other shard says to that.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct TransferAccepted {
    /// The bucket came with an earlier try.
    pub(crate) here: bool,
    /// It does not know yet who was erased before.
    pub(crate) lacks_tombstones: bool,
}

/// Part of a bucket on its way.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct TransferChunk {
    /// Which bucket, and to whom.
    pub(crate) order: Move,
    /// Names the try.
    pub(crate) session: String,
    /// Rows by table, each table's in its own packed form, base64.
    pub(crate) rows: BTreeMap<String, String>,
    /// Profiles whose rows these are: what came of them before is replaced.
    pub(crate) profiles: Vec<String>,
    /// Nothing follows: from now on the bucket is served there.
    pub(crate) last: bool,
}

impl Message for TransferChunk {
    const PATH: &'static str = "/bucket/take-rows";
    type Reply = Done;
}
