//! `event_log`: events as they were sent, those of several batches of a fragment in a row, and what they teach.

use std::cmp::Reverse;

use endcap_engine::health::LearningHealth;
use endcap_engine::person_export::{LogPlace, LoggedBatch};
use endcap_identity::FragmentId;
use endcap_profile::Signal;
use endcap_profile::log_tail::{LogEntry, LogTail, StoredEntry, read_entries, read_times, write_times};
use endcap_protocol::UnixMillis;
use endcap_validation::DomainError;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::contract::{Access, Eraser, Erasure, Table, Transfer, Upgrade};
use super::meta::{LEARNED, UNREADABLE_AT, UNREADABLE_LOG_ROWS};
use crate::objects::shard::store::{Store, bucket};
use crate::platform::clock;
use crate::platform::error::EdgeError;
use crate::rpc::erasure::ErasedRows;
use crate::rpc::person_export::EventsAsk;

/// Version of the body of a row with the events of one batch.
const FORMAT: u8 = 1;
/// Version of the body of a row with the entries of a tail: when it was written, and the entries one after the other.
const FORMAT_OF_TAILS: u8 = 2;
/// Rows of one part of a list.
const LISTED: i64 = 64;
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

/// The body of a row of one batch.
#[derive(Debug, Serialize, Deserialize)]
struct Body<'a> {
    /// Texts of the events, as they were sent. Borrowed, because the learning report reads past them.
    #[serde(borrow)]
    events: Vec<&'a str>,
    /// What they teach.
    signals: Vec<Signal>,
}

impl Body<'_> {
    fn pack(&self) -> Result<Vec<u8>, EdgeError> {
        Ok(postcard::to_extend(self, vec![FORMAT]).map_err(|error| DomainError::Internal(error.to_string()))?)
    }
}

/// What a row holds, of whatever version.
struct Logged<'a> {
    /// When the row was written: nothing in it came later.
    written_at: UnixMillis,
    content: Content<'a>,
}

enum Content<'a> {
    /// The events of one batch.
    Batch(LogEntry<'a>),
    /// The entries of a tail.
    Tail(Vec<StoredEntry>),
}

impl<'a> Logged<'a> {
    /// Reads a body; `received_at` is when its row says that the first of it came.
    fn unpack(bytes: &'a [u8], received_at: UnixMillis) -> Result<Self, DomainError> {
        let unreadable = |format| DomainError::Format { what: "log row", format };
        match bytes.split_first() {
            Some((&FORMAT, rest)) => {
                let wrong = |_| unreadable(FORMAT);
                let (Body { events, signals }, behind) = postcard::take_from_bytes(rest).map_err(wrong)?;
                let times = read_times(behind, received_at).map_err(wrong)?;
                let entry = LogEntry { received_at, events, times, signals };
                Ok(Self { written_at: received_at, content: Content::Batch(entry) })
            }
            Some((&FORMAT_OF_TAILS, rest)) => {
                let wrong = |_| unreadable(FORMAT_OF_TAILS);
                let (written_at, rest) = postcard::take_from_bytes(rest).map_err(wrong)?;
                let entries = read_entries(rest).map_err(|_| unreadable(FORMAT_OF_TAILS))?;
                Ok(Self { written_at, content: Content::Tail(entries) })
            }
            other => Err(unreadable(other.map_or(0, |(format, _)| *format))),
        }
    }

    fn entries(&self) -> Result<Vec<LogEntry<'_>>, DomainError> {
        match &self.content {
            Content::Batch(entry) => Ok(vec![entry.clone()]),
            Content::Tail(entries) => entries.iter().map(StoredEntry::read).collect(),
        }
    }

    fn signals(&self) -> Result<Vec<Signal>, DomainError> {
        Ok(self.entries()?.into_iter().flat_map(|entry| entry.signals).collect())
    }
}

/// What a log row teaches.
pub(crate) struct Lesson {
    /// The row's number.
    pub(crate) seq: i64,
    /// What it teaches.
    pub(crate) signals: Vec<Signal>,
}

impl Store {
    /// Writes the kept events of one batch as a row of their own.
    pub(crate) fn append_entry(
        &self,
        profile_id: &str,
        at: &FragmentId,
        entry: &LogEntry<'_>,
    ) -> Result<(), EdgeError> {
        let LogEntry { received_at, events, times, signals } = entry;
        let body = Body { events: events.clone(), signals: signals.clone() }.pack()?;
        let body = write_times(times, *received_at, body).map_err(|error| DomainError::Internal(error.to_string()))?;
        self.append(profile_id, at, *received_at, body)
    }

    /// Writes the entries of a tail as one row.
    pub(crate) fn append_tail(&self, profile_id: &str, at: &FragmentId, tail: &LogTail) -> Result<(), EdgeError> {
        let written_at = clock::now().max(tail.last);
        let head = postcard::to_extend(&written_at, vec![FORMAT_OF_TAILS]);
        let mut body = head.map_err(|error| DomainError::Internal(error.to_string()))?;
        body.extend_from_slice(&tail.entries);
        self.append(profile_id, at, tail.since, body)
    }

