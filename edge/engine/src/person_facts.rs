//! What the edge knows of a person, as conditions ask for it.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::rc::Rc;

use endcap_events::timestamp;
use endcap_events::traits::Trait;
use endcap_identity::FragmentId;
use endcap_profile::device_context::DeviceContext;
use endcap_profile::fragment::path;
use endcap_profile::memberships::Membership;
use endcap_profile::occurrences::{FragmentOccurrences, Occurrence};
use endcap_profile::person::Person;
use endcap_profile::timeline::OrderRecord;
use endcap_profile::touchpoint::Touchpoint;
use endcap_profile::{Fragment, ProfileRow};
use endcap_protocol::{Date, SegmentId, UnixMillis};
use endcap_targeting::edge_fact::{
    EdgeFact, EdgeFacts, PersonFlag, PersonNumber, PersonText, PersonTime, Seen, TouchText,
};
use endcap_targeting::event_query::{EventFact, EventQuery, Measure, Which};
use endcap_targeting::span::Span;

use crate::anniversary::Anniversary;
use crate::channel::{Channel, Origin};
use crate::customer_facts::CustomerFacts;
use crate::journey::is_reachable;
use crate::person_events::PersonEvents;
use crate::shop::Snapshot;

/// What is known of a person.
#[derive(Debug, Clone)]
pub struct PersonFacts<'a> {
    /// The person, folded.
    person: &'a Person,
    /// Their fragments. Where fragments lie apart, all have to be read if a condition asks for a text.
    fragments: &'a BTreeMap<FragmentId, Fragment>,
    /// Segments that they are in, as far as they were worked out.
    segments: &'a BTreeMap<SegmentId, Membership>,
    /// What was counted of their events.
    events: PersonEvents<'a>,
    /// The device that came last.
    device: Option<&'a DeviceContext>,
    /// The row that says which lists they are on. None of fragments alone: a browser that only claims who it is, is on none.
    row: Option<&'a ProfileRow>,
    /// What models tell of them.
    customer: Rc<CustomerFacts<'a>>,
    is_known: bool,
    is_reachable: bool,
    /// Whether memberships say since when they are.
    is_dated: bool,
    shop: &'a Snapshot,
}

/// Somebody without fragments.
#[derive(Debug, Default)]
pub(crate) struct NoFragments {
    fragments: BTreeMap<FragmentId, Fragment>,
    occurrences: BTreeMap<FragmentId, FragmentOccurrences>,
}

impl<'a> PersonFacts<'a> {
    /// What is known of the person of a profile.
    #[must_use]
    pub fn of(row: &'a ProfileRow, person: &'a Person, shop: &'a Snapshot) -> Self {
        Self {
            person,
            fragments: &row.fragments,
            segments: &person.segments,
            events: PersonEvents::of(row),
            device: row.latest_device(),
            row: Some(row),
            customer: Rc::new(CustomerFacts::new(person, shop)),
            is_known: row.is_known(),
            is_reachable: is_reachable(row, person),
            is_dated: true,
            shop,
        }
    }

    /// What is known of fragments of a row alone, of whose person nothing else counts.
    #[must_use]
    pub fn of_fragments(
        fragments: &'a BTreeMap<FragmentId, Fragment>,
        row: &'a ProfileRow,
        person: &'a Person,
        shop: &'a Snapshot,
    ) -> Self {
        let devices = fragments.keys().filter_map(|id| row.devices.get(id));
        Self {
            device: devices.max_by_key(|held| held.at),
            is_reachable: person.behaviour.push_subscribed,
            ..Self::alone(fragments, &row.occurrences, person, shop)
        }
    }

    /// What is known of somebody of whom only the orders count, which the person holds.
    pub(crate) fn of_orders(nothing: &'a NoFragments, person: &'a Person, shop: &'a Snapshot) -> Self {
        Self::alone(&nothing.fragments, &nothing.occurrences, person, shop)
    }

    /// What fragments tell, and what was counted of them, of somebody of whom nothing else is known.
    fn alone(
        fragments: &'a BTreeMap<FragmentId, Fragment>,
        occurrences: &'a BTreeMap<FragmentId, FragmentOccurrences>,
        person: &'a Person,
        shop: &'a Snapshot,
    ) -> Self {
        Self {
            person,
            fragments,
            segments: &person.segments,
            events: PersonEvents::of_fragments(fragments, occurrences),
            device: None,
            row: None,
            customer: Rc::new(CustomerFacts::new(person, shop)),
            is_known: false,
            is_reachable: false,
            is_dated: false,
            shop,
        }
    }

