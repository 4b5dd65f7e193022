//! Which profiles have events that wait for the log, as an object remembers it (`log_tails.rs`).

use std::collections::BTreeMap;

use endcap_protocol::UnixMillis;

/// Runs within the time that a browser rests: each wakes the object and costs a row.
pub(super) const RUNS: UnixMillis = 6;

/// Which profiles have events that wait.
pub(crate) struct OpenTails {
    /// When the last of a profile's events came, as far as the object knows.
    pub(super) waiting: BTreeMap<String, UnixMillis>,
    /// Profiles that the search found, and whose rows say when the last of their events came.
    pub(super) found: Vec<String>,
    /// After which profile the search goes on; None once it is done.
    pub(super) search: Option<String>,
    /// When events left last.
    pub(super) left_at: UnixMillis,
}

impl Default for OpenTails {
    fn default() -> Self {
        Self { waiting: BTreeMap::new(), found: Vec::new(), search: Some(String::new()), left_at: 0 }
    }
}

impl OpenTails {
    /// When events have to leave of which the last came at a time.
    pub(super) fn due(&self, at: UnixMillis, rest_ms: UnixMillis) -> UnixMillis {
        at.saturating_add(rest_ms).max(self.left_at.saturating_add(rest_ms / RUNS))
    }
}
