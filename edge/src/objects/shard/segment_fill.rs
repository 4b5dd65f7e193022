//! Holding everybody against segments that are new or changed.
//!
//! People whom something happens to are held against them then. Of the others each is looked at once, in the order of their
//! profiles' IDs, a few in a step. Where the shard is, is stored after each step, and a person who is looked at twice changes once:
//! so a crash anywhere costs one step.

use std::collections::BTreeSet;
use std::time::Duration;

use endcap_engine::segment::fill::Fill;
use endcap_engine::shop::Snapshot;
use endcap_profile::fragment_rows::Wanted;
use endcap_protocol::{SegmentId, UnixMillis};
use endcap_validation::DomainError;
use worker::Delay;

use super::object::ProfileShard;
use super::past_events::PastElsewhere;
use crate::platform::clock;
use crate::platform::error::EdgeError;
use crate::rpc::snapshots;

/// People of one step at most: reading them takes some milliseconds.
const STEP: i64 = 50;
/// The least, and how many segments all of them are held against together.
const LEAST_STEP: i64 = 10;
const SEGMENTS_OF_STEP: i64 = 2_500;
/// How long one run of the alarm goes on, in milliseconds.
const RUN_MS: UnixMillis = 5_000;
/// The rest between two steps, in milliseconds, in which others have their turn.
const REST_MS: u64 = 1;
/// The pause while the shop's newer segments are not here yet, in milliseconds.
const WAIT_MS: u64 = 1_000;

/// People of one step in a shop of so many segments: each takes as long as there are segments to hold them against.
fn step_for(snapshot: &Snapshot) -> i64 {
    let segments = i64::try_from(snapshot.segments.ids().count()).unwrap_or(STEP);
    (SEGMENTS_OF_STEP / segments.max(1)).clamp(LEAST_STEP, STEP)
}

impl ProfileShard {
    /// Steps for a while. Whether there is more to do.
    pub(super) async fn fill_segments(&self) -> Result<bool, EdgeError> {
        self.store.look_up_past(clock::now())?;
        if self.store.fill()?.running.is_none() {
            return Ok(false);
        }
        let (until, most) = (clock::now() + RUN_MS, self.steps_elsewhere().await?);
        let mut steps = 0;
        loop {
            let more = self.fill_step().await?;
            steps += 1;
            if !more || steps >= most || clock::now() > until {
                return Ok(more);
            }
            Delay::from(Duration::from_millis(REST_MS)).await;
        }
    }

    async fn fill_step(&self) -> Result<bool, EdgeError> {
        let now = clock::now();
        let mut snapshot = snapshots::current(&self.env, now).await?;
        let Some(version) = self.store.fill()?.running else { return Ok(false) };
        if snapshot.segments.version < version {
            snapshot = snapshots::newer(&self.env, now).await?;
        }
        // What only a newer version can read is left to it.
        if snapshot.segments.version < version || snapshot.segments.has_unreadable() {
            Delay::from(Duration::from_millis(WAIT_MS)).await;
            return Ok(true);
        }
        // Those that came meanwhile need another look at who was looked at.
        self.store.db.transaction(|| self.store.begin_fill(snapshot.segments.version))?;
        self.look_at_some(&snapshot).await
    }

    async fn look_at_some(&self, snapshot: &Snapshot) -> Result<bool, EdgeError> {
        let fill = self.store.fill()?;
        if fill.after.is_empty() {
            let ids: Vec<&str> = snapshot.segments.ids().map(SegmentId::as_str).collect();
            let ids = serde_json::to_string(&ids)?;
            self.store.db.transaction(|| self.store.trim_movements(&ids, clock::now()))?;
        }
        let window = self.store.profiles_after(&fill.after, step_for(snapshot))?;
        let elsewhere = self.lacking_elsewhere(&window.ids, snapshot).await?;
        if *self.store.fill()? != *fill || self.store.profiles_after(&fill.after, step_for(snapshot))?.ids != window.ids
        {
            // Meanwhile there is something newer to hold people against, or somebody came.
            return Ok(true);
        }
        // Others may have had their turn meanwhile.
        let (mut unreadable, now) = (0, clock::now());
        for id in &window.ids {
            match self.look_at(id, &elsewhere, snapshot, now) {
                // The shard that gets it looks at it.
                Ok(()) | Err(EdgeError::Domain(DomainError::Moving)) => {}
                Err(error) => {
                    worker::console_error!("the segments of {id}: {error}");
                    unreadable += 1;
                }
            }
        }
        let fill = Fill::clone(&*self.store.fill()?).after(window.ids.len() as u64, unreadable, window.next);
        let more = fill.running.is_some();
        self.store.db.transaction(|| self.store.set_fill(fill))?;
        Ok(more)
    }

    /// Holds somebody against the segments, and writes what changes, if something does.
    fn look_at(
        &self,
        id: &str,
        elsewhere: &PastElsewhere,
        snapshot: &Snapshot,
        now: UnixMillis,
    ) -> Result<(), EdgeError> {
        self.store.db.transaction(|| {
            let Some(mut row) = self.store.load_with(id, Wanted::Named(&BTreeSet::new()))? else { return Ok(()) };
            let lacks = !row.occurrences_are_complete(snapshot.event_queries.latest());
            if lacks {
                row.read_more(&self.store, Wanted::All)?;
                let before = row.occurrences.clone();
                if !self.store.count_past(&mut row, elsewhere, snapshot)? {
                    // A fragment that came while the others were asked has its turn with the next look at everybody.
                    row.occurrences = before;
                    self.store.refill()?;
                }
            }
            let refreshed = self.store.refresh(&mut row, snapshot, now)?;
            if lacks || refreshed.has_changes() || !refreshed.timers.is_empty() {
                self.store.save_refreshed(&row, &refreshed)?;
            }
            Ok(())
        })
    }
}