    /// The same where all that conditions ask about events was counted from the very beginning.
    #[must_use]
    pub fn with_whole_past(self) -> Self {
        Self { events: self.events.known(), ..self }
    }

    /// The same in these segments.
    #[must_use]
    pub fn in_segments<'b>(&self, segments: &'b BTreeMap<SegmentId, Membership>) -> PersonFacts<'b>
    where
        'a: 'b,
    {
        PersonFacts { segments, ..self.clone() }
    }

    /// Orders that count: all, or those within a span.
    fn orders(&self, within: Option<Span>, now: UnixMillis) -> impl Iterator<Item = &'a OrderRecord> {
        let from = within.map_or(UnixMillis::MIN, |span| self.begins(span, now));
        let first = self.person.orders.partition_point(|order| order.at < from);
        self.person.orders.iter().skip(first)
    }

    /// The first moment that lies within a span that ends now.
    fn begins(&self, span: Span, now: UnixMillis) -> UnixMillis {
        let calendar = &self.shop.calendar;
        match span {
            Span::Days(days) => calendar.start(calendar.day(now) - i64::from(days) + 1),
            Span::Minutes(_) => now.saturating_sub(span.millis()).saturating_add(1),
        }
    }

    /// When what happened at a time lies within a span no more.
    fn leaves(&self, span: Span, at: UnixMillis) -> UnixMillis {
        let calendar = &self.shop.calendar;
        match span {
            Span::Days(days) => calendar.start(calendar.day(at) + i64::from(days)),
            Span::Minutes(_) => at.saturating_add(span.millis()),
        }
    }

    fn number(&self, fact: PersonNumber, within: Option<Span>, now: UnixMillis) -> Option<i64> {
        let orders = || self.orders(within, now);
        let amounts = || orders().filter_map(|order| self.paid_for(order));
        let sum = || amounts().fold(0_i64, i64::saturating_add);
        let counted = |count: usize| i64::try_from(count).unwrap_or(i64::MAX);
        match fact {
            PersonNumber::Orders => Some(counted(orders().count())),
            PersonNumber::Revenue => Some(sum()),
            PersonNumber::AverageOrder => rounded(sum(), counted(amounts().count())),
            PersonNumber::HighestOrder => amounts().max(),
            PersonNumber::OrderUnits => Some(orders().map(|order| i64::from(order.units)).sum()),
            PersonNumber::FirstOrderValue => self.paid_for(self.person.orders.first()?),
            PersonNumber::LastOrderValue => self.paid_for(self.person.orders.last()?),
        }
    }

    /// What an order brought; None in another currency than the shop's.
    fn paid_for(&self, order: &OrderRecord) -> Option<i64> {
        (order.currency == self.shop.settings.currency).then_some(order.revenue_minor)
    }

    fn time(&self, fact: PersonTime) -> Option<UnixMillis> {
        let behaviour = &self.person.behaviour;
        match fact {
            PersonTime::FirstSeen => Some(behaviour.first_seen).filter(|at| *at > 0),
            PersonTime::LastSeen => Some(behaviour.last_seen).filter(|at| *at > 0),
            PersonTime::FirstOrder => self.person.orders.first().map(|order| order.at),
            PersonTime::LastOrder => behaviour.last_order,
            PersonTime::CartChanged => (!behaviour.cart.lines.is_empty()).then_some(behaviour.cart.changed_at),
        }
    }

    /// Since when they are in a segment. None where they are not, and of fragments alone, of which nothing is stored.
    fn entered(&self, id: &SegmentId) -> Option<UnixMillis> {
        self.segments.get(id).filter(|_| self.is_dated).map(|held| held.since)
    }

    /// Whether they were put on a list.
    fn is_listed(&self, list: &SegmentId) -> bool {
        let held = self.row.zip(self.shop.segments.get(list));
        held.is_some_and(|(row, segment)| row.is_listed(list, segment.saved.born))
    }

    fn trait_named(&self, name: &str) -> Option<Cow<'a, str>> {
        Person::trait_of(self.fragments, name).map(trait_text)
    }

    /// A trait as a number, in thousandths; also of a text that is one.
    fn trait_number(&self, name: &str) -> Option<i64> {
        let number = match Person::trait_of(self.fragments, name)? {
            Trait::Number(number) => *number,
            Trait::Text(text) => text.trim().parse().ok().filter(|number: &f64| number.is_finite())?,
            Trait::Flag(_) => return None,
        };
        Some((number * 1_000.0).round() as i64)
    }

    /// A trait as a moment: a date begins with the shop's day. A number is seconds or milliseconds since 1970, from the year 2001 on:
    /// smaller ones are ages and counts.
    fn trait_time(&self, name: &str) -> Option<UnixMillis> {
        let of_number = |number: f64| {
            let is_time = number >= 1_000_000_000.0;
            is_time.then(|| timestamp::read(&serde_json::Value::from(number))).flatten()
        };
        match Person::trait_of(self.fragments, name)? {
            Trait::Text(text) => match (Date::parse(text.trim()), text.trim().parse()) {
                (Some(date), _) => Some(self.shop.calendar.start(date.day())),
                (None, Ok(number)) => of_number(number),
                (None, Err(_)) => timestamp::read(&serde_json::Value::from(text.trim())),
            },
            Trait::Number(number) => of_number(*number),
            Trait::Flag(_) => None,
        }
    }

    /// Days until the day and month of a trait that is a date come again; 0 today.
    fn days_until(&self, name: &str, now: UnixMillis) -> Option<i64> {
        let (text, today) = (self.trait_named(name)?, self.shop.calendar.day(now));
        Some(Anniversary::parse(&text)?.next(today)? - today)
    }

    fn text(&self, text: &PersonText) -> Option<Cow<'a, str>> {
        match text {
            PersonText::Trait(name) => self.trait_named(name),
            PersonText::First(what) => {
                let firsts = Person::counting(self.fragments).filter_map(|fragment| fragment.touches.first.as_ref());
                touch_text(firsts.min()?, *what)
            }
            PersonText::Last(what) => {
                let lasts = Person::counting(self.fragments).filter_map(|fragment| fragment.touches.latest.last());
                touch_text(lasts.max()?, *what)
            }
            PersonText::Device(what) => self.device?.text(*what).map(Cow::Borrowed),
            PersonText::TimeZone => {
                let named = Person::counting(self.fragments).filter(|fragment| !fragment.zone.is_empty());
                named.last().map(|fragment| Cow::Borrowed(fragment.zone.as_str()))
            }
        }
    }

    /// What is compared of events, in thousandths. None where there is nothing to compare.
    fn event_number(&self, fact: &EventFact, now: UnixMillis) -> Option<i64> {
        let EventFact::Compared { query, .. } = fact else { return None };
        let list = self.counted_events(fact, now)?;
        let count = i64::try_from(list.len()).unwrap_or(i64::MAX);
        let sum = || list.iter().fold(0_i64, |sum, one| sum.saturating_add(one.thousandths));
        match query.measure() {
            Measure::Count | Measure::Distinct(_) => Some(count.saturating_mul(1_000)),
            Measure::Sum(_) => Some(sum()),
            Measure::Average(_) => rounded(sum(), count),
        }
    }

    /// The events that are compared. None where there is none of those that they have to come after.
    fn counted_events(&self, fact: &EventFact, now: UnixMillis) -> Option<Vec<Occurrence>> {
        let EventFact::Compared { query, within, after, .. } = fact else { return None };
        let from = within.map_or(UnixMillis::MIN, |span| self.begins(span, now));
        let after = match after {
            Some(after) => self.events.occurrences(after).last()?,
            None => UnixMillis::MIN,
        };
        let counts = |one: &&Occurrence| one.at >= from && one.at > after;
        Some(self.events.occurrences(query).latest().iter().filter(counts).copied().collect())
    }

    fn event_time(&self, which: Which, query: &EventQuery) -> Option<UnixMillis> {
        let held = self.events.occurrences(query);
        match which {
            Which::First => held.first(),
            Which::Last => held.last(),
        }
    }

    fn event_holds(&self, fact: &EventFact, now: UnixMillis) -> bool {
        let ago = |which, query| self.event_time(which, query).map(|at| now.saturating_sub(at));
        match fact {
            EventFact::Compared { op, value, .. } => {
                let wanted = value.saturating_mul(1_000);
                self.event_number(fact, now).is_some_and(|number| op.holds(number, wanted))
            }
            EventFact::Within(which, query, span) => ago(*which, query).is_some_and(|ago| ago < span.millis()),
            EventFact::Before(which, query, span) => ago(*which, query).is_some_and(|ago| ago >= span.millis()),
        }
    }

    fn event_saw(&self, fact: &EventFact, now: UnixMillis) -> Option<i64> {
        match fact {
            EventFact::Compared { .. } => self.event_number(fact, now).and_then(|number| rounded(number, 1_000)),
            EventFact::Within(which, query, _) | EventFact::Before(which, query, _) => self.event_time(*which, query),
        }
    }

    fn event_changes(&self, fact: &EventFact, now: UnixMillis) -> Option<UnixMillis> {
        match fact {
            EventFact::Compared { within, .. } => {
                let span = (*within)?;
                self.counted_events(fact, now)?.first().map(|first| self.leaves(span, first.at))
            }
            EventFact::Within(which, query, span) | EventFact::Before(which, query, span) => {
                self.event_time(*which, query).map(|at| at.saturating_add(span.millis())).filter(|at| *at > now)
            }
        }
    }

    fn flag(&self, flag: PersonFlag) -> bool {
        let consent = self.person.behaviour.consent;
        match flag {
            PersonFlag::Known => self.is_known,
            PersonFlag::ConsentAnalytics => consent.analytics,
            PersonFlag::ConsentPersonalization => consent.personalization,
            PersonFlag::PushReachable => self.is_reachable,
        }
    }
}

