//! A batch at the shard of its profile: ingest, apply, store, decide, in one hop.

use std::collections::BTreeSet;

use endcap_engine::batch_reply::BatchReply;
use endcap_engine::decide::{Decision, LEAST_ROOM, Setting, decide};
use endcap_engine::held_id::{HeldId, Inherited, rest};
use endcap_engine::payment_return::forget_returns;
use endcap_engine::person_facts::PersonFacts;
use endcap_engine::shop::Snapshot;
use endcap_engine::visit::{Visit, alone};
use endcap_events::ingest::event::{Event, Kind};
use endcap_events::ingest::{Batch, Warning};
use endcap_identity::possession::{Judgement, Moment};
use endcap_identity::{FragmentId, LinkStrength, Purpose};
use endcap_profile::dedupe::Accepted;
use endcap_profile::evidence_policy::EvidencePolicy;
use endcap_profile::log_tail::LogEntry;
use endcap_profile::memberships::Memberships;
use endcap_profile::resolution::Resolution;
use endcap_profile::{Person, ProfileRow};
use endcap_protocol::{AnonymousId, ProfileId, SourceId, UnixMillis, bucket_of};
use endcap_validation::DomainError;
use worker::Stub;

use super::destination::{Destination, Grant, RouteTarget, Visited};
use super::forwarding_headers::{
    ERASED_HEADER, ForwardingHeaders, GRANT_HEADER, PROFILE_HEADER, VISIT_PATH, read_packed,
};
use super::object::ProfileShard;
use super::outbox_job::{LinkIdentity, OutboxJob};
use crate::platform::clock;
use crate::platform::config::config;
use crate::platform::error::EdgeError;
use crate::rpc::{call, snapshots};

/// Rows that a request goes through before it is asked to come again.
const MAX_HOPS: u8 = 64;
/// From the profile that a browser began as it is at most so many rows to wherever its fragment is. A longer walk, after an earlier
/// version forgot the way, makes the next one short.
const WALK: u8 = 2;

/// What one transaction did.
enum Step {
    /// The batch's events belong elsewhere. The messages listed here belong to the previous person on this browser, and
    /// were taken out of the events.
    Elsewhere(Destination, Vec<String>),
    /// The shop's server states something of a browser that never came: nothing is kept of it.
    Unknown,
    /// The fragment is on its way here.
    Coming,
    /// The browser does not have the anonymous ID.
    Unverified,
    /// The anonymous ID got a token while the request was under way.
    NewToken,
    /// The browser belongs to somebody who was erased.
    Erased,
    /// The batch was applied.
    Applied(Box<Done>),
}

struct Done {
    visit: Visit,
    decision: Option<Decision>,
    due: Option<UnixMillis>,
    /// Whether a fragment began that its browser's first profile has to know.
    is_latest: bool,
    /// The dedupe that the fragment's successor inherits, if it has one.
    inherited_dedupe: Option<Accepted>,
    /// Who has the anonymous ID now, at which fragment.
    inherited: Inherited,
}

impl ProfileShard {
    /// Applies a batch, of which `body` is the text, at its destination, wherever that is.
    pub(super) async fn visit(
        &self,
        destination: Destination,
        body: &[u8],
        mut batch: Batch,
    ) -> Result<Visited, EdgeError> {
        if let Some(shard) = self.elsewhere(bucket_of(destination.profile.as_str())).await? {
            return self.forward(&shard, &destination, body, &batch).await;
        }
        let snapshot = snapshots::current(&self.env, clock::now()).await?;
        let now = clock::now();
        let outcome = self.apply(&destination, &mut batch, &snapshot, now)?;
        self.conclude(destination, (body, batch), outcome, now).await
    }

