//! Events that wait in packed rows, and leave for the log: when a row holds too many, when their browser has rested for so long
//! and the alarm rings, when their fragment moves, and when somebody reads them.
//!
//! The object remembers which profiles have some. After a start it looks through the stored rows once, a part with each alarm.

use endcap_engine::health::awake::learning_due;
use endcap_identity::FragmentId;
use endcap_profile::ProfileRow;
use endcap_profile::fragment_rows::Wanted;
use endcap_profile::log_tail::LogEntry;
use endcap_protocol::UnixMillis;

use super::object::ProfileShard;
use super::open_tails::RUNS;
use super::store::Store;
use crate::platform::clock;
use crate::platform::config::config;
use crate::platform::error::EdgeError;

/// Profiles that one run looks through after a start.
const SCANNED: i64 = 5_000;
/// Of those found then, profiles whose rows one run reads: a request that wakes the object waits for that.
const READ: usize = 200;
/// Profiles whose events leave in one run.
const LEAVING: usize = 200;
/// The least pause between two parts of the search, in milliseconds.
const PAUSE_MS: UnixMillis = 1_000;

impl Store {
    /// Notes that events of a profile wait.
    pub(crate) fn note_tail(&self, profile_id: &str, at: UnixMillis) {
        let mut tails = self.tails.borrow_mut();
        match tails.waiting.get_mut(profile_id) {
            Some(held) => *held = at,
            None => drop(tails.waiting.insert(profile_id.to_owned(), at)),
        }
    }

    fn forget_tail(&self, profile_id: &str) {
        self.tails.borrow_mut().waiting.remove(profile_id);
    }

    /// When events have to leave that rest for so long; None where none waits.
    fn tails_due(&self, rest_ms: UnixMillis, now: UnixMillis) -> Option<UnixMillis> {
        let tails = self.tails.borrow();
        let part = if tails.found.is_empty() { PAUSE_MS.max(rest_ms / RUNS) } else { PAUSE_MS };
        let goes_on = tails.search.is_some() || !tails.found.is_empty();
        let searched = goes_on.then(|| now.saturating_add(part));
        let oldest = tails.waiting.values().min().map(|at| tails.due(*at, rest_ms));
        searched.into_iter().chain(oldest).min()
    }

    /// When events have to leave of which the last came at a time.
    fn tail_due(&self, at: UnixMillis, rest_ms: UnixMillis) -> UnixMillis {
        self.tails.borrow().due(at, rest_ms)
    }

    /// Moves the events that wait in a row into the log, in the transaction that saves the row: those of one fragment, or all.
    pub(crate) fn log_tails(&self, row: &mut ProfileRow, only: Option<&FragmentId>) -> Result<(), EdgeError> {
        let id = row.id.as_str().to_owned();
        let leaves = |at: &FragmentId| only.is_none_or(|only| only == at);
        for (at, tail) in row.tails.extract_if(.., |at, _| leaves(at)) {
            self.append_tail(&id, &at, &tail)?;
        }
        // Who asks for all has read all that wait.
        if row.tails.is_empty() && (only.is_none() || row.unread().fragments == 0) {
            self.forget_tail(&id);
        }
        Ok(())
    }

    /// Profiles that are known to have events which wait.
    pub(crate) fn tails_waiting(&self) -> u64 {
        let tails = self.tails.borrow();
        (tails.waiting.len() + tails.found.len()) as u64
    }

