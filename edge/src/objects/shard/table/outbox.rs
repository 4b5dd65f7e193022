//! `outbox`: what has to happen elsewhere, recorded before it is tried.
//!
//! Linking across shards and sending messages are recorded in the transaction that decided them, tried after it, and
//! tried again by the alarm until they are acknowledged, or failed so often that they are parked (`parked_job.rs`). Every
//! step is idempotent, so a crash anywhere repeats at most what changes nothing.

use std::collections::BTreeSet;

use endcap_engine::health::OutboxHealth;
use endcap_identity::FragmentId;
use endcap_protocol::UnixMillis;
use serde::{Deserialize, Serialize};
use worker::SqlStorageValue;

use super::contract::{Access, BucketTransfer, Eraser, Erasure, Table, Transfer, Upgrade};
use super::rows::{pack, unpack};
use crate::objects::shard::outbox_job::OutboxJob;
use crate::objects::shard::store::{Store, bucket};
use crate::platform::clock;
use crate::platform::error::EdgeError;
use crate::platform::queue::queue_health;
use crate::rpc::erasure::ErasedRows;

/// The table.
pub(super) struct OutboxTable;

impl Table for OutboxTable {
    fn name(&self) -> &'static str {
        "outbox"
    }

    fn schema(&self) -> &'static str {
        "CREATE TABLE IF NOT EXISTS outbox(
           id TEXT PRIMARY KEY, profile_id TEXT NOT NULL, bucket INTEGER NOT NULL, due INTEGER NOT NULL,
           attempts INTEGER NOT NULL, body TEXT NOT NULL) WITHOUT ROWID, STRICT"
    }

    fn upgrade(&self) -> Upgrade {
        Upgrade::None
    }

    fn transfer(&self) -> Transfer {
        Transfer::WithBucket(BucketTransfer { take, put, delete: "DELETE FROM outbox WHERE bucket = ?" })
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
    due: UnixMillis,
    attempts: i64,
    body: String,
}

fn take(store: &Store, bucket: u16) -> Result<Vec<u8>, EdgeError> {
    let query = "SELECT id, profile_id, due, attempts, body FROM outbox WHERE bucket = ?";
    let rows = store.db.rows(query, vec![i64::from(bucket).into()])?;
    let read = rows.iter().map(|row| Row {
        id: row.text(0),
        profile_id: row.text(1),
        due: row.int(2),
        attempts: row.int(3),
        body: row.text(4),
    });
    pack(&read.collect::<Vec<_>>())
}

fn put(store: &Store, rows: &[u8]) -> Result<(), EdgeError> {
    unpack::<Row>(rows)?.into_iter().try_for_each(|row| {
        store.db.run(
            "INSERT INTO outbox(id, profile_id, bucket, due, attempts, body) VALUES(?, ?, ?, ?, ?, ?)",
            vec![
                row.id.into(),
                row.profile_id.as_str().into(),
                bucket(&row.profile_id).into(),
                row.due.into(),
                row.attempts.into(),
                row.body.into(),
            ],
        )
    })
}

/// Drops jobs about the person, also a fragment that is being carried.
fn erase(eraser: &Eraser<'_>, sums: &mut ErasedRows) -> Result<(), EdgeError> {
    let find = "SELECT id, body FROM outbox
                WHERE EXISTS (SELECT 1 FROM json_each(?) WHERE instr(body, value) > 0)";
    erase_jobs(eraser, sums, find, "DELETE FROM outbox WHERE id = ?")
}

/// Drops the jobs about the person of one table: `find` reads names and bodies of those that may be, `delete` drops one.
pub(super) fn erase_jobs(
    eraser: &Eraser<'_>,
    sums: &mut ErasedRows,
    find: &'static str,
    delete: &'static str,
) -> Result<(), EdgeError> {
    let (db, fragments) = (&eraser.store.db, &eraser.step.fragments);
    sums.outbox_jobs += db.transaction(|| {
        let mut dropped = 0;
        for row in db.rows(find, vec![serde_json::to_string(fragments)?.into()])? {
            if is_about(&row.text(1), fragments)? {
                db.run(delete, vec![row.text(0).into()])?;
                dropped += 1;
            }
        }
        Ok(dropped)
    })?;
    Ok(())
}