    /// Applies a history batch, for which no page waits. Adds its profile to `said` if it carries evidence; the caller
    /// then tells the graph.
    pub(super) async fn apply_to_destination(
        &self,
        destination: Destination,
        (body, mut batch): (&[u8], Batch),
        snapshot: &Snapshot,
        said: &mut BTreeSet<String>,
    ) -> Result<Vec<u8>, EdgeError> {
        if batch.ask.is_some() || !self.owns(bucket_of(destination.profile.as_str()))? {
            return Ok(self.visit(destination, body, batch).await?.body);
        }
        let now = clock::now();
        match self.apply(&destination, &mut batch, snapshot, now)? {
            Step::Applied(done) if done.visit.succession.is_none() => {
                let Done { visit, due, .. } = *done;
                self.arm_at(due).await?;
                if visit.assertion.is_some() {
                    said.insert(destination.profile.into_string());
                }
                Ok(BatchReply::of(visit.accepted, visit.duplicate, batch.rejected)
                    .warning(visit.warnings)
                    .text(None)?)
            }
            outcome => Ok(self.conclude(destination, (body, batch), outcome, now).await?.body),
        }
    }

    /// Goes on from what one transaction did with a batch.
    async fn conclude(
        &self,
        destination: Destination,
        (body, batch): (&[u8], Batch),
        outcome: Step,
        now: UnixMillis,
    ) -> Result<Visited, EdgeError> {
        match outcome {
            Step::Coming => Err(on_its_way()),
            Step::NewToken => Err(DomainError::NewToken.into()),
            Step::Unknown => {
                Visited::unapplied(destination.profile, &BatchReply::of(Vec::new(), Vec::new(), batch.rejected))
            }
            Step::Unverified => self.visit_apart(destination, body, batch, now).await,
            Step::Erased => self.refuse_erased(&destination, batch),
            Step::Elsewhere(next, _) if next.is_same(&destination) => {
                Err(DomainError::Internal("a profile points at itself".to_owned()).into())
            }
            Step::Elsewhere(next, _) if next.hops > MAX_HOPS => {
                worker::console_error!("a batch of {} was passed on {} times", batch.anonymous_id.as_str(), next.hops);
                Err(on_its_way())
            }
            Step::Elsewhere(next, before) => {
                self.wait_for_links(&destination.profile).await?;
                if before.is_empty() {
                    return Box::pin(self.visit_next(next, body, batch)).await;
                }
                let bucket = bucket_of(destination.profile.as_str());
                let due = self.store.db.transaction(|| self.store.quarantine(bucket, &batch.refused))?;
                self.arm_at(due).await?;
                let reply = BatchReply::of(Vec::new(), before, batch.rejected.clone());
                if batch.events.is_empty() {
                    // The whole batch is the previous person's. The next person must not get even its consent.
                    return Visited::unapplied(destination.profile, &reply);
                }
                self.follow(reply, next, &batch, &batch.events).await
            }
            Step::Applied(done) => self.finish(destination, batch, *done).await,
        }
    }

    /// Refuses a batch of a browser that was erased: its events are counted and nothing of them is kept.
    fn refuse_erased(&self, destination: &Destination, mut batch: Batch) -> Result<Visited, EdgeError> {
        batch.erase();
        let bucket = bucket_of(destination.profile.as_str());
        self.store.db.transaction(|| self.store.quarantine(bucket, &batch.refused))?;
        let reply = BatchReply::of(Vec::new(), Vec::new(), batch.rejected);
        let (status, body) = (reply.status(), reply.text(None)?);
        Ok(Visited { profile_id: String::new(), status, body, erased: true, grant: None })
    }

    pub(super) async fn visit_next(
        &self,
        destination: Destination,
        body: &[u8],
        batch: Batch,
    ) -> Result<Visited, EdgeError> {
        self.visit(destination, body, batch).await
    }

