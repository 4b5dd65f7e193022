//! `event_log`: the events of one batch as they were sent, and what they teach.

use endcap_engine::health::LearningHealth;
use endcap_engine::person_export::LoggedBatch;
use endcap_identity::FragmentId;
use endcap_profile::Signal;
use endcap_protocol::UnixMillis;
use endcap_validation::DomainError;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::contract::{Access, Eraser, Erasure, Table, Transfer, Upgrade};
use super::meta::{LEARNED, UNREADABLE_AT, UNREADABLE_LOG_ROWS};
use crate::objects::shard::store::{Store, bucket};
use crate::platform::clock;
use crate::platform::db::Row;
use crate::platform::error::EdgeError;
use crate::rpc::erasure::ErasedRows;
use crate::rpc::person_export::EventsAsk;

/// Version of a row's body.
const FORMAT: u8 = 1;
/// Rows that one transaction of an erasure looks at.
const ERASED_ROWS: i64 = 50_000;

/// The table.
pub(super) struct EventLogTable;

impl Table for EventLogTable {
    fn name(&self) -> &'static str {
        "event_log"
    }

    fn schema(&self) -> &'static str {
        "CREATE TABLE IF NOT EXISTS event_log(
           seq INTEGER PRIMARY KEY, bucket INTEGER NOT NULL, fragment_id TEXT NOT NULL, received_at INTEGER NOT NULL,
           body BLOB NOT NULL) STRICT"
    }

    fn upgrade(&self) -> Upgrade {
        Upgrade::RenamedColumn {
            from: "profile_id",
            rename: "ALTER TABLE event_log RENAME COLUMN profile_id TO fragment_id",
        }
    }

    fn transfer(&self) -> Transfer {
        Transfer::Stays("it is most of what a shard holds, and ages away; readers ask every shard")
    }

    fn erasure(&self) -> Erasure {
        Erasure::Found(erase)
    }

    fn access(&self) -> Access {
        Access::Paged("GET /api/profiles/{id}/events")
    }
}

/// The body of a row.
#[derive(Debug, Serialize, Deserialize)]
struct Body<'a> {
    /// Texts of the events, as they were sent. Borrowed, because the learning report reads past them.
    #[serde(borrow)]
    events: Vec<&'a str>,
    /// What they teach.
    signals: Vec<Signal>,
}

impl<'a> Body<'a> {
    fn pack(&self) -> Result<Vec<u8>, EdgeError> {
        Ok(postcard::to_extend(self, vec![FORMAT]).map_err(|error| DomainError::Internal(error.to_string()))?)
    }

    fn unpack(bytes: &'a [u8]) -> Result<Self, DomainError> {
        let unreadable = |format| DomainError::Format { what: "log row", format };
        match bytes.split_first() {
            Some((&FORMAT, rest)) => postcard::from_bytes(rest).map_err(|_| unreadable(FORMAT)),
            other => Err(unreadable(other.map_or(0, |(format, _)| *format))),
        }
    }
}

/// What a log row teaches.
pub(crate) struct Lesson {
    /// The row's number.
    pub(crate) seq: i64,
    /// What it teaches.
    pub(crate) signals: Vec<Signal>,
}

/// What is written of a batch.
pub(crate) struct LogEntry<'a> {
    /// The profile that it was applied to.
    pub(crate) profile_id: &'a str,
    /// The fragment.
    pub(crate) fragment_id: &'a FragmentId,
    /// Texts of the events.
    pub(crate) events: Vec<String>,
    /// What they teach.
    pub(crate) signals: Vec<Signal>,
}

impl Store {
    /// Writes a batch, if it has events.
    pub(crate) fn append_log(&self, entry: LogEntry<'_>, now: UnixMillis) -> Result<(), EdgeError> {
        if entry.events.is_empty() {
            return Ok(());
        }
        let body = Body { events: entry.events.iter().map(String::as_str).collect(), signals: entry.signals };
        self.db.run(
            "INSERT INTO event_log(bucket, fragment_id, received_at, body) VALUES(?, ?, ?, ?)",
            vec![bucket(entry.profile_id).into(), entry.fragment_id.as_str().into(), now.into(), body.pack()?.into()],
        )
    }

    /// What rows after `cursor` teach. A row that cannot be read teaches nothing, and holds up no other.
    pub(crate) fn lessons(&self, cursor: i64, limit: i64) -> Result<Vec<Lesson>, EdgeError> {
        let query = "SELECT seq, body FROM event_log WHERE seq > ? ORDER BY seq LIMIT ?";
        let rows = self.db.rows(query, vec![cursor.into(), limit.into()])?;
        let mut lessons = Vec::with_capacity(rows.len());
        for row in &rows {
            let (seq, data) = (row.int(0), row.blob(1));
            let signals = match Body::unpack(&data) {
                Ok(body) => body.signals,
                Err(error) => {
                    worker::console_error!("learning of log row {seq}: {error}");
                    self.count(UNREADABLE_LOG_ROWS, 1)?;
                    self.set_meta(UNREADABLE_AT, clock::now())?;
                    Vec::new()
                }
            };
            lessons.push(Lesson { seq, signals });
        }
        Ok(lessons)
    }

