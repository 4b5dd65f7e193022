//! `timer_by_key`: one moment at which to look at a profile again, for each of what it waits for.
//!
//! A run that fails postpones its timer with a growing pause; nothing drops a timer but the run that it was for.

use endcap_engine::health::TimerHealth;
use endcap_engine::person_export::{Belongings, TimerView};
use endcap_engine::timers_view::TimersView;
use endcap_profile::timers::{TimerKey, TimerMove};
use endcap_protocol::UnixMillis;
use serde::{Deserialize, Serialize};

use super::contract::{Access, ErasedProfile, Erasure, ProfileTransfer, Table, Transfer, Upgrade};
use super::meta::FAILED_TIMERS;
use super::rows::{pack, unpack};
use crate::objects::shard::store::{Store, bucket};
use crate::platform::backoff::pause_ms;
use crate::platform::db::Row;
use crate::platform::error::EdgeError;
use crate::rpc::erasure::ErasedRows;
use crate::rpc::person_export::BelongingsAsk;

/// The table.
pub(super) struct TimerTable;

impl Table for TimerTable {
    fn name(&self) -> &'static str {
        "timer_by_key"
    }

    fn schema(&self) -> &'static str {
        "CREATE TABLE IF NOT EXISTS timer_by_key(
           due INTEGER NOT NULL, profile_id TEXT NOT NULL, key TEXT NOT NULL, bucket INTEGER NOT NULL,
           attempts INTEGER NOT NULL, PRIMARY KEY(due, profile_id, key)) WITHOUT ROWID, STRICT;
         CREATE INDEX IF NOT EXISTS timer_failing ON timer_by_key(attempts) WHERE attempts > 0"
    }

    fn upgrade(&self) -> Upgrade {
        // Timers had one of two kinds before they had keys.
        Upgrade::OtherTable {
            name: "timer",
            take_over: &[
                "INSERT INTO timer_by_key(due, profile_id, key, bucket, attempts)
                 SELECT due, profile_id, CASE kind WHEN 1 THEN 'cart_left' ELSE 'stage' END, bucket, 0 FROM timer
                 WHERE kind IN (1, 2) ON CONFLICT DO NOTHING",
                "DROP TABLE timer",
            ],
        }
    }

    fn transfer(&self) -> Transfer {
        Transfer::WithProfile(ProfileTransfer {
            take,
            put,
            delete: "DELETE FROM timer_by_key WHERE profile_id IN (SELECT value FROM json_each(?))",
            delete_bucket: Some("DELETE FROM timer_by_key WHERE bucket = ?"),
        })
    }

    fn erasure(&self) -> Erasure {
        Erasure::Beside(erase)
    }

    fn access(&self) -> Access {
        Access::Shown(show)
    }
}

/// A timer as stored.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct StoredTimer {
    /// When it is due.
    pub(crate) due: UnixMillis,
    /// Whose it is.
    pub(crate) profile_id: String,
    /// What it is for, as text: a newer version may know keys that this one does not.
    pub(crate) key: String,
    /// Runs that failed.
    pub(crate) attempts: u32,
}

impl StoredTimer {
    /// What it is for; None where only a newer version knows.
    pub(crate) fn key(&self) -> Option<TimerKey> {
        TimerKey::parse(&self.key)
    }

    fn read(row: &Row) -> Self {
        Self { due: row.int(0), profile_id: row.text(1), key: row.text(2), attempts: row.int(3) as u32 }
    }
}

fn take(store: &Store, profiles: &[String]) -> Result<Vec<u8>, EdgeError> {
    let query = "SELECT due, profile_id, key, attempts FROM timer_by_key
                 WHERE profile_id IN (SELECT value FROM json_each(?))";
    let rows = store.db.rows(query, vec![serde_json::to_string(profiles)?.into()])?;
    pack(&rows.iter().map(StoredTimer::read).collect::<Vec<_>>())
}

fn put(store: &Store, rows: &[u8]) -> Result<(), EdgeError> {
    unpack(rows)?.iter().try_for_each(|timer| store.put_timer(timer))
}

fn erase(store: &Store, profile: &ErasedProfile<'_>, sums: &mut ErasedRows) -> Result<(), EdgeError> {
    if profile.is_gone {
        let delete = "DELETE FROM timer_by_key WHERE profile_id = ? RETURNING 1";
        sums.timers += store.db.rows(delete, vec![profile.id.into()])?.len() as u64;
    }
    Ok(())
}

fn show(store: &Store, ask: &BelongingsAsk, shown: &mut Belongings) -> Result<(), EdgeError> {
    for id in &ask.fragments {
        let query = "SELECT due, key FROM timer_by_key WHERE profile_id = ?";
        let rows = store.db.rows(query, vec![id.as_str().into()])?;
        shown.timers.extend(rows.iter().map(|row| TimerView::new(row.int(0), &row.text(1))));
    }
    Ok(())
}