    /// The same without an await. None, with nothing done, where an await is needed: the profile is elsewhere, or the
    /// batch's evidence may lead to another profile.
    pub(super) fn visit_at_once(
        &self,
        target: &RouteTarget,
        mut batch: Batch,
        snapshot: &Snapshot,
        now: UnixMillis,
    ) -> Result<Option<Visited>, EdgeError> {
        let names = |kind: &Kind| matches!(kind, Kind::Identify { .. });
        let says = batch.events.iter().any(|event| names(&event.kind) || !event.identifiers.is_empty());
        if says || !self.owns(bucket_of(target.at.as_str()))? {
            return Ok(None);
        }
        let destination = Destination::of(target.at.clone(), target.shown.clone());
        let Step::Applied(done) = self.apply(&destination, &mut batch, snapshot, now)? else {
            return Ok(None);
        };
        let Done { visit, decision, due, inherited, .. } = *done;
        self.arm(due)?;
        let grant = target.shown.as_ref().and_then(|shown| Grant::of(&batch, &inherited.possession, shown));
        let reply = BatchReply::of(visit.accepted, visit.duplicate, batch.rejected).warning(visit.warnings);
        let profile_id = target.at.as_str().to_owned();
        let body = reply.text(decision.as_ref())?;
        Ok(Some(Visited { profile_id, status: reply.status(), body, erased: false, grant }))
    }

    /// A fragment that is on its way has to arrive before its events do.
    async fn wait_for_links(&self, profile_id: &ProfileId) -> Result<(), EdgeError> {
        if self.finish_links(profile_id.as_str()).await? { Ok(()) } else { Err(on_its_way()) }
    }

    /// Sends the batch on to the shard that holds the profile.
    async fn forward(
        &self,
        shard: &Stub,
        destination: &Destination,
        body: &[u8],
        batch: &Batch,
    ) -> Result<Visited, EdgeError> {
        let request = call::request(VISIT_PATH, destination.write_inherited(body)?)?;
        ForwardingHeaders::write(request.headers(), destination, batch)?;
        let mut response = shard.fetch_with_request(request).await?;
        let profile_id = response.headers().get(PROFILE_HEADER)?.unwrap_or_default();
        let erased = response.headers().get(ERASED_HEADER)?.is_some();
        let grant = read_packed(response.headers(), GRANT_HEADER)?;
        Ok(Visited { profile_id, status: response.status_code(), body: response.bytes().await?, erased, grant })
    }

    /// Applies a batch, and counts what was repaired of it.
    fn apply(
        &self,
        destination: &Destination,
        batch: &mut Batch,
        snapshot: &Snapshot,
        now: UnixMillis,
    ) -> Result<Step, EdgeError> {
        let config = config(&self.env);
        let own = config.sources.get(batch.source.as_str()).map_or(&[][..], Vec::as_slice);
        forget_returns(batch, &snapshot.settings.ignored_referrers, own);
        let mut step = self.apply_at_once(destination, batch, snapshot, now)?;
        if let Step::Applied(done) = &mut step {
            self.count_warnings(&batch.source, &batch.anonymous_id, &done.visit.warnings, now)?;
            done.visit.warnings.retain(|warning| !batch.hides_repairs || !warning.code.is_repair());
        }
        Ok(step)
    }

    /// Counts warnings in memory, and writes them now and then.
    pub(super) fn count_warnings(
        &self,
        source: &SourceId,
        subject: &AnonymousId,
        warnings: &[Warning],
        now: UnixMillis,
    ) -> Result<(), EdgeError> {
        if warnings.is_empty() {
            return Ok(());
        }
        let mut waiting = self.store.waiting_warnings.borrow_mut();
        waiting.note(source.as_str(), subject.as_str(), warnings, now);
        let may_write = waiting.may_write(now);
        drop(waiting);
        if may_write { self.store.write_warnings(now) } else { Ok(()) }
    }

