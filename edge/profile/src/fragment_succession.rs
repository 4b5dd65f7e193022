//! A browser that another person logged in on: the fragment that follows knows what was known before.

use endcap_events::ingest::Batch;
use endcap_identity::FragmentId;
use endcap_protocol::{AnonymousId, UnixMillis};

use super::dedupe::{Accepted, Block};
use super::fragment::Fragment;
use super::row::ProfileRow;

impl ProfileRow {
    /// Takes out of a batch what the fragment knew before the browser was handed over, and returns those messages: the
    /// batch is a retry of the one that handed it over, and the next person is to get nothing of it.
    #[must_use]
    pub fn known_before_succession(&self, at: &FragmentId, batch: &mut Batch, overflow: &[Block]) -> Vec<String> {
        let Some(fragment) = self.fragments.get(at) else { return Vec::new() };
        let (known, rest) = std::mem::take(&mut batch.events)
            .into_iter()
            .partition(|event| fragment.messages.contains(&event.message_id, overflow));
        batch.events = rest;
        Vec::into_iter(known).map(|event| event.message_id.into_string()).collect()
    }

    /// What the fragment that follows a closed one has to know: a retry may go straight to it.
    #[must_use]
    pub fn inherited_dedupe(&self, at: &FragmentId, overflow: &[Block]) -> Option<Accepted> {
        let closed = self.fragments.get(at).filter(|fragment| fragment.successor.is_some())?;
        Some(closed.messages.with(overflow))
    }

    /// Begins a fragment that takes a browser over from another, whose messages it knows.
    pub fn inherit(&mut self, id: &FragmentId, browser: &AnonymousId, known: Accepted, now: UnixMillis) {
        let begun = || Fragment { messages: known, ..Fragment::begun(browser, now) };
        self.fragments.entry(id.clone()).or_insert_with(begun);
    }
}
