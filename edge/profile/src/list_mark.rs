//! That somebody was put on a list by hand, or taken off it.

use std::collections::BTreeMap;

use endcap_protocol::{SegmentId, UnixMillis};
use serde::{Deserialize, Serialize};

/// A mark of a list at a fragment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListMark {
    /// Version of the shop's segments with which the list began: one that was deleted and made again is another.
    pub born: u64,
    /// When it was set.
    pub at: UnixMillis,
    /// Whether the person is on it.
    pub is_on: bool,
}

/// The marks of a fragment, by list.
pub type ListMarks = BTreeMap<SegmentId, ListMark>;
