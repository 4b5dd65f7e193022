//! Applying a batch to a profile: the pure middle of the event path.
//!
//! Role in the flow of one event: between reading the packed row and writing it back. Everything here is one function of
//! row, batch, snapshot and time; the shard around it only moves bytes.

use std::borrow::Cow;
use std::collections::BTreeSet;

use endcap_events::ingest::event::{Event, EventContext, Kind};
use endcap_events::ingest::redact::without_proof;
use endcap_events::ingest::sender::Sender;
use endcap_events::ingest::warning::WarningCode;
use endcap_events::ingest::{Batch, HANDOVERS, Warning};
use endcap_identity::{Assertion, CommonName, Evidence, FragmentId};
use endcap_models::lifecycle::History;
use endcap_models::lifecycle::Orders;
use endcap_profile::dedupe::Block;
use endcap_profile::evidence_policy::EvidencePolicy;
use endcap_profile::fragment::{Applied, Fragment};
use endcap_profile::person::Person;
use endcap_profile::row::ProfileRow;
use endcap_profile::signal::Signal;
use endcap_profile::timers::{TimerKey, TimerMove};
use endcap_protocol::UnixMillis;
use endcap_protocol::commerce::Commerce;
use endcap_validation::Trust;

use crate::journey::cart_left_due;
use crate::person_facts::PersonFacts;
use crate::segment::membership::segments_of;
use crate::segment::{MembershipChanges, judge};
use crate::shop::Snapshot;

/// What a batch did to a profile.
#[derive(Debug, Default)]
pub struct Visit {
    /// Message IDs kept.
    pub accepted: Vec<String>,
    /// Message IDs known already.
    pub duplicate: Vec<String>,
    /// What the kept events teach.
    pub signals: Vec<Signal>,
    /// The kept events, their texts without proofs.
    pub kept: Vec<Event>,
    /// What of the kept events was not taken as it was meant.
    pub warnings: Vec<Warning>,
    /// Their evidence about whose the fragment is, as far as the graph does not have it yet.
    pub assertion: Option<Assertion>,
    /// What the kept events name that the shop's server may name as well, where the sender showed to be the browser.
    pub named: Vec<CommonName>,
    /// Whether a proof said who the person is.
    pub proved: bool,
    /// Whether one of the kept events confirmed who the person is by the word of the shop's server.
    pub confirmed: bool,
    /// Whether the visitor logged out, and nobody's login followed that is a fact.
    pub reset: bool,
    /// Fragment succession: the successor of this fragment, and the rest of the events, to be applied there.
    pub succession: Option<(FragmentId, Vec<Event>)>,
}

impl Visit {
    /// The name of the job that tells the graph of this visit; None where there is nothing to tell. No other visit has the same:
    /// its first message names it, which no other one accepts. Where nothing was accepted, because the shop's server only
    /// stated links, the event that stated the first of them does, followed by `claim` or `fact`: each is told once as either.
    /// No message ID holds a tab.
    #[must_use]
    pub fn link_job(&self) -> Option<String> {
        let assertion = self.assertion.as_ref()?;
        let name = match (self.accepted.first(), assertion.said.first()) {
            (Some(message), _) => message.clone(),
            (None, Some(Evidence { trust: Trust::Claim, witness, .. })) => format!("{}\tclaim", witness.message_id),
            (None, Some(Evidence { trust: Trust::Fact, witness, .. })) => format!("{}\tfact", witness.message_id),
            (None, None) => return None,
        };
        Some(format!("tell {} {name}", assertion.fragment.as_str()))
    }
}

impl Visit {
    /// Warns of what was repaired of the batch itself, once something of it is kept.
    fn warn_of(&mut self, batch: &mut Batch) {
        if !self.accepted.is_empty() {
            self.warnings.extend(Warning::of_repairs("", std::mem::take(&mut batch.repairs.list)));
        }
    }
}

