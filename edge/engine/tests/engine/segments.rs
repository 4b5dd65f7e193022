//! Segments: how they are stored with a row, and that whoever looks only when something happens or a timer is due sees what somebody
//! sees who reads everything again at each moment.

use std::collections::{BTreeMap, BTreeSet};

use endcap_engine::person_facts::PersonFacts;
use endcap_engine::shop::Snapshot;
use endcap_engine::visit::{Refreshed, refresh};
use endcap_profile::memberships::{Membership, Memberships};
use endcap_profile::timers::TimerKey;
use endcap_profile::{Person, ProfileRow};
use endcap_protocol::{DAY_MS, ProfileId, SegmentId, UnixMillis};
use endcap_targeting::PageFacts;
use endcap_targeting::evaluate::evaluate_of;
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::support::{
    BROWSER, NOW, added, after, batch, first, follows, hear, move_fragment, ordered, receive, shop, stranger, viewed,
    with, with_segments,
};

fn id(name: &str) -> SegmentId {
    SegmentId::parse(name).unwrap()
}

#[test]
fn the_segments_follow_the_row_where_the_version_before_does_not_look() {
    let without = after(&[viewed("v", NOW, "boot", "shoes")]);
    let mut row = without.clone();
    let membership = |since, born| Membership { since, born };
    let held = [(id("vip"), membership(NOW, 3)), (id("új"), membership(NOW - 5, 7))].into();
    row.memberships = Some(Memberships { judged: 7, held });
    follows(&row, &without, "profile-row-v3-possession-v1-links-v1-successions-v1-memberships-v1.bin");
    row.memberships = Some(Memberships { judged: 300, held: BTreeMap::new() });
    assert_eq!(ProfileRow::unpack(&row.pack().unwrap()).unwrap(), row, "that somebody is in none is known too");
}

/// Segments of every kind that there is.
const SEGMENTS: [(&str, &str); 16] = [
    ("spenders", "revenue >= 4000 in 14 days"),
    ("twice-lately", "orders >= 2 in 3 days or orders = 1 in 5 hours"),
    ("quiet", "last_seen before 30 minutes ago and not last_order within 9 days"),
    ("cart-waits", "cart_has(category = \"coats\") and cart_changed before 2 hours ago"),
    ("average", "average_order = 2000 and last_order_value > 0"),
    ("a-of-others", "segment(\"recent\") and not segment(\"gone\")"),
    ("b-of-those", "segment(\"a-of-others\") or segment(\"exactly\") and cart_units > 0"),
    ("viewers", "products_viewed(category = \"shoes\") >= 2"),
    ("buyers", "orders >= 1"),
    ("recent", "days_since_last_order < 30"),
    ("gone", "days_since_last_order >= 45 and orders >= 2"),
    ("new-faces", "days_since_first_seen <= 7 and not orders >= 1"),
    ("lately-lost", "stage in (sleep, lost)"),
    ("exactly", "days_since_last_order = 10 or days_since_first_seen = 12"),
    ("hesitant", "some_category(products_viewed(category = $) >= 1 and units_bought(category = $) = 0)"),
    ("everybody", "all()"),
];

/// What happens to a person.
#[derive(Debug, Clone)]
enum Step {
    /// A browser does something.
    Event { browser: usize, what: usize, late_days: i64 },
    /// A browser's history becomes part of the person's, or goes home.
    Link { browser: usize, joins: bool },
    /// Time passes.
    Time { minutes: i64 },
}

fn any_step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (0_usize..3, 0_usize..4, prop_oneof![3 => Just(0_i64), 1 => 0_i64..20])
            .prop_map(|(browser, what, late_days)| Step::Event { browser, what, late_days }),
        1 => (1_usize..3, any::<bool>()).prop_map(|(browser, joins)| Step::Link { browser, joins }),
        4 => prop_oneof![0_i64..120, Just(1440), 1000_i64..60_000].prop_map(|minutes| Step::Time { minutes }),
    ]
}

fn browser(number: usize) -> String {
    if number == 0 { BROWSER.to_owned() } else { format!("browser-{}", number + 1) }
}

fn happening(what: usize, number: usize, at: UnixMillis) -> Value {
    let message = format!("m-{number}");
    match what {
        0 => viewed(&message, at, &format!("p-{}", number % 5), "shoes"),
        1 => added(&message, at, "coat", "coats"),
        2 => ordered(&message, at, &format!("o-{number}"), "boot"),
        _ => viewed(&message, at, "cape", "coats"),
    }
}

/// People, each with their row, of whom the first may get the others' histories.
struct World {
    shop: Snapshot,
    rows: Vec<ProfileRow>,
    /// Whom each browser's history belongs to.
    owner: Vec<usize>,
    version: u64,
    now: UnixMillis,
    /// Members by what was told: person and segment.
    told: BTreeSet<(usize, SegmentId)>,
}

