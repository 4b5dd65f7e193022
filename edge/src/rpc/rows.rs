//! What development looks at: rows that were written, and rows that are stored.

use endcap_identity::FragmentId;
use endcap_protocol::ProfileId;
use serde::{Deserialize, Serialize};

use super::message::{Done, Message};

/// Asks a shard what batches cost.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct RowsAsk {}

impl Message for RowsAsk {
    const PATH: &'static str = "/rows";
    type Reply = RowsWritten;
}

/// What batches cost.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct RowsWritten {
    /// Batches stored.
    pub(crate) batches: u64,
    /// Rows written, indexes included.
    pub(crate) rows_written: u64,
    /// Statements that the database ran.
    #[serde(default)]
    pub(crate) statements: u64,
}

/// Asks an object for every row of every table.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct TablesAsk {}

impl Message for TablesAsk {
    const PATH: &'static str = "/tables";
    type Reply = serde_json::Value;
}

/// Asks a shard what is said about each of its tables.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct TableRulesAsk {}

impl Message for TableRulesAsk {
    const PATH: &'static str = "/table-rules";
    type Reply = serde_json::Value;
}

/// Has a shard leave its timers in the form that they had before they had keys, as an earlier version left them.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct LeaveOldTimers {}

impl Message for LeaveOldTimers {
    const PATH: &'static str = "/old-timers";
    type Reply = Done;
}

/// Has a shard write a profile's row in a format that it cannot read, as a newer version would during a gradual
/// deployment, or put it back.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct SetRowFormat {
    /// The profile.
    pub(crate) profile_id: String,
    /// The format byte to write.
    pub(crate) format: u8,
}

impl Message for SetRowFormat {
    const PATH: &'static str = "/row-format";
    type Reply = RowFormat;
}

/// Has the graph join a fragment to a profile by a claim, as earlier versions did.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct JoinByClaim {
    /// The fragment.
    pub(crate) fragment: FragmentId,
    /// The profile.
    pub(crate) profile_id: ProfileId,
}

impl Message for JoinByClaim {
    const PATH: &'static str = "/join-by-claim";
    type Reply = Done;
}

/// The format byte that a row had before.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct RowFormat {
    /// The format byte.
    pub(crate) format: u8,
}
