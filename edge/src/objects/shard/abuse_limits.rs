//! A shard's counts of robots' batches, and of batches beyond a source's bound.
//!
//! Both may come in floods, so they are counted in memory and written at most once a second.

use std::collections::BTreeMap;

use endcap_engine::limit::{Limiter, Rate};
use endcap_events::ingest::RejectCode;
use endcap_events::ingest::bot::{BotFilter, Verdicts};
use endcap_protocol::UnixMillis;

/// Least time between two writings of the counts, in milliseconds.
pub(super) const WRITE_MS: i64 = 1000;

/// What is counted: bucket, source and reason.
pub(super) type CountKey = (u16, String, RejectCode);

/// What a shard remembers of who sends.
#[derive(Default)]
pub(super) struct AbuseLimits {
    verdicts: Verdicts,
    sources: Option<Limiter>,
    /// Counts to be written.
    counts: BTreeMap<CountKey, i64>,
    written_at: UnixMillis,
}

impl AbuseLimits {
    /// Whether a sender is a robot.
    pub(super) fn is_robot(&mut self, filter: BotFilter, agent: &str, brands: &str) -> bool {
        self.verdicts.catches(filter, agent, brands)
    }

    /// Takes one batch of a source, or says after how many milliseconds there will be room.
    pub(super) fn take(&mut self, source: &str, rate: Rate, now: UnixMillis) -> Result<(), i64> {
        self.sources.get_or_insert_with(|| Limiter::new(rate)).take(source, now)
    }

    /// Takes back that a batch of a source was counted.
    pub(super) fn give_back(&mut self, source: &str) {
        if let Some(sources) = &mut self.sources {
            sources.give_back(source);
        }
    }

    /// Counts refused events in memory. True when the counts may be written.
    pub(super) fn count(&mut self, key: CountKey, count: i64, now: UnixMillis) -> bool {
        let held = self.counts.entry(key).or_default();
        *held = held.saturating_add(count);
        now.saturating_sub(self.written_at) >= WRITE_MS
    }

    /// The counts to be written now. [`AbuseLimits::written`] takes them away once they are.
    pub(super) fn counts(&self) -> BTreeMap<CountKey, i64> {
        self.counts.clone()
    }

    /// Some counts were written.
    pub(super) fn written(&mut self, written: &BTreeMap<CountKey, i64>, now: UnixMillis) {
        self.written_at = now;
        for (key, count) in written {
            if let Some(held) = self.counts.get_mut(key) {
                *held = held.saturating_sub(*count);
            }
        }
        self.counts.retain(|_, held| *held > 0);
    }
}
