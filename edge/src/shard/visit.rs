//! A batch at the shard of its profile: ingest, apply, store, decide, in one hop.

use std::collections::BTreeSet;

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use endcap_engine::batch_reply::BatchReply;
use endcap_engine::decide::{Decision, Setting, decide};
use endcap_engine::shop::Snapshot;
use endcap_engine::visit::{Visit, alone, apply, settle_briefly};
use endcap_events::ingest::event::Kind;
use endcap_events::ingest::{Batch, Signals, ingest_from};
use endcap_identity::{FragmentId, Standing};
use endcap_profile::dedupe::Accepted;
use endcap_profile::evidence_policy::Belief;
use endcap_profile::resolution::Lead;
use endcap_profile::{Person, ProfileRow};
use endcap_protocol::{ProfileId, UnixMillis, bucket_of};
use endcap_validation::EngineError;
use serde::{Deserialize, Serialize};
use worker::Stub;

use super::ProfileShard;
use super::http::Way;
use super::link::Tell;
use super::outbox::Errand;
use super::passed::{ERASED_HEADER, PROFILE_HEADER, Passed};
use crate::config::config;
use crate::fault::Fault;
use crate::{clock, objects, snapshots};

/// Where a batch goes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Place {
    pub(super) profile: ProfileId,
    /// The fragment; None where only the browser is known, and it is to be the one that the browser adds to.
    pub(super) fragment: Option<FragmentId>,
    /// What the fragments before it knew, where the browser was handed over: a retry may go straight to it.
    pub(super) heritage: Option<Accepted>,
}

impl Place {
    /// A profile, and there the fragment that the browser adds to.
    pub(super) fn of(profile: ProfileId) -> Self {
        Self { profile, fragment: None, heritage: None }
    }

    /// Takes what was known before off the front of a forwarded batch.
    pub(super) fn read_heritage(body: &[u8]) -> Result<(Option<Accepted>, &[u8]), Fault> {
        let damaged = || EngineError::Internal("a forwarded batch is damaged".to_owned());
        let end = body.iter().position(|byte| *byte == b'\n').ok_or_else(damaged)?;
        let (head, rest) = (body.get(..end).unwrap_or_default(), body.get(end + 1..).unwrap_or_default());
        if head.is_empty() {
            return Ok((None, rest));
        }
        let packed = BASE64.decode(head).map_err(|_| damaged())?;
        Ok((Some(postcard::from_bytes(&packed).map_err(|_| damaged())?), rest))
    }

    fn same(&self, other: &Self) -> bool {
        self.profile == other.profile && self.fragment == other.fragment
    }
}

/// Where a batch ended up, and the answer.
pub(super) struct Visited {
    pub(super) profile_id: String,
    pub(super) status: u16,
    pub(super) body: Vec<u8>,
    /// The browser was erased: it has to forget its cookies.
    pub(super) erased: bool,
}

/// What one transaction did.
enum Outcome {
    /// The events belong elsewhere. These messages of the batch belong to who used the browser before, and are no longer
    /// among its events.
    Elsewhere(Place, Vec<String>),
    /// The fragment is on its way here.
    Coming,
    /// The browser belongs to somebody who was erased.
    Erased,
    /// The batch was applied.
    Applied(Box<Done>),
}

struct Done {
    visit: Visit,
    decision: Option<Decision>,
    due: Option<UnixMillis>,
    /// What the fragment knows, where it was handed over.
    heritage: Option<Accepted>,
}

impl ProfileShard {
    /// Applies a batch, of which `body` is the text, at a place, wherever that is.
    pub(super) async fn visit(&self, place: Place, body: &[u8], mut batch: Batch) -> Result<Visited, Fault> {
        if let Some(shard) = self.elsewhere(bucket_of(place.profile.as_str())).await? {
            return self.forward(&shard, &place, body, &batch).await;
        }
        let now = clock::now();
        let snapshot = snapshots::current(&self.env, now).await?;
        let outcome = self.apply(&place, &mut batch, &snapshot, now)?;
        self.conclude(place, (body, batch), outcome, now).await
    }

