//! Reading and writing a shard's rows.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

use endcap_engine::layout::bucket_state::Holding;
use endcap_engine::visit::Settled;
use endcap_identity::FragmentId;
use endcap_profile::dedupe::{Accepted, Block};
use endcap_profile::timers::TimerMove;
use endcap_profile::{ProfileRow, Signal};
use endcap_protocol::{UnixMillis, bucket_of};
use endcap_validation::EngineError;
use serde::{Deserialize, Serialize};

use super::schema::RENAMED;
use crate::db::Db;
use crate::fault::Fault;

/// Version of the log's format.
const LOG_FORMAT: u8 = 1;

/// One row of the event log.
#[derive(Debug, Serialize, Deserialize)]
struct LogBody<'a> {
    /// Texts of the events, as they were sent. Borrowed, because who learns reads past them.
    #[serde(borrow)]
    events: Vec<&'a str>,
    /// What they teach.
    signals: Vec<Signal>,
}

/// A push subscription.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct StoredSubscription {
    pub(super) fragment_id: String,
    pub(super) endpoint: String,
    pub(super) p256dh: String,
    pub(super) auth: String,
    pub(super) key_id: String,
    pub(super) origin: String,
    pub(super) since: UnixMillis,
}

/// A shard's rows.
pub(super) struct Store {
    pub(super) db: Db,
    /// What is known of buckets that moved or move.
    pub(super) holdings: RefCell<BTreeMap<u16, Holding>>,
    /// Profiles that were written while their bucket is copied to another shard.
    pub(super) changed: RefCell<BTreeSet<String>>,
}

fn bucket(profile_id: &str) -> i64 {
    i64::from(bucket_of(profile_id))
}

impl Store {
    /// The rows of an object's storage.
    pub(super) fn open(db: Db) -> Self {
        for (table, column, rename) in RENAMED {
            let query = "SELECT 1 FROM pragma_table_info(?) WHERE name = ?";
            let renamed = db.first(query, vec![table.into(), column.into()]);
            if let Err(error) = renamed.and_then(|old| old.map_or(Ok(()), |_| db.run(rename, Vec::new()))) {
                worker::console_error!("schema: {error}");
            }
        }
        let store = Self { db, holdings: RefCell::default(), changed: RefCell::default() };
        if let Err(error) = store.load_holdings() {
            worker::console_error!("holdings: {error}");
        }
        store
    }

    /// A profile; none of those whose bucket is not here.
    pub(super) fn load(&self, profile_id: &str) -> Result<Option<ProfileRow>, Fault> {
        if !self.may_read(profile_id) {
            return Ok(None);
        }
        let row = self.db.first("SELECT data FROM profile WHERE id = ?", vec![profile_id.into()])?;
        Ok(row.map(|row| ProfileRow::unpack(&row.blob(0))).transpose()?)
    }

    pub(super) fn save(&self, row: &ProfileRow) -> Result<(), Fault> {
        self.may_write(row.id.as_str())?;
        self.put_row(row.id.as_str(), row.pack()?)
    }

    /// Writes a packed row.
    pub(super) fn put_row(&self, id: &str, data: Vec<u8>) -> Result<(), Fault> {
        self.db.run(
            "INSERT INTO profile(id, bucket, data) VALUES(?, ?, ?)
             ON CONFLICT(id) DO UPDATE SET data = excluded.data",
            vec![id.into(), bucket(id).into(), data.into()],
        )
    }

    /// Saves a profile after time has passed: its row, its timers, its stage.
    pub(super) fn save_settled(&self, row: &ProfileRow, settled: &Settled) -> Result<(), Fault> {
        self.save(row)?;
        let id = row.id.as_str();
        settled.timers.iter().try_for_each(|timer| self.move_timer(id, timer))?;
        if row.fragments.is_empty() {
            return self.db.run("DELETE FROM membership WHERE profile_id = ?", vec![id.into()]);
        }
        if !settled.stage_changed {
            return Ok(());
        }
        let stage = row.stages.current();
        self.put_membership(id, stage.stage.as_str(), stage.since)
    }

    /// Notes a profile's lifecycle stage.
    pub(super) fn put_membership(&self, id: &str, stage: &str, since: UnixMillis) -> Result<(), Fault> {
        self.db.run(
            "INSERT INTO membership(profile_id, bucket, stage, since) VALUES(?, ?, ?, ?)
             ON CONFLICT(profile_id) DO UPDATE SET stage = excluded.stage, since = excluded.since",
            vec![id.into(), bucket(id).into(), stage.into(), since.into()],
        )
    }

    fn move_timer(&self, profile_id: &str, timer: &TimerMove) -> Result<(), Fault> {
        if let Some(from) = timer.from {
            self.drop_timer(profile_id, timer.kind.code(), from)?;
        }
        self.put_timer(timer.to, profile_id, timer.kind.code())
    }

