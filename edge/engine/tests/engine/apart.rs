//! Persons whose fragments lie apart: what is read in part and written in part is what it is as a whole.

use std::collections::BTreeSet;

use endcap_engine::shop::Snapshot;
use endcap_engine::visit::refresh;
use endcap_identity::{Assignment, FragmentId, LinkStrength};
use endcap_profile::compaction::budget;
use endcap_profile::digest::Digest;
use endcap_profile::erase::Remains;
use endcap_profile::fragment_rows::{FragmentRows, Wanted, load, load_for, save};
use endcap_profile::memory_rows::{MemoryRows, ROW_BYTES};
use endcap_profile::resolution::Resolution;
use endcap_profile::{Fragment, Person, ProfileRow, Reassigned};
use endcap_protocol::{DAY_MS, ProfileId};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::support::{
    BROWSER, NOW, added, anonymous, batch, event, first, in_session, ordered, page, receive, shop, viewed, with,
    with_segments,
};

/// Bytes from which on fragments lie apart in these tests: from the second one on.
const APART: usize = 1;

fn person_id() -> ProfileId {
    ProfileId::parse(BROWSER).unwrap()
}

fn browser(number: usize) -> String {
    if number == 0 { BROWSER.to_owned() } else { format!("device-{number:02}") }
}

/// What happens to a person of several browsers.
#[derive(Debug, Clone)]
enum Step {
    /// A browser's batch. Its fragment joins the person where it has not.
    Batch { browser: usize, event: usize, minutes: i64 },
    /// A browser's fragment goes home.
    Leave { browser: usize },
    /// A browser's fragment is joined by a source that the shop trusts.
    Trust { browser: usize },
    /// From now on the shop trusts none.
    TrustNone,
    /// Some browsers' fragments are erased.
    Erase { browsers: [usize; 2] },
    /// A browser's batch whose transaction fails.
    Fail { browser: usize, event: usize, minutes: i64 },
}

fn any_step() -> impl Strategy<Value = Step> {
    let batch = (0_usize..12, 0_usize..6, -2000_i64..2000).prop_map(|(browser, event, minutes)| Step::Batch {
        browser,
        event,
        minutes,
    });
    prop_oneof![
        12 => batch,
        2 => (0_usize..12, 0_usize..6, -2000_i64..2000)
            .prop_map(|(browser, event, minutes)| Step::Fail { browser, event, minutes }),
        1 => (0_usize..12).prop_map(|browser| Step::Leave { browser }),
        2 => (0_usize..12).prop_map(|browser| Step::Trust { browser }),
        1 => (3_usize..12, 3_usize..12).prop_map(|(one, other)| Step::Erase { browsers: [one, other] }),
        1 => Just(Step::TrustNone),
    ]
}

fn any_event(kind: usize, number: usize, minutes: i64) -> Value {
    let (id, at) = (format!("m{number}"), NOW + minutes * 60_000);
    let name = ["boot", "clog", "coat"][number % 3];
    let event = match kind {
        0 => viewed(&id, at, name, "shoes"),
        1 => added(&id, at, name, ["shoes", "coats"][number % 2]),
        2 => page(&id, at, &format!("https://shop.example/?utm_source={name}")),
        3 => ordered(&id, at, &format!("order-{}", number % 5), name),
        4 => event("identify", &id, at, &json!({"user_id": "ann"})),
        _ => event("impression", &id, at, &json!({"name": "Campaign Shown", "properties": {"campaign_id": name}})),
    };
    in_session(event, &format!("s{}", number % 4))
}

fn sent(number: usize, kind: usize, step: usize, minutes: i64) -> Value {
    with(batch(&[any_event(kind, step, minutes)]), "anonymous_id", browser(number).into())
}

const SEGMENTS: [(&str, &str); 3] = [
    ("buyers", "orders >= 1"),
    ("shoes", "products_viewed(category = \"shoes\") >= 2"),
    ("late", "days_since_first_seen < 3"),
];

/// A person in one row, and the same whose fragments lie apart.
struct Both {
    whole: ProfileRow,
    rows: MemoryRows,
    /// Versions of assignments so far.
    version: u64,
    /// Whether the shop trusts what its source claims.
    trusts: bool,
}

impl Both {
    fn new() -> Self {
        Self { whole: ProfileRow::new(person_id(), NOW), rows: MemoryRows::default(), version: 0, trusts: true }
    }

