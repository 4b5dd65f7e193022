//! Which segments a person is in, as last worked out.

use std::collections::BTreeMap;

use endcap_protocol::{SegmentId, UnixMillis};
use serde::{Deserialize, Serialize};

/// The segments that a person is in.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Memberships {
    /// Version of the shop's segments by which they were worked out.
    pub judged: u64,
    /// By segment: since when.
    pub since: BTreeMap<SegmentId, UnixMillis>,
}
