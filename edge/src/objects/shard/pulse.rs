//! What a shard's object remembers of itself since it started: when it did something, and how much.

use std::cell::Cell;
use std::collections::BTreeMap;

use endcap_engine::health::Counted;
use endcap_engine::health::awake::AwakeMeter;
use endcap_protocol::UnixMillis;

use super::store::Store;
use super::table::meta::{AWAKE_BEFORE, AWAKE_HOUR, AWAKE_MS, LINE_AT, PROFILES, PROFILES_AT};
use crate::platform::clock;

/// What the object remembers of itself since it started.
pub(super) struct Pulse {
    pub(super) started_at: UnixMillis,
    /// The shard's number, once that is known.
    pub(super) number: Cell<Option<u16>>,
    pub(super) last_alarm: Cell<Option<UnixMillis>>,
    pub(super) awake: Cell<AwakeMeter>,
    pub(super) profiles: Cell<Counted>,
    /// A count that goes on: after which profile, and how many so far.
    pub(super) counting: Cell<Option<(String, u64)>>,
    /// After which profile the look for those that have ended goes on.
    pub(super) ending: Cell<String>,
    /// When the log got a line last; stored, because a quiet object is gone before the next one.
    pub(super) line_at: Cell<UnixMillis>,
    /// When the load was looked at, and how many batches there had been.
    pub(super) looked: Cell<(UnixMillis, u64)>,
    /// Batches a minute, as last looked at.
    pub(super) rate: Cell<u64>,
}

impl Pulse {
    /// The object starts.
    pub(super) fn start(store: &Store) -> Self {
        let now = clock::now();
        let numbers = store.all_meta().unwrap_or_else(|error| {
            worker::console_error!("what this shard remembers: {error}");
            BTreeMap::new()
        });
        let stored = |key: &str| numbers.get(key).copied().unwrap_or_default();
        Self {
            started_at: now,
            number: Cell::new(None),
            last_alarm: Cell::new(None),
            awake: Cell::new(AwakeMeter::stored(stored(AWAKE_HOUR), stored(AWAKE_MS), stored(AWAKE_BEFORE))),
            profiles: Cell::new(Counted { count: stored(PROFILES).unsigned_abs(), as_of: stored(PROFILES_AT) }),
            counting: Cell::new(None),
            ending: Cell::default(),
            line_at: Cell::new(stored(LINE_AT)),
            looked: Cell::new((now, 0)),
            rate: Cell::new(0),
        }
    }

    /// The object answers a request, or its alarm rings.
    pub(super) fn beat(&self, now: UnixMillis) {
        let mut awake = self.awake.get();
        awake.note(now);
        self.awake.set(awake);
    }

    /// The alarm rings.
    pub(super) fn ring(&self, now: UnixMillis) {
        self.last_alarm.set(Some(now));
        self.beat(now);
    }
}