    /// Applies a batch of which nobody waits to see anything, and leaves it to the caller to tell the graph of the
    /// profiles that are added to `said`.
    pub(super) async fn deposit(
        &self,
        place: Place,
        (body, mut batch): (&[u8], Batch),
        snapshot: &Snapshot,
        said: &mut BTreeSet<String>,
    ) -> Result<Vec<u8>, Fault> {
        if batch.ask.is_some() || !self.owns(bucket_of(place.profile.as_str()))? {
            return Ok(self.visit(place, body, batch).await?.body);
        }
        let now = clock::now();
        match self.apply(&place, &mut batch, snapshot, now)? {
            Outcome::Applied(done) if done.visit.handover.is_none() => {
                let Done { visit, due, .. } = *done;
                self.arm_at(self.next_alarm(&visit, due, now)).await?;
                if visit.assertion.is_some() {
                    said.insert(place.profile.into_string());
                }
                Ok(BatchReply::of(visit.accepted, visit.duplicate, batch.rejected).text(None)?)
            }
            outcome => Ok(self.conclude(place, (body, batch), outcome, now).await?.body),
        }
    }

    /// Goes on from what one transaction did with a batch.
    async fn conclude(
        &self,
        place: Place,
        (body, batch): (&[u8], Batch),
        outcome: Outcome,
        now: UnixMillis,
    ) -> Result<Visited, Fault> {
        match outcome {
            Outcome::Coming => Err(on_its_way()),
            Outcome::Erased => self.refuse_erased(&place, batch),
            Outcome::Elsewhere(next, _) if next.same(&place) => {
                Err(EngineError::Internal("a profile points at itself".to_owned()).into())
            }
            Outcome::Elsewhere(next, before) => {
                self.settled_first(&place.profile).await?;
                if before.is_empty() {
                    return Box::pin(self.visit_next(next, body, batch)).await;
                }
                let rest = batch.body(&batch.events);
                let bucket = bucket_of(place.profile.as_str());
                let due = self.store.db.transaction(|| self.store.quarantine(bucket, &batch.refused))?;
                self.arm_at(due).await?;
                let reply = BatchReply::of(Vec::new(), before, batch.rejected.clone());
                if batch.events.is_empty() {
                    // All of it is the person's before: the next one is not to get as much as its consent.
                    let (profile_id, body) = (place.profile.into_string(), reply.text(None)?);
                    return Ok(Visited { profile_id, status: reply.status(), body, erased: false });
                }
                self.follow(reply, next, (&rest, &batch)).await
            }
            Outcome::Applied(done) => self.finish(place.profile, batch, *done, now).await,
        }
    }

    /// Refuses a batch of a browser that was erased: its events are counted and nothing of them is kept.
    fn refuse_erased(&self, place: &Place, mut batch: Batch) -> Result<Visited, Fault> {
        batch.erase();
        let bucket = bucket_of(place.profile.as_str());
        self.store.db.transaction(|| self.store.quarantine(bucket, &batch.refused))?;
        let reply = BatchReply::of(Vec::new(), Vec::new(), batch.rejected);
        Ok(Visited { profile_id: String::new(), status: reply.status(), body: reply.text(None)?, erased: true })
    }

    async fn visit_next(&self, place: Place, body: &[u8], batch: Batch) -> Result<Visited, Fault> {
        self.visit(place, body, batch).await
    }

    /// The same without waiting for anything. None, and nothing done, where something has to be waited for: the profile
    /// is elsewhere, or what was said may lead to another one.
    pub(super) fn visit_at_once(
        &self,
        way: &Way,
        mut batch: Batch,
        snapshot: &Snapshot,
        now: UnixMillis,
    ) -> Result<Option<Visited>, Fault> {
        let names = |kind: &Kind| matches!(kind, Kind::Identify { .. });
        let says = batch.events.iter().any(|event| names(&event.kind) || !event.identifiers.is_empty());
        if says || !self.owns(bucket_of(way.at.as_str()))? {
            return Ok(None);
        }
        let place = Place::of(way.at.clone());
        let Outcome::Applied(done) = self.apply(&place, &mut batch, snapshot, now)? else {
            return Ok(None);
        };
        let Done { visit, decision, due, .. } = *done;
        self.arm(self.next_alarm(&visit, due, now))?;
        let reply = BatchReply::of(visit.accepted, visit.duplicate, batch.rejected);
        let profile_id = way.at.as_str().to_owned();
        let body = reply.text(decision.as_ref())?;
        Ok(Some(Visited { profile_id, status: reply.status(), body, erased: false }))
    }

    /// When the alarm has to ring after a visit.
    fn next_alarm(&self, visit: &Visit, due: Option<UnixMillis>, now: UnixMillis) -> Option<UnixMillis> {
        let learn = (!visit.accepted.is_empty()).then(|| now.saturating_add(config(&self.env).learn_interval_ms));
        due.into_iter().chain(learn).min()
    }