    fn read(&self, wanted: Wanted<'_>) -> ProfileRow {
        load(&self.rows, &person_id(), wanted).unwrap().unwrap_or_else(|| ProfileRow::new(person_id(), NOW))
    }

    fn snapshot(&self) -> Snapshot {
        let claims = if self.trusts { json!({"shop": "trust"}) } else { json!({}) };
        with_segments(shop(&[], &json!({"identity": {"claims": claims}})), &SEGMENTS)
    }

    /// Folds and stores both, and compares what was folded.
    fn store(&mut self, mut apart: ProfileRow) {
        let snapshot = self.snapshot();
        apart.read_digests(&self.rows, Some(&snapshot.settings.identity)).unwrap();
        let (one, other) =
            (refresh(&mut self.whole, &snapshot, NOW + 2 * DAY_MS), refresh(&mut apart, &snapshot, NOW + 2 * DAY_MS));
        assert_eq!(one.person, other.person);
        assert_eq!((one.timers, one.stage_changed), (other.timers, other.stage_changed));
        assert_eq!((one.segments, &self.whole.memberships), (other.segments, &apart.memberships));
        assert_eq!(self.whole.users(), apart.users());
        assert_eq!(self.whole.has_guests(), apart.has_guests());
        let guests = |row: &ProfileRow| row.joined_by_claim(99).into_iter().collect::<BTreeSet<_>>();
        assert_eq!(guests(&self.whole), guests(&apart));
        save(&self.rows, &apart, APART).unwrap();
    }