    /// The transaction: read, compute, write, with no await in between.
    fn apply_at_once(
        &self,
        destination: &Destination,
        batch: &mut Batch,
        snapshot: &Snapshot,
        now: UnixMillis,
    ) -> Result<Step, EdgeError> {
        self.store.db.transaction(|| {
            let named = destination.fragment.as_ref();
            let stored = self.store.load_for(&destination.profile, &batch.anonymous_id, named)?;
            let mut row = stored.unwrap_or_else(|| begun(destination.profile.clone(), snapshot, now));
            let at = match row.resolve(&batch.anonymous_id, destination.fragment.as_ref())? {
                Resolution::Begins(at) if self.is_erased(&at, now)? => return Ok(Step::Erased),
                Resolution::Begins(_) if !destination.stated.is_empty() => return Ok(Step::Unknown),
                Resolution::Here(at) | Resolution::Begins(at) => at,
                Resolution::Coming => return Ok(Step::Coming),
                Resolution::Next { profile, fragment, passed } => {
                    let overflow = self.store.overflow(&row, &passed, now)?;
                    let before = row.known_before_succession(&passed, batch, &overflow);
                    // A fragment that only moved passes on the dedupe that it inherited.
                    let inherited_dedupe =
                        row.inherited_dedupe(&passed, &overflow).or_else(|| destination.inherited_dedupe.clone());
                    let inherited = destination.asking().passed_on(&row, &passed, &fragment);
                    let (shown, stated) = (destination.shown.clone(), destination.stated.clone());
                    let next = Destination::at(profile, fragment, shown);
                    let hops = destination.hops.saturating_add(1);
                    let next = Destination { inherited_dedupe, inherited, stated, hops, ..next };
                    return Ok(Step::Elsewhere(next, before));
                }
            };
            let (source, config) = (batch.source.clone(), config(&self.env));
            let policy = EvidencePolicy {
                secrets: config.identity_secrets.of(source.as_str()),
                now: batch.received_at,
                trust: batch.trust,
                source: source.as_str(),
                rules: &snapshot.settings.identity,
                stated: None,
            };
            let moment = Moment { at: now, in_flight_ms: config.in_flight_ms };
            let proves = || destination.asking().proves(&row, &at, batch, &policy);
            let possession = match destination.asking().judge(&row, &at, proves, moment) {
                Judgement::Holds(possession) => possession,
                Judgement::InFlight => return Ok(Step::NewToken),
                Judgement::Unverified if self.is_retry(&row, &at, destination, batch, now)? => {
                    row.possessions.get(&at).cloned().unwrap_or_default()
                }
                Judgement::Unverified => return Ok(Step::Unverified),
            };
            let held = HeldId { asking: destination.asking(), possession };
            if let Some(known) = destination.inherited_dedupe.clone() {
                row.inherit(&at, &batch.anonymous_id, known, now);
            }
            let mut done = self.apply_to(&mut row, &at, (batch, &policy), &held, snapshot, now)?;
            done.due = done.due.into_iter().chain(self.shorten_walk(destination, &row, &at, now)?).min();
            Ok(Step::Applied(Box::new(done)))
        })
    }

    /// After a long walk: the next one is to be short. Returns when that is to be told.
    fn shorten_walk(
        &self,
        destination: &Destination,
        row: &ProfileRow,
        at: &FragmentId,
        now: UnixMillis,
    ) -> Result<Option<UnixMillis>, EdgeError> {
        if destination.hops <= WALK {
            return Ok(None);
        }
        self.record_found(row, at, now)?;
        Ok(Some(now))
    }

