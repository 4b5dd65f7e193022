//! `refused_event`: the quarantine: refused events, kept for 30 days or until they are taken in again.

use std::collections::{BTreeMap, BTreeSet};

use endcap_engine::health::QuarantineHealth;
use endcap_engine::person_export::Belongings;
use endcap_events::ingest::fair_share::{Sender, Shares};
use endcap_events::ingest::quarantine::{KEPT_DAYS, Listed};
use endcap_events::ingest::{Quarantined, RejectCode};
use endcap_protocol::{DAY_MS, UnixMillis};
use serde::Deserialize;
use worker::SqlStorageValue;

use super::contract::{Access, Eraser, Erasure, Table, Transfer, Upgrade};
use super::meta::{QUARANTINE_DROPPED, QUARANTINE_DROPPED_AT};
use super::refused::RefusedEvents;
use crate::objects::shard::store::Store;
use crate::platform::db::Row;
use crate::platform::error::EdgeError;
use crate::rpc::erasure::ErasedRows;
use crate::rpc::person_export::BelongingsAsk;
use crate::rpc::quarantine::ListAsk;

/// Most refused events that a shard keeps, where none is over 4 KiB; a larger one takes the room of several.
const MAX_KEPT: i64 = 10_000;
/// Bytes of the room that one event takes.
const UNIT_BYTES: i64 = 4096;
/// Rows that are read at a time to see who keeps how much.
const SHARES_READ: i64 = 2_500;
/// Rooms that the heaviest event takes: 32 KiB of text, twice that where JSON escapes it, and what surrounds it.
const HEAVIEST: i64 = 20;
/// Most refused events of one export and shard.
const MAX_SHOWN: i64 = 500;

/// The table.
pub(super) struct QuarantineTable;

impl Table for QuarantineTable {
    fn name(&self) -> &'static str {
        "refused_event"
    }

    fn schema(&self) -> &'static str {
        "CREATE TABLE IF NOT EXISTS refused_event(
           seq INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, bucket INTEGER NOT NULL, received_at INTEGER NOT NULL,
           source TEXT NOT NULL, client INTEGER NOT NULL, browser INTEGER NOT NULL, weight INTEGER NOT NULL,
           code TEXT NOT NULL, route TEXT NOT NULL, event TEXT NOT NULL) STRICT"
    }

    fn upgrade(&self) -> Upgrade {
        // Rows did not say whose they were.
        Upgrade::OtherTable {
            name: "quarantine",
            take_over: &[
                "INSERT INTO refused_event(id, bucket, received_at, source, client, browser, weight, code, route, event)
                 SELECT id, bucket, received_at, source, 0, 0, 1 + length(event) / 4096, code, route, event
                 FROM quarantine ORDER BY seq ON CONFLICT(id) DO NOTHING",
                "DROP TABLE quarantine",
            ],
        }
    }

    fn transfer(&self) -> Transfer {
        Transfer::Stays("they age away within 30 days; readers ask every shard")
    }

    fn erasure(&self) -> Erasure {
        Erasure::Found(erase)
    }

    fn access(&self) -> Access {
        Access::Shown(show)
    }
}

fn erase(eraser: &Eraser<'_>, sums: &mut ErasedRows) -> Result<(), EdgeError> {
    let store = eraser.store;
    sums.refused += store.db.transaction(|| {
        let found = store.refused_about(&eraser.step.names, -1)?;
        let count = found.len() as u64;
        for refused in found {
            store.db.run("DELETE FROM refused_event WHERE id = ?", vec![refused.id.into()])?;
        }
        Ok(count)
    })?;
    Ok(())
}

fn show(store: &Store, ask: &BelongingsAsk, shown: &mut Belongings) -> Result<(), EdgeError> {
    shown.refused.extend(store.refused_about(&ask.names, MAX_SHOWN)?);
    Ok(())
}

/// What a refused event takes, and whose it is.
#[derive(Deserialize)]
struct ShareRow {
    seq: i64,
    source: String,
    client: u32,
    browser: i64,
    weight: u64,
}

