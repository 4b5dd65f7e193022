//! Where the log has the events of each fragment, in memory.

use std::collections::BTreeSet;

use endcap_identity::FragmentId;
use endcap_protocol::UnixMillis;
use endcap_targeting::event_query::fnv_1a;

/// The rows of each fragment.
#[derive(Debug, Default)]
pub(crate) struct LogIndex {
    /// A hash of the fragment's name, and the row's number, in this order.
    rows: Vec<(u32, u32)>,
    /// Rows up to this one are in it; 0 before the first.
    pub(super) until: i64,
    /// Rows that could not be read.
    pub(super) unreadable: BTreeSet<u32>,
    /// When somebody asked last.
    pub(super) asked_at: UnixMillis,
}

fn hash(fragment: &str) -> u32 {
    (fnv_1a(fragment.as_bytes()) >> 32) as u32
}

impl LogIndex {
    /// Adds rows, each a number with its fragment.
    pub(super) fn extend(&mut self, rows: impl Iterator<Item = (i64, String)>) {
        self.rows.extend(rows.filter_map(|(seq, fragment)| Some((hash(&fragment), u32::try_from(seq).ok()?))));
        // This sort merges what is in order already with what came.
        self.rows.sort();
    }

    /// Numbers of the rows that a fragment may have, in order: those of another one with the same hash are among them.
    pub(super) fn of(&self, fragment: &FragmentId) -> Vec<u32> {
        let wanted = hash(fragment.as_str());
        let first = self.rows.partition_point(|(hash, _)| *hash < wanted);
        let same = self.rows.iter().skip(first).take_while(|(hash, _)| *hash == wanted);
        same.map(|(_, seq)| *seq).collect()
    }
}