    fn apply_to(
        &self,
        row: &mut ProfileRow,
        at: &FragmentId,
        (batch, policy): (&mut Batch, &EvidencePolicy<'_>),
        held: &HeldId<'_>,
        snapshot: &Snapshot,
        now: UnixMillis,
    ) -> Result<Done, EdgeError> {
        let overflow = self.store.overflow(row, at, now)?;
        let silent = batch.events.is_empty();
        // A successor that inherits is in the row already.
        let begins = row.fragments.get(at).is_none_or(|fragment| fragment.accepted == 0);
        let before = row.fragments.get(at).filter(|_| silent).cloned();
        let (mut visit, possession) = held.apply(row, at, batch, policy, now, &overflow);
        snapshot.event_queries.count(row, at, begins, &visit.kept, now);
        self.store.spill(row, at)?;
        let possession_changed = row.note_possession(at, &possession);
        if possession.generation > held.possession.generation {
            self.end_subscriptions(row, at, now)?;
        }
        let refreshed = self.store.refresh(row, snapshot, now)?;
        // A page that only asks, or repeats itself, writes nothing; one that changes its mind about consent does.
        let fragment_changed = before.is_some_and(|before| row.fragments.get(at) != Some(&before));
        let changed = !visit.accepted.is_empty()
            || visit.succession.is_some()
            || fragment_changed
            || possession_changed
            || refreshed.has_changes();
        let mut logged = None;
        if changed {
            if !visit.kept.is_empty() {
                let (events, times) = visit.kept.iter().map(|event| (event.raw.as_str(), event.at)).unzip();
                let signals = std::mem::take(&mut visit.signals);
                let entry = LogEntry { received_at: now, events, times, signals };
                logged = Some(self.log_batch(row, at, &entry, now)?);
            }
            self.store.save_refreshed(row, &refreshed)?;
            self.record_link(row, &visit, now)?;
            self.batches.set(self.batches.get() + 1);
        }
        let room = BatchReply::room_for_decision(&visit, &batch.rejected);
        let refused = std::mem::take(&mut batch.refused);
        let removal = self.store.quarantine(bucket_of(row.id.as_str()), &refused)?;
        let timers = refreshed.timers.iter().filter(|_| changed).map(|timer| timer.to);
        let home = if changed { self.send_home(row, now)? } else { None };
        let pointer = if begins { self.record_latest(row, at, now)? } else { None };
        let fill = self.store.fill_due(row, snapshot, now)?;
        let due = timers.chain(removal).chain(home).chain(pointer).chain(fill).min();
        let inherited_dedupe = row.inherited_dedupe(at, &overflow);
        Ok(Done {
            decision: self.decision((row, at), batch, (refreshed.person, room), snapshot, now),
            visit,
            due: due.into_iter().chain(logged).min(),
            is_latest: pointer.is_some(),
            inherited_dedupe,
            inherited: Inherited { possession, follows: Some(at.clone()) },
        })
    }

    /// Records the visit's assertion as a job for the graph.
    fn record_link(&self, row: &ProfileRow, visit: &Visit, now: UnixMillis) -> Result<(), EdgeError> {
        let (Some(assertion), Some(id)) = (&visit.assertion, visit.link_job()) else { return Ok(()) };
        let link = LinkIdentity { profile_id: row.id.clone(), assertion: assertion.clone() };
        self.store.put_job(&id, row.id.as_str(), now, &OutboxJob::LinkIdentity(Box::new(link)))
    }

    fn decision(
        &self,
        (row, at): (&ProfileRow, &FragmentId),
        batch: &Batch,
        (person, room): (Person, usize),
        snapshot: &Snapshot,
        now: UnixMillis,
    ) -> Option<Decision> {
        // After a logout the next one at this browser may have the token: nothing is shown under the ID any more.
        let is_ended = row.possessions.get(at).is_some_and(|held| held.is_ended);
        let ask = batch.ask.as_ref().filter(|_| !is_ended && room >= LEAST_ROOM)?;
        let config = config(&self.env);
        let vapid = config.vapid.as_ref().map(|vapid| (vapid.key.id(), vapid.public.as_str()));
        // A browser with a claimed link gets a decision from its own fragment alone, under the fragment's name.
        let claims = row.fragments.get(at).filter(|fragment| fragment.link_strength == LinkStrength::Claimed);
        let own = claims.map(|fragment| alone((at, fragment), row, snapshot, now));
        let profile_id = if own.is_some() { at.as_str() } else { row.id.as_str() };
        // Profiles are named after a browser, which another browser of the person need not know.
        let profile_id = config.keys.opaque(Purpose::Profile, profile_id).unwrap_or_default();
        let fragment = claims.map(|fragment| [(at.clone(), fragment.clone())].into());
        let shown = this_browser(own.unwrap_or(person), row, at);
        let facts = match &fragment {
            Some(fragments) => PersonFacts::of_fragments(fragments, row, &shown, snapshot),
            None => PersonFacts::of(row, &shown, snapshot),
        };
        Some(decide(&shown, ask, snapshot, &Setting { profile_id: &profile_id, now, vapid, room, facts: &facts }))
    }

    async fn finish(&self, destination: Destination, mut batch: Batch, done: Done) -> Result<Visited, EdgeError> {
        let Done { visit, decision, due, is_latest, inherited_dedupe, inherited } = done;
        let Destination { profile: profile_id, shown, .. } = destination;
        self.arm_at(due).await?;
        let reply = BatchReply::of(visit.accepted, visit.duplicate, batch.rejected.clone()).warning(visit.warnings);
        let at = profile_id.as_str().to_owned();
        let said = visit.assertion.map(|assertion| assertion.fragment);
        let told = (said.is_some() || is_latest) && self.finish_links(profile_id.as_str()).await?;
        let grant = shown.as_ref().and_then(|shown| Grant::of(&batch, &inherited.possession, shown));
        let shown = shown.map(|shown| rest(&inherited.possession, shown));
        let follow_up = match (visit.succession, said) {
            (Some((next, events)), _) => {
                batch.handovers = batch.handovers.saturating_add(1);
                let next = Destination::at(next.home()?, next, shown);
                let next = Destination { inherited_dedupe, inherited: Some(inherited), ..next };
                Some((next, events))
            }
            (None, Some(fragment)) if told => Some((Destination::at(profile_id, fragment, shown), Vec::new())),
            _ => None,
        };
        let Some((next, events)) = follow_up else {
            let body = reply.text(decision.as_ref())?;
            return Ok(Visited { profile_id: at, status: reply.status(), body, erased: false, grant });
        };
        self.follow(reply.deciding(decision.as_ref())?, next, &batch, &events).await
    }

    /// Applies the rest of a batch at the destination that it belongs to, and adds what became of it to the reply.
    async fn follow(
        &self,
        mut reply: BatchReply,
        next: Destination,
        batch: &Batch,
        events: &[Event],
    ) -> Result<Visited, EdgeError> {
        let body = batch.body(events);
        let rest = batch.read_another(body.as_bytes())?;
        let more = Box::pin(self.visit_next(next, body.as_bytes(), rest)).await?;
        reply.follow(&more.body, events)?;
        let (status, body) = (reply.status(), reply.whole_text()?);
        Ok(Visited { profile_id: more.profile_id, status, body, erased: more.erased, grant: more.grant })
    }
}

/// The fragment has to arrive before its events are applied.
fn on_its_way() -> EdgeError {
    DomainError::Moving.into()
}

/// A profile that begins. Somebody new is in no segment: nothing has to be looked up.
fn begun(profile: ProfileId, snapshot: &Snapshot, now: UnixMillis) -> ProfileRow {
    let memberships = (snapshot.segments.version > 0).then(Memberships::default);
    ProfileRow { memberships, ..ProfileRow::new(profile, now) }
}

/// The person for a decision, with this browser's own push subscription, consent and session.
fn this_browser(mut person: Person, row: &ProfileRow, at: &FragmentId) -> Person {
    if let Some(fragment) = row.fragments.get(at) {
        person.behaviour.push_subscribed = fragment.behaviour.push_subscribed;
        person.behaviour.consent = fragment.behaviour.consent;
        person.behaviour.session.clone_from(&fragment.behaviour.session);
        person.behaviour.page_views = fragment.behaviour.page_views;
    }
    person
}