/// A quotient rounded to the nearest whole number, half away from zero. None of nothing.
fn rounded(sum: i64, count: i64) -> Option<i64> {
    if count == 0 {
        return None;
    }
    let (sum, count) = (i128::from(sum), i128::from(count));
    let half = if sum < 0 { -count } else { count };
    i64::try_from((2 * sum + half) / (2 * count)).ok()
}

fn trait_text(value: &Trait) -> Cow<'_, str> {
    match value {
        Trait::Text(text) => Cow::Borrowed(text),
        Trait::Number(number) => Cow::Owned(number.to_string()),
        Trait::Flag(flag) => Cow::Borrowed(if *flag { "true" } else { "false" }),
    }
}

fn touch_text(touch: &Touchpoint, what: TouchText) -> Option<Cow<'_, str>> {
    match what {
        TouchText::Channel => Some(Cow::Borrowed(Channel::of(&Origin::of(touch)).as_str())),
        TouchText::Source => Some(Cow::Owned(Origin::of(touch).source)),
        TouchText::Medium => Some(Cow::Owned(Origin::of(touch).medium)),
        TouchText::Campaign => Some(Cow::Owned(Origin::of(touch).campaign)),
        TouchText::ClickId => touch.click_ids.first().map(|(name, _)| Cow::Borrowed(name.as_str())),
        TouchText::LandingPage => Some(Cow::Borrowed(path(&touch.landing_url))),
    }
}