    fn take(&mut self, step: usize, what: &Step) {
        match *what {
            Step::Batch { browser: number, event, minutes } => {
                let (name, sent) = (first(&browser(number)), sent(number, event, step, minutes));
                let now = NOW + 2 * DAY_MS;
                let mut apart = load_for(&self.rows, &person_id(), &anonymous(name.as_str()), None)
                    .unwrap()
                    .unwrap_or_else(|| ProfileRow::new(person_id(), NOW));
                assert_eq!(
                    self.whole.resolve(&anonymous(name.as_str()), Some(&name)),
                    apart.resolve(&anonymous(name.as_str()), Some(&name))
                );
                if self.whole.moved.contains_key(&name) {
                    self.version += 1;
                    for row in [&mut self.whole, &mut apart] {
                        let link_strength = if number % 2 == 0 { LinkStrength::Proved } else { LinkStrength::Trusted };
                        let since = NOW - number as i64;
                        let back =
                            Fragment { assignment_version: self.version, since, link_strength, ..Fragment::default() };
                        assert!(row.absorb(&name, back));
                    }
                }
                let known = apart.fragments.contains_key(&name);
                let visits = [receive(&mut self.whole, &sent, now), receive(&mut apart, &sent, now)];
                assert_eq!(visits[0].accepted, visits[1].accepted);
                assert_eq!(visits[0].signals, visits[1].signals);
                assert!(apart.unread().fragments == 0 || apart.fragments.len() <= 3, "few are read");
                let written = self.rows.written();
                self.store(apart);
                assert!(!known || self.rows.written() - written <= 2, "its own row, and the head");
            }
            Step::Leave { browser: number } => {
                let (name, mut apart) =
                    (first(&browser(number)), self.read(Wanted::Named(&[first(&browser(number))].into())));
                self.version += 1;
                let home = Assignment {
                    profile: ProfileId::parse("elsewhere").unwrap(),
                    link_strength: LinkStrength::Own,
                    version: self.version,
                };
                let gone = [self.whole.reassign(&name, &home), apart.reassign(&name, &home)];
                assert_eq!(gone[0], gone[1]);
                if matches!(gone[0], Reassigned::Leaves(_)) {
                    self.store(apart);
                }
            }
            Step::Fail { browser, event, minutes } => {
                let (whole, version, trusts) = (self.whole.clone(), self.version, self.trusts);
                let rows = std::mem::take(&mut self.rows);
                let mut other = Self { whole: whole.clone(), rows, version, trusts };
                // The number of the step names the message, which is another one than that of the same browser's next batch.
                let failing = Step::Batch { browser, event, minutes };
                let before = other.rows.snapshot();
                other.take(step, &failing);
                other.rows.restore(before);
                *self = Self { whole, rows: other.rows, version, trusts };
            }
            Step::Trust { browser: number } => {
                let name = first(&browser(number));
                let mut apart = self.read(Wanted::Named(&[name.clone()].into()));
                for row in [&mut self.whole, &mut apart] {
                    if let Some(fragment) = row.fragments.get_mut(&name) {
                        fragment.link_strength = LinkStrength::Trusted;
                    }
                }
                self.store(apart);
            }
            Step::TrustNone => self.trusts = false,
            Step::Erase { browsers } => {
                let gone = browsers.map(|number| first(&browser(number))).into();
                let mut apart = self.read(Wanted::Named(&gone));
                let remains = [self.whole.erase(&gone), apart.erase(&gone)];
                assert_eq!(remains[0], remains[1]);
                match remains[0] {
                    Remains::Others => self.store(apart),
                    // The shard drops the rows.
                    Remains::Nothing => *self = Self { version: self.version, trusts: self.trusts, ..Self::new() },
                    Remains::Untouched | Remains::Busy => {}
                }
                for name in &gone {
                    let holds =
                        |data: &[u8]| data.windows(name.as_str().len()).any(|bytes| bytes == name.as_str().as_bytes());
                    assert!(!self.rows.row(&person_id()).unwrap().is_some_and(|data| holds(&data)));
                    assert!(
                        !self.rows.fragments(&person_id(), Wanted::All).unwrap().iter().any(|(_, data)| holds(data))
                    );
                }
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn read_in_part_a_person_is_the_same(steps in proptest::collection::vec(any_step(), 1..60)) {
        let mut both = Both::new();
        for (number, step) in steps.iter().enumerate() {
            both.take(number, step);
        }
        let mut apart = both.read(Wanted::All);
        // What is trusted no more is written down once the fragment is written.
        apart.distrust(&both.snapshot().settings.identity);
        both.whole.distrust(&both.snapshot().settings.identity);
        prop_assert_eq!(&apart.fragments, &both.whole.fragments);
        prop_assert_eq!(&apart.moved, &both.whole.moved);
        prop_assert_eq!(&apart.stages, &both.whole.stages);
        prop_assert_eq!(&apart.timers, &both.whole.timers);
        prop_assert_eq!(Person::fold(&apart.fragments), Person::fold(&both.whole.fragments));
    }
}

/// Text that is long, and another for each number.
fn long(number: usize, bytes: usize) -> String {
    let mut text = format!("{number}-");
    while text.len() < bytes {
        let random = (text.len() as u64 + 1).wrapping_mul(number as u64 + 7).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        text.push_str(&format!("{random:016x}"));
    }
    text.truncate(bytes);
    text
}

/// As much of one kind as a browser may have.
fn filling(kind: usize, browser: usize) -> Vec<Value> {
    let number = |n: usize| browser * 100_000 + kind * 10_000 + n;
    let at = |n: usize| NOW - DAY_MS + n as i64;
    let id = |n: usize| format!("m{}", number(n));
    match kind {
        0 => (0..20)
            .map(|n| {
                let url = format!("https://shop.example/{}?utm_source={}", long(number(n), 1900), long(number(n), 80));
                let referrer = format!("https://from.example/{}", long(number(n), 1900));
                let context = json!({"page": {"url": url, "referrer": referrer}});
                in_session(event("page", &id(n), at(n), &json!({"context": context})), &long(number(n), 90))
            })
            .collect(),
        1 => (0..384).map(|n| viewed(&id(n), at(n), &long(number(n), 128), &long(number(n / 16), 128))).collect(),
        2 => (0..100).map(|n| added(&id(n), at(n), &long(number(n), 128), &long(number(n / 16), 128))).collect(),
        3 => (0..200).map(|n| ordered(&id(n), at(n), &long(number(n), 100), "boot")).collect(),
        4 => {
            let traits: serde_json::Map<_, _> = (0..50).map(|n| (long(n, 60), long(number(n), 512).into())).collect();
            vec![event("identify", &id(0), at(0), &json!({"user_id": long(browser, 256), "traits": traits}))]
        }
        5 => (0..400)
            .map(|n| {
                let shown = json!({"name": "Campaign Shown", "properties": {"campaign_id": long(n % 40, 64)}});
                in_session(event("impression", &id(n), at(n), &shown), &long(number(n), 90))
            })
            .collect(),
        _ => (0..40).map(|n| event("identify", &id(n), at(n), &json!({"user_id": long(number(n), 256)}))).collect(),
    }
}

/// A browser's fragment with these fillings.
fn stuffed(browser: usize, kinds: &[usize]) -> (FragmentId, Fragment) {
    let name = format!("browser-{browser}");
    let mut row = ProfileRow::new(ProfileId::parse(&name).unwrap(), NOW);
    for kind in kinds {
        receive(&mut row, &with(batch(&filling(*kind, browser)), "anonymous_id", name.as_str().into()), NOW);
    }
    (first(&name), row.fragments.remove(&first(&name)).unwrap_or_default())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 6, max_shrink_iters: 20, ..ProptestConfig::default() })]

