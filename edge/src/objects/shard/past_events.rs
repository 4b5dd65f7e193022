//! Counting what people did before a question about events was asked: from this shard's log, from what waits for it in their rows, and
//! from the logs of the other shards, where a fragment was before it moved or its bucket did.

use std::collections::BTreeMap;

use endcap_engine::person_events::unknown;
use endcap_engine::shop::Snapshot;
use endcap_engine::shop::event_queries::{Counted, PastCounter, replace};
use endcap_events::ingest::logged::logged;
use endcap_identity::FragmentId;
use endcap_profile::ProfileRow;
use endcap_profile::fragment_rows::Wanted;
use endcap_profile::log_tail::{LogEntry, read_entries};
use endcap_protocol::{DAY_MS, UnixMillis};
use endcap_targeting::event_query::EventQuery;
use endcap_validation::DomainError;
use futures_util::future::join_all;
use worker::{Response, Stub};

use super::object::ProfileShard;
use super::store::Store;
use super::table::meta::{PAST_DUE, PAST_LOOKED_UP_AT};
use crate::platform::error::EdgeError;
use crate::platform::{clock, response};
use crate::rpc::past_events::{PartOfPast, PastAsk, PastPage};
use crate::rpc::{call, shards, snapshots};

/// Occurrences of one answer to another shard; those of one fragment may be more.
const ANSWERED: usize = 5_000;
/// Calls of other shards that one run of an alarm, or one request, makes at most.
const CALLS: usize = 500;
/// Shortest time between two looks at everybody for rows without their past, in milliseconds: while two versions run, each batch may
/// leave one.
const LOOK_UP_EVERY_MS: UnixMillis = DAY_MS / 144;

/// What other shards counted of some fragments.
#[derive(Debug, Default)]
pub(super) struct PastElsewhere {
    /// By fragment; None where there are no other shards.
    counted: Option<BTreeMap<FragmentId, Vec<Counted>>>,
}

impl PastElsewhere {
    /// What was counted of a fragment; None where nobody asked, and somebody has to.
    fn of(&self, fragment: &FragmentId) -> Option<&[Counted]> {
        self.counted.as_ref().map_or(Some(&[]), |all| all.get(fragment).map(Vec::as_slice))
    }
}

impl Store {
    /// Has all fragments of a row, which were read, count the past for every question of the shop. Whether they all could.
    pub(super) fn count_past(
        &self,
        row: &mut ProfileRow,
        elsewhere: &PastElsewhere,
        snapshot: &Snapshot,
    ) -> Result<bool, EdgeError> {
        let mut is_whole = true;
        for part in lacking(row, snapshot) {
            let Some(others) = elsewhere.of(&part.fragment) else {
                is_whole = false;
                continue;
            };
            let after =
                row.occurrences.get(&part.fragment).and_then(|held| held.lacks()).map(|lack| lack.after_version);
            let queries: Vec<EventQuery> = snapshot.event_queries.after(after.unwrap_or_default()).cloned().collect();
            let here = self.past_here(row, &part, &queries, snapshot)?;
            let all: Vec<&Counted> = others.iter().chain([&here]).collect();
            snapshot.event_queries.complete(row, &part.fragment, &all);
        }
        Ok(is_whole)
    }

    /// Counts all that the log knows of a row whose fragments were read, for those of some questions of which it does not know
    /// the past.
    pub(super) fn count_whole_past(
        &self,
        row: &mut ProfileRow,
        queries: &[EventQuery],
        elsewhere: &PastElsewhere,
        snapshot: &Snapshot,
    ) -> Result<(), EdgeError> {
        let queries = unknown(row, queries, &snapshot.event_queries);
        if queries.is_empty() {
            return Ok(());
        }
        for part in whole(row) {
            let here = self.past_here(row, &part, &queries, snapshot)?;
            let all: Vec<&Counted> = elsewhere.of(&part.fragment).unwrap_or_default().iter().chain([&here]).collect();
            replace(row, &part.fragment, &queries, &all);
        }
        Ok(())
    }

