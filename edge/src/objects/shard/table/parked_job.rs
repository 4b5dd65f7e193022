//! `parked_job`: jobs of the outbox that failed too often. They wait for somebody to mend the cause and have them tried again.

use endcap_engine::parked_jobs::ParkedJob;
use endcap_protocol::UnixMillis;
use serde::{Deserialize, Serialize};

use super::contract::{Access, BucketTransfer, Eraser, Erasure, Table, Transfer, Upgrade};
use super::outbox::erase_jobs;
use super::rows::{pack, unpack};
use crate::objects::shard::store::{Store, bucket};
use crate::platform::error::EdgeError;
use crate::rpc::erasure::ErasedRows;

/// Most bytes of an error's text.
const ERROR_BYTES: usize = 500;

/// The table.
pub(super) struct ParkedJobTable;

impl Table for ParkedJobTable {
    fn name(&self) -> &'static str {
        "parked_job"
    }

    fn schema(&self) -> &'static str {
        "CREATE TABLE IF NOT EXISTS parked_job(
           id TEXT PRIMARY KEY, profile_id TEXT NOT NULL, bucket INTEGER NOT NULL, parked_at INTEGER NOT NULL,
           attempts INTEGER NOT NULL, error TEXT NOT NULL, body TEXT NOT NULL) WITHOUT ROWID, STRICT"
    }

    fn upgrade(&self) -> Upgrade {
        Upgrade::None
    }

    fn transfer(&self) -> Transfer {
        Transfer::WithBucket(BucketTransfer { take, put, delete: "DELETE FROM parked_job WHERE bucket = ?" })
    }

    fn erasure(&self) -> Erasure {
        Erasure::Found(erase)
    }

    fn access(&self) -> Access {
        Access::NotShown("what is on its way is shown where it arrives")
    }
}

#[derive(Serialize, Deserialize)]
struct Row {
    id: String,
    profile_id: String,
    parked_at: UnixMillis,
    attempts: i64,
    error: String,
    body: String,
}

fn take(store: &Store, bucket: u16) -> Result<Vec<u8>, EdgeError> {
    let query = "SELECT id, profile_id, parked_at, attempts, error, body FROM parked_job WHERE bucket = ?";
    let rows = store.db.rows(query, vec![i64::from(bucket).into()])?;
    let read = rows.iter().map(|row| Row {
        id: row.text(0),
        profile_id: row.text(1),
        parked_at: row.int(2),
        attempts: row.int(3),
        error: row.text(4),
        body: row.text(5),
    });
    pack(&read.collect::<Vec<_>>())
}

fn put(store: &Store, rows: &[u8]) -> Result<(), EdgeError> {
    unpack::<Row>(rows)?.into_iter().try_for_each(|row| {
        let bucket = bucket(&row.profile_id);
        store.db.run(
            "INSERT OR REPLACE INTO parked_job(id, profile_id, bucket, parked_at, attempts, error, body)
             VALUES(?, ?, ?, ?, ?, ?, ?)",
            vec![
                row.id.into(),
                row.profile_id.into(),
                bucket.into(),
                row.parked_at.into(),
                row.attempts.into(),
                row.error.into(),
                row.body.into(),
            ],
        )
    })
}

/// Drops jobs about the person, also a fragment that was to be carried.
fn erase(eraser: &Eraser<'_>, sums: &mut ErasedRows) -> Result<(), EdgeError> {
    let find = "SELECT id, body FROM parked_job
                WHERE EXISTS (SELECT 1 FROM json_each(?) WHERE instr(body, value) > 0)";
    erase_jobs(eraser, sums, find, "DELETE FROM parked_job WHERE id = ?")
}

impl Store {
    /// Takes a job out of the outbox that failed too often, and keeps it with the reason.
    pub(crate) fn park_job(&self, id: &str, error: &str, now: UnixMillis) -> Result<(), EdgeError> {
        let insert = "INSERT OR REPLACE INTO parked_job(id, profile_id, bucket, parked_at, attempts, error, body)
                      SELECT id, profile_id, bucket, ?, attempts + 1, ?, body FROM outbox WHERE id = ?";
        let error = endcap_protocol::touch::cut(error, ERROR_BYTES);
        self.db.transaction(|| {
            self.db.run(insert, vec![now.into(), error.into(), id.into()])?;
            self.drop_job(id)
        })
    }

    /// How many jobs are parked.
    pub(crate) fn count_parked(&self) -> Result<u64, EdgeError> {
        let row = self.db.first("SELECT count(*) FROM parked_job", Vec::new())?;
        Ok(row.map_or(0, |row| row.int(0).unsigned_abs()))
    }

    /// Some parked jobs, those that were parked first at the front.
    pub(crate) fn parked_jobs(&self, limit: i64) -> Result<Vec<ParkedJob>, EdgeError> {
        let query = "SELECT id, profile_id, parked_at, attempts, error, json_extract(body, '$.do') FROM parked_job
                     ORDER BY parked_at, id LIMIT ?";
        let rows = self.db.rows(query, vec![limit.into()])?;
        let read = rows.iter().map(|row| ParkedJob {
            id: row.text(0),
            profile_id: row.text(1),
            parked_at: row.int(2),
            attempts: row.int(3).unsigned_abs(),
            error: row.text(4),
            kind: row.text(5),
        });
        Ok(read.collect())
    }

    /// Puts parked jobs back into the outbox, as if they had never been tried: those of these names, or all, at most so many.
    /// Returns how many.
    pub(crate) fn retry_jobs(&self, ids: &[String], limit: i64, now: UnixMillis) -> Result<u64, EdgeError> {
        let find = "SELECT id FROM parked_job WHERE ? = '[]' OR id IN (SELECT value FROM json_each(?))
                    ORDER BY parked_at, id LIMIT ?";
        let back = "INSERT INTO outbox(id, profile_id, bucket, due, attempts, body)
                    SELECT id, profile_id, bucket, ?, 0, body FROM parked_job WHERE id = ? ON CONFLICT(id) DO NOTHING";
        let ids = serde_json::to_string(ids)?;
        self.db.transaction(|| {
            let found = self.db.rows(find, vec![ids.as_str().into(), ids.as_str().into(), limit.into()])?;
            for row in &found {
                let id = row.text(0);
                self.db.run(back, vec![now.into(), id.as_str().into()])?;
                self.db.run("DELETE FROM parked_job WHERE id = ?", vec![id.into()])?;
            }
            Ok(found.len() as u64)
        })
    }
}
