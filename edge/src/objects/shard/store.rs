//! A shard's rows.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use endcap_engine::layout::BucketState;
use endcap_engine::segment::fill::Fill;
use endcap_engine::shop::{Calendar, Snapshot};
use endcap_events::ingest::warning_log::WarningLog;
use endcap_profile::digest_cache::DigestCache;
use endcap_profile::row_cache::RowCache;
use endcap_protocol::{UnixMillis, bucket_of};

use super::log_index::LogIndex;
use super::open_tails::OpenTails;
use crate::platform::db::Db;

/// A shard's rows. What is done to each table is said in the table's own file.
pub(crate) struct Store {
    /// The object's database.
    pub(crate) db: Db,
    /// States of buckets that moved or move.
    pub(crate) bucket_states: RefCell<BTreeMap<u16, BucketState>>,
    /// Profiles that were written while their bucket is copied to another shard.
    pub(crate) changed: RefCell<BTreeSet<String>>,
    /// Which profiles have events that wait for the log.
    pub(crate) tails: RefCell<OpenTails>,
    /// Packed rows that were read or written a moment ago.
    pub(crate) rows: RowCache,
    /// Digests of the person that was completed last.
    pub(crate) digests: DigestCache,
    /// Bytes from which on the fragments of a profile lie apart from its row.
    pub(crate) apart_bytes: usize,
    /// Warnings that wait to be written.
    pub(crate) waiting_warnings: RefCell<WarningLog>,
    /// How far everybody was held against the shop's segments; None until it was read.
    pub(crate) segment_fill: RefCell<Option<Rc<Fill>>>,
    /// Where the log has the events of each fragment, while somebody asks.
    pub(crate) log_index: RefCell<LogIndex>,
    /// The shop's days, as last heard; those of UTC before that.
    pub(crate) calendar: RefCell<Calendar>,
    /// When the models were fitted by which everybody was last looked at again, as far as it was read; 0 before that.
    pub(crate) fit_looked_at: Cell<UnixMillis>,
    /// The room that refused events take, or took before some went; None until it matters.
    pub(crate) refused_weight: Cell<Option<i64>>,
}

impl Store {
    /// The rows of a database whose tables were made.
    pub(crate) fn new(db: Db, apart_bytes: usize) -> Self {
        Self {
            db,
            rows: RowCache::default(),
            digests: DigestCache::default(),
            apart_bytes,
            bucket_states: RefCell::default(),
            changed: RefCell::default(),
            tails: RefCell::default(),
            waiting_warnings: RefCell::default(),
            segment_fill: RefCell::default(),
            log_index: RefCell::default(),
            calendar: RefCell::default(),
            fit_looked_at: Cell::default(),
            refused_weight: Cell::default(),
        }
    }
}

impl Store {
    /// The day of a moment in the shop's time zone, since 1970-01-01.
    pub(crate) fn day(&self, at: UnixMillis) -> i64 {
        self.calendar.borrow().day(at)
    }

    /// Takes the shop's days from a snapshot.
    pub(crate) fn note_calendar(&self, snapshot: &Snapshot) {
        self.calendar.borrow_mut().clone_from(&snapshot.calendar);
    }
}

/// The bucket of a profile, as its rows carry it.
pub(crate) fn bucket(profile_id: &str) -> i64 {
    i64::from(bucket_of(profile_id))
}
