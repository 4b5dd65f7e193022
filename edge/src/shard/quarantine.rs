//! Refused events at a shard: kept, counted, listed, and removed after 30 days.

use std::collections::BTreeMap;

use endcap_events::ingest::ingest_as;
use endcap_events::ingest::quarantine::{Count, Counts, KEPT_DAYS, Listed, Quarantined, ReplayAsk, bucket_of_id, date};
use endcap_events::ingest::rejection::RejectCode;
use endcap_identity::Route;
use endcap_protocol::{DAY_MS, UnixMillis};
use endcap_validation::{EngineError, Trust};
use serde::{Deserialize, Serialize};
use serde_json::json;
use worker::{Response, SqlStorageValue};

use super::ProfileShard;
use super::store::Store;
use super::visit::Place;
use crate::config::config;
use crate::fault::Fault;
use crate::quarantine::{Keep, Tally};
use crate::{answer, clock};

/// Most refused events that a shard keeps; the oldest make room.
const MAX_KEPT: i64 = 10_000;
/// Name of the number of events that made room.
const DROPPED: &str = "quarantine_dropped";

/// Which refused events a shard is asked for.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct ListAsk {
    /// What they have to fit; `ids` alone where there are any.
    pub(crate) ask: ReplayAsk,
    /// Sequence number after which to begin.
    pub(crate) after: i64,
    /// How many at most.
    pub(crate) limit: i64,
}

/// Refused events of a shard, with their sequence numbers.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct ListReply {
    /// The events.
    pub(crate) events: Vec<(i64, Listed)>,
}

/// Refused events that are no longer to be kept, because they were accepted.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Release {
    /// Their names.
    pub(crate) ids: Vec<String>,
}

/// A refused event that is to be taken in again, as a batch of its own.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Replay {
    /// When it was received.
    pub(crate) received_at: UnixMillis,
    /// The batch.
    pub(crate) body: String,
    /// How far its sender was believed.
    pub(crate) trust: String,
}

impl Store {
    /// Keeps refused events and counts them. Returns when the first of them has to be removed.
    pub(super) fn quarantine(&self, bucket: u16, events: &[Quarantined]) -> Result<Option<UnixMillis>, Fault> {
        let mut counts: BTreeMap<(i64, &str, RejectCode), i64> = BTreeMap::new();
        for event in events {
            if !event.code.is_kept() || self.keep(bucket, event)? {
                *counts.entry((event.received_at / DAY_MS, &event.source, event.code)).or_default() += 1;
            }
        }
        for ((day, source, code), count) in counts {
            self.count_refused(bucket, day, source, code, count)?;
        }
        let kept = events.iter().filter(|event| event.code.is_kept());
        let Some(first) = kept.map(|event| event.received_at).min() else { return Ok(None) };
        self.make_room()?;
        Ok(Some(first.saturating_add(KEPT_DAYS * DAY_MS)))
    }

    /// Keeps one event; false when it is kept already.
    fn keep(&self, bucket: u16, event: &Quarantined) -> Result<bool, Fault> {
        let insert = "INSERT INTO quarantine(id, bucket, received_at, source, code, route, event)
                      VALUES(?, ?, ?, ?, ?, ?, ?) ON CONFLICT(id) DO NOTHING RETURNING seq";
        let values: Vec<SqlStorageValue> = vec![
            event.id(bucket).into(),
            i64::from(bucket).into(),
            event.received_at.into(),
            event.source.as_str().into(),
            event.code.as_str().into(),
            event.route.as_str().into(),
            serde_json::to_string(event)?.into(),
        ];
        Ok(self.db.first(insert, values)?.is_some())
    }

    /// Counts refused events.
    pub(super) fn count_refused(
        &self,
        bucket: u16,
        day: i64,
        source: &str,
        code: RejectCode,
        count: i64,
    ) -> Result<(), Fault> {
        self.db.run(
            "INSERT INTO refused(day, source, code, bucket, count) VALUES(?, ?, ?, ?, ?)
             ON CONFLICT(day, source, code, bucket) DO UPDATE SET count = count + excluded.count",
            vec![day.into(), source.into(), code.as_str().into(), i64::from(bucket).into(), count.into()],
        )
    }

    /// Removes the oldest events beyond the bound, and counts them. Numbers that replays left free count as taken, so
    /// that nothing has to be counted each time.
    fn make_room(&self) -> Result<(), Fault> {
        let delete = "DELETE FROM quarantine WHERE seq <= (SELECT max(seq) FROM quarantine) - ? RETURNING seq";
        let gone = self.db.rows(delete, vec![MAX_KEPT.into()])?.len() as i64;
        if gone == 0 { Ok(()) } else { self.set_meta(DROPPED, self.meta(DROPPED)?.saturating_add(gone)) }
    }

    /// Removes what is older than 30 days.
    pub(super) fn trim_quarantine(&self, now: UnixMillis) -> Result<(), Fault> {
        let before = now.saturating_sub(KEPT_DAYS * DAY_MS);
        let oldest = self.db.first("SELECT received_at FROM quarantine ORDER BY seq LIMIT 1", Vec::new())?;
        if oldest.is_some_and(|row| row.int(0) <= before) {
            self.db.run("DELETE FROM quarantine WHERE received_at <= ?", vec![before.into()])?;
        }
        let oldest = self.db.first("SELECT day FROM refused ORDER BY day LIMIT 1", Vec::new())?;
        if oldest.is_some_and(|row| row.int(0) < before / DAY_MS) {
            self.db.run("DELETE FROM refused WHERE day < ?", vec![(before / DAY_MS).into()])?;
        }
        Ok(())
    }