    pub(super) fn put_timer(&self, due: UnixMillis, profile_id: &str, kind: i64) -> Result<(), Fault> {
        self.db.run(
            "INSERT INTO timer(due, profile_id, kind, bucket) VALUES(?, ?, ?, ?) ON CONFLICT DO NOTHING",
            vec![due.into(), profile_id.into(), kind.into(), bucket(profile_id).into()],
        )
    }

    pub(super) fn drop_timer(&self, profile_id: &str, kind: i64, due: UnixMillis) -> Result<(), Fault> {
        let delete = "DELETE FROM timer WHERE due = ? AND profile_id = ? AND kind = ?";
        self.db.run(delete, vec![due.into(), profile_id.into(), kind.into()])
    }

    /// Timers due at `now`: when, whose and which, the earliest first.
    pub(super) fn due_timers(&self, now: UnixMillis, limit: i64) -> Result<Vec<(UnixMillis, String, i64)>, Fault> {
        let query = "SELECT due, profile_id, kind FROM timer WHERE due <= ?
                     AND bucket NOT IN (SELECT bucket FROM holding WHERE state IN ('closed', 'gone', 'arriving'))
                     ORDER BY due LIMIT ?";
        let rows = self.db.rows(query, vec![now.into(), limit.into()])?;
        Ok(rows.iter().map(|row| (row.int(0), row.text(1), row.int(2))).collect())
    }

    pub(super) fn append_log(
        &self,
        (profile_id, fragment_id): (&str, &FragmentId),
        now: UnixMillis,
        events: Vec<String>,
        signals: Vec<Signal>,
    ) -> Result<(), Fault> {
        if events.is_empty() {
            return Ok(());
        }
        let body = LogBody { events: events.iter().map(String::as_str).collect(), signals };
        let body = postcard::to_extend(&body, vec![LOG_FORMAT]).map_err(|e| EngineError::Internal(e.to_string()))?;
        self.db.run(
            "INSERT INTO event_log(bucket, fragment_id, received_at, body) VALUES(?, ?, ?, ?)",
            vec![bucket(profile_id).into(), fragment_id.as_str().into(), now.into(), body.into()],
        )
    }

    /// What log rows after `cursor` teach, with their sequence numbers.
    pub(super) fn lessons(&self, cursor: i64, limit: i64) -> Result<Vec<(i64, Vec<Signal>)>, Fault> {
        let query = "SELECT seq, body FROM event_log WHERE seq > ? ORDER BY seq LIMIT ?";
        let rows = self.db.rows(query, vec![cursor.into(), limit.into()])?;
        let read = rows.iter().map(|row| match row.blob(1).split_first() {
            Some((&LOG_FORMAT, rest)) => {
                let body: LogBody<'_> = postcard::from_bytes(rest).map_err(|_| unreadable(LOG_FORMAT))?;
                Ok((row.int(0), body.signals))
            }
            other => Err(unreadable(other.map_or(0, |(format, _)| *format)).into()),
        });
        read.collect()
    }

    pub(super) fn meta(&self, key: &str) -> Result<i64, Fault> {
        let row = self.db.first("SELECT value FROM meta WHERE key = ?", vec![key.into()])?;
        Ok(row.map_or(0, |row| row.int(0)))
    }

    pub(super) fn set_meta(&self, key: &str, value: i64) -> Result<(), Fault> {
        let upsert = "INSERT INTO meta(key, value) VALUES(?, ?) ON CONFLICT(key) DO UPDATE SET value = excluded.value";
        self.db.run(upsert, vec![key.into(), value.into()])
    }

    /// Dedupe blocks that left the packed row, where any still matter.
    pub(super) fn overflow(&self, row: &ProfileRow, id: &FragmentId, now: UnixMillis) -> Result<Vec<Block>, Fault> {
        if !row.fragments.get(id).is_some_and(|fragment| fragment.messages.has_overflow(now)) {
            return Ok(Vec::new());
        }
        let query = "SELECT day, hashes FROM dedupe_overflow WHERE profile_id = ? AND fragment_id = ? AND day >= ?";
        let since = i64::from(Accepted::oldest_day(now));
        let rows = self.db.rows(query, vec![row.id.as_str().into(), id.as_str().into(), since.into()])?;
        Ok(rows.iter().map(|row| Block { day: row.int(0) as u32, hashes: row.blob(1) }).collect())
    }

    /// Forgets the spilled dedupe blocks of a fragment that leaves.
    pub(super) fn drop_overflow(&self, profile_id: &str, id: &FragmentId) -> Result<(), Fault> {
        let delete = "DELETE FROM dedupe_overflow WHERE profile_id = ? AND fragment_id = ?";
        self.db.run(delete, vec![profile_id.into(), id.as_str().into()])
    }