    /// Rows of the log.
    pub(crate) fn log_rows(&self) -> Result<u64, EdgeError> {
        // Rows go from the front as they age, so nothing has to be counted. Each end is looked up by itself: asked for
        // both at once, SQLite reads all that is between.
        let query = "SELECT coalesce((SELECT max(seq) FROM event_log) - (SELECT min(seq) FROM event_log) + 1, 0)";
        Ok(self.db.first(query, Vec::new())?.map_or(0, |row| row.int(0).unsigned_abs()))
    }

    /// When the oldest row of the log came; None where it has none.
    pub(crate) fn log_begins(&self) -> Result<Option<UnixMillis>, EdgeError> {
        let row = self.db.first("SELECT received_at FROM event_log ORDER BY seq LIMIT 1", Vec::new())?;
        Ok(row.map(|row| row.int(0)))
    }

    /// What of the log the shop has not learned yet.
    pub(crate) fn learning_health(&self, patience_ms: UnixMillis) -> Result<LearningHealth, EdgeError> {
        let learned = self.meta(LEARNED)?;
        let query = "SELECT received_at, (SELECT max(seq) FROM event_log) - ? FROM event_log
                     WHERE seq > ? ORDER BY seq LIMIT 1";
        let row = self.db.first(query, vec![learned.into(), learned.into()])?;
        Ok(LearningHealth {
            rows_behind: row.as_ref().map_or(0, |row| row.int(1).unsigned_abs()),
            oldest: row.map(|row| row.int(0)),
            unreadable_rows: self.meta(UNREADABLE_LOG_ROWS)?.unsigned_abs(),
            last_unreadable: self.moment(UNREADABLE_AT)?,
            patience_ms,
        })
    }

    /// Batches of some fragments after a place, those received last at the front. The log has no index by fragment,
    /// which would cost a row with each batch. So each page reads the log from its newest row to the last event of the
    /// page.
    pub(crate) fn batches(&self, ask: &EventsAsk) -> Result<Vec<LoggedBatch>, EdgeError> {
        let query = "SELECT seq, received_at, fragment_id, body FROM event_log
                     WHERE fragment_id IN (SELECT value FROM json_each(?))
                       AND (received_at < ? OR (received_at = ? AND seq <= ?))
                     ORDER BY seq DESC LIMIT ?";
        let values = vec![
            serde_json::to_string(&ask.fragments)?.into(),
            ask.after.received_at.into(),
            ask.after.received_at.into(),
            ask.after.bound_in(ask.shard).into(),
            ask.limit.into(),
        ];
        let rows = self.db.rows(query, values)?;
        let read = |row: &Row| -> Result<LoggedBatch, EdgeError> {
            let data = row.blob(3);
            let events = Body::unpack(&data)?.events.into_iter().map(|text| RawValue::from_string(text.to_owned()));
            let events = events.collect::<Result<Vec<_>, _>>()?;
            Ok(LoggedBatch { seq: row.int(0), received_at: row.int(1), fragment_id: row.text(2), events })
        };
        rows.iter().map(read).collect()
    }

    /// Deletes rows received before `before` that were reported, and returns whether there may be more.
    pub(crate) fn trim_log(&self, before: UnixMillis, reported: i64, limit: i64) -> Result<bool, EdgeError> {
        let query = "SELECT seq FROM event_log WHERE seq <= ? AND received_at < ? ORDER BY seq LIMIT ?";
        let rows = self.db.rows(query, vec![reported.into(), before.into(), limit.into()])?;
        let Some(last) = rows.last().map(|row| row.int(0)) else { return Ok(false) };
        self.db.run("DELETE FROM event_log WHERE seq <= ? AND received_at < ?", vec![last.into(), before.into()])?;
        Ok(rows.len() as i64 == limit)
    }

    /// Drops a row. The latest row is emptied instead: its number would be given to the next one, which the shop would
    /// then take for learned.
    fn drop_log_row(&self, seq: i64) -> Result<(), EdgeError> {
        let newest = self.db.first("SELECT 1 FROM event_log WHERE seq > ? LIMIT 1", vec![seq.into()])?.is_none();
        if newest {
            let empty = Body { events: Vec::new(), signals: Vec::new() }.pack()?;
            let update = "UPDATE event_log SET fragment_id = '', body = ? WHERE seq = ?";
            return self.db.run(update, vec![empty.into(), seq.into()]);
        }
        self.db.run("DELETE FROM event_log WHERE seq = ?", vec![seq.into()])
    }
}

/// Drops the person's rows, a bounded part at a time.
fn erase(eraser: &Eraser<'_>, sums: &mut ErasedRows) -> Result<(), EdgeError> {
    let (store, fragments) = (eraser.store, serde_json::to_string(&eraser.step.fragments)?);
    let last = store.db.first("SELECT max(seq) FROM event_log", Vec::new())?.map_or(0, |row| row.int(0));
    let mut after = 0;
    while after < last {
        let until = after + ERASED_ROWS;
        let find = "SELECT seq FROM event_log WHERE seq > ? AND seq <= ?
                    AND fragment_id IN (SELECT value FROM json_each(?))";
        sums.batches += store.db.transaction(|| {
            let found = store.db.rows(find, vec![after.into(), until.into(), fragments.as_str().into()])?;
            found.iter().try_for_each(|row| store.drop_log_row(row.int(0)))?;
            Ok(found.len() as u64)
        })?;
        after = until;
    }
    Ok(())
}