/// Whether a stored job is about one of these fragments.
fn is_about(body: &str, fragments: &BTreeSet<FragmentId>) -> Result<bool, EdgeError> {
    Ok(match serde_json::from_str::<OutboxJob>(body)? {
        OutboxJob::LinkIdentity(link) => fragments.contains(&link.assertion.fragment),
        OutboxJob::MoveFragment(moving) => fragments.contains(&moving.fragment_id),
        OutboxJob::SendPush(send) => fragments.contains(send.profile_id.as_str()),
        OutboxJob::PointBrowser(point) => fragments.contains(&point.latest.fragment),
    })
}

/// How often a job was tried.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Tries {
    /// Tries that failed.
    pub(crate) attempts: u32,
    /// Whether it was due when it was read. A visitor who waits for it has it tried before.
    pub(crate) is_due: bool,
}

/// A job as stored. It is read when it is tried, so that one of a newer version holds up no other.
pub(crate) struct StoredJob {
    /// Names the job.
    pub(crate) id: String,
    pub(crate) tries: Tries,
    body: String,
}

impl StoredJob {
    /// Whether nobody has to wait for it: it only makes ways shorter.
    pub(crate) fn is_shortcut(&self) -> bool {
        self.id.starts_with("point ")
    }

    /// What is to be done.
    pub(crate) fn job(&self) -> Result<OutboxJob, EdgeError> {
        Ok(serde_json::from_str(&self.body)?)
    }
}

impl Store {
    /// Records a job; one with the same ID is there already.
    pub(crate) fn put_job(
        &self,
        id: &str,
        profile_id: &str,
        due: UnixMillis,
        job: &OutboxJob,
    ) -> Result<(), EdgeError> {
        self.db.run(
            "INSERT INTO outbox(id, profile_id, bucket, due, attempts, body) VALUES(?, ?, ?, ?, 0, ?)
             ON CONFLICT(id) DO NOTHING",
            vec![
                id.into(),
                profile_id.into(),
                bucket(profile_id).into(),
                due.into(),
                serde_json::to_string(job)?.into(),
            ],
        )
    }

    /// Drops a job that is done.
    pub(crate) fn drop_job(&self, id: &str) -> Result<(), EdgeError> {
        self.db.run("DELETE FROM outbox WHERE id = ?", vec![id.into()])
    }

    /// Jobs due at `now`, the longest due first, of buckets that are served here.
    pub(crate) fn due_jobs(&self, now: UnixMillis, limit: i64) -> Result<Vec<StoredJob>, EdgeError> {
        let query = "SELECT id, attempts, due, body FROM outbox
                     WHERE due <= ? AND bucket NOT IN (SELECT bucket FROM unserved) ORDER BY due LIMIT ?";
        self.jobs(query, vec![now.into(), limit.into()], now)
    }

    /// Linking jobs of profiles, due or not: a visitor who is here need not wait for the alarm. Those that send somebody else
    /// home, whose ID ends with a space, are the alarm's.
    pub(crate) fn link_jobs(&self, profiles: &[&str]) -> Result<Vec<StoredJob>, EdgeError> {
        let query = "SELECT id, attempts, due, body FROM outbox
                     WHERE (id BETWEEN 'bring ' AND 'bring!' OR id BETWEEN 'tell ' AND 'tell!'
                       OR id BETWEEN 'point ' AND 'point!') AND id NOT LIKE '% '
                     AND profile_id IN (SELECT value FROM json_each(?)) ORDER BY id";
        self.jobs(query, vec![serde_json::to_string(profiles)?.into()], clock::now())
    }

    fn jobs(
        &self,
        query: &'static str,
        values: Vec<SqlStorageValue>,
        now: UnixMillis,
    ) -> Result<Vec<StoredJob>, EdgeError> {
        let rows = self.db.rows(query, values)?;
        let read = rows.iter().map(|row| StoredJob {
            id: row.text(0),
            tries: Tries { attempts: row.int(1) as u32, is_due: row.int(2) <= now },
            body: row.text(3),
        });
        Ok(read.collect())
    }

    /// How jobs of buckets that are served here are.
    pub(crate) fn outbox_health(&self) -> Result<OutboxHealth, EdgeError> {
        let query = "SELECT count(*), count(*) FILTER (WHERE attempts > 0), max(attempts), min(due) FROM outbox
                     WHERE bucket NOT IN (SELECT bucket FROM unserved)";
        Ok(OutboxHealth { parked: self.count_parked()?, ..queue_health(&self.db, query)? })
    }

    /// Puts a job off after a failed try.
    pub(crate) fn postpone_job(&self, id: &str, until: UnixMillis) -> Result<(), EdgeError> {
        let update = "UPDATE outbox SET due = ?, attempts = attempts + 1 WHERE id = ?";
        self.db.run(update, vec![until.into(), id.into()])
    }
}