impl World {
    fn new() -> Self {
        let rows = (0..3).map(|n| ProfileRow::new(ProfileId::parse(&browser(n)).unwrap(), NOW)).collect();
        let shop = with_segments(shop(&[], &json!({})), &SEGMENTS);
        Self { shop, rows, owner: vec![0, 1, 2], version: 1, now: NOW, told: BTreeSet::new() }
    }

    /// Looks at a person, and takes what is told of their segments.
    fn look(&mut self, person: usize) {
        let Refreshed { segments, .. } = refresh(&mut self.rows[person], &self.shop, self.now);
        hear(&mut self.told, person, segments);
    }

    /// Runs the timers that are due until a time, each at its own time.
    fn pass(&mut self, until: UnixMillis) {
        let keys = [TimerKey::SEGMENTS, TimerKey::STAGE];
        loop {
            let due = self.rows.iter().enumerate().flat_map(|(person, row)| {
                keys.iter().filter_map(move |key| Some((row.timers.due(key)?, person, key.clone())))
            });
            let Some((at, person, key)) = due.filter(|(at, ..)| *at <= until).min() else { break };
            self.now = self.now.max(at);
            self.rows[person].timers.disarm(&key);
            self.look(person);
        }
        self.now = until;
    }

    fn take(&mut self, number: usize, step: &Step) {
        match *step {
            Step::Time { minutes } => self.pass(self.now + minutes * 60_000),
            Step::Event { browser: which, what, late_days } => {
                self.pass(self.now + 1);
                let event = happening(what, number, self.now - late_days * DAY_MS);
                let sent = with(batch(&[event]), "anonymous_id", json!(browser(which)));
                let person = self.owner[which];
                receive(&mut self.rows[person], &sent, self.now);
                self.look(person);
            }
            Step::Link { browser: which, joins } => self.link(which, if joins { 0 } else { which }),
        }
    }

    /// Moves a browser's history to a person.
    fn link(&mut self, which: usize, to: usize) {
        let (from, fragment) = (self.owner[which], first(&browser(which)));
        if !move_fragment(&mut self.rows, (from, to), &fragment, self.version + 1) {
            return;
        }
        self.version += 1;
        self.owner[which] = to;
        self.look(from);
        self.look(to);
    }

    /// Who is in which segment, worked out from everything that is known of each, as if nobody had looked before.
    fn afresh(&self) -> BTreeSet<(usize, SegmentId)> {
        let mut found = BTreeSet::new();
        for (person, row) in self.rows.iter().enumerate().filter(|(_, row)| !row.fragments.is_empty()) {
            let mut fresh = ProfileRow::new(row.id.clone(), row.since().unwrap());
            fresh.fragments.clone_from(&row.fragments);
            refresh(&mut fresh, &with_segments(self.shop.clone(), &[]), self.now);
            let mut folded = Person::of(&fresh);
            folded.behaviour.stage = fresh.stages.current().stage;
            let page = PageFacts { path: "", now: self.now };
            let facts = PersonFacts::of(&fresh, &folded, &self.shop);
            let mut held = BTreeMap::new();
            for segment in self.shop.segments.in_order() {
                let condition = segment.condition.as_ref().unwrap();
                if evaluate_of(condition, &folded.behaviour, &page, &facts.in_segments(&held)).holds {
                    held.insert(segment.saved.id.clone(), Membership { since: self.now, born: 1 });
                }
            }
            found.extend(held.into_keys().map(|segment| (person, segment)));
        }
        found
    }
}

proptest! {
    #[test]
    fn whoever_looks_when_something_happens_sees_what_reading_everything_again_shows(
        steps in proptest::collection::vec(any_step(), 1..40),
    ) {
        let mut world = World::new();
        for (number, step) in steps.iter().enumerate() {
            world.take(number, step);
            prop_assert_eq!(&world.told, &world.afresh(), "after step {} of {:?}", number, &steps);
            for (person, row) in world.rows.iter().enumerate() {
                let held = row.memberships.iter().flat_map(|held| held.held.keys());
                let told = world.told.iter().filter(|(whose, _)| *whose == person).map(|(_, id)| id);
                prop_assert!(held.eq(told), "the row says what was told");
            }
        }
    }
}

#[test]
fn a_shop_without_segments_writes_rows_as_before() {
    let mut row = stranger();
    receive(&mut row, &batch(&[viewed("v", NOW, "boot", "shoes")]), NOW);
    let before = row.pack().unwrap();
    refresh(&mut row, &shop(&[], &json!({})), NOW);
    assert_eq!(row.pack().unwrap(), before);
}
