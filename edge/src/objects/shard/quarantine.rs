//! Refused events at a shard: kept, counted, listed, and taken in again.

use endcap_events::ingest::quarantine::{Counts, bucket_of_id};
use endcap_events::ingest::warning_log::NotedOf;
use endcap_events::ingest::{RejectCode, Signals, ingest_from};
use endcap_identity::ProfileRoute;
use endcap_protocol::DAY_MS;
use endcap_validation::DomainError;
use worker::Response;

use super::destination::Destination;
use super::object::ProfileShard;
use super::table::refused::RefusedEvents;
use crate::platform::config::config;
use crate::platform::error::EdgeError;
use crate::platform::{clock, response};
use crate::rpc::message::Done;
use crate::rpc::quarantine::{Keep, ListAsk, ListReply, Release, Replay, Tally, WarningsReply};
use crate::rpc::snapshots;

impl ProfileShard {
    /// Keeps events that were refused on their way here.
    pub(super) async fn keep_route(&self, keep: &Keep) -> Result<Response, EdgeError> {
        self.check_own(keep.bucket)?;
        let now = clock::now();
        let mut events = keep.events.clone();
        for event in events.iter_mut().filter(|event| !event.subject.is_empty()) {
            if self.store.is_entombed(&event.subject, &config(&self.env).identity_pepper, now)? {
                event.code = RejectCode::Erased;
            }
        }
        let due = self.store.db.transaction(|| self.store.quarantine(keep.bucket, &events))?;
        self.arm_at(due).await?;
        response::json(&Done {})
    }

    /// Counts events that were refused as a whole on their way here.
    pub(super) fn tally_route(&self, tally: &Tally) -> Result<Response, EdgeError> {
        self.check_own(tally.bucket)?;
        let Tally { bucket, source, code, count } = tally;
        let refused = RefusedEvents { bucket: *bucket, day: clock::now() / DAY_MS, source, code: *code, count: *count };
        self.store.db.transaction(|| self.store.count_refused(&refused))?;
        response::json(&Done {})
    }

    /// Refuses what another shard is to keep.
    fn check_own(&self, bucket: u16) -> Result<(), EdgeError> {
        if self.owns(bucket)? {
            return Ok(());
        }
        Err(DomainError::Internal("the bucket is another shard's".to_owned()).into())
    }

    /// Some of the refused events.
    pub(super) fn list_route(&self, ask: &ListAsk) -> Result<Response, EdgeError> {
        response::json(&ListReply { events: self.store.list_refused(ask)? })
    }

    /// The counts, with those that are still in memory.
    pub(super) fn counts_route(&self) -> Result<Response, EdgeError> {
        let now = clock::now();
        self.flush_refused(now)?;
        let warnings = self.store.warnings(now)?;
        let warnings = warnings.iter().flat_map(NotedOf::counts).collect();
        response::json(&Counts { warnings, ..self.store.refused_counts()? })
    }

    /// What was repaired and warned of.
    pub(super) fn warnings_route(&self) -> Result<Response, EdgeError> {
        response::json(&WarningsReply { noted: self.store.warnings(clock::now())? })
    }

    /// Takes a refused event in again, at the time at which it was received.
    pub(super) async fn replay_route(&self, replay: &Replay) -> Result<Response, EdgeError> {
        let body = replay.body.as_bytes();
        let snapshot = snapshots::current(&self.env, clock::now()).await?;
        let currency = snapshot.settings.currency();
        let signals = Signals { trust: replay.trust, currency, ..Signals::default() };
        let batch = ingest_from(body, replay.received_at, signals)?;
        let home = ProfileRoute::home(&batch.anonymous_id)?.profile;
        let visited = self.visit(Destination::of(home, None), body, batch).await?;
        Ok(response::batch(&visited.body, 200, None, &[])?.into())
    }

    /// Lets go of events that were accepted.
    pub(super) fn release_route(&self, release: &Release) -> Result<Response, EdgeError> {
        let named = release.ids.iter().filter(|id| bucket_of_id(id).is_some());
        self.store.release(&named.map(String::as_str).collect::<Vec<_>>())?;
        response::json(&Done {})
    }
}