    /// Counts a part of a fragment's past, from this shard's log and from the row.
    fn past_here(
        &self,
        row: &ProfileRow,
        part: &PartOfPast,
        queries: &[EventQuery],
        snapshot: &Snapshot,
    ) -> Result<Counted, EdgeError> {
        let mut counter = PastCounter::new(queries, &snapshot.event_queries.locale);
        self.past_in_log(part, &mut counter)?;
        if let Some(tail) = row.tails.get(&part.fragment) {
            for entry in read_entries(&tail.entries)? {
                count_before(&entry.read()?, part.before, &mut counter);
            }
        }
        Ok(counter.counted)
    }

    /// Counts what the log has, an entry at a time. A row that cannot be read counts nothing, and holds up no other.
    fn past_in_log(&self, part: &PartOfPast, counter: &mut PastCounter<'_>) -> Result<(), EdgeError> {
        for seq in self.log_rows_of(&part.fragment)? {
            let mut add = |entry: &LogEntry<'_>| count_before(entry, part.before, counter);
            if let Err(error) = self.each_entry(seq, &part.fragment, &mut add) {
                // It is told of once, though everybody may be looked at again.
                if self.log_index.borrow_mut().unreadable.insert(seq) {
                    self.note_unreadable(i64::from(seq), &error)?;
                }
            }
        }
        Ok(())
    }

    /// When people have to be looked at, if they do: the shop has newer segments, or this row lacks its past and nobody will come by. A
    /// version wrote it that counts nothing, or it moved here meanwhile.
    pub(super) fn fill_due(
        &self,
        row: &ProfileRow,
        snapshot: &Snapshot,
        now: UnixMillis,
    ) -> Result<Option<UnixMillis>, EdgeError> {
        let looks = self.begin_fill(snapshot.segments.version)? || self.look_by_fit(snapshot)?;
        let due = looks.then_some(now);
        let fill = self.fill()?;
        // By an older version of the shop's segments a row counts less than was known of it.
        let is_older = snapshot.segments.version < fill.version() && !row.occurrences.is_empty();
        if !is_older && row.occurrences_are_complete(snapshot.event_queries.latest()) {
            return Ok(due);
        }
        if fill.running.is_some() && row.id.as_str() > fill.after.as_str() {
            return Ok(due);
        }
        if self.meta(PAST_DUE)? == 0 {
            let looked_up_at = self.meta(PAST_LOOKED_UP_AT)?;
            // A time in the future was passed in by a test.
            let may_be = if looked_up_at > now { now } else { looked_up_at + LOOK_UP_EVERY_MS };
            self.set_meta(PAST_DUE, may_be.max(now))?;
        }
        Ok(due.into_iter().chain([self.meta(PAST_DUE)?]).min())
    }

    /// Has everybody looked at again, if that is due because rows lack their past.
    pub(super) fn look_up_past(&self, now: UnixMillis) -> Result<(), EdgeError> {
        let due = self.meta(PAST_DUE)?;
        if due == 0 || due > now {
            return Ok(());
        }
        self.db.transaction(|| {
            self.set_meta(PAST_DUE, 0)?;
            self.set_meta(PAST_LOOKED_UP_AT, now)?;
            self.refill()
        })
    }
}

/// Counts the events of an entry, if it was received before a time.
fn count_before(entry: &LogEntry<'_>, before: UnixMillis, counter: &mut PastCounter<'_>) {
    if entry.received_at < before {
        counter.add(&logged(&entry.events, &entry.times, entry.received_at, counter.locale.currency));
    }
}

/// What a row lacks of the past, once its fragments, which were read, follow the shop's questions.
fn lacking(row: &mut ProfileRow, snapshot: &Snapshot) -> Vec<PartOfPast> {
    snapshot.event_queries.follow(row, clock::now());
    let here = row.occurrences.iter().filter(|(id, _)| row.fragments.contains_key(*id));
    here.filter_map(|(id, held)| Some(PartOfPast { fragment: id.clone(), before: held.lacks()?.before })).collect()
}

/// All the past of a row's fragments.
fn whole(row: &ProfileRow) -> Vec<PartOfPast> {
    row.fragments.keys().map(|fragment| PartOfPast { fragment: fragment.clone(), before: UnixMillis::MAX }).collect()
}