impl Store {
    /// Keeps refused events and counts them. Returns when the first of them has to be removed.
    pub(crate) fn quarantine(&self, bucket: u16, events: &[Quarantined]) -> Result<Option<UnixMillis>, EdgeError> {
        let mut counts: BTreeMap<(i64, &str, RejectCode), i64> = BTreeMap::new();
        for event in events {
            if !event.code.is_kept() || self.keep(bucket, event)? {
                *counts.entry((event.received_at / DAY_MS, &event.source, event.code)).or_default() += 1;
            }
        }
        for ((day, source, code), count) in counts {
            self.count_refused(&RefusedEvents { bucket, day, source, code, count })?;
        }
        let kept = events.iter().filter(|event| event.code.is_kept());
        let Some(first) = kept.map(|event| event.received_at).min() else { return Ok(None) };
        self.make_room(events)?;
        Ok(Some(first.saturating_add(KEPT_DAYS * DAY_MS)))
    }

    /// Keeps one event; false when it is kept already.
    fn keep(&self, bucket: u16, event: &Quarantined) -> Result<bool, EdgeError> {
        let insert =
            "INSERT INTO refused_event(id, bucket, received_at, source, client, browser, weight, code, route, event)
             VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT(id) DO NOTHING RETURNING seq";
        let (sender, text) = (event.sender(), serde_json::to_string(event)?);
        let weight = 1 + text.len() as i64 / UNIT_BYTES;
        let values: Vec<SqlStorageValue> = vec![
            event.id(bucket).into(),
            i64::from(bucket).into(),
            event.received_at.into(),
            event.source.as_str().into(),
            i64::from(sender.client).into(),
            sender.browser.into(),
            weight.into(),
            event.code.as_str().into(),
            event.route.as_str().into(),
            text.into(),
        ];
        let is_new = self.db.first(insert, values)?.is_some();
        self.refused_weight.set(self.refused_weight.get().map(|held| held.saturating_add(weight)));
        Ok(is_new)
    }

    /// Removes events beyond the bound, those of the greediest senders first, and counts them. As long as even the heaviest
    /// events would fit, nothing is read.
    fn make_room(&self, events: &[Quarantined]) -> Result<(), EdgeError> {
        let span =
            "SELECT coalesce((SELECT max(seq) FROM refused_event) - (SELECT min(seq) FROM refused_event) + 1, 0)";
        let span = self.db.first(span, Vec::new())?.map_or(0, |row| row.int(0));
        if span <= MAX_KEPT / HEAVIEST {
            return Ok(());
        }
        // As far as it is known, all that came since it was counted is still there.
        let total = match self.refused_weight.get() {
            Some(total) => total,
            None => self.db.first("SELECT sum(weight) FROM refused_event", Vec::new())?.map_or(0, |row| row.int(0)),
        };
        self.refused_weight.set(Some(total));
        if total <= MAX_KEPT {
            return Ok(());
        }
        let mut shares = self.all_shares()?;
        // A little more than has to, so that not each of a flood looks for the greediest again.
        let gone = shares.evict((MAX_KEPT - MAX_KEPT / 10).unsigned_abs());
        self.refused_weight.set(i64::try_from(shares.total()).ok());
        if gone.is_empty() {
            return Ok(());
        }
        let delete = "DELETE FROM refused_event WHERE seq IN (SELECT value FROM json_each(?))";
        self.db.run(delete, vec![serde_json::to_string(&gone)?.into()])?;
        let latest = events.iter().map(|event| event.received_at).max().unwrap_or_default();
        self.set_meta(QUARANTINE_DROPPED_AT, latest)?;
        self.count(QUARANTINE_DROPPED, gone.len() as i64)
    }