/// Applies a batch to a fragment, which begins where there is none.
pub fn apply(
    row: &mut ProfileRow,
    at: &FragmentId,
    batch: &mut Batch,
    now: UnixMillis,
    policy: &EvidencePolicy<'_>,
    overflow: &[Block],
) -> Visit {
    let mut visit = Visit::default();
    let mut assertion = Assertion::new(at.clone());
    let events = std::mem::take(&mut batch.events);
    let told_elsewhere = orders_elsewhere(row, at, &events);
    let fragment = row.fragments.entry(at.clone()).or_insert_with(|| Fragment::begun(&batch.anonymous_id, now));
    note_browser(fragment, batch, now);
    let mut events = events.into_iter();
    while let Some(mut event) = events.next() {
        // A login that the fragment knows, by itself or by inherited dedupe, begins no successor again.
        let known = fragment.messages.contains(&event.message_id, overflow);
        let user = policy.user_of(&event);
        if let (Some((user, trust)), Kind::Identify { traits, .. }) = (&user, &mut event.kind)
            && fragment.is_claim_against_proof(user, *trust)
        {
            traits.0.clear();
        }
        let user = user.filter(|(_, trust)| !known && policy.keeps(*trust));
        let fact = user.as_ref().filter(|(_, trust)| *trust == Trust::Fact);
        let proves = fact.is_some_and(|(user, _)| policy.rests_on_proof(user, &event));
        let confirms = policy.trust == Trust::Claim && fact.is_some() && !proves;
        if user.is_some_and(|(user, trust)| fragment.is_anothers(&user, trust, &event)) {
            let next = at.next(&event.message_id);
            let rest = std::iter::once(event).chain(events).collect();
            visit.succession = hand_over(fragment, next, batch, policy.trust, rest);
            break;
        }
        let id = event.message_id.as_str().to_owned();
        match fragment.apply(&event, policy.trust, now, overflow) {
            Applied::Duplicate => visit.duplicate.push(id),
            Applied::Accepted(signals) => {
                visit.accepted.push(id);
                visit.proved |= proves;
                visit.confirmed |= confirms;
                visit.reset = matches!(event.kind, Kind::Reset) || (visit.reset && !proves && !confirms);
                // What was bought teaches once, whoever tells of the order.
                visit.signals.extend(signals.into_iter().filter(|_| !is_order_in(&event, &told_elsewhere)));
                visit.named.extend(named_by(&event, fragment, policy));
                assertion.said.extend(fragment.hear(&event, policy));
                assertion.aliases.extend(policy.alias_of(&event));
                visit.warnings.extend(warnings(fragment, &mut event, policy));
                if let Cow::Owned(redacted) = without_proof(&event.raw) {
                    event.raw = redacted;
                }
                visit.kept.push(event);
            }
        }
    }
    note_device(row, at, batch, &visit.kept, now);
    visit.warn_of(batch);
    visit.assertion = Some(assertion).filter(|assertion| !assertion.is_empty());
    visit
}

/// Hands the browser over to the person of the first of these events. One batch of a browser may do so only so often; then
/// they are refused.
fn hand_over(
    fragment: &mut Fragment,
    next: FragmentId,
    batch: &mut Batch,
    trust: Trust,
    rest: Vec<Event>,
) -> Option<(FragmentId, Vec<Event>)> {
    if trust == Trust::Claim && batch.handovers >= HANDOVERS {
        batch.refuse_people(&rest);
        return None;
    }
    fragment.successor = Some(next.clone());
    Some((next, rest))
}

/// Whether an event of a batch proves to be one of the profile's users: that is possession of what is the person's.
#[must_use]
pub fn proves_person(row: &ProfileRow, batch: &Batch, policy: &EvidencePolicy<'_>) -> bool {
    let users = row.users();
    let is_theirs = |event: &&Event| event.user_id.as_ref().is_some_and(|user| users.contains(user.as_str()));
    batch.events.iter().filter(is_theirs).any(|event| policy.judge_proof(event) == Some(Ok(())))
}

/// What of a kept event was repaired, or not taken as it was meant.
fn warnings(fragment: &Fragment, event: &mut Event, policy: &EvidencePolicy<'_>) -> Vec<Warning> {
    let repairs = std::mem::take(&mut event.repairs.list);
    let repaired = Warning::of_repairs(event.message_id.as_str(), repairs);
    let all = repaired.chain(warning(fragment, event, policy));
    all.map(|warning| warning.about(event.kind.label())).collect()
}

/// What of a kept event was not taken as it was meant.
fn warning(fragment: &Fragment, event: &Event, policy: &EvidencePolicy<'_>) -> Option<Warning> {
    let message = event.message_id.as_str();
    match policy.judge_proof(event) {
        Some(Err(error)) => return Some(Warning::of_proof(message, error)),
        Some(Ok(())) => return None,
        None => {}
    }
    let claims = matches!(event.kind, Kind::Identify { .. }) && policy.only_claims(event);
    let against_proof = event.user_id.as_ref().is_some_and(|user| fragment.is_claim_against_proof(user, Trust::Claim));
    let code = match (against_proof, policy.keeps(Trust::Claim)) {
        (true, _) => WarningCode::ClaimAgainstProof,
        (false, true) => WarningCode::ClaimListed,
        (false, false) => WarningCode::ClaimNotKept,
    };
    claims.then(|| Warning::of_claim(message, code))
}

/// What an event of a browser that showed its token names, which the shop's server may name as well. A browser whose user is
/// proved needs no such link, unless one waits.
fn named_by(event: &Event, fragment: &Fragment, policy: &EvidencePolicy<'_>) -> Vec<CommonName> {
    let Some(links) = policy.stated else { return Vec::new() };
    let proved = fragment.user.as_ref().is_some_and(|named| named.trust == Trust::Fact);
    if proved && links.is_empty() {
        return Vec::new();
    }
    let user = policy.user_of(event).map(|(user, _)| CommonName::User(user));
    let order = order_of(event).map(|order| CommonName::Order(order.to_owned()));
    user.into_iter().chain(order).collect()
}

/// The order that an event tells of.
fn order_of(event: &Event) -> Option<&str> {
    match &event.kind {
        Kind::Track { commerce: Some(Commerce::Ordered(order)), .. } => Some(&order.order_id),
        _ => None,
    }
}

