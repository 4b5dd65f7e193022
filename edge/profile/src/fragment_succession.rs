//! Fragment succession: when another person logs in on a browser, the successor inherits the dedupe of the closed
//! fragment.

use endcap_events::ingest::Batch;
use endcap_identity::FragmentId;
use endcap_protocol::{AnonymousId, UnixMillis};

use super::dedupe::{Accepted, Block};
use super::fragment::Fragment;
use super::row::ProfileRow;

impl ProfileRow {
    /// Removes from a batch the events that the closed fragment accepted, and returns their message IDs. Such a batch
    /// is a retry of the one that began the successor, and the next person must not get these events.
    #[must_use]
    pub fn known_before_succession(&self, at: &FragmentId, batch: &mut Batch, overflow: &[Block]) -> Vec<String> {
        let Some(fragment) = self.fragments.get(at) else { return Vec::new() };
        let (known, rest) = std::mem::take(&mut batch.events)
            .into_iter()
            .partition(|event| fragment.messages.contains(&event.message_id, overflow));
        batch.events = rest;
        Vec::into_iter(known).map(|event| event.message_id.into_string()).collect()
    }

    /// The inherited dedupe of a closed fragment's successor, because a retry may go straight to the successor.
    #[must_use]
    pub fn inherited_dedupe(&self, at: &FragmentId, overflow: &[Block]) -> Option<Accepted> {
        let closed = self.fragments.get(at).filter(|fragment| fragment.successor.is_some())?;
        Some(closed.messages.with(overflow))
    }

    /// Begins a successor on a browser, with the dedupe that it inherits.
    pub fn inherit(&mut self, id: &FragmentId, browser: &AnonymousId, known: Accepted, now: UnixMillis) {
        let begun = || Fragment { messages: known, ..Fragment::begun(browser, now) };
        self.fragments.entry(id.clone()).or_insert_with(begun);
    }
}
