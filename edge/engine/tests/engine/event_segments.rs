//! What people did, as conditions: how counts are stored with a row, and that whoever counts events as they come, and reads the past of
//! new questions from the log, sees what somebody sees who goes through all events again at each moment.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use endcap_engine::segment::definition::Definition;
use endcap_engine::segment::{SavedSegment, Segments};
use endcap_engine::shop::Snapshot;
use endcap_engine::shop::calendar::{Calendar, Zone};
use endcap_engine::shop::event_queries::{EventQueries, PastCounter};
use endcap_engine::visit::{Refreshed, refresh};
use endcap_profile::ProfileRow;
use endcap_profile::memberships::Memberships;
use endcap_profile::occurrences::{Counts, FragmentOccurrences, Keep, Occurrence};
use endcap_profile::timers::TimerKey;
use endcap_protocol::{DAY_MS, ProfileId, SegmentId, UnixMillis};
use endcap_targeting::event_query::EventQuery;
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::support::{
    BROWSER, NOW, added, after, batch, first, follows, hear, move_fragment, ordered, receive, shop, viewed, with,
};

const HOUR_MS: UnixMillis = DAY_MS / 24;
/// When it begins: 2026-03-27, 00:00 UTC.
const BEGIN: UnixMillis = 1_774_569_600_000;

/// A zone far ahead of UTC, whose clocks go forward two days after the beginning, and back a week later.
struct Zoned;

/// What the clocks there show, as if they showed UTC.
fn there(at: UnixMillis) -> UnixMillis {
    let is_summer = (BEGIN + 2 * DAY_MS..BEGIN + 9 * DAY_MS).contains(&at);
    at + if is_summer { 11 } else { 10 } * HOUR_MS
}

impl Zone for Zoned {
    fn day(&self, at: UnixMillis) -> i64 {
        there(at).div_euclid(DAY_MS)
    }

    fn hour(&self, at: UnixMillis) -> u8 {
        u8::try_from(there(at).rem_euclid(DAY_MS) / HOUR_MS).unwrap()
    }
}

#[test]
fn what_is_counted_follows_the_row_where_the_version_before_does_not_look() {
    let mut without = after(&[viewed("v", NOW, "boot", "shoes")]);
    without.memberships = Some(Memberships { judged: 7, held: BTreeMap::new() });
    let mut row = without.clone();
    let mut held = FragmentOccurrences::begun(7);
    let keep = Keep { most: 4, counts: Counts::First };
    let occurrence = |at, thousandths, same| Occurrence { at, thousandths, same };
    held.count(1, vec![occurrence(NOW, 0, 0), occurrence(NOW - 5, -1_500, u64::MAX)], keep);
    held.follow(9, &BTreeMap::from([(1, 7), (u64::MAX, 9)]), NOW + 3);
    held.count(u64::MAX, vec![occurrence(NOW + 4, i64::MAX, 1)], keep);
    row.occurrences.insert(first(BROWSER), held);
    follows(&row, &without, "profile-row-v3-possession-v1-links-v1-successions-v1-memberships-v1-occurrences-v1.bin");
}

/// Something that was done, as the test remembers it.
#[derive(Debug, Clone)]
struct Did {
    browser: usize,
    what: What,
    product: String,
    at: UnixMillis,
    received: UnixMillis,
    event: endcap_events::ingest::event::Event,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum What {
    ShoesViewed,
    CoatViewed,
    CoatAdded,
    Ordered,
}

impl What {
    fn is_view(self) -> bool {
        matches!(self, Self::ShoesViewed | Self::CoatViewed)
    }
}

/// What somebody did, for going through it at a time.
struct Past<'a> {
    did: Vec<&'a Did>,
    now: UnixMillis,
}

impl Past<'_> {
    fn times(&self, counts: impl Fn(&Did) -> bool) -> Vec<UnixMillis> {
        let mut times: Vec<UnixMillis> = self.did.iter().filter(|did| counts(did)).map(|did| did.at).collect();
        times.sort_unstable();
        times
    }

    /// Whether a time lies within the shop's last days, today included.
    fn within_days(&self, at: UnixMillis, days: i64) -> bool {
        Zoned.day(at) > Zoned.day(self.now) - days
    }
}