    /// Whatever browsers send that is accepted, no row comes near the bound of the database.
    #[test]
    fn no_person_is_too_large(
        kinds in proptest::collection::vec(proptest::collection::vec(0_usize..7, 1..8), 1..24),
        apart_bytes in prop_oneof![Just(0_usize), Just(1), Just(32 * 1024)],
    ) {
        let rows = MemoryRows::default();
        for (number, kinds) in kinds.iter().enumerate() {
            let (name, fragment) = stuffed(number, kinds);
            let named = [name.clone()].into();
            let row = load(&rows, &person_id(), Wanted::Named(&named)).unwrap();
            let mut row = row.unwrap_or_else(|| ProfileRow::new(person_id(), NOW));
            let taken = row.absorb(&name, Fragment { assignment_version: 1, ..fragment });
            prop_assert!(taken);
            row.read_digests(&rows, None).unwrap();
            refresh(&mut row, &Snapshot::empty(), NOW);
            save(&rows, &row, apart_bytes).unwrap();
        }
        prop_assert!(rows.largest() <= ROW_BYTES * 5 / 8, "{} bytes", rows.largest());
        let row = load(&rows, &person_id(), Wanted::All).unwrap().unwrap();
        prop_assert_eq!(row.fragments.len(), kinds.len());
    }
}

#[test]
fn a_browser_has_less_room_the_more_there_are_and_counts_all_the_same() {
    assert!((1..2000).all(|count| budget(count + 1) <= budget(count)));
    assert_eq!((budget(1), budget(500), budget(5000)), (256 * 1024, 16_777, 8 * 1024));
    let (_, fragment) = stuffed(1, &[0, 1, 3, 5]);
    let small = fragment.compacted(budget(1000)).unwrap().unwrap();
    let bytes = |fragment: &Fragment| postcard::to_allocvec(fragment).unwrap().len();
    assert!(bytes(&small) < bytes(&fragment) / 3, "{} of {} bytes", bytes(&small), bytes(&fragment));
    assert_eq!(small.accepted, fragment.accepted);
    assert_eq!(small.messages, fragment.messages, "nothing is counted twice");
    let facts = |of: &Fragment| {
        let behaviour = &of.behaviour;
        (behaviour.orders, behaviour.sessions, behaviour.sum(None, |facts| facts.bought.into()), behaviour.last_seen)
    };
    assert_eq!(facts(&small), facts(&fragment));
    let orders = |fragment: Fragment| Person::fold(&[(first("b"), fragment)].into()).behaviour.orders;
    assert_eq!((small.orders.len(), orders(small)), (20, 200));
    assert_eq!(orders(fragment), 200);
    let (_, everyday) = stuffed(2, &[]);
    assert_eq!(everyday.compacted(budget(1000)).unwrap(), None);
}

#[test]
fn a_person_of_one_browser_is_one_row_and_one_who_is_alone_again_becomes_one() {
    let rows = MemoryRows::default();
    let mut row = ProfileRow::new(person_id(), NOW);
    for number in 0..6 {
        receive(&mut row, &sent(number, 0, number, 0), NOW);
    }
    save(&rows, &row, 1024 * 1024).unwrap();
    assert_eq!((rows.written(), rows.fragment_rows()), (1, 0), "small enough for one row");
    save(&rows, &row, 1).unwrap();
    assert_eq!((rows.written(), rows.fragment_rows()), (8, 6), "a row of each, and the head");
    let whole = load(&rows, &person_id(), Wanted::All).unwrap().unwrap();
    save(&rows, &whole, 1024 * 1024).unwrap();
    assert_eq!((rows.written(), rows.fragment_rows()), (15, 0));
    assert_eq!(load(&rows, &person_id(), Wanted::All).unwrap().unwrap(), row);
    save(&rows, &row, 1).unwrap();
    for number in 1..6 {
        let named = [first(&browser(number))].into();
        let mut row = load(&rows, &person_id(), Wanted::Named(&named)).unwrap().unwrap();
        let gone = [first(&browser(number))].into();
        row.erase(&gone);
        save(&rows, &row, 1).unwrap();
    }
    let own = load_for(&rows, &person_id(), &anonymous(BROWSER), None).unwrap().unwrap();
    assert_eq!((own.fragments.len(), own.unread().fragments), (1, 0));
    save(&rows, &own, 1).unwrap();
    assert_eq!(rows.fragment_rows(), 0, "one browser is one row");
}