impl Store {
    /// Moves a timer.
    pub(crate) fn move_timer(&self, profile_id: &str, timer: &TimerMove) -> Result<(), EdgeError> {
        let key = timer.key.to_text();
        if let Some(due) = timer.from {
            self.drop_timer(due, profile_id, &key)?;
        }
        self.put_timer(&StoredTimer { due: timer.to, profile_id: profile_id.to_owned(), key, attempts: 0 })
    }

    fn put_timer(&self, timer: &StoredTimer) -> Result<(), EdgeError> {
        self.db.run(
            "INSERT INTO timer_by_key(due, profile_id, key, bucket, attempts) VALUES(?, ?, ?, ?, ?)
             ON CONFLICT DO NOTHING",
            vec![
                timer.due.into(),
                timer.profile_id.as_str().into(),
                timer.key.as_str().into(),
                bucket(&timer.profile_id).into(),
                i64::from(timer.attempts).into(),
            ],
        )
    }

    /// Drops a timer: within the transaction of its run only, so that it comes back where the run fails.
    pub(crate) fn drop_timer(&self, due: UnixMillis, profile_id: &str, key: &str) -> Result<(), EdgeError> {
        let delete = "DELETE FROM timer_by_key WHERE due = ? AND profile_id = ? AND key = ?";
        self.db.run(delete, vec![due.into(), profile_id.into(), key.into()])
    }

    /// Puts a timer off whose run failed, and counts the failure.
    pub(crate) fn postpone_timer(&self, timer: &StoredTimer, now: UnixMillis) -> Result<(), EdgeError> {
        let due = now.saturating_add(pause_ms(timer.attempts));
        self.db.transaction(|| {
            self.drop_timer(timer.due, &timer.profile_id, &timer.key)?;
            self.put_timer(&StoredTimer { due, attempts: timer.attempts.saturating_add(1), ..timer.clone() })?;
            self.count(FAILED_TIMERS, 1)
        })
    }

    /// Timers due at `now`, the earliest first, of buckets that are served here.
    pub(crate) fn due_timers(&self, now: UnixMillis, limit: i64) -> Result<Vec<StoredTimer>, EdgeError> {
        let query = "SELECT due, profile_id, key, attempts FROM timer_by_key
                     WHERE due <= ? AND bucket NOT IN (SELECT bucket FROM unserved) ORDER BY due LIMIT ?";
        Ok(self.db.rows(query, vec![now.into(), limit.into()])?.iter().map(StoredTimer::read).collect())
    }

    /// How timers are.
    pub(crate) fn timers_view(&self, now: UnixMillis) -> Result<TimersView, EdgeError> {
        let query = "SELECT count(*), count(*) FILTER (WHERE attempts > 0), min(due) FROM timer_by_key
                     WHERE bucket NOT IN (SELECT bucket FROM unserved)";
        let failed_runs = self.meta(FAILED_TIMERS)?.unsigned_abs();
        let Some(row) = self.db.first(query, Vec::new())? else { return Ok(TimersView::default()) };
        let waiting = row.int(0).unsigned_abs();
        let next_due = (waiting > 0).then(|| row.int(2));
        Ok(TimersView { as_of: now, waiting, postponed: row.int(1).unsigned_abs(), failed_runs, next_due })
    }

    /// What of the timers needs a person. Counts no timer that waits as it should: there is one for each profile.
    pub(crate) fn timer_health(&self) -> Result<TimerHealth, EdgeError> {
        let query = "SELECT due FROM timer_by_key WHERE bucket NOT IN (SELECT bucket FROM unserved)
                     ORDER BY due LIMIT 1";
        let failing = self.db.first("SELECT count(*) FROM timer_by_key WHERE attempts > 0", Vec::new())?;
        Ok(TimerHealth {
            oldest_due: self.db.first(query, Vec::new())?.map(|row| row.int(0)),
            failing: failing.map_or(0, |row| row.int(0).unsigned_abs()),
            failed_runs: self.meta(FAILED_TIMERS)?.unsigned_abs(),
        })
    }

    /// Leaves timers in the form that they had before they had keys, for tests of what an earlier version left.
    pub(crate) fn leave_timers_by_kind(&self) -> Result<(), EdgeError> {
        self.db.transaction(|| {
            for statement in [
                "CREATE TABLE IF NOT EXISTS timer(
                   due INTEGER NOT NULL, profile_id TEXT NOT NULL, kind INTEGER NOT NULL, bucket INTEGER NOT NULL,
                   PRIMARY KEY(due, profile_id, kind)) WITHOUT ROWID, STRICT",
                "INSERT INTO timer(due, profile_id, kind, bucket)
                 SELECT due, profile_id, CASE key WHEN 'cart_left' THEN 1 ELSE 2 END, bucket FROM timer_by_key",
                "DELETE FROM timer_by_key",
            ] {
                self.db.run(statement, Vec::new())?;
            }
            Ok(())
        })
    }
}