    fn refused(&self, ask: &ListAsk) -> Result<Vec<(i64, Listed)>, Fault> {
        let read = |row: &crate::db::Row| -> Result<(i64, Listed), Fault> {
            let event = serde_json::from_str(&row.text(2))?;
            Ok((row.int(0), Listed { id: row.text(1), event }))
        };
        if !ask.ask.ids.is_empty() {
            let query = "SELECT seq, id, event FROM quarantine WHERE id = ?";
            let mut found = Vec::new();
            for id in &ask.ask.ids {
                found.extend(self.db.first(query, vec![id.as_str().into()])?.as_ref().map(read).transpose()?);
            }
            return Ok(found);
        }
        let query = "SELECT seq, id, event FROM quarantine WHERE seq > ?
                     AND (? = '' OR source = ?) AND (? = '' OR code = ?) AND (? = '' OR route = ?)
                     AND (? = '' OR json_extract(event, '$.path') = ?)
                     ORDER BY seq LIMIT ?";
        let source = ask.ask.source.as_deref().unwrap_or_default();
        let code = ask.ask.code.map_or("", RejectCode::as_str);
        let route = ask.ask.route.map_or("", |route| route.as_str());
        let path = ask.ask.path.as_deref().unwrap_or_default();
        let texts = [source, source, code, code, route, route, path, path].map(SqlStorageValue::from);
        let values = std::iter::once(ask.after.into()).chain(texts).chain([ask.limit.into()]);
        self.db.rows(query, values.collect())?.iter().map(read).collect()
    }

    fn refused_counts(&self) -> Result<Counts, Fault> {
        let query = "SELECT day, source, code, sum(count) FROM refused GROUP BY day, source, code ORDER BY day DESC";
        let rows = self.db.rows(query, Vec::new())?;
        let count = |row: &crate::db::Row| Count {
            day: date(row.int(0)),
            source: row.text(1),
            code: row.text(2),
            count: row.int(3).unsigned_abs(),
        };
        Ok(Counts { counts: rows.iter().map(count).collect(), dropped: self.meta(DROPPED)?.unsigned_abs() })
    }
}

impl ProfileShard {
    /// Routes below `/quarantine`: between the entry and a shard.
    pub(super) async fn quarantine_route(&self, path: &str, body: &[u8]) -> Result<Response, Fault> {
        match path {
            "/quarantine/keep" => self.keep_refused(&serde_json::from_slice(body)?).await,
            "/quarantine/count" => self.count_told(&serde_json::from_slice(body)?),
            "/quarantine/list" => {
                answer::json(&ListReply { events: self.store.refused(&serde_json::from_slice(body)?)? })
            }
            "/quarantine/counts" => answer::json(&self.refused_counts()?),
            "/quarantine/release" => self.release(&serde_json::from_slice(body)?),
            _ => Err(EngineError::NotFound("route").into()),
        }
    }

    async fn keep_refused(&self, keep: &Keep) -> Result<Response, Fault> {
        self.own(keep.bucket)?;
        let now = clock::now();
        let mut events = keep.events.clone();
        for event in events.iter_mut().filter(|event| !event.subject.is_empty()) {
            if self.store.is_entombed(&event.subject, &config(&self.env).identity_pepper, now)? {
                event.code = RejectCode::Erased;
            }
        }
        let due = self.store.db.transaction(|| self.store.quarantine(keep.bucket, &events))?;
        self.arm_at(due).await?;
        answer::json(&json!({}))
    }

    fn count_told(&self, tally: &Tally) -> Result<Response, Fault> {
        self.own(tally.bucket)?;
        let (day, source) = (clock::now() / DAY_MS, tally.source.as_str());
        self.store.db.transaction(|| self.store.count_refused(tally.bucket, day, source, tally.code, tally.count))?;
        answer::json(&json!({}))
    }

    /// Refuses what another shard is to keep.
    fn own(&self, bucket: u16) -> Result<(), Fault> {
        if self.owns(bucket)? {
            return Ok(());
        }
        Err(EngineError::Internal("the bucket is another shard's".to_owned()).into())
    }

    fn refused_counts(&self) -> Result<Counts, Fault> {
        self.flush_refused(clock::now())?;
        self.store.refused_counts()
    }

    /// `/replay`: takes a refused event in again, at the time at which it was received.
    pub(super) async fn replay_route(&self, replay: &Replay) -> Result<Response, Fault> {
        let body = replay.body.as_bytes();
        let batch = ingest_as(body, replay.received_at, Trust::parse(&replay.trust))?;
        let home = Route::home(&batch.anonymous_id)?.profile;
        let visited = self.visit(Place::of(home), body, batch).await?;
        Ok(answer::batch(&visited.body, 200, None, &[])?.into())
    }

    fn release(&self, release: &Release) -> Result<Response, Fault> {
        self.store.db.transaction(|| {
            release
                .ids
                .iter()
                .filter(|id| bucket_of_id(id).is_some())
                .try_for_each(|id| self.store.db.run("DELETE FROM quarantine WHERE id = ?", vec![id.as_str().into()]))
        })?;
        answer::json(&json!({}))
    }
}
