//! Which segments a person is in, as last worked out.

use std::collections::BTreeMap;

use endcap_protocol::{SegmentId, UnixMillis};
use serde::{Deserialize, Serialize};

/// A person's place in a segment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Membership {
    /// Since when.
    pub since: UnixMillis,
    /// Version of the shop's segments with which the segment began: one that was deleted and made again is another one.
    pub born: u64,
}

/// The segments that a person is in.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Memberships {
    /// Version of the shop's segments by which they were worked out.
    pub judged: u64,
    /// By segment.
    pub held: BTreeMap<SegmentId, Membership>,
}