impl EdgeFacts for PersonFacts<'_> {
    fn holds(&self, fact: &EdgeFact, now: UnixMillis) -> bool {
        let ago = |time: PersonTime| self.time(time).map(|at| now.saturating_sub(at));
        let entered_ago = |id: &SegmentId| self.entered(id).map(|since| now.saturating_sub(since));
        let in_cart =
            |is: &dyn Fn(&endcap_targeting::CartLine) -> bool| self.person.behaviour.cart.lines.iter().any(is);
        match fact {
            EdgeFact::Segment(id) => self.segments.contains_key(id),
            EdgeFact::Listed(id) => self.is_listed(id),
            EdgeFact::EnteredWithin(id, span) => entered_ago(id).is_some_and(|ago| ago < span.millis()),
            EdgeFact::EnteredBefore(id, span) => entered_ago(id).is_some_and(|ago| ago >= span.millis()),
            EdgeFact::Anniversary { name, days } => {
                self.days_until(name, now).is_some_and(|ahead| ahead < i64::from(*days))
            }
            EdgeFact::Number { fact, within, op, value } => {
                self.number(*fact, *within, now).is_some_and(|number| op.holds(number, *value))
            }
            EdgeFact::Within(time, span) => ago(*time).is_some_and(|ago| ago < span.millis()),
            EdgeFact::Before(time, span) => ago(*time).is_some_and(|ago| ago >= span.millis()),
            EdgeFact::Text(text, test) => test.holds(self.text(text).as_deref()),
            EdgeFact::TraitNumber { name, op, value } => {
                self.trait_number(name).is_some_and(|number| op.holds(number, value.saturating_mul(1_000)))
            }
            // What lies in the future is not within the last days.
            EdgeFact::TraitWithin(name, span) => {
                let ago = self.trait_time(name).map(|at| now.saturating_sub(at));
                ago.is_some_and(|ago| (0..span.millis()).contains(&ago))
            }
            EdgeFact::TraitBefore(name, span) => {
                self.trait_time(name).is_some_and(|at| now.saturating_sub(at) >= span.millis())
            }
            EdgeFact::Flag(flag) => self.flag(*flag),
            EdgeFact::CartProduct(id) => in_cart(&|line| line.product == *id),
            EdgeFact::CartCategory(id) => in_cart(&|line| line.category == *id),
            EdgeFact::Event(fact) => self.event_holds(fact, now),
            EdgeFact::Score { fact, op, value } => {
                self.customer.score(*fact).is_some_and(|score| op.holds(score, value.saturating_mul(1_000)))
            }
            EdgeFact::Group(model, groups) => {
                self.customer.group(*model, now).is_some_and(|group| groups.contains(&group))
            }
        }
    }

    fn knows(&self, fact: &EdgeFact) -> bool {
        match fact {
            EdgeFact::Event(fact) => fact.queries().all(|query| self.events.knows(query, &self.shop.event_queries)),
            _ => true,
        }
    }

    fn changes(&self, fact: &EdgeFact, now: UnixMillis) -> Option<UnixMillis> {
        match fact {
            EdgeFact::Number { within: Some(span), .. } => {
                // They come by time, so the first one leaves first.
                self.orders(Some(*span), now).next().map(|order| self.leaves(*span, order.at))
            }
            EdgeFact::Within(time, span) | EdgeFact::Before(time, span) => {
                self.time(*time).map(|at| at.saturating_add(span.millis())).filter(|at| *at > now)
            }
            EdgeFact::TraitWithin(name, span) | EdgeFact::TraitBefore(name, span) => {
                let at = self.trait_time(name)?;
                [at, at.saturating_add(span.millis())].into_iter().find(|change| *change > now)
            }
            EdgeFact::EnteredWithin(id, span) | EdgeFact::EnteredBefore(id, span) => {
                Some(self.entered(id)?.saturating_add(span.millis())).filter(|at| *at > now)
            }
            EdgeFact::Anniversary { name, days } => {
                let (ahead, days) = (self.days_until(name, now)?, i64::from(*days));
                // It begins so many days before, and ends with the day itself.
                let wait = if ahead < days { ahead + 1 } else { ahead - days + 1 };
                Some(self.shop.calendar.start(self.shop.calendar.day(now) + wait))
            }
            EdgeFact::Event(fact) => self.event_changes(fact, now),
            EdgeFact::Group(model, _) => self.customer.group_changes(*model, now),
            _ => None,
        }
    }

    fn saw(&self, fact: &EdgeFact, now: UnixMillis) -> Option<Seen> {
        match fact {
            EdgeFact::Number { fact, within, .. } => self.number(*fact, *within, now).map(Seen::Number),
            EdgeFact::Within(time, _) | EdgeFact::Before(time, _) => self.time(*time).map(Seen::Number),
            EdgeFact::Text(text, _) => self.text(text).map(|text| Seen::Text(text.into_owned())),
            EdgeFact::Segment(id) | EdgeFact::EnteredWithin(id, _) | EdgeFact::EnteredBefore(id, _) => {
                self.entered(id).map(Seen::Number)
            }
            EdgeFact::TraitNumber { name, .. } | EdgeFact::TraitWithin(name, _) | EdgeFact::TraitBefore(name, _) => {
                self.trait_named(name).map(|text| Seen::Text(text.into_owned()))
            }
            EdgeFact::Anniversary { name, .. } => self.trait_named(name).map(|text| Seen::Text(text.into_owned())),
            EdgeFact::Event(fact) => self.event_saw(fact, now).map(Seen::Number),
            EdgeFact::Score { fact, .. } => {
                self.customer.score(*fact).and_then(|score| rounded(score, 1_000)).map(Seen::Number)
            }
            EdgeFact::Group(model, _) => self.customer.group(*model, now).map(|group| Seen::Text(group.to_owned())),
            EdgeFact::Flag(_) | EdgeFact::CartProduct(_) | EdgeFact::CartCategory(_) | EdgeFact::Listed(_) => None,
        }
    }
}
