//! Stored forms: what was written once stays readable, and damage is an answer, never a crash.
//!
//! The files in `tests/fixtures/` were written by the version that they name and are never written again. After a change
//! of a format, keep the old file and its test, add a file of the new version:
//! `cargo test -p endcap-engine --test engine write_fixtures -- --ignored`, which writes only files that are missing.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use endcap_engine::journey::CART_LEFT;
use endcap_engine::shop::Snapshot;
use endcap_engine::visit::refresh;
use endcap_events::Trait;
use endcap_events::ingest::consent::ConsentSource;
use endcap_events::ingest::event::Reaction;
use endcap_identity::{Assignment, FragmentId, LinkStrength};
use endcap_profile::Signal;
use endcap_profile::apart::Unread;
use endcap_profile::digest::Digest;
use endcap_profile::fragment_rows::{FragmentRows, Wanted, save};
use endcap_profile::log_tail::{LogEntry, read_entries};
use endcap_profile::memory_rows::MemoryRows;
use endcap_profile::resolution::Resolution;
use endcap_profile::row::Away;
use endcap_profile::timers::{TimerKey, TimerKind};
use endcap_profile::{Fragment, ProfileRow, Reassigned};
use endcap_protocol::{Consent, DAY_MS, MessageId, ProfileId};
use endcap_push::{Outcome, Report};
use endcap_targeting::condition::Condition;
use endcap_targeting::{Behaviour, PageFacts, Program, Stage, Trigger, evaluate};
use endcap_validation::{DomainError, Trust};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::support::{
    NOW, added, anonymous, batch, claimed, event, first, in_session, ordered, page, person, proved, receive, said,
    users, viewed, with,
};

fn fixture(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(name)
}