    /// A fragment that is on its way has to arrive before its events do.
    async fn settled_first(&self, profile_id: &ProfileId) -> Result<(), Fault> {
        if self.settle_links(profile_id.as_str()).await? { Ok(()) } else { Err(on_its_way()) }
    }

    /// Sends the batch on to the shard that holds the profile.
    async fn forward(&self, shard: &Stub, place: &Place, body: &[u8], batch: &Batch) -> Result<Visited, Fault> {
        // What was known before goes ahead of the batch: there can be more of it than headers hold.
        let heritage = place.heritage.as_ref().map(postcard::to_allocvec).transpose();
        let heritage = heritage.map_err(|e| EngineError::Internal(e.to_string()))?.unwrap_or_default();
        let text = format!("{}\n{}", BASE64.encode(heritage), String::from_utf8_lossy(body));
        let request = objects::request(worker::Method::Post, "/visit", Some(text))?;
        Passed::write(request.headers(), place, batch)?;
        let mut response = shard.fetch_with_request(request).await?;
        let profile_id = response.headers().get(PROFILE_HEADER)?.unwrap_or_default();
        let erased = response.headers().get(ERASED_HEADER)?.is_some();
        Ok(Visited { profile_id, status: response.status_code(), body: response.bytes().await?, erased })
    }

    /// The transaction: read, compute, write, with no await in between.
    fn apply(&self, place: &Place, batch: &mut Batch, snapshot: &Snapshot, now: UnixMillis) -> Result<Outcome, Fault> {
        self.store.db.transaction(|| {
            let stored = self.store.load(place.profile.as_str())?;
            let mut row = stored.unwrap_or_else(|| ProfileRow::new(place.profile.clone(), now));
            let at = match row.lead(&batch.anonymous_id, place.fragment.as_ref())? {
                Lead::Begins(at) if self.is_erased(&at, now)? => return Ok(Outcome::Erased),
                Lead::Here(at) | Lead::Begins(at) => at,
                Lead::Coming => return Ok(Outcome::Coming),
                Lead::Next(profile, fragment) => {
                    let passed = place.fragment.clone().unwrap_or_else(|| FragmentId::first(&batch.anonymous_id));
                    let overflow = self.store.overflow(&row, &passed, now)?;
                    let before = row.known_before_handover(&passed, batch, &overflow);
                    // Where the fragment only moved, who comes next is the same.
                    let heritage = row.heritage(&passed, &overflow).or_else(|| place.heritage.clone());
                    return Ok(Outcome::Elsewhere(Place { profile, fragment: Some(fragment), heritage }, before));
                }
            };
            if let Some(known) = place.heritage.clone() {
                row.inherit(&at, &batch.anonymous_id, known, now);
            }
            self.apply_to(&mut row, &at, batch, snapshot, now).map(|done| Outcome::Applied(Box::new(done)))
        })
    }

    fn apply_to(
        &self,
        row: &mut ProfileRow,
        at: &FragmentId,
        batch: &mut Batch,
        snapshot: &Snapshot,
        now: UnixMillis,
    ) -> Result<Done, Fault> {
        let config = config(&self.env);
        let source = batch.source.clone();
        let rules = &snapshot.settings.identity;
        let belief = Belief { secret: &config.identity_secret, trust: batch.trust, source: source.as_str(), rules };
        let overflow = self.store.overflow(row, at, now)?;
        let silent = batch.events.is_empty();
        let before = row.fragments.get(at).filter(|_| silent).cloned();
        let mut visit = apply(row, at, batch, now, &belief, &overflow);
        self.store.spill(row, at)?;
        let settled = settle_briefly(row, snapshot, now);
        // A page that only asks, or repeats itself, writes nothing; one that changes its mind about consent does.
        let minded = before.is_some_and(|before| row.fragments.get(at) != Some(&before));
        let changed = !visit.accepted.is_empty() || visit.handover.is_some() || minded || settled.stage_changed;
        if changed {
            self.store.save_settled(row, &settled)?;
            let (events, signals) = (std::mem::take(&mut visit.log), std::mem::take(&mut visit.signals));
            self.note_learning(&signals);
            self.store.append_log((row.id.as_str(), at), now, events, signals)?;
            self.record_saying(row, &visit, now)?;
            self.batches.set(self.batches.get() + 1);
        }
        let refused = std::mem::take(&mut batch.refused);
        let removal = self.store.quarantine(bucket_of(row.id.as_str()), &refused)?;
        let due = settled.timers.iter().filter(|_| changed).map(|timer| timer.to).chain(removal).min();
        let heritage = row.heritage(at, &overflow);
        Ok(Done { decision: self.decision(row, at, batch, settled.person, snapshot, now), visit, due, heritage })
    }

