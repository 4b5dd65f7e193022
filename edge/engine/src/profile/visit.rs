//! Applying a batch to a profile: the pure middle of the event path.
//!
//! Role in the flow of one event: between reading the packed row and writing it back. Everything here is one function of
//! row, batch, snapshot and time; the shard around it only moves bytes.

use endcap_protocol::{AnonymousId, ProfileId, UnixMillis};
use endcap_targeting::Act;

use super::dedupe::{Accepted, Block};
use super::fragment::{Applied, Fragment};
use super::person::Person;
use super::row::ProfileRow;
use super::signal::Signal;
use crate::identity::{Assertion, Belief, FragmentId};
use crate::ingest::{Batch, Event};
use crate::journey::cart_left_due;
use crate::lifecycle::{Bounds, History, Orders};
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
    /// Texts of the kept events, for the log.
    pub log: Vec<String>,
    /// What they say about whose the fragment is, and the graph was not told yet.
    pub assertion: Option<Assertion>,
    /// From this event on, another person uses the browser: their fragment, and what is to be applied there.
    pub handover: Option<(FragmentId, Vec<Event>)>,
}

/// Applies a batch to a fragment, which begins where there is none.
pub fn apply(
    row: &mut ProfileRow,
    at: &FragmentId,
    batch: &mut Batch,
    now: UnixMillis,
    belief: &Belief<'_>,
    overflow: &[Block],
) -> Visit {
    let mut visit = Visit::default();
    let mut assertion = Assertion::new(at.clone());
    let events = std::mem::take(&mut batch.events);
    let fragment = row.fragments.entry(at.clone()).or_insert_with(|| Fragment::begun(&batch.anonymous_id, now));
    greet(fragment, batch, now);
    let mut events = events.into_iter();
    while let Some(event) = events.next() {
        // A login that is known, from here or from before the browser was handed over, begins nothing again.
        let known = fragment.messages.contains(&event.message_id, overflow);
        let user = belief.user_of(&event).filter(|(_, trust)| !known && belief.links(*trust));
        if user.is_some_and(|(user, _)| fragment.is_anothers(&user, &event)) {
            let next = at.next(&event.message_id);
            fragment.successor = Some(next.clone());
            visit.handover = Some((next, std::iter::once(event).chain(events).collect()));
            break;
        }
        let id = event.message_id.as_str().to_owned();
        match fragment.apply(&event, now, overflow) {
            Applied::Duplicate => visit.duplicate.push(id),
            Applied::Accepted(signals) => {
                visit.accepted.push(id);
                visit.signals.extend(signals);
                assertion.said.extend(fragment.hear(&event, belief));
                assertion.aliases.extend(belief.alias_of(&event));
                visit.log.push(event.raw);
            }
        }
    }
    visit.assertion = Some(assertion).filter(|assertion| !assertion.is_empty());
    visit
}

/// Notes what the batch itself says about the browser.
fn greet(fragment: &mut Fragment, batch: &Batch, now: UnixMillis) {
    if batch.device_id.is_some() {
        fragment.device_id.clone_from(&batch.device_id);
    }
    if let Some(consent) = batch.consent {
        fragment.consent(consent, batch.consent_source, batch.sent_at, now);
    }
}

/// Where a browser's events go from a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Lead {
    /// Here, to this fragment.
    Here(FragmentId),
    /// Here, and the fragment begins with them.
    Begins(FragmentId),
    /// To another profile, and this fragment there.
    Next(ProfileId, FragmentId),
    /// The fragment is on its way here.
    Coming,
}

impl ProfileRow {
    /// Where the events of a browser go from here. `wanted`: the fragment that they were sent to this row for; None
    /// where a visitor's route led here, or nothing but the browser's name.
    ///
    /// # Errors
    /// Never for names that were made by us.
    pub fn lead(
        &self,
        browser: &AnonymousId,
        wanted: Option<&FragmentId>,
    ) -> Result<Lead, endcap_protocol::FieldError> {
        let first = FragmentId::first(browser);
        let Some(wanted) = wanted else {
            return match self.open_fragment(browser) {
                Some(open) => Ok(Lead::Here(open.clone())),
                None if first.home()? == self.id => self.lead(browser, Some(&first)),
                None => Ok(Lead::Next(first.home()?, first)),
            };
        };
        if let Some(fragment) = self.fragments.get(wanted) {
            let on = fragment.successor.as_ref().map(|next| Ok(Lead::Next(next.home()?, next.clone())));
            return on.unwrap_or_else(|| Ok(Lead::Here(wanted.clone())));
        }
        if let Some(away) = self.moved.get(wanted) {
            return Ok(Lead::Next(away.to.clone(), wanted.clone()));
        }
        Ok(if wanted.home()? == self.id { Lead::Begins(wanted.clone()) } else { Lead::Coming })
    }

    /// Takes out of a batch what the fragment knew before the browser was handed over, and returns those messages: the
    /// batch is a retry of the one that handed it over, and the next person is to get nothing of it.
    #[must_use]
    pub fn known_before_handover(&self, at: &FragmentId, batch: &mut Batch, overflow: &[Block]) -> Vec<String> {
        let Some(fragment) = self.fragments.get(at) else { return Vec::new() };
        let (known, rest) = std::mem::take(&mut batch.events)
            .into_iter()
            .partition(|event| fragment.messages.contains(&event.message_id, overflow));
        batch.events = rest;
        Vec::into_iter(known).map(|event| event.message_id.into_string()).collect()
    }