    fn append(&self, profile_id: &str, at: &FragmentId, since: UnixMillis, body: Vec<u8>) -> Result<(), EdgeError> {
        self.db.run(
            "INSERT INTO event_log(bucket, fragment_id, received_at, body) VALUES(?, ?, ?, ?)",
            vec![bucket(profile_id).into(), at.as_str().into(), since.into(), body.into()],
        )
    }

    /// Looks at each entry of a row, if that is a fragment's.
    pub(crate) fn each_entry(
        &self,
        seq: u32,
        fragment: &FragmentId,
        look: &mut dyn FnMut(&LogEntry<'_>),
    ) -> Result<(), EdgeError> {
        let query = "SELECT received_at, body FROM event_log WHERE seq = ? AND fragment_id = ?";
        let Some(row) = self.db.first(query, vec![i64::from(seq).into(), fragment.as_str().into()])? else {
            return Ok(());
        };
        let data = row.blob(1);
        Logged::unpack(&data, row.int(0))?.entries()?.iter().for_each(look);
        Ok(())
    }

    /// Counts a row that cannot be read.
    pub(crate) fn note_unreadable(&self, seq: i64, error: &EdgeError) -> Result<(), EdgeError> {
        worker::console_error!("reading log row {seq}: {error}");
        self.count(UNREADABLE_LOG_ROWS, 1)?;
        self.set_meta(UNREADABLE_AT, clock::now())
    }

    /// What rows after `cursor` teach. A row that cannot be read teaches nothing, and holds up no other.
    pub(crate) fn lessons(&self, cursor: i64, limit: i64) -> Result<Vec<Lesson>, EdgeError> {
        let query = "SELECT seq, body FROM event_log WHERE seq > ? ORDER BY seq LIMIT ?";
        let rows = self.db.rows(query, vec![cursor.into(), limit.into()])?;
        let mut lessons = Vec::with_capacity(rows.len());
        for row in &rows {
            let (seq, data) = (row.int(0), row.blob(1));
            let signals = match Logged::unpack(&data, 0).and_then(|logged| logged.signals()) {
                Ok(signals) => signals,
                Err(error) => {
                    self.note_unreadable(seq, &error.into())?;
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
        let (mut found, mut before) = (Vec::new(), i64::MAX >> 11);
        loop {
            let part = self.batches_before(ask, before)?;
            found.extend(part.batches);
            found.sort_by_key(|batch: &LoggedBatch| Reverse((batch.received_at, batch.seq, batch.first_index)));
            // A row holds what came within an hour or so, and rows of several fragments overlap. What came after the last row was
            // written that was read is whole.
            let whole =
                found.iter().take_while(|batch| part.whole_after.is_none_or(|at| batch.received_at > at)).count();
            if part.whole_after.is_none() || whole as i64 >= ask.limit {
                found.truncate(whole.min(ask.limit.unsigned_abs() as usize));
                return Ok(found);
            }
            before = part.first_seq;
        }
    }

    /// The next part of the rows, from the newest on.
    fn batches_before(&self, ask: &EventsAsk, before: i64) -> Result<PartOfLog, EdgeError> {
        let query = "SELECT seq, received_at, fragment_id, body FROM event_log
                     WHERE seq < ? AND fragment_id IN (SELECT value FROM json_each(?)) AND received_at <= ?
                     ORDER BY seq DESC LIMIT ?";
        let fragments = serde_json::to_string(&ask.fragments)?;
        let values = vec![before.into(), fragments.into(), ask.after.received_at.into(), LISTED.into()];
        let rows = self.db.rows(query, values)?;
        let mut part = PartOfLog { batches: Vec::new(), whole_after: None, first_seq: before };
        for row in &rows {
            let (seq, data) = (row.int(0), row.blob(3));
            let logged = Logged::unpack(&data, row.int(1))?;
            part.first_seq = seq;
            part.whole_after = (rows.len() as i64 == LISTED).then_some(logged.written_at);
            let mut first_index = 0;
            for entry in logged.entries()? {
                let (received_at, count) = (entry.received_at, entry.events.len() as u32);
                if (LogPlace { received_at, shard: ask.shard, seq, index: first_index }) < ask.after {
                    let events = entry.events.into_iter().map(|text| RawValue::from_string(text.to_owned()));
                    let events = events.collect::<Result<Vec<_>, _>>()?;
                    part.batches.push(LoggedBatch { seq, received_at, fragment_id: row.text(2), first_index, events });
                }
                first_index += count;
            }
        }
        Ok(part)
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

/// A part of the log's rows of some fragments.
struct PartOfLog {
    batches: Vec<LoggedBatch>,
    /// What was received later than this is whole; None where all rows were read.
    whole_after: Option<UnixMillis>,
    /// Number of the oldest row that was read.
    first_seq: i64,
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