#[test]
fn what_is_asked_for_is_read_and_nothing_else() {
    let rows = MemoryRows::default();
    let mut row = ProfileRow::new(person_id(), NOW);
    for number in 0..20 {
        receive(&mut row, &sent(number, 0, number, -(number as i64)), NOW);
    }
    row.push_decided(&first(&browser(7)), "message-7", "cart_left", NOW);
    save(&rows, &row, 1).unwrap();
    let read = |wanted: Wanted<'_>| load(&rows, &person_id(), wanted).unwrap().unwrap();
    let names = |row: &ProfileRow| row.fragments.keys().cloned().collect::<BTreeSet<_>>();
    assert_eq!(names(&read(Wanted::Mentioning("message-7"))), [first(&browser(7))].into());
    assert_eq!(names(&read(Wanted::OpenOf(&anonymous(&browser(3))))), [first(&browser(3))].into());
    assert_eq!(names(&read(Wanted::WithTails)), BTreeSet::new());
    let head = read(Wanted::Named(&BTreeSet::new()));
    assert_eq!((head.fragments.len(), head.unread().fragments), (0, 20));
    assert!(head.has_fragments() && !head.has_guests() && !head.has_ended(i64::MAX));
    assert_eq!(head.pushed_at("cart_left"), Some(NOW));
    let written = rows.written();
    save(&rows, &head, 1).unwrap();
    save(&rows, &read(Wanted::All), 1).unwrap();
    assert_eq!(rows.written(), written, "what did not change is not written");
    // A browser that another person used before adds to a fragment of another name.
    let (closed, open) = (first(&browser(5)), FragmentId::parse(&format!("{}~login", browser(5))).unwrap());
    row.fragments.get_mut(&closed).unwrap().successor = Some(open.clone());
    let begun = Fragment::begun(&anonymous(&browser(5)), NOW);
    row.fragments.insert(open.clone(), begun);
    save(&rows, &row, 1).unwrap();
    let asked = load_for(&rows, &person_id(), &anonymous(&browser(5)), None).unwrap().unwrap();
    let resolved = asked.resolve(&anonymous(&browser(5)), None).unwrap();
    assert_eq!(resolved, Resolution::Here(open));
    assert_eq!(resolved, row.resolve(&anonymous(&browser(5)), None).unwrap());
}

#[test]
fn an_order_of_which_only_the_number_is_kept_counts_once_whoever_told_of_it() {
    let told = |name: &str| {
        let orders: Vec<Value> =
            (0..250).map(|n| ordered(&format!("{name}-{n}"), NOW + n, &format!("o-{n}"), "boot")).collect();
        let mut row = ProfileRow::new(ProfileId::parse(name).unwrap(), NOW);
        receive(&mut row, &with(batch(&orders), "anonymous_id", name.into()), NOW);
        row.fragments.remove(&first(name)).unwrap()
    };
    let (browser, server) = (told("phone"), told("srv"));
    let of_server = FragmentId::parse("srv-0123456789abcdef").unwrap();
    let both = [(first("phone"), browser), (of_server, server)];
    let is_of_server = both[1].0.is_of_server();
    let count = Person::fold(&both.into()).behaviour.orders;
    assert_eq!(count, if is_of_server { 250 } else { 300 });
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, max_shrink_iters: 20, ..ProptestConfig::default() })]

    /// Five hundred browsers as large as they can be made fit into what moves to another shard at once.
    #[test]
    fn what_is_compacted_fits(kinds in proptest::collection::vec(0_usize..7, 1..12)) {
        let (name, fragment) = stuffed(1, &kinds);
        let small = fragment.compacted(budget(500)).unwrap().unwrap_or(fragment);
        let bytes = postcard::to_allocvec(&small).unwrap().len() + Digest::of(&small).pack(&name).unwrap().len();
        prop_assert!(bytes * 500 < 20 * 1024 * 1024, "{bytes} bytes each");
    }
}
