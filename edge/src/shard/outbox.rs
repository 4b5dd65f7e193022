//! The outbox: what has to happen elsewhere, recorded before it is tried.
//!
//! Linking across shards and sending messages are recorded in the transaction that decided them, tried after it, and
//! tried again by the alarm until they are acknowledged. Every step is idempotent, so a crash anywhere repeats at most
//! what changes nothing.

use endcap_events::ingest::quarantine::KEPT_DAYS;
use endcap_protocol::{DAY_MS, UnixMillis, bucket_of};
use endcap_validation::EngineError;
use serde::{Deserialize, Serialize};

use super::link::{Bring, Tell};
use super::send::Send;
use super::store::Store;
use crate::fault::Fault;

/// First pause before another try, in milliseconds; it doubles up to an hour.
const FIRST_PAUSE_MS: i64 = 2_000;

/// Something to do elsewhere.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "snake_case")]
pub(super) enum Errand {
    /// Tell the identity graph what was said about a fragment, and carry out its answer.
    Tell(Box<Tell>),
    /// Bring a fragment to the profile that it belongs to.
    Bring(Box<Bring>),
    /// Send a push message to one browser.
    Send(Send),
}

/// An errand as stored.
pub(super) struct Entry {
    pub(super) id: String,
    pub(super) attempts: u32,
    pub(super) errand: Errand,
}

impl Store {
    /// Records an errand; one with the same ID is there already.
    pub(super) fn put_errand(&self, id: &str, profile_id: &str, due: UnixMillis, errand: &Errand) -> Result<(), Fault> {
        self.db.run(
            "INSERT INTO outbox(id, profile_id, bucket, due, attempts, body) VALUES(?, ?, ?, ?, 0, ?)
             ON CONFLICT(id) DO NOTHING",
            vec![
                id.into(),
                profile_id.into(),
                i64::from(bucket_of(profile_id)).into(),
                due.into(),
                serde_json::to_string(errand)?.into(),
            ],
        )
    }

    pub(super) fn drop_errand(&self, id: &str) -> Result<(), Fault> {
        self.db.run("DELETE FROM outbox WHERE id = ?", vec![id.into()])
    }

    /// Errands due at `now`, the longest due first.
    pub(super) fn due_errands(&self, now: UnixMillis, limit: i64) -> Result<Vec<Entry>, Fault> {
        let query = "SELECT id, attempts, body FROM outbox WHERE due <= ?
                     AND bucket NOT IN (SELECT bucket FROM holding WHERE state IN ('closed', 'gone', 'arriving'))
                     ORDER BY due LIMIT ?";
        self.entries(query, vec![now.into(), limit.into()])
    }

    /// Linking errands of profiles, due or not: a visitor who is here need not wait for the alarm.
    pub(super) fn link_errands(&self, profiles: &[&str]) -> Result<Vec<Entry>, Fault> {
        let query = "SELECT id, attempts, body FROM outbox
                     WHERE (id BETWEEN 'bring ' AND 'bring!' OR id BETWEEN 'tell ' AND 'tell!')
                     AND profile_id IN (SELECT value FROM json_each(?)) ORDER BY id";
        self.entries(query, vec![serde_json::to_string(profiles)?.into()])
    }

    fn entries(&self, query: &'static str, values: Vec<worker::SqlStorageValue>) -> Result<Vec<Entry>, Fault> {
        let rows = self.db.rows(query, values)?;
        let entries = rows.iter().map(|row| {
            let errand = serde_json::from_str(&row.text(2)).map_err(|e| EngineError::Internal(e.to_string()))?;
            Ok(Entry { id: row.text(0), attempts: row.int(1) as u32, errand })
        });
        entries.collect()
    }

    /// Puts an errand off after a failed try.
    pub(super) fn postpone(&self, entry: &Entry, until: UnixMillis) -> Result<(), Fault> {
        let update = "UPDATE outbox SET due = ?, attempts = attempts + 1 WHERE id = ?";
        self.db.run(update, vec![until.into(), entry.id.as_str().into()])
    }

    /// When the next errand or timer is due, or a refused event to be removed.
    pub(super) fn next_due(&self) -> Result<Option<UnixMillis>, Fault> {
        let query = "SELECT min(due) FROM (
                     SELECT min(due) AS due FROM timer
                     WHERE bucket NOT IN (SELECT bucket FROM holding WHERE state IN ('closed', 'gone', 'arriving'))
                     UNION ALL SELECT min(due) FROM outbox
                     WHERE bucket NOT IN (SELECT bucket FROM holding WHERE state IN ('closed', 'gone', 'arriving'))
                     UNION ALL SELECT min(received_at) + ? FROM (SELECT received_at FROM quarantine ORDER BY seq LIMIT 1))";
        Ok(self.db.first(query, vec![(KEPT_DAYS * DAY_MS).into()])?.map(|row| row.int(0)).filter(|due| *due != 0))
    }
}

/// The pause after so many failed tries.
pub(super) fn pause_ms(attempts: u32) -> i64 {
    (FIRST_PAUSE_MS << attempts.min(10)).min(3_600_000)
}