fn read(name: &str) -> Vec<u8> {
    std::fs::read(fixture(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// A profile with something in every field.
fn full_row() -> ProfileRow {
    let mut row = ProfileRow::new(ProfileId::parse("phone-1").unwrap(), NOW);
    let slot = json!({"name": "Slot Clicked", "properties": {"slot": "home", "product_id": "clog"}});
    let shown = json!({"name": "Campaign Shown", "properties": {"campaign_id": "nudge"}});
    let phone = [
        page("p1", NOW, "https://shop.example/c/shoes?utm_source=mail&utm_campaign=spring&gclid=abc"),
        viewed("p2", NOW + 1000, "boot", "shoes"),
        viewed("p3", NOW + 2000, "clog", "shoes"),
        event("impression", "p4", NOW + 3000, &shown),
        event("impression", "p5", NOW + 4000, &slot),
        added("p6", NOW + 5000, "clog", "shoes"),
        ordered("p7", NOW + 6000, "order-1", "clog"),
        proved("p8", NOW + 7000, "ann", &json!({"city": "Zürich", "size": 38.5, "vip": true})),
    ];
    let laptop = [
        in_session(page("l1", NOW + DAY_MS, "https://shop.example/"), "s9"),
        in_session(claimed("l2", NOW + DAY_MS + 1, "bob", &json!({})), "s9"),
        in_session(added("l3", NOW + DAY_MS + 2, "cape", "coats"), "s9"),
    ];
    let of = |name: &str, device: &str, events: &[Value]| {
        with(with(batch(events), "anonymous_id", json!(name)), "device_id", json!(device))
    };
    let banner = with(of("phone-1", "device-1", &phone), "consent_source", json!("banner"));
    receive(&mut row, &with(banner, "sent_at", json!(NOW + 7000)), NOW + 7000);
    receive(&mut row, &of("laptop-1", "device-2", &laptop), NOW + DAY_MS + 2);
    let assignment = Assignment { profile: row.id.clone(), link_strength: LinkStrength::Proved, version: 2 };
    row.reassign(&first("phone-1"), &assignment);
    row.reassign(&first("laptop-1"), &assignment);
    row.moved.insert(first("tablet-1"), Away { to: ProfileId::parse("tablet-1~x").unwrap(), version: 5 });
    let login = in_session(proved("l4", NOW + DAY_MS + 3, "carol", &json!({})), "s9");
    receive(&mut row, &of("laptop-1", "device-2", &[login]), NOW + DAY_MS + 3);
    row.set_subscriptions(&first("laptop-1"), 1, true, NOW + DAY_MS + 3);
    refresh(&mut row, &Snapshot::empty(), NOW + DAY_MS + 3);
    row.push_decided(&first("laptop-1"), "push-1", CART_LEFT, NOW + DAY_MS + 1_800_002);
    row.push_answered("push-1", Outcome::Retry { after_ms: 30_000 }, NOW + DAY_MS + 1_800_100);
    row.push_answered("push-1", Outcome::Sent, NOW + DAY_MS + 1_830_100);
    row.push_reported("push-1", Report::Shown, NOW + DAY_MS + 1_830_200);
    row.push_reported("push-1", Report::Clicked, NOW + DAY_MS + 1_830_300);
    refresh(&mut row, &Snapshot::empty(), NOW + 40 * DAY_MS);
    // The version that wrote the fixtures left a timer where it was that should have run ten days ago; this one arms the next.
    row.timers.disarm(&TimerKey::STAGE);
    row.timers.arm(TimerKey::STAGE, NOW + 6000 + 30 * DAY_MS + 1, NOW);
    row
}

/// The same as earlier versions left it, which joined browsers by claims.
fn row_with_guest() -> ProfileRow {
    let mut row = full_row();
    row.fragments.get_mut("laptop-1").unwrap().link_strength = LinkStrength::Claimed;
    row
}

/// Rules with every kind of part.
fn full_program() -> Program {
    let leaf = |fact: &str, op: &str, value: i64| json!({"fact": fact, "op": op, "value": value});
    let campaign = json!({
        "condition": {"all": [
            {"fact": "stage", "in": ["prospect", "new", "deep"]},
            {"some_category": {"all": [
                {"fact": "products_viewed", "category": "$", "op": ">=", "value": 2},
                {"fact": "units_bought", "category": "$", "op": "=", "value": 2}]}},
            {"any": [leaf("orders", "<", 0), leaf("cart_value", "<=", 1_000_000), leaf("sessions", "!=", 1)]},
            {"not": {"fact": "url_path", "matches": "/checkout*"}},
            {"fact": "units_added", "category": "shoes", "op": ">", "value": -1}]},
        "trigger": {"scroll_percent": 60},
        "frequency": {"per_session": 1, "per_days": {"count": 2, "days": 7}},
        "pages": {"include": ["/", "/c/*"], "exclude": ["/c/sale*"]},
    });
    endcap_targeting::compile::compile(&campaign).unwrap().program
}

/// What only rows of format 4 can wait for.
fn journey_step() -> TimerKey {
    TimerKey { kind: TimerKind::Journey, which: "welcome".to_owned(), step: 2 }
}

/// A row with events that wait for the log.
fn row_with_tails() -> ProfileRow {
    let mut row = row_with_guest();
    let entry = |received_at, events| LogEntry {
        received_at,
        events,
        times: Vec::new(),
        signals: vec![Signal::OrderGap(received_at)],
    };
    row.log(&first("phone-1"), &entry(NOW, vec!["{\"a\":1}", "{\"b\":2}"])).unwrap();
    row.log(&first("laptop-1"), &entry(NOW + 1, vec!["{}"])).unwrap();
    row.log(&first("phone-1"), &entry(NOW + 2, vec!["{\"c\":3}"])).unwrap();
    row
}

/// A person of so many browsers that some are at rest, as the rows lie.
fn rows_apart() -> MemoryRows {
    let mut row = row_with_tails();
    for number in 0..6 {
        let seen = [viewed(&format!("a{number}"), NOW - number * 1000, "boot", "shoes")];
        receive(&mut row, &with(batch(&seen), "anonymous_id", format!("tablet-{number}").into()), NOW);
    }
    let rows = MemoryRows::default();
    save(&rows, &row, 1).unwrap();
    rows
}

/// The files, each with the form that this version writes.
fn fixtures() -> [(&'static str, Vec<u8>); 7] {
    let apart = rows_apart();
    let phone = ProfileId::parse("phone-1").unwrap();
    let digests = apart.digests(&phone).unwrap();

    let mut with_keys = row_with_guest();
    with_keys.timers.arm(journey_step(), NOW + 5, NOW);
    [
        ("profile-row-v6.bin", apart.row(&phone).unwrap().unwrap()),
        (
            "digest-v1.bin",
            digests.into_iter().find(|bytes| Digest::unpack(bytes).unwrap().0 == first("phone-1")).unwrap(),
        ),
        ("profile-row-v5.bin", row_with_tails().pack().unwrap()),
        ("profile-row-v4.bin", with_keys.pack().unwrap()),
        ("profile-row-v3.bin", row_with_guest().pack().unwrap()),
        ("behaviour-v1.bin", person(&full_row()).behaviour.encode()),
        ("program-v1.bin", full_program().encode()),
    ]
}

#[test]
#[ignore = "writes the fixtures that are missing; run it after a new format was added"]
fn write_fixtures() {
    for (name, bytes) in fixtures().into_iter().filter(|(name, _)| !fixture(name).exists()) {
        std::fs::create_dir_all(fixture("")).unwrap();
        std::fs::write(fixture(name), bytes).unwrap();
    }
}

#[test]
fn this_version_writes_the_format_that_its_fixtures_show() {
    for (name, bytes) in fixtures() {
        assert!(bytes == read(name), "the form of {name} changed: that is a new format, with a version of its own");
    }
}

#[test]
fn a_browser_that_an_earlier_version_joined_by_a_claim_counts_for_nothing_and_has_to_go_home() {
    for name in ["profile-row-v3.bin", "profile-row-v4.bin"] {
        let row = ProfileRow::unpack(&read(name)).unwrap();
        assert_eq!(row.joined_by_claim(20), [first("laptop-1")], "{name}");
        let mut without = row.clone();
        without.fragments.remove("laptop-1");
        assert_eq!(person(&row), person(&without), "{name}");
        assert_ne!(person(&row), person(&full_row()), "{name}");
    }
}

#[test]
fn a_row_of_format_1_is_read() {
    let row = ProfileRow::unpack(&read("profile-row-v1.bin")).unwrap();
    assert_eq!((row.id.as_str(), row.subscriptions), ("phone-1", 1));
    assert_eq!(row.fragments.keys().map(|id| id.as_str()).collect::<Vec<_>>(), ["laptop-1", "phone-1"]);
    assert_eq!(row.moved["tablet-1"], Away { to: ProfileId::parse("tablet-1~x").unwrap(), version: 0 });
    assert_eq!((users(&row, Trust::Fact), users(&row, Trust::Claim)), (vec!["ann"], vec![]));
    let stages: Vec<_> = row.stages.entries().map(|entry| (entry.stage, entry.since)).collect();
    let bought = NOW + 6000;
    // Linked and folded a day later; asleep after thirty days.
    let expected = [(Stage::Prospect, NOW), (Stage::New, NOW + DAY_MS + 3), (Stage::Sleep, bought + 30 * DAY_MS + 1)];
    assert_eq!(stages, expected);
    assert_eq!(row.timers.due(&TimerKey::CART_LEFT), Some(NOW + DAY_MS + 2 + 1_800_000));
    assert_eq!(row.timers.due(&TimerKey::STAGE), Some(bought + 30 * DAY_MS + 1));
    let push = row.pushes().next().unwrap();
    assert_eq!(
        (push.message_id.as_str(), push.campaign.as_str(), push.outcome),
        ("push-1", "cart_left", Some(Outcome::Sent))
    );
    let sent = NOW + DAY_MS + 1_830_100;
    assert_eq!(
        (push.answered_at, push.shown_at, push.clicked_at, push.closed_at),
        (Some(sent), Some(sent + 100), Some(sent + 200), None)
    );
}

#[test]
fn a_fragment_of_format_1_is_read() {
    let row = ProfileRow::unpack(&read("profile-row-v1.bin")).unwrap();
    let phone = &row.fragments["phone-1"];
    assert_eq!(phone.device_id.as_ref().map(|id| id.as_str()), Some("device-1"));
    assert_eq!((phone.accepted, phone.consent_at, phone.consent_said_at), (8, Some(NOW + 7000), Some(NOW + 7000)));
    assert_eq!(phone.behaviour.consent, Consent::GRANTED);
    assert_eq!(phone.traits["city"], (NOW + 7000, Trait::Text("Zürich".to_owned())));
    assert_eq!(phone.traits["size"].1, Trait::Number(38.5));
    assert_eq!(phone.traits["vip"].1, Trait::Flag(true));
    let order = &phone.orders[0];
    assert_eq!(
        (order.order_id.as_str(), order.revenue_minor, order.currency.as_str(), order.units),
        ("order-1", 2000, "EUR", 2)
    );
    let touch = phone.touches.first.as_ref().unwrap();
    assert_eq!(touch.utm, [("source".to_owned(), "mail".to_owned()), ("name".to_owned(), "spring".to_owned())]);
    assert_eq!(touch.click_ids, [("gclid".to_owned(), "abc".to_owned())]);
    let impressions: Vec<_> = phone
        .impressions
        .iter()
        .map(|one| (one.campaign_id.as_str(), one.slot.as_str(), one.product_id.as_str(), one.reaction))
        .collect();
    assert_eq!(impressions, [("nudge", "", "", Reaction::Shown), ("", "home", "clog", Reaction::Clicked)]);
    assert_eq!(phone.visit_context.items(), ["clog", "boot"]);
    assert_eq!((phone.events.len(), phone.events[0].name.as_str()), (8, "Page Viewed"));
    let named = phone.user.as_ref().unwrap();
    assert_eq!((named.user_id.as_str(), named.trust, named.at), ("ann", Trust::Fact, NOW + 7000));
    assert_eq!((phone.link_strength, phone.assignment_version, phone.since), (LinkStrength::Proved, 0, NOW));
    assert_eq!(phone.browser.as_ref().map(|browser| browser.as_str()), Some("phone-1"));
    let laptop = &row.fragments["laptop-1"];
    assert_eq!(
        (laptop.claims[0].user_id.as_str(), &laptop.user, laptop.link_strength),
        ("bob", &None, LinkStrength::Own)
    );
    assert!([phone, laptop].iter().all(|fragment| fragment.said.is_empty() && fragment.successor.is_none()));
}

#[test]
fn a_row_of_format_1_goes_on_living() {
    let mut row = ProfileRow::unpack(&read("profile-row-v1.bin")).unwrap();
    let again = with(
        batch(&[viewed("p2", NOW + 1000, "boot", "shoes"), viewed("new", NOW + DAY_MS, "pump", "shoes")]),
        "anonymous_id",
        json!("phone-1"),
    );
    let visit = receive(&mut row, &again, NOW + DAY_MS);
    assert_eq!((visit.accepted, visit.duplicate), (vec!["new".to_owned()], vec!["p2".to_owned()]));
    let late = with(batch(&[page("p9", NOW + 7500, "")]), "anonymous_id", json!("phone-1"));
    receive(&mut row, &late, NOW + DAY_MS);
    assert_eq!(row.fragments["phone-1"].behaviour.sessions, 1, "its session is known");
    // Whom it is proved to be is told to the graph with the next login, and another's login begins a fragment.
    let login = |id: &str, name: &str| {
        with(batch(&[proved(id, NOW + DAY_MS, name, &json!({}))]), "anonymous_id", json!("phone-1"))
    };
    let hers = receive(&mut row, &login("again", "ann"), NOW + DAY_MS);
    assert_eq!((said(&hers), hers.succession), (vec![("user_id:ann".to_owned(), Trust::Fact)], None));
    let his = receive(&mut row, &login("his", "bob"), NOW + DAY_MS);
    assert_eq!(his.succession.map(|(next, _)| next.as_str().to_owned()).as_deref(), Some("phone-1~his"));
    // The first word of the graph, whatever it is, counts more than where an earlier version put it.
    let home =
        Assignment { profile: ProfileId::parse("elsewhere").unwrap(), link_strength: LinkStrength::Proved, version: 1 };
    assert!(matches!(row.reassign(&first("laptop-1"), &home), Reassigned::Leaves(_)));
    assert!(ProfileRow::unpack(&row.pack().unwrap()).is_ok_and(|read| read == row));
}

#[test]
fn a_row_of_format_2_is_read_with_the_history_of_consent() {
    let row = ProfileRow::unpack(&read("profile-row-v2.bin")).unwrap();
    let phone = &row.fragments["phone-1"];
    let consents: Vec<_> = phone.consents.iter().map(|one| (one.at, one.consent(), one.source)).collect();
    assert_eq!(consents, [(NOW + 7000, Consent::GRANTED, ConsentSource::Banner)]);
    let direct = &row.fragments["laptop-1"].touches.latest;
    assert_eq!((direct.len(), direct[0].at, direct[0].is_direct()), (1, NOW + DAY_MS, true));
    let older = ProfileRow::unpack(&read("profile-row-v1.bin")).unwrap();
    assert!(older.fragments.values().all(|fragment| fragment.consents.is_empty()));
    assert_eq!(older.fragments["phone-1"].messages, phone.messages);
    assert_eq!(users(&row, Trust::Fact), ["ann"]);
    assert_eq!(row.moved["tablet-1"], Away { to: ProfileId::parse("tablet-1~x").unwrap(), version: 0 });
    assert_eq!(row.pushes().count(), 1);
    assert_eq!((phone.link_strength, phone.since), (LinkStrength::Proved, NOW));
}

#[test]
fn a_row_of_format_3_is_read_with_whose_its_fragments_are() {
    let row = ProfileRow::unpack(&read("profile-row-v3.bin")).unwrap();
    let (phone, laptop) = (&row.fragments["phone-1"], &row.fragments["laptop-1"]);
    let named = |fragment: &Fragment| {
        fragment.user.as_ref().map(|named| (named.user_id.as_str().to_owned(), named.trust, named.at))
    };
    assert_eq!(named(phone), Some(("ann".to_owned(), Trust::Fact, NOW + 7000)));
    assert_eq!(named(laptop), Some(("bob".to_owned(), Trust::Claim, NOW + DAY_MS + 1)));
    assert_eq!((phone.link_strength, phone.assignment_version, phone.since), (LinkStrength::Proved, 2, NOW + 7000));
    assert_eq!((laptop.link_strength, laptop.assignment_version), (LinkStrength::Claimed, 2));
    assert_eq!((&phone.successor, laptop.successor.as_ref().map(|next| next.as_str())), (&None, Some("laptop-1~l4")));
    let said = &phone.said[0];
    assert_eq!((said.identifier.to_string(), said.trust), ("user_id:ann".to_owned(), Trust::Fact));
    assert_eq!((said.witness.message_id.as_str(), said.witness.source.as_str()), ("p8", "shop"));
    assert_eq!(laptop.browser.as_ref().map(|browser| browser.as_str()), Some("laptop-1"));
    assert_eq!(laptop.pushes[0].outcome, Some(Outcome::Sent));
    assert_eq!(row.moved["tablet-1"], Away { to: ProfileId::parse("tablet-1~x").unwrap(), version: 5 });
    // Everything else is as it was in format 2.
    let older = ProfileRow::unpack(&read("profile-row-v2.bin")).unwrap();
    assert_eq!(older.fragments["phone-1"].behaviour, phone.behaviour);
    assert_eq!(older.fragments["phone-1"].messages, phone.messages);
    assert_eq!(older.fragments["phone-1"].traits, phone.traits);
}

/// A row of format 2 with these fragments, of which nothing is known, pointers, and users proved for fragments.
fn of_format_2(id: &str, fragments: &[&str], moved: &[(&str, &str)], users: &[(&str, &str)]) -> Vec<u8> {
    let texts = |pairs: &[(&str, &str)]| -> Vec<(String, String)> {
        pairs.iter().map(|(one, other)| ((*one).to_owned(), (*other).to_owned())).collect()
    };
    let row = ProfileRow::new(ProfileId::parse(id).unwrap(), NOW);
    let mut bytes = vec![2];
    let mut put = |part: Vec<u8>| bytes.extend(part);
    put(postcard::to_allocvec(id).unwrap());
    put(postcard::to_allocvec(&(fragments.len() as u64)).unwrap());
    for name in fragments {
        put(postcard::to_allocvec(name).unwrap());
        let held = Fragment::default();
        // The fields of format 2, in their order.
        put(postcard::to_allocvec(&held.device_id).unwrap());
        put(postcard::to_allocvec(held.behaviour.encode().as_slice()).unwrap());
        put(postcard::to_allocvec(&(held.consent_at, held.consent_said_at, &held.zone)).unwrap());
        put(postcard::to_allocvec(&(&held.sessions, &held.touches, &held.traits, &held.claims)).unwrap());
        put(postcard::to_allocvec(&(&held.orders, &held.impressions, &held.events, held.accepted)).unwrap());
        put(postcard::to_allocvec(&(&held.visit_context, &held.messages, &held.consents)).unwrap());
    }
    put(postcard::to_allocvec(&texts(moved).into_iter().collect::<BTreeMap<_, _>>()).unwrap());
    let links: Vec<(String, String, i64)> =
        texts(users).into_iter().map(|(user, browser)| (user, browser, NOW)).collect();
    put(postcard::to_allocvec(&links).unwrap());
    put(postcard::to_allocvec(&(&row.stages, (None::<i64>, None::<i64>), Vec::<u8>::new(), row.subscriptions)).unwrap());
    bytes
}

#[test]
fn a_handover_of_format_2_is_a_successor() {
    // Ann's browser was handed over to Bob: her row says where his events go, and his kept them under the browser's name.
    let hers = of_format_2("shared", &["shared"], &[("shared", "shared~login")], &[("ann", "shared")]);
    let his = of_format_2("shared~login", &["shared"], &[], &[("bob", "shared")]);
    let (hers, his) = (ProfileRow::unpack(&hers).unwrap(), ProfileRow::unpack(&his).unwrap());
    let browser = anonymous("shared");
    let begun = FragmentId::first(&browser).next(&MessageId::parse("login").unwrap());
    let to = |profile, passed| Resolution::Next { profile, fragment: begun.clone(), passed };
    assert!(hers.moved.is_empty());
    assert_eq!(hers.resolve(&browser, None), Ok(to(begun.home().unwrap(), FragmentId::first(&browser))));
    assert_eq!(his.resolve(&browser, Some(&begun)), Ok(Resolution::Here(begun.clone())));
    assert_eq!(his.resolve(&browser, None), Ok(Resolution::Here(begun.clone())));
    assert_eq!(users(&his, Trust::Fact), ["bob"]);
    // His was linked on to another profile.
    let left = of_format_2("shared~login", &[], &[("shared", "bobs")], &[]);
    let left = ProfileRow::unpack(&left).unwrap();
    assert_eq!(left.resolve(&browser, Some(&begun)), Ok(to(ProfileId::parse("bobs").unwrap(), begun.clone())));
}

#[test]
fn behaviour_of_version_1_is_read() {
    let behaviour = Behaviour::decode(&read("behaviour-v1.bin")).unwrap();
    assert_eq!((behaviour.first_seen, behaviour.last_seen), (NOW, NOW + DAY_MS + 3));
    assert_eq!(
        (behaviour.session.as_str(), behaviour.sessions, behaviour.page_views, behaviour.orders),
        ("s9", 2, 1, 1)
    );
    assert_eq!((behaviour.last_order, behaviour.stage), (Some(NOW + 6000), Stage::New));
    assert_eq!((behaviour.consent, behaviour.push_subscribed), (Consent::GRANTED, true));
    let shoes = behaviour.categories.get("shoes").unwrap();
    assert_eq!((shoes.viewed.len(), shoes.added, shoes.bought, shoes.last_at), (2, 1, 2, NOW + 6000));
    let line = &behaviour.cart.lines[0];
    assert_eq!((line.product.as_str(), line.category.as_str(), line.quantity, line.price), ("cape", "coats", 1, 1000));
    assert_eq!(
        (behaviour.cart.changed_at, behaviour.recent.as_slice()),
        (NOW + DAY_MS + 2, &["clog".to_owned(), "boot".to_owned()][..])
    );
    let once = endcap_targeting::Frequency { per_session: None, per_days: Some((1, 7)) };
    assert!(!behaviour.seen.allows(&once, "nudge", "s9", NOW + DAY_MS));
}

#[test]
fn a_program_of_version_1_is_read_and_means_the_same() {
    let program = Program::decode(&read("program-v1.bin")).unwrap();
    assert_eq!(program.trigger, Trigger::Scroll(60));
    assert_eq!((program.frequency.per_session, program.frequency.per_days), (Some(1), Some((2, 7))));
    assert_eq!((program.include.len(), program.exclude.as_slice()), (2, &["/c/sale*".to_owned()][..]));
    let Condition::All(parts) = &program.condition else { panic!("{:?}", program.condition) };
    assert_eq!(parts.len(), 5);
    let behaviour = Behaviour::decode(&read("behaviour-v1.bin")).unwrap();
    let verdict = |path: &str| evaluate::evaluate(&program.condition, &behaviour, &PageFacts { path, now: NOW });
    assert!(verdict("/c/shoes").holds);
    assert_eq!(verdict("/c/shoes").category.as_deref(), Some("shoes"));
    assert!(!verdict("/checkout").holds);
}

#[test]
fn other_formats_are_named() {
    let cases =
        [(vec![], 0), (vec![0], 0), (vec![4], 4), (vec![255, 1, 2], 255), (vec![1], 1), (vec![2], 2), (vec![3], 3)];
    for (bytes, format) in cases {
        assert_eq!(ProfileRow::unpack(&bytes), Err(DomainError::Format { what: "profile", format }), "{bytes:?}");
    }
    let newer = |name: &str| [vec![4], read(name).split_off(1)].concat();
    assert!(ProfileRow::unpack(&newer("profile-row-v3.bin")).is_err());
    assert!(Behaviour::decode(&newer("behaviour-v1.bin")).is_err());
    assert!(Program::decode(&newer("program-v1.bin")).is_err());
}

#[test]
fn a_form_cut_short_is_refused() {
    let (behaviour, program) = (read("behaviour-v1.bin"), read("program-v1.bin"));
    let digest = read("digest-v1.bin");
    assert!((0..digest.len()).all(|end| Digest::unpack(&digest[..end]).is_err()));
    let numbers = [1, 2, 3, 5, 6];
    for row in numbers.map(|number| read(&format!("profile-row-v{number}.bin"))) {
        for end in 0..row.len() {
            assert!(matches!(ProfileRow::unpack(&row[..end]), Err(DomainError::Format { .. })), "{end} bytes");
        }
    }
    assert!((0..behaviour.len()).all(|end| Behaviour::decode(&behaviour[..end]).is_err()));
    assert!((0..program.len()).all(|end| Program::decode(&program[..end]).is_err()));
}

/// The bytes with some of them changed.
fn damaged(name: &'static str) -> impl Strategy<Value = Vec<u8>> {
    let change = (any::<prop::sample::Index>(), any::<u8>());
    proptest::collection::vec(change, 1..6).prop_map(move |changes| {
        let mut bytes = read(name);
        for (at, value) in changes {
            let at = at.index(bytes.len());
            bytes[at] = value;
        }
        bytes
    })
}

proptest! {
    #[test]
    fn damage_is_an_answer(
        bytes in prop_oneof![damaged("profile-row-v1.bin"), damaged("profile-row-v2.bin"), damaged("profile-row-v3.bin"),
            damaged("profile-row-v5.bin"), damaged("profile-row-v6.bin")],
    ) {
        match ProfileRow::unpack(&bytes) {
            Err(error) => prop_assert_eq!(error.code(), "unreadable_row"),
            // What can be read can be used, and written again.
            Ok(mut row) => {
                let written = row.pack().unwrap();
                prop_assert!(ProfileRow::unpack(&written).is_ok());
                refresh(&mut row, &Snapshot::empty(), NOW);
                receive(&mut row, &batch(&[added("m", NOW, "boot", "shoes"), ordered("o", NOW, "o", "boot")]), NOW);
            }
        }
    }

    #[test]
    fn damaged_rules_and_behaviour_are_an_answer(rules in damaged("program-v1.bin"), state in damaged("behaviour-v1.bin")) {
        if let (Ok(program), Ok(behaviour)) = (Program::decode(&rules), Behaviour::decode(&state)) {
            let page = PageFacts { path: "/c/shoes", now: NOW };
            let verdict = evaluate::evaluate(&program.condition, &behaviour, &page);
            prop_assert!(verdict.holds || verdict.category.is_none());
            prop_assert_eq!(Program::decode(&program.encode()), Ok(program.clone()));
            let _ = behaviour.seen.allows(&program.frequency, "nudge", "s9", NOW);
        }
    }

    #[test]
    fn any_bytes_are_an_answer(bytes in proptest::collection::vec(any::<u8>(), 0..300), format in 0_u8..6) {
        let _ = postcard::from_bytes::<Fragment>(&bytes);
        let _ = ProfileRow::unpack(&[vec![format], bytes].concat());
    }
}

#[test]
fn a_row_is_written_in_format_3_as_long_as_that_says_all_of_it() {
    let mut row = ProfileRow::unpack(&read("profile-row-v3.bin")).unwrap();
    assert_eq!(row.pack().unwrap(), read("profile-row-v3.bin"), "the version before reads it");
    let key = journey_step();
    row.timers.arm(key.clone(), NOW, NOW);
    let packed = row.pack().unwrap();
    assert_eq!(packed[0], 4);
    let read = ProfileRow::unpack(&packed).unwrap();
    assert_eq!(read.timers.due(&key), Some(NOW));
    assert_eq!(read, row);
    row.timers.disarm(&key);
    assert_eq!(row.pack().unwrap()[0], 3);
}

#[test]
fn a_head_says_of_the_fragments_what_a_batch_needs_and_leaves_the_rest_to_their_rows() {
    let head = read("profile-row-v6.bin");
    assert!(ProfileRow::is_head(&head) && !ProfileRow::is_head(&read("profile-row-v5.bin")));
    let row = ProfileRow::unpack(&head).unwrap();
    assert_eq!((row.fragments.len(), row.unread()), (0, Unread { fragments: 8, moved: 1, others: 0 }));
    assert_eq!(row.pack().unwrap(), head);
    let (named, digest) = Digest::unpack(&read("digest-v1.bin")).unwrap();
    assert_eq!(named, first("phone-1"));
    assert_eq!(digest, Digest::of(&row_with_tails().fragments[&first("phone-1")]));
    // What lies apart is in the form of rows, which earlier versions read as well.
    let rows = rows_apart().fragments(&row.id, Wanted::All).unwrap();
    let formats: BTreeSet<u8> = rows.iter().map(|(_, data)| data[0]).collect();
    assert_eq!(formats, [3, 5].into());
    // A head behind a head is damage, and so are tails before one.
    let inner = ProfileRow::new(row.id.clone(), 0).pack().unwrap();
    let before = head.len() - inner.len();
    for (outer, row) in [(&head[..before], &head[..]), (&[5, 0][..], &head[..])] {
        assert!(ProfileRow::unpack(&[outer, row].concat()).is_err());
    }
}

#[test]
fn events_that_wait_for_the_log_stand_before_the_row_and_leave_it_as_it_was() {
    let row = ProfileRow::unpack(&read("profile-row-v5.bin")).unwrap();
    assert_eq!(row, row_with_tails());
    let tail = &row.tails[&first("phone-1")];
    assert_eq!((tail.since, tail.last), (NOW, NOW + 2));
    let stored = read_entries(&tail.entries).unwrap();
    let entries: Vec<_> = stored.iter().map(|entry| entry.read().unwrap()).collect();
    let texts: Vec<_> = entries.iter().flat_map(|entry| entry.events.iter().copied()).collect();
    assert_eq!(texts, ["{\"a\":1}", "{\"b\":2}", "{\"c\":3}"]);
    assert_eq!(entries[1].signals, [Signal::OrderGap(NOW + 2)]);
    assert!(ProfileRow::has_tails(&read("profile-row-v5.bin")) && !ProfileRow::has_tails(&read("profile-row-v3.bin")));
    // Once they left, the version before reads the row.
    let mut without = row.clone();
    without.tails.clear();
    assert_eq!(without.pack().unwrap(), read("profile-row-v3.bin"));
    // A row behind a row is damage.
    let twice = [&read("profile-row-v5.bin")[..], &[]].concat();
    let inner = twice.len() - read("profile-row-v3.bin").len();
    assert!(ProfileRow::unpack(&[&twice[..inner], &twice[..]].concat()).is_err());
}

#[test]
fn tails_leave_once_they_are_too_long_or_wait_too_long() {
    let mut row = row_with_tails();
    let bytes: usize = row.tails.values().map(|tail| tail.entries.len()).sum();
    assert!(!row.tails_are_full(bytes, 1000, NOW + 999) && row.tails_are_full(bytes - 1, 1000, NOW));
    assert!(row.tails_are_full(bytes, 1000, NOW + 1000), "the first of them counts");
    row.erase(&[first("phone-1")].into());
    assert_eq!(row.tails.keys().collect::<Vec<_>>(), [&first("laptop-1")], "what is erased waits no longer");
}

#[test]
fn a_row_of_format_4_is_read_with_timers_by_key() {
    let row = ProfileRow::unpack(&read("profile-row-v4.bin")).unwrap();
    let older = ProfileRow::unpack(&read("profile-row-v3.bin")).unwrap();
    let key = journey_step();
    assert_eq!(row.timers.due(&key), Some(NOW + 5));
    assert_eq!(row.timers.due(&TimerKey::STAGE), older.timers.due(&TimerKey::STAGE));
    assert_eq!(row.fragments, older.fragments);
}