    /// Who keeps how much.
    fn all_shares(&self) -> Result<Shares, EdgeError> {
        let mut shares = Shares::default();
        // Many rows as one text: each value that is read by itself costs a call.
        let query = "SELECT json_group_array(json_array(seq, source, client, browser, weight)) FROM
                     (SELECT * FROM refused_event WHERE seq > ? ORDER BY seq LIMIT ?)";
        let mut after = 0;
        loop {
            let row = self.db.first(query, vec![after.into(), SHARES_READ.into()])?;
            let page: Vec<ShareRow> = row.map_or_else(|| Ok(Vec::new()), |row| serde_json::from_str(&row.text(0)))?;
            let Some(last) = page.last() else { return Ok(shares) };
            after = last.seq;
            for ShareRow { seq, source, client, browser, weight } in page {
                shares.add(Sender { source, client, browser }, seq, weight);
            }
        }
    }

    /// How many refused events are kept, and how fast they come.
    pub(crate) fn quarantine_health(&self, now: UnixMillis) -> Result<QuarantineHealth, EdgeError> {
        // Never more than a hundred rows are read.
        let query = "SELECT
            coalesce((SELECT max(seq) FROM refused_event) - (SELECT min(seq) FROM refused_event) + 1, 0),
            (SELECT count(*) FROM (SELECT received_at FROM refused_event ORDER BY seq DESC LIMIT 100)
             WHERE received_at > ?),
            (SELECT received_at FROM refused_event ORDER BY seq LIMIT 1)";
        let row = self.db.first(query, vec![(now - 3_600_000).into()])?;
        let int = |at| row.as_ref().map_or(0, |row| row.int(at));
        let kept = int(0).unsigned_abs();
        Ok(QuarantineHealth {
            kept,
            kept_last_hour: int(1).unsigned_abs(),
            dropped: self.meta(QUARANTINE_DROPPED)?.unsigned_abs(),
            last_dropped: self.moment(QUARANTINE_DROPPED_AT)?,
            oldest: (kept > 0).then(|| int(2)),
        })
    }

    /// Removes what is older than 30 days.
    pub(crate) fn trim_quarantine(&self, now: UnixMillis) -> Result<(), EdgeError> {
        let before = now.saturating_sub(KEPT_DAYS * DAY_MS);
        let oldest = self.db.first("SELECT received_at FROM refused_event ORDER BY seq LIMIT 1", Vec::new())?;
        if oldest.is_some_and(|row| row.int(0) <= before) {
            self.db.run("DELETE FROM refused_event WHERE received_at <= ?", vec![before.into()])?;
        }
        self.trim_refused(before / DAY_MS)
    }

    /// Refused events that fit, with their sequence numbers.
    pub(crate) fn list_refused(&self, ask: &ListAsk) -> Result<Vec<(i64, Listed)>, EdgeError> {
        let read = |row: &Row| -> Result<(i64, Listed), EdgeError> {
            let event = serde_json::from_str(&row.text(2))?;
            Ok((row.int(0), Listed { id: row.text(1), event }))
        };
        if !ask.ask.ids.is_empty() {
            let query = "SELECT seq, id, event FROM refused_event WHERE id = ?";
            let mut found = Vec::new();
            for id in &ask.ask.ids {
                found.extend(self.db.first(query, vec![id.as_str().into()])?.as_ref().map(read).transpose()?);
            }
            return Ok(found);
        }
        let query = "SELECT seq, id, event FROM refused_event WHERE seq > ?
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

    /// Refused events about somebody with one of these names; a limit below 0 is none.
    fn refused_about(&self, names: &BTreeSet<String>, limit: i64) -> Result<Vec<Listed>, EdgeError> {
        let query = "SELECT id, event FROM refused_event
                     WHERE EXISTS (SELECT 1 FROM json_each(?) WHERE instr(lower(event), value) > 0) LIMIT ?";
        let mut found = Vec::new();
        for row in self.db.rows(query, vec![serde_json::to_string(names)?.into(), limit.into()])? {
            let event: Quarantined = serde_json::from_str(&row.text(1))?;
            if event.is_about(names) {
                found.push(Listed { id: row.text(0), event });
            }
        }
        Ok(found)
    }

    /// Lets go of events that were accepted.
    pub(crate) fn release(&self, ids: &[&str]) -> Result<(), EdgeError> {
        self.db.transaction(|| {
            ids.iter().try_for_each(|id| self.db.run("DELETE FROM refused_event WHERE id = ?", vec![(*id).into()]))
        })
    }
}