    /// The same for stored profiles. Returns whether some had any, and the first failure: a profile that a newer version wrote, or
    /// that is on its way to another shard, holds up no other, and is tried again.
    fn log_stored_tails<'a>(
        &self,
        profiles: impl IntoIterator<Item = &'a str>,
        now: UnixMillis,
    ) -> (bool, Result<(), EdgeError>) {
        let (mut some, mut outcome) = (false, Ok(()));
        for id in profiles {
            let logged = self.db.transaction(|| {
                let waiting = self.load_with(id, Wanted::WithTails)?;
                let Some(mut row) = waiting.filter(|row| !row.tails.is_empty()) else { return Ok(false) };
                self.log_tails(&mut row, None)?;
                self.save(&row).map(|()| true)
            });
            match logged {
                Ok(logged) => {
                    some |= logged;
                    // Of a bucket that is still arriving nothing can be read yet.
                    if self.may_read(id) {
                        self.forget_tail(id);
                    }
                }
                Err(error) => {
                    worker::console_error!("events of {id} that wait for the log: {error}");
                    self.note_tail(id, now);
                    outcome = outcome.and(Err(error));
                }
            }
        }
        (some, outcome)
    }

    /// Looks through a part of the stored profiles, after a start.
    fn search_tails(&self, now: UnixMillis) -> Result<(), EdgeError> {
        let after = self.tails.borrow().search.clone();
        if let Some(after) = after {
            let found = self.with_tails(&after, SCANNED)?;
            let mut tails = self.tails.borrow_mut();
            let news: Vec<String> = found.ids.into_iter().filter(|id| !tails.waiting.contains_key(id)).collect();
            tails.found.extend(news);
            tails.search = found.next;
        }
        let found = {
            let found = &mut self.tails.borrow_mut().found;
            found.split_off(found.len().saturating_sub(READ))
        };
        for id in found {
            let last = match self.load_with(&id, Wanted::WithTails) {
                Ok(Some(row)) => row.tails.values().map(|tail| tail.last).max(),
                // One that cannot be read is looked at again when it would have rested.
                _ => Some(now),
            };
            if let Some(last) = last {
                self.tails.borrow_mut().waiting.entry(id).or_insert(last);
            }
        }
        Ok(())
    }
}

impl ProfileShard {
    /// Keeps the events of a batch: in the row, or in the log where that has room for none. Returns when the alarm has to ring
    /// for them.
    pub(super) fn log_batch(
        &self,
        row: &mut ProfileRow,
        at: &FragmentId,
        entry: &LogEntry<'_>,
        now: UnixMillis,
    ) -> Result<UnixMillis, EdgeError> {
        let config = config(&self.env);
        if config.log_tail_bytes == 0 {
            self.store.append_entry(row.id.as_str(), at, entry)?;
        } else {
            row.log(at, entry)?;
        }
        if row.tails_are_full(config.log_tail_bytes, config.log_rest_ms, now) {
            row.read_more(&self.store, Wanted::WithTails)?;
            self.store.log_tails(row, None)?;
        } else if !row.tails.is_empty() {
            self.store.note_tail(row.id.as_str(), now);
            return Ok(self.store.tail_due(now, config.log_rest_ms));
        }
        self.note_learning();
        Ok(learning_due(now, self.reported_at.get(), config.learn_interval_ms))
    }

    /// Moves events into the log whose browsers have rested. True when there may be more.
    pub(super) fn rest_tails(&self, now: UnixMillis) -> Result<bool, EdgeError> {
        self.store.search_tails(now)?;
        let before = now.saturating_sub(config(&self.env).log_rest_ms);
        let rested: Vec<String> = {
            let tails = self.store.tails.borrow();
            let rested = tails.waiting.iter().filter(|(_, at)| **at <= before);
            rested.map(|(id, _)| id.clone()).take(LEAVING).collect()
        };
        if rested.is_empty() {
            return Ok(false);
        }
        self.store.tails.borrow_mut().left_at = now;
        // What failed was noted, and is tried again once it would have rested.
        let (some, _) = self.store.log_stored_tails(rested.iter().map(String::as_str), now);
        if some {
            self.note_learning();
        }
        Ok(rested.len() == LEAVING)
    }

    /// Moves the events of some fragments into the log, so that whoever reads that finds them. They are in the row of the
    /// profile, which is named after one of them.
    pub(super) fn log_tails_of<'a>(&self, fragments: impl Iterator<Item = &'a FragmentId>) -> Result<(), EdgeError> {
        let (some, outcome) = self.store.log_stored_tails(fragments.map(FragmentId::as_str), clock::now());
        if some {
            self.note_learning();
        }
        outcome
    }

    /// When the alarm has to ring for events that wait.
    pub(super) fn tails_due(&self, now: UnixMillis) -> Option<UnixMillis> {
        self.store.tails_due(config(&self.env).log_rest_ms, now)
    }
}
