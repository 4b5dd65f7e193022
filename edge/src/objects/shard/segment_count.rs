//! Counting whom a condition describes, before it is saved.

use std::collections::BTreeSet;
use std::time::Duration;

use endcap_engine::person_facts::PersonFacts;
use endcap_engine::segment::preview::Tally;
use endcap_engine::shop::Snapshot;
use endcap_engine::shop::event_queries::queries_of;
use endcap_profile::fragment_rows::Wanted;
use endcap_protocol::{SegmentId, UnixMillis};
use endcap_targeting::PageFacts;
use endcap_targeting::condition::Condition;
use endcap_targeting::decided::asks_for_texts;
use endcap_targeting::evaluate::evaluate_of;
use endcap_targeting::event_query::EventQuery;
use worker::{Delay, Response};

use super::object::ProfileShard;
use super::past_events::PastElsewhere;
use super::table::meta::PROFILES;
use crate::platform::error::EdgeError;
use crate::platform::{clock, response};
use crate::rpc::segments::{CountAsk, CountPage};
use crate::rpc::snapshots;

/// People of one step: reading them takes some milliseconds.
const STEP: i64 = 50;
/// Profiles of one step that are passed where only a share is read.
const PASSED: i64 = 2_000;
/// Steps of one answer.
const STEPS: usize = 40;
/// The rest between two steps, in milliseconds, in which others have their turn.
const REST_MS: u64 = 1;

/// Whom to count, and by what.
struct Counted<'a> {
    condition: Condition,
    /// What it asks about events.
    queries: Vec<EventQuery>,
    segment: Option<&'a SegmentId>,
    snapshot: &'a Snapshot,
    now: UnixMillis,
}

impl ProfileShard {
    /// Counts some of the people here.
    pub(super) async fn count_route(&self, ask: &CountAsk) -> Result<Response, EdgeError> {
        let now = clock::now();
        let snapshot = snapshots::current(&self.env, now).await?;
        let segment = ask.ask.segment.as_ref();
        let condition = ask.ask.condition()?;
        let counted = Counted { queries: queries_of(&condition), condition, segment, snapshot: &snapshot, now };
        let steps = if counted.queries.is_empty() { STEPS } else { STEPS.min(self.steps_elsewhere().await?).max(1) };
        let mut page = CountPage {
            tally: Tally::default(),
            passed: 0,
            read: 0,
            known: self.store.meta(PROFILES)?.unsigned_abs(),
            next: Some(ask.after.clone()),
        };
        for step in 0..steps {
            if step > 0 {
                Delay::from(Duration::from_millis(REST_MS)).await;
            }
            let Some(after) = page.next.take() else { break };
            self.count_step(&counted, &after, ask.share, &mut page).await?;
        }
        response::json(&page)
    }

    async fn count_step(
        &self,
        counted: &Counted<'_>,
        after: &str,
        share: Option<u16>,
        page: &mut CountPage,
    ) -> Result<(), EdgeError> {
        let limit = if share.is_some() { PASSED } else { STEP };
        let window = self.store.profiles_of_share(after, limit, share.unwrap_or(1))?;
        page.passed += window.passed;
        page.read += window.found.ids.len() as u64;
        let elsewhere = self.whole_elsewhere(&window.found.ids, &counted.queries, counted.snapshot).await?;
        for id in &window.found.ids {
            if let Err(error) = self.count_one(counted, id, &elsewhere, &mut page.tally) {
                worker::console_error!("counting {id}: {error}");
                page.tally.unreadable += 1;
            }
        }
        page.next = window.found.next;
        Ok(())
    }

    fn count_one(
        &self,
        counted: &Counted<'_>,
        id: &str,
        elsewhere: &PastElsewhere,
        tally: &mut Tally,
    ) -> Result<(), EdgeError> {
        let Counted { condition, queries, segment, snapshot, now } = counted;
        let Some(mut row) = self.store.load_with(id, Wanted::Named(&BTreeSet::new()))? else { return Ok(()) };
        if !row.has_fragments() {
            return Ok(());
        }
        if asks_for_texts(condition) || !queries.is_empty() {
            row.read_more(&self.store, Wanted::All)?;
        }
        let person = self.store.refresh(&mut row, snapshot, *now)?.person;
        let page = PageFacts { path: "", now: *now };
        self.store.count_whole_past(&mut row, queries, elsewhere, snapshot)?;
        let facts = PersonFacts::of(&row, &person, snapshot).with_whole_past();
        let matches = evaluate_of(condition, &person.behaviour, &page, &facts).holds;
        let held = row.memberships.as_ref();
        let is_member = segment.is_some_and(|segment| held.is_some_and(|held| held.held.contains_key(segment)));
        tally.count(id, matches, is_member);
        Ok(())
    }
}