    /// Records what was said, for the identity graph. Each message says it once, so it names the errand.
    fn record_saying(&self, row: &ProfileRow, visit: &Visit, now: UnixMillis) -> Result<(), Fault> {
        let Some(assertion) = &visit.assertion else { return Ok(()) };
        let message = visit.accepted.first().map(String::as_str).unwrap_or_default();
        let id = format!("tell {} {message}", assertion.fragment.as_str());
        let tell = Tell { profile_id: row.id.clone(), assertion: assertion.clone() };
        self.store.put_errand(&id, row.id.as_str(), now, &Errand::Tell(Box::new(tell)))
    }

    fn decision(
        &self,
        row: &ProfileRow,
        at: &FragmentId,
        batch: &Batch,
        person: Person,
        snapshot: &Snapshot,
        now: UnixMillis,
    ) -> Option<Decision> {
        let ask = batch.ask.as_ref()?;
        let config = config(&self.env);
        let vapid = config.vapid.as_ref().map(|vapid| (vapid.key.id(), vapid.public.as_str()));
        // Who only claims to be somebody is shown what their own browser did, under its own name.
        let claims = row.fragments.get(at).filter(|fragment| fragment.standing == Standing::Claimed);
        let own = claims.map(|fragment| alone(at, fragment, snapshot, now));
        let profile_id = if own.is_some() { at.as_str() } else { row.id.as_str() };
        let setting = Setting { profile_id, now, vapid };
        Some(decide(&this_browser(own.unwrap_or(person), row, at), ask, snapshot, &setting))
    }

    async fn finish(&self, profile_id: ProfileId, batch: Batch, done: Done, now: UnixMillis) -> Result<Visited, Fault> {
        let Done { visit, decision, due, heritage } = done;
        self.arm_at(self.next_alarm(&visit, due, now)).await?;
        let reply = BatchReply::of(visit.accepted, visit.duplicate, batch.rejected.clone());
        let at = profile_id.as_str().to_owned();
        let said = visit.assertion.map(|assertion| assertion.fragment);
        let told = if said.is_some() { self.settle_links(profile_id.as_str()).await? } else { false };
        let follow_up = match (visit.handover, said) {
            (Some((next, events)), _) => {
                Some((Place { profile: next.home()?, fragment: Some(next), heritage }, batch.body(&events)))
            }
            (None, Some(fragment)) if told => {
                Some((Place { profile: profile_id, fragment: Some(fragment), heritage: None }, batch.body(&[])))
            }
            _ => None,
        };
        let Some((next, body)) = follow_up else {
            let body = reply.text(decision.as_ref())?;
            return Ok(Visited { profile_id: at, status: reply.status(), body, erased: false });
        };
        self.follow(reply.deciding(decision.as_ref())?, next, (&body, &batch)).await
    }

    /// Applies the rest of a batch at the place that it belongs to, and adds what became of it to the reply.
    async fn follow(
        &self,
        mut reply: BatchReply,
        next: Place,
        (body, batch): (&str, &Batch),
    ) -> Result<Visited, Fault> {
        let signals = Signals { trust: batch.trust, gpc: batch.gpc, robot: false };
        let rest = ingest_from(body.as_bytes(), batch.received_at, signals)?;
        let more = Box::pin(self.visit_next(next, body.as_bytes(), rest)).await?;
        reply.follow(&more.body)?;
        let (status, body) = (reply.status(), serde_json::to_vec(&reply)?);
        Ok(Visited { profile_id: more.profile_id, status, body, erased: more.erased })
    }
}

fn on_its_way() -> Fault {
    EngineError::Internal("the visitor's profile is being moved".to_owned()).into()
}

/// The person as this browser is shown them: subscribed means this browser is.
fn this_browser(mut person: Person, row: &ProfileRow, at: &FragmentId) -> Person {
    if let Some(fragment) = row.fragments.get(at) {
        person.behaviour.push_subscribed = fragment.behaviour.push_subscribed;
        person.behaviour.consent = fragment.behaviour.consent;
        person.behaviour.session.clone_from(&fragment.behaviour.session);
        person.behaviour.page_views = fragment.behaviour.page_views;
    }
    person
}
