//! `meta`: cursors and counts of the shard itself.

use std::collections::BTreeMap;

use endcap_protocol::UnixMillis;

use super::contract::{Access, Erasure, Table, Transfer, Upgrade};
use crate::objects::shard::store::Store;
use crate::platform::error::EdgeError;

/// Number of the log row up to which the shop was told what there is to learn.
pub(crate) const LEARNED: &str = "learned";
/// Profiles that ended by their age.
pub(crate) const PROFILES_ENDED: &str = "profiles_ended";
/// When all were last looked at for that.
pub(crate) const PROFILES_ENDED_AT: &str = "profiles_ended_at";
/// When the log was last trimmed.
pub(crate) const TRIMMED_AT: &str = "trimmed_at";
/// When everybody is to be looked at again because rows lack their past; 0 where none is known to.
pub(crate) const PAST_DUE: &str = "past_due";
/// When everybody was last looked at again because rows lacked their past.
pub(crate) const PAST_LOOKED_UP_AT: &str = "past_looked_up_at";
/// When the models were fitted by which everybody was last looked at again.
pub(crate) const FIT_LOOKED_AT: &str = "fit_looked_at";
/// The last number of a spilled dedupe block.
pub(crate) const DEDUPE_PART: &str = "dedupe_part";
/// Refused events that made room for later ones.
pub(crate) const QUARANTINE_DROPPED: &str = "quarantine_dropped";
/// Whether this shard has the tombstones from before its first data.
pub(crate) const TOMBSTONES_KNOWN: &str = "tombstones_known";
/// Runs of timers that failed.
pub(crate) const FAILED_TIMERS: &str = "failed_timers";
/// Log rows that could not be learned of.
pub(crate) const UNREADABLE_LOG_ROWS: &str = "unreadable_log_rows";
/// When one of them was found last.
pub(crate) const UNREADABLE_AT: &str = "unreadable_log_rows_at";
/// When a refused event made room last.
pub(crate) const QUARANTINE_DROPPED_AT: &str = "quarantine_dropped_at";
/// When the log got a line about this shard's health.
pub(crate) const LINE_AT: &str = "health_line_at";
/// Profiles, as last counted, and when that was.
pub(crate) const PROFILES: &str = "profiles";
/// See [`PROFILES`].
pub(crate) const PROFILES_AT: &str = "profiles_at";
/// The hour that [`AWAKE_MS`] is about, counted from 1970.
pub(crate) const AWAKE_HOUR: &str = "awake_hour";
/// Milliseconds that the object was awake within that hour.
pub(crate) const AWAKE_MS: &str = "awake_ms";
/// The same of the hour before.
pub(crate) const AWAKE_BEFORE: &str = "awake_before_ms";

/// The table.
pub(super) struct MetaTable;

impl Table for MetaTable {
    fn name(&self) -> &'static str {
        "meta"
    }

    fn schema(&self) -> &'static str {
        "CREATE TABLE IF NOT EXISTS meta(key TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID, STRICT"
    }

    fn upgrade(&self) -> Upgrade {
        Upgrade::None
    }

    fn transfer(&self) -> Transfer {
        Transfer::Stays("cursors and counts of this shard")
    }

    fn erasure(&self) -> Erasure {
        Erasure::NothingPersonal("numbers only")
    }

    fn access(&self) -> Access {
        Access::NotShown("numbers only")
    }
}

impl Store {
    /// A number by its name; 0 where it was never set.
    pub(crate) fn meta(&self, key: &str) -> Result<i64, EdgeError> {
        let row = self.db.first("SELECT value FROM meta WHERE key = ?", vec![key.into()])?;
        Ok(row.map_or(0, |row| row.int(0)))
    }

    /// A time by its name; None where it was never set.
    pub(crate) fn moment(&self, key: &str) -> Result<Option<UnixMillis>, EdgeError> {
        Ok(Some(self.meta(key)?).filter(|at| *at > 0))
    }

    /// All numbers by their names.
    pub(crate) fn all_meta(&self) -> Result<BTreeMap<String, i64>, EdgeError> {
        let rows = self.db.rows("SELECT key, value FROM meta", Vec::new())?;
        Ok(rows.iter().map(|row| (row.text(0), row.int(1))).collect())
    }

    /// Sets a number by its name.
    pub(crate) fn set_meta(&self, key: &str, value: i64) -> Result<(), EdgeError> {
        let upsert = "INSERT INTO meta(key, value) VALUES(?, ?) ON CONFLICT(key) DO UPDATE SET value = excluded.value";
        self.db.run(upsert, vec![key.into(), value.into()])
    }

    /// Adds to a number by its name.
    pub(crate) fn count(&self, key: &str, more: i64) -> Result<(), EdgeError> {
        self.set_meta(key, self.meta(key)?.saturating_add(more))
    }
}