    /// What the fragment that follows a closed one has to know: a retry may go straight to it.
    #[must_use]
    pub fn heritage(&self, at: &FragmentId, overflow: &[Block]) -> Option<Accepted> {
        let closed = self.fragments.get(at).filter(|fragment| fragment.successor.is_some())?;
        Some(closed.messages.with(overflow))
    }

    /// Begins a fragment that takes a browser over from another, whose messages it knows.
    pub fn inherit(&mut self, id: &FragmentId, browser: &AnonymousId, known: Accepted, now: UnixMillis) {
        let begun = || Fragment { messages: known, ..Fragment::begun(browser, now) };
        self.fragments.entry(id.clone()).or_insert_with(begun);
    }

    /// Notes how many push subscriptions the profile has; `at` is the fragment whose browser changed it.
    pub fn set_subscriptions(&mut self, at: &FragmentId, count: u32, subscribed: bool, now: UnixMillis) {
        self.subscriptions = count;
        if let Some(fragment) = self.fragments.get_mut(at) {
            fragment.behaviour.apply(&Act::Push(subscribed), now);
        }
    }
}

/// A kind of timer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TimerKind {
    /// Look at a cart left behind.
    CartLeft,
    /// The lifecycle stage changes by time alone.
    Stage,
}

impl TimerKind {
    /// The code in the table.
    #[must_use]
    pub fn code(self) -> i64 {
        match self {
            Self::CartLeft => 1,
            Self::Stage => 2,
        }
    }

    /// The kind of a code.
    #[must_use]
    pub fn from_code(code: i64) -> Option<Self> {
        [Self::CartLeft, Self::Stage].into_iter().find(|kind| kind.code() == code)
    }
}

/// A timer to be moved in the shard's table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TimerMove {
    /// Which timer.
    pub kind: TimerKind,
    /// Where it was.
    pub from: Option<UnixMillis>,
    /// Where it goes.
    pub to: UnixMillis,
}

/// A profile after time has passed to now.
#[derive(Debug)]
pub struct Settled {
    /// The fold.
    pub person: Person,
    /// Timers to move.
    pub timers: Vec<TimerMove>,
    /// Whether the lifecycle stage changed.
    pub stage_changed: bool,
}

/// Folds the profile, lets its stage follow time, and says which timers have to move.
pub fn settle(row: &mut ProfileRow, snapshot: &Snapshot, now: UnixMillis) -> Settled {
    settle_as(Person::fold(&row.fragments), row, snapshot, now)
}

/// The same for who only decides: the person is the [brief](Person::brief) one.
pub fn settle_briefly(row: &mut ProfileRow, snapshot: &Snapshot, now: UnixMillis) -> Settled {
    settle_as(Person::brief(&row.fragments), row, snapshot, now)
}

/// What is known of one fragment alone, as if nothing linked it: what a browser is shown that only claims who it is.
#[must_use]
pub fn alone(id: &FragmentId, fragment: &Fragment, snapshot: &Snapshot, now: UnixMillis) -> Person {
    let mut person = Person::brief(&[(id.clone(), fragment.clone())].into());
    let orders: Orders = person.order_times().into_iter().collect();
    let bounds = snapshot.settings.lifecycle.config().bounds_of(&orders, snapshot.cycle_ms);
    let mut stages = History::starting_at(fragment.since);
    stages.advance(&orders, &bounds, now);
    person.behaviour.stage = stages.current().stage;
    person
}

fn settle_as(mut person: Person, row: &mut ProfileRow, snapshot: &Snapshot, now: UnixMillis) -> Settled {
    let orders: Orders = person.order_times().into_iter().collect();
    let bounds = snapshot.settings.lifecycle.config().bounds_of(&orders, snapshot.cycle_ms);
    let stage_changed = !row.stages.advance(&orders, &bounds, now).is_empty();
    person.behaviour.stage = row.stages.current().stage;
    let timers = timers(row, &person, snapshot, &orders, &bounds, now);
    Settled { person, timers, stage_changed }
}

/// Moves a timer only to an earlier time: one that fires too early looks again and goes on, and that costs fewer rows
/// than moving it with each event.
fn timers(
    row: &mut ProfileRow,
    person: &Person,
    snapshot: &Snapshot,
    orders: &Orders,
    bounds: &Bounds,
    now: UnixMillis,
) -> Vec<TimerMove> {
    let cart = cart_left_due(row, person, &snapshot.settings.cart_push);
    let stage = crate::lifecycle::next_change_at(orders, bounds, now);
    let slots =
        [(TimerKind::CartLeft, &mut row.timers.cart_left, cart), (TimerKind::Stage, &mut row.timers.stage, stage)];
    let mut moves = Vec::new();
    for (kind, armed, wanted) in slots {
        let Some(to) = wanted.filter(|due| armed.is_none_or(|held| *due < held)) else { continue };
        moves.push(TimerMove { kind, from: armed.replace(to), to });
    }
    moves
}