    /// Moves dedupe blocks out of a row that holds too many.
    pub(super) fn spill(&self, row: &mut ProfileRow, id: &FragmentId) -> Result<(), Fault> {
        let profile_id = row.id.as_str().to_owned();
        let Some(fragment) = row.fragments.get_mut(id) else { return Ok(()) };
        while let Some(block) = fragment.messages.spill() {
            self.put_overflow(&profile_id, id, block)?;
        }
        Ok(())
    }

    /// Keeps a dedupe block outside of its packed row.
    pub(super) fn put_overflow(&self, profile_id: &str, id: &FragmentId, block: Block) -> Result<(), Fault> {
        let part = self.meta("dedupe_part")? + 1;
        self.set_meta("dedupe_part", part)?;
        self.db.run(
            "INSERT INTO dedupe_overflow(profile_id, fragment_id, day, part, bucket, hashes)
             VALUES(?, ?, ?, ?, ?, ?)",
            vec![
                profile_id.into(),
                id.as_str().into(),
                i64::from(block.day).into(),
                part.into(),
                bucket(profile_id).into(),
                block.hashes.into(),
            ],
        )
    }

    pub(super) fn subscriptions(&self, profile_id: &str) -> Result<Vec<StoredSubscription>, Fault> {
        let query = "SELECT fragment_id, endpoint, p256dh, auth, key_id, origin, since FROM subscription
                     WHERE profile_id = ?";
        let rows = self.db.rows(query, vec![profile_id.into()])?;
        let stored = rows.iter().map(|row| StoredSubscription {
            fragment_id: row.text(0),
            endpoint: row.text(1),
            p256dh: row.text(2),
            auth: row.text(3),
            key_id: row.text(4),
            origin: row.text(5),
            since: row.int(6),
        });
        Ok(stored.collect())
    }

    pub(super) fn put_subscription(&self, profile_id: &str, stored: &StoredSubscription) -> Result<(), Fault> {
        self.db.run(
            "INSERT INTO subscription(profile_id, endpoint, bucket, fragment_id, p256dh, auth, key_id, origin, since)
             VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?)
             ON CONFLICT(profile_id, endpoint) DO UPDATE SET fragment_id = excluded.fragment_id,
               p256dh = excluded.p256dh, auth = excluded.auth, key_id = excluded.key_id, origin = excluded.origin",
            vec![
                profile_id.into(),
                stored.endpoint.as_str().into(),
                bucket(profile_id).into(),
                stored.fragment_id.as_str().into(),
                stored.p256dh.as_str().into(),
                stored.auth.as_str().into(),
                stored.key_id.as_str().into(),
                stored.origin.as_str().into(),
                stored.since.into(),
            ],
        )
    }

    pub(super) fn drop_subscription(&self, profile_id: &str, endpoint: &str) -> Result<(), Fault> {
        let delete = "DELETE FROM subscription WHERE profile_id = ? AND endpoint = ?";
        self.db.run(delete, vec![profile_id.into(), endpoint.into()])
    }

    /// Deletes log rows received before `before` that were reported, and returns whether there may be more.
    pub(super) fn trim_log(&self, before: UnixMillis, reported: i64, limit: i64) -> Result<bool, Fault> {
        let query = "SELECT seq FROM event_log WHERE seq <= ? AND received_at < ? ORDER BY seq LIMIT ?";
        let rows = self.db.rows(query, vec![reported.into(), before.into(), limit.into()])?;
        let Some(last) = rows.last().map(|row| row.int(0)) else { return Ok(false) };
        self.db.run("DELETE FROM event_log WHERE seq <= ? AND received_at < ?", vec![last.into(), before.into()])?;
        Ok(rows.len() as i64 == limit)
    }
}

/// The texts of the events in a log row.
pub(super) fn events_of(data: &[u8]) -> Result<Vec<String>, Fault> {
    match data.split_first() {
        Some((&LOG_FORMAT, rest)) => {
            let body: LogBody<'_> = postcard::from_bytes(rest).map_err(|_| unreadable(LOG_FORMAT))?;
            Ok(body.events.into_iter().map(str::to_owned).collect())
        }
        other => Err(unreadable(other.map_or(0, |(format, _)| *format)).into()),
    }
}

/// A log row that holds nothing.
pub(super) fn empty_log() -> Result<Vec<u8>, Fault> {
    let body = LogBody { events: Vec::new(), signals: Vec::new() };
    Ok(postcard::to_extend(&body, vec![LOG_FORMAT]).map_err(|e| EngineError::Internal(e.to_string()))?)
}

fn unreadable(format: u8) -> EngineError {
    EngineError::Format { what: "log row", format }
}