/// Questions of each kind, and what they mean, said in another way.
type Meaning = fn(&Past<'_>) -> bool;
const SEGMENTS: [(&str, &str, Meaning); 11] = [
    ("shoes", "viewed(category = \"shoes\") >= 2 in 3 days", |past| {
        past.times(|did| did.what == What::ShoesViewed && past.within_days(did.at, 3)).len() >= 2
    }),
    ("few-lately", "viewed >= 1 in 5 hours and viewed < 4 in 5 hours", |past| {
        let lately = past.times(|did| did.what.is_view() && did.at > past.now - 5 * HOUR_MS).len();
        (1..4).contains(&lately)
    }),
    ("distinct", "distinct(viewed, product) >= 3", |past| {
        past.did.iter().filter(|did| did.what.is_view()).map(|did| did.product.as_str()).collect::<BTreeSet<_>>().len()
            >= 3
    }),
    ("after", "viewed >= 2 after ordered", |past| {
        past.times(|did| did.what == What::Ordered)
            .last()
            .is_some_and(|last| past.times(|did| did.what.is_view() && did.at > *last).len() >= 2)
    }),
    ("hesitant", "last(viewed) before 2 hours ago and not ordered after viewed", |past| {
        past.times(|did| did.what.is_view()).last().is_some_and(|last| {
            *last <= past.now - 2 * HOUR_MS && past.times(|did| did.what == What::Ordered && did.at > *last).is_empty()
        })
    }),
    ("spent", "sum(ordered, value) >= 4000 in 10 days", |past| {
        past.times(|did| did.what == What::Ordered && past.within_days(did.at, 10)).len() >= 2
    }),
    ("first-add", "first(added) within 5 days", |past| {
        past.times(|did| did.what == What::CoatAdded).first().is_some_and(|first| *first > past.now - 5 * DAY_MS)
    }),
    ("long-gone", "first(viewed(product = \"p-1\")) before 12 days ago", |past| {
        let first = past.times(|did| did.product == "p-1");
        first.first().is_some_and(|first| *first <= past.now - 12 * DAY_MS)
    }),
    ("sunday-evenings", "viewed(event_weekday = \"sunday\", event_hour >= 18) >= 2", |past| {
        let is_then = |did: &Did| Zoned.day(did.at).rem_euclid(7) == 3 && Zoned.hour(did.at) >= 18;
        past.times(|did| did.what.is_view() && is_then(did)).len() >= 2
    }),
    ("between-dates", "viewed(event_date >= \"2026-03-29\", event_date < \"2026-04-05\") >= 3", |past| {
        let (from, to) = (Zoned.day(BEGIN) + 2, Zoned.day(BEGIN) + 9);
        past.times(|did| did.what.is_view() && (from..to).contains(&Zoned.day(did.at))).len() >= 3
    }),
    ("bought-often", "ordered(category = \"shoes\") >= 3 and average(ordered, value) = 2000", |past| {
        past.times(|did| did.what == What::Ordered).len() >= 3
    }),
];

/// What happens.
#[derive(Debug, Clone)]
enum Step {
    /// A browser does something, and its shard has an older version of the shop's segments if it is stale.
    Event { browser: usize, what: What, late_hours: i64, is_stale: bool },
    /// A browser's history becomes part of the first person's, or goes home.
    Link { browser: usize, joins: bool },
    /// Time passes.
    Time { minutes: i64 },
    /// A segment is made, or deleted.
    Define { segment: usize },
    /// The past is read of everybody who lacks it.
    Fill,
}

fn any_step() -> impl Strategy<Value = Step> {
    let what = prop_oneof![Just(What::ShoesViewed), Just(What::CoatViewed), Just(What::CoatAdded), Just(What::Ordered)];
    prop_oneof![
        6 => (0_usize..3, what, prop_oneof![3 => Just(0_i64), 1 => 0_i64..150], prop::bool::weighted(0.1))
            .prop_map(|(browser, what, late_hours, is_stale)| Step::Event { browser, what, late_hours, is_stale }),
        1 => (1_usize..3, any::<bool>()).prop_map(|(browser, joins)| Step::Link { browser, joins }),
        3 => prop_oneof![0_i64..200, Just(1440), 1_000_i64..20_000].prop_map(|minutes| Step::Time { minutes }),
        2 => (0..SEGMENTS.len()).prop_map(|segment| Step::Define { segment }),
        2 => Just(Step::Fill),
    ]
}

fn browser(number: usize) -> String {
    if number == 0 { BROWSER.to_owned() } else { format!("browser-{}", number + 1) }
}

/// People, each with their row, of whom the first may get the others' histories; the log, and the shop of today and of before.
struct World {
    shop: Snapshot,
    older: Snapshot,
    defined: BTreeMap<usize, u64>,
    since: BTreeMap<u64, u64>,
    rows: Vec<ProfileRow>,
    owner: Vec<usize>,
    links: u64,
    now: UnixMillis,
    log: Vec<Did>,
    told: BTreeSet<(usize, SegmentId)>,
}

impl World {
    fn new() -> Self {
        let rows = (0..3).map(|n| ProfileRow::new(ProfileId::parse(&browser(n)).unwrap(), BEGIN)).collect();
        let shop = shop(&[], &json!({})).with_calendar(Calendar::new(Rc::new(Zoned)));
        Self {
            older: shop.clone(),
            shop,
            defined: BTreeMap::new(),
            since: BTreeMap::new(),
            rows,
            owner: vec![0, 1, 2],
            links: 0,
            now: BEGIN,
            log: Vec::new(),
            told: BTreeSet::new(),
        }
    }

    fn look(&mut self, person: usize) {
        let shop = self.shop.clone();
        self.look_by(person, &shop);
    }

    fn look_by(&mut self, person: usize, shop: &Snapshot) {
        let Refreshed { segments, .. } = refresh(&mut self.rows[person], shop, self.now);
        hear(&mut self.told, person, segments);
    }

    fn pass(&mut self, until: UnixMillis) {
        loop {
            let due = self.rows.iter().enumerate();
            let due = due.filter_map(|(person, row)| Some((row.timers.due(&TimerKey::SEGMENTS)?, person)));
            let Some((at, person)) = due.filter(|(at, _)| *at <= until).min() else { break };
            self.now = self.now.max(at);
            self.rows[person].timers.disarm(&TimerKey::SEGMENTS);
            self.look(person);
        }
        self.now = until;
    }

    fn take(&mut self, number: usize, step: &Step) {
        match *step {
            Step::Time { minutes } => self.pass(self.now + minutes * 60_000),
            Step::Event { browser, what, late_hours, is_stale } => {
                self.pass(self.now + 1);
                self.event(number, browser, what, late_hours, is_stale);
            }
            Step::Link { browser: which, joins } => self.link(which, if joins { 0 } else { which }),
            Step::Define { segment } => self.define(segment),
            Step::Fill => self.fill(),
        }
    }

    fn event(&mut self, number: usize, which: usize, what: What, late_hours: i64, is_stale: bool) {
        let (message, said) = (format!("m-{number}"), self.now - late_hours * HOUR_MS);
        let product = if what == What::ShoesViewed { format!("p-{}", number % 4) } else { "coat".to_owned() };
        let event: Value = match what {
            What::ShoesViewed => viewed(&message, said, &product, "shoes"),
            What::CoatViewed => viewed(&message, said, &product, "coats"),
            What::CoatAdded => added(&message, said, &product, "coats"),
            What::Ordered => ordered(&message, said, &format!("o-{number}"), "boot"),
        };
        let (person, fragment) = (self.owner[which], first(&browser(which)));
        let row = &mut self.rows[person];
        let begins = !row.fragments.contains_key(&fragment);
        let visit = receive(row, &with(batch(&[event]), "anonymous_id", json!(browser(which))), self.now);
        let shop = if is_stale { &self.older } else { &self.shop };
        shop.event_queries.count(row, &fragment, begins, &visit.kept, self.now);
        for event in visit.kept {
            let (product, at) = (product.clone(), event.at);
            self.log.push(Did { browser: which, what, product, at, received: self.now, event });
        }
        if is_stale {
            let older = self.older.clone();
            self.look_by(person, &older);
        }
        self.look(person);
    }

    fn link(&mut self, which: usize, to: usize) {
        let (from, fragment) = (self.owner[which], first(&browser(which)));
        if !move_fragment(&mut self.rows, (from, to), &fragment, self.links + 1) {
            return;
        }
        self.links += 1;
        self.owner[which] = to;
        self.look(from);
        self.look(to);
    }

    /// Makes a segment, or deletes it if there is one.
    fn define(&mut self, segment: usize) {
        let version = self.shop.segments.version + 1;
        if self.defined.remove(&segment).is_none() {
            self.defined.insert(segment, version);
        }
        let saved = self.defined.iter().map(|(segment, since)| SavedSegment {
            id: SegmentId::parse(SEGMENTS[*segment].0).unwrap(),
            version: 1,
            since: *since,
            changed_at: self.now,
            born: *since,
            definition: Definition { name: "x".to_owned(), condition: json!(SEGMENTS[*segment].1), list: false },
        });
        let segments = Segments::read(version, saved.collect());
        let locale = self.shop.event_queries.locale.clone();
        let event_queries = EventQueries::of(version, segments.conditions(), &self.since).in_locale(locale);
        self.since = event_queries.clone().checked().unwrap();
        let newer = Snapshot { segments, event_queries, ..self.shop.clone() };
        self.older = std::mem::replace(&mut self.shop, newer);
        self.now += 1;
        (0..3).for_each(|person| self.look(person));
    }

    /// Has everybody count what they did before.
    fn fill(&mut self) {
        let queries = &self.shop.event_queries;
        for row in &mut self.rows {
            queries.follow(row, self.now);
            for which in 0..3 {
                let fragment = first(&browser(which));
                let Some(lack) = row.occurrences.get(&fragment).and_then(FragmentOccurrences::lacks) else { continue };
                let past = self.log.iter().filter(|did| did.browser == which && did.received < lack.before);
                let past: Vec<_> = past.map(|did| did.event.clone()).collect();
                // Two shards may each have a part of it.
                let (here, elsewhere) = past.split_at(past.len() / 2);
                let all: Vec<EventQuery> = queries.all().cloned().collect();
                let parts = [here, elsewhere].map(|events| {
                    let mut counter = PastCounter::new(&all, &queries.locale);
                    events.chunks(2).for_each(|events| counter.add(events));
                    counter.counted
                });
                queries.complete(row, &fragment, &parts.each_ref());
            }
        }
        (0..3).for_each(|person| self.look(person));
    }

    fn is_filled(&self) -> bool {
        self.rows.iter().all(|row| row.occurrences_are_complete(self.shop.event_queries.latest()))
    }

    /// Who is in which segment, by what they did.
    fn afresh(&self) -> BTreeSet<(usize, SegmentId)> {
        let mut found = BTreeSet::new();
        for (person, row) in self.rows.iter().enumerate().filter(|(_, row)| !row.fragments.is_empty()) {
            let did = self.log.iter().filter(|did| row.fragments.contains_key(&first(&browser(did.browser))));
            let past = Past { did: did.collect(), now: self.now };
            let holds = self.defined.keys().map(|segment| &SEGMENTS[*segment]).filter(|(.., means)| means(&past));
            found.extend(holds.map(|(id, ..)| (person, SegmentId::parse(id).unwrap())));
        }
        found
    }
}

proptest! {
    #[test]
    fn whoever_counts_as_events_come_sees_what_going_through_all_of_them_shows(
        steps in proptest::collection::vec(any_step(), 1..60),
    ) {
        let mut world = World::new();
        for (number, step) in steps.iter().enumerate() {
            world.take(number, step);
            if world.is_filled() {
                prop_assert_eq!(&world.told, &world.afresh(), "after step {} of {:?}", number, &steps);
            }
        }
        world.fill();
        prop_assert!(world.is_filled());
        prop_assert_eq!(&world.told, &world.afresh(), "after {:?}", &steps);
    }
}