/// Orders of these events that other fragments of the person tell of as well.
fn orders_elsewhere(row: &ProfileRow, at: &FragmentId, events: &[Event]) -> BTreeSet<String> {
    let known = |order: &&str| row.knows_order_elsewhere(at, order);
    events.iter().filter_map(order_of).filter(known).map(str::to_owned).collect()
}

fn is_order_in(event: &Event, orders: &BTreeSet<String>) -> bool {
    order_of(event).is_some_and(|order| orders.contains(order))
}

/// Notes what the batch itself says about the browser.
fn note_browser(fragment: &mut Fragment, batch: &Batch, now: UnixMillis) {
    if batch.device_id.is_some() {
        fragment.device_id.clone_from(&batch.device_id);
    }
    if let Some(consent) = batch.consent {
        fragment.consent(consent, batch.consent_source, batch.sent_at, now);
    }
}

/// Notes the device that the kept events came with: as they say themselves, else as the request does. Who refuses to be measured
/// leaves none.
fn note_device(row: &mut ProfileRow, at: &FragmentId, batch: &Batch, kept: &[Event], now: UnixMillis) {
    let refuses = |fragment: &Fragment| fragment.consent_at.is_some() && !fragment.behaviour.consent.analytics;
    // Also what came late, or from the shop's server, brings nothing back.
    if batch.consent.is_some_and(|consent| !consent.analytics) || row.fragments.get(at).is_some_and(refuses) {
        row.devices.remove(at);
        return;
    }
    let Some(latest) = kept.iter().max_by_key(|event| event.at) else { return };
    let EventContext { agent, locale, .. } = &latest.context;
    let said = Sender { agent: *agent, locale: locale.clone(), ..Sender::default() };
    row.note_device(at, said.or(batch.sender.clone()), latest.at.min(now));
}

/// A profile after time has passed to now.
#[derive(Debug)]
pub struct Refreshed {
    /// The fold.
    pub person: Person,
    /// Timers to move.
    pub timers: Vec<TimerMove>,
    /// Whether the lifecycle stage changed.
    pub stage_changed: bool,
    /// Segments that were entered and left.
    pub segments: MembershipChanges,
    /// The time that it was refreshed for.
    pub at: UnixMillis,
}

impl Refreshed {
    /// Whether something beside the row has to be written, whatever happened to the row.
    #[must_use]
    pub fn has_changes(&self) -> bool {
        self.stage_changed || !self.segments.is_empty()
    }
}

/// Folds the profile, lets its stage and its segments follow time, and says which timers have to move. The person is the
/// [brief](Person::brief) one. Where fragments lie apart, their digests have to be there as far as the fold lacks them
/// ([`ProfileRow::read_digests`]), and the memberships where the row may not say them.
pub fn refresh(row: &mut ProfileRow, snapshot: &Snapshot, now: UnixMillis) -> Refreshed {
    row.distrust(&snapshot.settings.identity);
    refresh_as(Person::of(row), row, snapshot, now)
}

/// The person of one fragment alone, as if nothing linked it. The edge decides from this person what a browser sees
/// that only claims who it is.
#[must_use]
pub fn alone(
    (id, fragment): (&FragmentId, &Fragment),
    row: &ProfileRow,
    snapshot: &Snapshot,
    now: UnixMillis,
) -> Person {
    let fragments = [(id.clone(), fragment.clone())].into();
    let mut person = Person::brief(&fragments);
    let orders: Orders = person.order_times().into_iter().collect();
    let bounds = snapshot.settings.lifecycle.config().bounds_of(&orders, snapshot.cycle_ms);
    let mut stages = History::starting_at(fragment.since);
    stages.advance(&orders, &bounds, now);
    person.behaviour.stage = stages.current().stage;
    let facts = PersonFacts::of_fragments(&fragments, row, &person, snapshot);
    person.segments = segments_of(facts, &person, snapshot, now);
    person
}

fn refresh_as(mut person: Person, row: &mut ProfileRow, snapshot: &Snapshot, now: UnixMillis) -> Refreshed {
    let orders: Orders = person.order_times().into_iter().collect();
    let bounds = snapshot.settings.lifecycle.config().bounds_of(&orders, snapshot.cycle_ms);
    let stage_changed = !row.stages.advance(&orders, &bounds, now).is_empty();
    person.behaviour.stage = row.stages.current().stage;
    let judged = judge(row, &person, snapshot, now);
    if let Some(held) = &row.memberships {
        person.segments.clone_from(&held.held);
    }
    let cart = cart_left_due(row, &person, &snapshot.settings.cart_push);
    let stage = endcap_models::lifecycle::next_change_at(&orders, &bounds, now);
    let wanted = [(TimerKey::CART_LEFT, cart), (TimerKey::STAGE, stage), (TimerKey::SEGMENTS, judged.next)];
    let timers = wanted.into_iter().filter_map(|(key, due)| row.timers.arm(key, due?, now)).collect();
    Refreshed { person, timers, stage_changed, segments: judged.changes, at: now }
}