impl ProfileShard {
    /// Steps that may be made, each of which asks all other shards.
    pub(super) async fn steps_elsewhere(&self) -> Result<usize, EdgeError> {
        Ok(CALLS / shards::other_shards(&self.env, self.number().await?).await?.len().max(1))
    }

    /// What other shards counted of people here who lack their past.
    pub(super) async fn lacking_elsewhere(
        &self,
        ids: &[String],
        snapshot: &Snapshot,
    ) -> Result<PastElsewhere, EdgeError> {
        let latest = snapshot.event_queries.latest();
        if latest == 0 {
            return Ok(PastElsewhere::default());
        }
        let lacks = |row: &ProfileRow| !row.occurrences_are_complete(latest);
        let parts = |row: &mut ProfileRow| lacking(row, snapshot);
        let queries: Vec<EventQuery> = snapshot.event_queries.all().cloned().collect();
        self.elsewhere_of(ids, &queries, lacks, parts).await
    }

    /// What other shards counted of people here of whom some questions are not tracked.
    pub(super) async fn whole_elsewhere(
        &self,
        ids: &[String],
        queries: &[EventQuery],
        snapshot: &Snapshot,
    ) -> Result<PastElsewhere, EdgeError> {
        if queries.is_empty() {
            return Ok(PastElsewhere::default());
        }
        let lacks = |row: &ProfileRow| !unknown(row, queries, &snapshot.event_queries).is_empty();
        self.elsewhere_of(ids, queries, lacks, |row| whole(row)).await
    }

    async fn elsewhere_of(
        &self,
        ids: &[String],
        queries: &[EventQuery],
        lacks: impl Fn(&ProfileRow) -> bool,
        parts_of: impl Fn(&mut ProfileRow) -> Vec<PartOfPast>,
    ) -> Result<PastElsewhere, EdgeError> {
        let mut parts = Vec::new();
        for id in ids {
            // Who cannot be read is told of when they are looked at.
            let Ok(Some(mut row)) = self.store.load_with(id, Wanted::Named(&[].into())) else { continue };
            if lacks(&row) && row.read_more(&self.store, Wanted::All).is_ok() {
                parts.extend(parts_of(&mut row));
            }
        }
        let mut all: BTreeMap<FragmentId, Vec<Counted>> =
            parts.iter().map(|part| (part.fragment.clone(), Vec::new())).collect();
        let others = shards::other_shards(&self.env, self.number().await?).await?;
        if !parts.is_empty() {
            self.index_log().await?;
            for found in join_all(others.iter().map(|stub| past_at(stub, queries, &parts))).await {
                for (part, counted) in parts.iter().zip(found?) {
                    all.entry(part.fragment.clone()).or_default().push(counted);
                }
            }
        }
        Ok(PastElsewhere { counted: (!others.is_empty()).then_some(all) })
    }

    /// Counts what the log has of fragments that are elsewhere now.
    pub(super) async fn past_route(&self, ask: &PastAsk) -> Result<Response, EdgeError> {
        let snapshot = snapshots::current(&self.env, clock::now()).await?;
        let queries = ask.queries()?;
        self.index_log().await?;
        let (mut page, mut kept) = (PastPage::default(), 0);
        for part in &ask.parts {
            if kept > ANSWERED {
                break;
            }
            let mut counter = PastCounter::new(&queries, &snapshot.event_queries.locale);
            self.store.past_in_log(part, &mut counter)?;
            kept += counter.counted.values().map(|held| held.latest().len()).sum::<usize>();
            page.counted.push(counter.counted);
        }
        response::json(&page)
    }
}

/// What a shard counted, part by part: its answers are bounded.
async fn past_at(stub: &Stub, queries: &[EventQuery], parts: &[PartOfPast]) -> Result<Vec<Counted>, EdgeError> {
    let mut found = Vec::new();
    while let Some(rest) = parts.get(found.len()..).filter(|rest| !rest.is_empty()) {
        let page = call::ask(stub, &PastAsk::new(queries, rest.to_vec())).await?;
        if page.counted.is_empty() {
            return Err(DomainError::Internal("a shard counted nothing of a fragment's past".to_owned()).into());
        }
        found.extend(page.counted);
    }
    Ok(found)
}
