//! Batches to profiles: what is counted, how often, and what time does to it.

use std::collections::{BTreeMap, BTreeSet};

use endcap_engine::batch_reply::BatchReply;
use endcap_engine::visit::{Visit, apply};
use endcap_events::Trait;
use endcap_events::ingest::rejection::{RejectCode, Rejection};
use endcap_events::ingest::{HANDOVERS, Signals, WarningCode, ingest_from};
use endcap_identity::{Assignment, FragmentId, IdentityRules, LinkStrength};
use endcap_profile::evidence_policy::EvidencePolicy;
use endcap_profile::resolution::Resolution;
use endcap_profile::timers::{TimerKey, TimerMove};
use endcap_profile::{Person, ProfileRow, Reassigned};
use endcap_protocol::{DAY_MS, ProfileId, UnixMillis};
use endcap_targeting::Stage;
use endcap_validation::Trust;
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::support::{
    BROWSER, NOW, SECRET, added, after, anonymous, applied, batch, claimed, event, first, fragment, in_session,
    ingested, ordered, page, person, proved, receive, receive_with_proof_only, said, settled, shop, stranger, track,
    users, viewed, with,
};

const HOUR: UnixMillis = 3_600_000;

#[test]
fn a_message_is_applied_once_however_often_it_comes() {
    let mut row = stranger();
    let events = [viewed("a", NOW, "boot", "shoes"), added("b", NOW, "boot", "shoes"), ordered("c", NOW, "o1", "boot")];
    assert_eq!(receive(&mut row, &batch(&events), NOW).accepted, ["a", "b", "c"]);
    let first = row.clone();
    for later in [0, 1, HOUR, 6 * DAY_MS] {
        let visit = receive(&mut row, &batch(&events), NOW + later);
        assert_eq!((visit.accepted.len(), visit.duplicate.len(), visit.signals.len()), (0, 3, 0));
        assert_eq!(row, first, "{later} ms later");
    }
}

#[test]
fn a_message_that_stands_twice_in_a_batch_is_applied_once() {
    let mut row = stranger();
    let visit = receive(&mut row, &batch(&[added("a", NOW, "boot", "shoes"), added("a", NOW, "boot", "shoes")]), NOW);
    assert_eq!((visit.accepted, visit.duplicate), (vec!["a".to_owned()], vec!["a".to_owned()]));
    assert_eq!(person(&row).behaviour.cart.units(), 1);
}

#[test]
fn an_order_number_counts_once() {
    let row = after(&[
        ordered("a", NOW - 3, "o1", "boot"),
        added("b", NOW - 2, "clog", "shoes"),
        // The thank-you page again, as a message of its own.
        ordered("c", NOW - 1, "o1", "boot"),
    ]);
    let person = person(&row);
    assert_eq!((person.orders.len(), person.behaviour.orders, person.revenue()["EUR"]), (1, 1, 2000));
    assert_eq!(person.behaviour.categories.get("shoes").map(|facts| facts.bought), Some(2));
    assert_eq!(person.behaviour.cart.units(), 1, "what was added after the order is still in the cart");
}

#[test]
fn sessions_and_their_pages_are_counted() {
    let pages = |row: &ProfileRow| {
        let behaviour = &fragment(row).behaviour;
        (behaviour.session.clone(), behaviour.sessions, behaviour.page_views)
    };
    let mut row = after(&[page("a", NOW, ""), page("b", NOW + 1, "")]);
    assert_eq!(pages(&row), ("s1".to_owned(), 1, 2));
    let later = NOW + HOUR;
    receive(&mut row, &batch(&[in_session(page("c", later, ""), "s2")]), later);
    assert_eq!(pages(&row), ("s2".to_owned(), 2, 1));
    // A page of the first session comes late, as from a tab that was closed offline.
    receive(&mut row, &batch(&[page("d", NOW + 2, "")]), later + 1);
    assert_eq!(pages(&row), ("s2".to_owned(), 2, 1), "the current session goes on");
    // So does a whole session that nobody had heard of.
    receive(&mut row, &batch(&[in_session(page("e", NOW - HOUR, ""), "s0")]), later + 2);
    assert_eq!(pages(&row), ("s2".to_owned(), 3, 1), "it is counted, and is not the current one");
    receive(&mut row, &batch(&[in_session(page("f", later + 3, ""), "s2")]), later + 3);
    assert_eq!(pages(&row), ("s2".to_owned(), 3, 2));
}

#[test]
fn an_event_without_session_belongs_to_the_current_one() {
    let mut lone = page("b", NOW, "");
    lone["session_id"] = json!(null);
    let row = after(&[page("a", NOW, ""), lone]);
    assert_eq!((fragment(&row).behaviour.sessions, fragment(&row).behaviour.page_views), (1, 2));
}

#[test]
fn the_first_and_the_last_touch_are_kept() {
    let landing = |id: &str, at, query: &str| page(id, at, &format!("https://shop.example/?{query}"));
    let row = after(&[
        landing("a", NOW - 9, "utm_source=mail&utm_medium=email&utm_campaign=spring"),
        landing("b", NOW - 8, "utm_source=mail&utm_medium=email&utm_campaign=spring"),
        page("c", NOW - 7, "https://shop.example/c/shoes"),
        in_session(landing("d", NOW - 6, "gclid=xyz"), "s2"),
    ]);
    let touches = person(&row).touches;
    let (first, last) = (touches.first.unwrap(), touches.latest.last().unwrap().clone());
    let utm: BTreeMap<_, _> = first.utm.into_iter().collect();
    assert_eq!((first.at, utm["source"].as_str(), utm["name"].as_str()), (NOW - 9, "mail", "spring"));
    assert_eq!((last.at, last.click_ids), (NOW - 6, vec![("gclid".to_owned(), "xyz".to_owned())]));
    assert_eq!(touches.latest.len(), 2, "a second page of the same arrival is no touch");
}

#[test]
fn the_trait_set_last_wins_whenever_it_comes() {
    let text = |text: &str| Trait::Text(text.to_owned());
    let row = after(&[
        claimed("a", NOW - 5, "ann", &json!({"city": "Rome", "size": 38, "vip": true})),
        claimed("b", NOW - 1, "ann", &json!({"city": "Oslo", "vip": null})),
        claimed("c", NOW - 3, "ann", &json!({"city": "Bern", "size": 39})),
    ]);
    let traits = person(&row).traits;
    assert_eq!(traits["city"], text("Oslo"));
    assert_eq!(traits["size"], Trait::Number(39.0));
    assert_eq!(traits["vip"], Trait::Flag(true), "null says nothing");
}

#[test]
fn an_identify_without_the_shops_proof_is_a_claim() {
    let forged = with(claimed("b", NOW, "bob", &json!({})), "proof", json!("00".repeat(32)));
    let others = proved("c", NOW, "carol", &json!({}));
    let stolen = with(claimed("d", NOW, "dave", &json!({})), "proof", others["proof"].clone());
    let mut row = stranger();
    let events = [claimed("a", NOW, "ann", &json!({"email": "a@b.example"})), forged, stolen];
    let visit = receive_with_proof_only(&mut row, &batch(&events), NOW);
    assert_eq!((visit.assertion, visit.succession), (None, None));
    let named: Vec<&str> = fragment(&row).claims.iter().map(|claim| claim.user_id.as_str()).collect();
    assert_eq!(named, ["ann", "bob", "dave"]);
    assert!(users(&row, Trust::Fact).is_empty() && users(&row, Trust::Claim).is_empty());
    let many: Vec<Value> = (0..20).map(|n| claimed(&format!("m{n}"), NOW, &format!("u{n}"), &json!({}))).collect();
    receive_with_proof_only(&mut row, &batch(&many), NOW);
    assert_eq!(fragment(&row).claims.len(), 8);
}

#[test]
fn a_claim_that_is_listed_begins_a_fragment_for_another_user() {
    let forged = with(claimed("b", NOW + 1, "bob", &json!({})), "proof", json!("00".repeat(32)));
    let mut row = stranger();
    let visit = receive(&mut row, &batch(&[claimed("a", NOW, "ann", &json!({})), forged]), NOW + 1);
    assert_eq!(
        (visit.accepted.as_slice(), said(&visit)),
        (&["a".to_owned()][..], vec![("user_id:ann".to_owned(), Trust::Claim)])
    );
    assert_eq!(handed_over(&visit), Some((format!("{BROWSER}~b"), vec!["b".to_owned()])));
    assert_eq!((users(&row, Trust::Fact), users(&row, Trust::Claim)), (vec![], vec!["ann"]));
}

#[test]
fn a_claim_takes_no_browser_from_its_proved_user_and_says_so() {
    let mut row = stranger();
    receive(&mut row, &batch(&[proved("a", NOW, "ann", &json!({}))]), NOW);
    let theirs = claimed("b", NOW + 1, "mallory", &json!({"name": "Mallory", "email": "m@shop.example"}));
    let visit = receive(&mut row, &batch(&[theirs]), NOW + 1);
    assert!(person(&row).traits.is_empty(), "what is said of mallory is not about ann");
    assert_eq!((handed_over(&visit), said(&visit)), (None, vec![]));
    assert_eq!((users(&row, Trust::Fact), fragment(&row).claims.len()), (vec!["ann"], 1));
    let codes: Vec<WarningCode> = visit.warnings.iter().map(|warning| warning.code).collect();
    assert_eq!(codes, [WarningCode::ClaimAgainstProof]);
    let visit = receive_with_proof_only(&mut stranger(), &batch(&[claimed("c", NOW, "ann", &json!({}))]), NOW);
    assert_eq!(visit.warnings.iter().map(|warning| warning.code).collect::<Vec<_>>(), [WarningCode::ClaimNotKept]);
    // A proof takes the browser from who only claimed it, whenever it was made.
    let mut late = stranger();
    let named_before = with(proved("e", NOW - 9, "ann", &json!({})), "previous_id", json!("bob"));
    receive(&mut late, &batch(&[claimed("d", NOW, "bob", &json!({})), named_before]), NOW);
    assert_eq!(users(&late, Trust::Fact), ["ann"]);
    let visit = receive(&mut stranger(), &batch(&[claimed("c", NOW, "ann", &json!({}))]), NOW);
    assert_eq!(visit.warnings.iter().map(|warning| warning.code).collect::<Vec<_>>(), [WarningCode::ClaimListed]);
}

#[test]
fn a_proved_identify_is_told_once() {
    let mut row = stranger();
    let identify = |id: &str| batch(&[proved(id, NOW, "ann", &json!({"email": " Ann@Shop.Example "}))]);
    let visit = receive(&mut row, &identify("a"), NOW);
    // The proof is of the user ID; the address stays the browser's word.
    let expected = [("user_id:ann".to_owned(), Trust::Fact), ("email:ann@shop.example".to_owned(), Trust::Claim)];
    assert_eq!(said(&visit), expected);
    let witness = &visit.assertion.unwrap().said[0].witness;
    assert_eq!((witness.at, witness.message_id.as_str(), witness.source.as_str()), (NOW, "a", "shop"));
    assert_eq!(users(&row, Trust::Fact), ["ann"]);
    assert_eq!(receive(&mut row, &identify("b"), NOW).assertion, None);
    assert_eq!(receive(&mut row, &identify("a"), NOW).assertion, None);
    assert!(fragment(&row).claims.is_empty());
}

/// A profile of Ann's, on [`BROWSER`].
fn anns() -> ProfileRow {
    after(&[viewed("v", NOW, "boot", "shoes"), proved("i", NOW, "ann", &json!({}))])
}

/// To which fragment a batch is handed over, and the messages.
fn handed_over(visit: &Visit) -> Option<(String, Vec<String>)> {
    let (next, events) = visit.succession.as_ref()?;
    Some((next.as_str().to_owned(), events.iter().map(|event| event.message_id.as_str().to_owned()).collect()))
}

/// Hers, and from his login on his.
fn hers_and_his() -> [Value; 3] {
    [
        viewed("hers", NOW + 1, "clog", "shoes"),
        proved("his-login", NOW + 2, "bob", &json!({"email": "bob@shop.example"})),
        viewed("his", NOW + 3, "cape", "coats"),
    ]
}

#[test]
fn a_browsers_batch_hands_it_over_four_times_and_a_servers_as_often_as_it_says() {
    let events = hers_and_his();
    for (trust, handovers, handed) in [
        (Trust::Claim, HANDOVERS - 1, true),
        (Trust::Claim, HANDOVERS, false),
        (Trust::Claim, u8::MAX, false),
        (Trust::Fact, HANDOVERS, true),
    ] {
        let mut row = anns();
        let signals = Signals { trust, handovers, ..Signals::default() };
        let mut sent = ingest_from(batch(&events).to_string().as_bytes(), NOW + 3, signals).unwrap();
        let visit = applied(&mut row, &mut sent, NOW + 3, &IdentityRules::default());
        assert_eq!((visit.accepted.as_slice(), visit.succession.is_some()), (["hers".to_owned()].as_slice(), handed));
        assert_eq!(fragment(&row).successor.is_some(), handed, "{trust:?} after {handovers}");
        let refused: Vec<_> = sent.rejected.iter().map(|one| (one.index, one.code, one.path.as_str())).collect();
        let code = RejectCode::TooManyPeople;
        let all = [(1, code, "events[1].user_id"), (2, code, "events[2].user_id")];
        assert_eq!(refused, if handed { &[][..] } else { &all[..] });
        let kept: Vec<_> = sent.refused.iter().map(|one| one.body().is_some()).collect();
        assert_eq!(kept, vec![true; refused.len()], "they can be taken in again");
    }
}

#[test]
fn what_became_of_the_rest_of_a_batch_is_said_by_its_place_in_the_whole() {
    let sent = ingested(&batch(&[json!(1), viewed("a", NOW, "p", "c"), viewed("b", NOW, "p", "c")]), NOW);
    let error = endcap_protocol::FieldError::new("user_id", "is wrong");
    let rejection = Rejection::new(RejectCode::TooManyPeople, error).of("b").at(0);
    let rest = BatchReply::of(Vec::new(), Vec::new(), vec![rejection]).text(None).unwrap();
    let mut reply = BatchReply::of(vec!["a".to_owned()], Vec::new(), sent.rejected.clone());
    reply.follow(&rest, &sent.events[1..]).unwrap();
    let places: Vec<_> = reply.rejected.iter().map(|one| (one.index, one.path.as_str())).collect();
    assert_eq!(places, [(0, "events[0]"), (2, "events[2].user_id")]);
}

#[test]
fn another_person_on_the_browser_gets_a_fragment_of_their_own() {
    let mut row = anns();
    let events = hers_and_his();
    let visit = receive(&mut row, &batch(&events), NOW + 3);
    assert_eq!(visit.accepted, ["hers"]);
    assert_eq!(visit.assertion, None);
    let expected = format!("{BROWSER}~his-login");
    assert_eq!(handed_over(&visit), Some((expected.clone(), vec!["his-login".to_owned(), "his".to_owned()])));
    let (next, rest) = visit.succession.unwrap();
    assert_eq!(fragment(&row).successor.as_ref(), Some(&next));
    assert_eq!(row.open_fragment(&anonymous(BROWSER)), None, "hers is closed");
    assert_eq!(person(&row).behaviour.recent, ["clog", "boot"], "nothing of his is hers");
    // What is handed over is applied at the home of his fragment, like any batch.
    let mut his = ProfileRow::new(next.home().unwrap(), NOW + 3);
    let browser = anonymous(BROWSER);
    assert_eq!(his.resolve(&browser, Some(&next)), Ok(Resolution::Begins(next.clone())));
    let sent = ingested(&batch(&events), NOW + 3);
    let mut rest = endcap_events::ingest::ingest(sent.body(&rest).as_bytes(), NOW + 3).unwrap();
    let rules = IdentityRules::default();
    let secrets = [SECRET.to_vec()];
    let policy = EvidencePolicy {
        secrets: &secrets,
        now: NOW + 3,
        trust: Trust::Claim,
        source: "shop",
        rules: &rules,
        stated: None,
    };
    let applied = apply(&mut his, &next, &mut rest, NOW + 3, &policy, &[]);
    assert_eq!((applied.accepted.len(), said(&applied)[0].clone()), (2, ("user_id:bob".to_owned(), Trust::Fact)));
    assert_eq!(applied.assertion.unwrap().fragment, next);
    assert_eq!(person(&his).behaviour.recent, ["cape"]);
    assert_eq!(his.open_fragment(&browser), Some(&next));
}

fn next(profile: ProfileId, fragment: FragmentId, passed: FragmentId) -> Resolution {
    Resolution::Next { profile, fragment, passed }
}

#[test]
fn a_browsers_events_find_their_way() {
    let browser = anonymous(BROWSER);
    let mut row = stranger();
    assert_eq!(row.resolve(&browser, None), Ok(Resolution::Begins(first(BROWSER))));
    row = anns();
    assert_eq!(row.resolve(&browser, None), Ok(Resolution::Here(first(BROWSER))));
    assert_eq!(
        row.resolve(&anonymous("other"), None),
        Ok(next(ProfileId::parse("other").unwrap(), first("other"), first("other")))
    );
    // His login closed hers.
    let (his, _) = receive(&mut row, &batch(&hers_and_his()), NOW + 3).succession.unwrap();
    let on = next(his.home().unwrap(), his.clone(), first(BROWSER));
    assert_eq!(row.resolve(&browser, Some(&first(BROWSER))), Ok(on.clone()));
    assert_eq!(row.resolve(&browser, None), Ok(on.clone()), "a route that is old leads there too");
    // Hers moved to another profile of hers.
    let canonical = ProfileId::parse("canonical").unwrap();
    let assignment = Assignment { profile: canonical.clone(), link_strength: LinkStrength::Proved, version: 1 };
    let Reassigned::Leaves(fragment) = row.reassign(&first(BROWSER), &assignment) else { panic!("it stays") };
    let away = next(canonical.clone(), first(BROWSER), first(BROWSER));
    assert_eq!(row.resolve(&browser, None), Ok(away));
    let mut there = ProfileRow::new(canonical, NOW);
    assert_eq!(there.resolve(&browser, Some(&first(BROWSER))), Ok(Resolution::Coming));
    assert!(there.absorb(&first(BROWSER), *fragment));
    assert_eq!(there.resolve(&browser, Some(&first(BROWSER))), Ok(on));
}

#[test]
fn a_retry_finds_the_fragment_that_the_first_try_named() {
    let login = batch(&[proved("his-login", NOW, "bob", &json!({}))]);
    let (mut one, mut two) = (anns(), anns());
    let named = handed_over(&receive(&mut one, &login, NOW));
    assert_eq!(handed_over(&receive(&mut two, &login, NOW + HOUR)), named);
    let other = batch(&[proved("another-login", NOW, "bob", &json!({}))]);
    assert_ne!(handed_over(&receive(&mut anns(), &other, NOW)), named);
}

#[test]
fn a_retry_of_the_batch_that_was_handed_over_brings_nobody_elses_events() {
    let mut row = anns();
    let events = hers_and_his();
    receive(&mut row, &batch(&events), NOW + 3);
    let before = row.clone();
    let mut retry = ingested(&batch(&events), NOW + 9);
    let known = row.known_before_succession(&first(BROWSER), &mut retry, &[]);
    assert_eq!(known, ["hers"]);
    assert_eq!(retry.events.iter().map(|event| event.message_id.as_str()).collect::<Vec<_>>(), ["his-login", "his"]);
    assert_eq!(row, before);
}

#[test]
fn who_identifies_again_stays_and_who_only_claims_is_not_believed() {
    let mut row = anns();
    let again =
        receive(&mut row, &batch(&[proved("a", NOW, "ann", &json!({})), claimed("b", NOW, "ann", &json!({}))]), NOW);
    assert_eq!((handed_over(&again), again.accepted.len()), (None, 2));
    assert_eq!(users(&row, Trust::Fact), ["ann"]);
    let visit = receive_with_proof_only(&mut row, &batch(&[claimed("c", NOW, "bob", &json!({}))]), NOW);
    assert_eq!((handed_over(&visit), visit.accepted.len()), (None, 1));
}

#[test]
fn two_people_in_one_batch_are_two_people() {
    let mut row = stranger();
    let events = [
        proved("hers", NOW, "ann", &json!({"email": "ann@shop.example"})),
        viewed("view", NOW + 1, "boot", "shoes"),
        proved("his", NOW + 2, "bob", &json!({"email": "bob@shop.example"})),
    ];
    let visit = receive(&mut row, &batch(&events), NOW + 2);
    let named: Vec<String> = said(&visit).into_iter().map(|(identifier, _)| identifier).collect();
    assert_eq!(named, ["user_id:ann", "email:ann@shop.example"]);
    assert_eq!(handed_over(&visit), Some((format!("{BROWSER}~his"), vec!["his".to_owned()])));
}

#[test]
fn long_names_never_lead_to_a_fragment_that_is_somebody_elses() {
    let long = "b".repeat(100);
    let mut names = BTreeSet::from([long.clone()]);
    for message in ["one", "two", &"m".repeat(100)] {
        let mut row = ProfileRow::new(ProfileId::parse(&long).unwrap(), NOW);
        let of_long = |events: &[Value]| with(batch(events), "anonymous_id", json!(long));
        receive(&mut row, &of_long(&[proved("i", NOW, "ann", &json!({}))]), NOW);
        let visit = receive(&mut row, &of_long(&[proved(message, NOW, "bob", &json!({}))]), NOW);
        let (name, _) = handed_over(&visit).unwrap();
        assert!(names.insert(name), "{message}");
    }
}

#[test]
fn consent_is_what_the_browser_said_last() {
    let said = |sent_at: UnixMillis, personalization: bool| {
        let consent = json!({"analytics": true, "personalization": personalization, "marketing": false});
        with(with(batch(&[]), "consent", consent), "sent_at", json!(sent_at))
    };
    let agreed = |row: &ProfileRow| (fragment(row).behaviour.consent.personalization, fragment(row).consent_at);
    let mut row = stranger();
    receive(&mut row, &said(NOW, true), NOW);
    receive(&mut row, &said(NOW + 5, true), NOW + 5);
    assert_eq!(agreed(&row), (true, Some(NOW)), "said again, it is no change");
    receive(&mut row, &said(NOW + 10, false), NOW + 10);
    assert_eq!(agreed(&row), (false, Some(NOW + 10)));
    // The first batch once more, held up on the way.
    receive(&mut row, &said(NOW, true), NOW + 20);
    assert_eq!(agreed(&row), (false, Some(NOW + 10)), "an older batch brings no consent back");
    receive(&mut row, &with(batch(&[]), "consent", json!(null)), NOW + 25);
    assert_eq!(agreed(&row), (false, Some(NOW + 10)), "no word is no change");
    receive(&mut row, &said(NOW + 30, true), NOW + 30);
    assert_eq!(agreed(&row), (true, Some(NOW + 30)));
    // A clock that was put back: refusing counts all the same.
    receive(&mut row, &said(NOW - DAY_MS, false), NOW + 40);
    assert_eq!(agreed(&row), (false, Some(NOW + 40)));
}

#[test]
fn what_events_teach_is_said_once_and_in_order() {
    let mut row = stranger();
    let events = [
        viewed("a", NOW, "boot", "shoes"),
        viewed("b", NOW + 1, "clog", "shoes"),
        viewed("c", NOW + 2, "clog", "shoes"),
        added("d", NOW + 3, "clog", "shoes"),
        ordered("e", NOW + 4, "o1", "clog"),
        ordered("f", NOW + 5, "o1", "clog"),
        ordered("g", NOW + 4 + HOUR, "o2", "boot"),
        in_session(viewed("h", NOW + 5 + HOUR, "cape", "coats"), "s2"),
    ];
    let taught: Vec<String> = receive(&mut row, &batch(&events), NOW + 2 * HOUR)
        .signals
        .iter()
        .map(|signal| match signal {
            endcap_profile::Signal::Viewed { step, .. } => format!("{:?}->{}", step.recent, step.item),
            endcap_profile::Signal::Added { item, .. } => format!("add {item}"),
            endcap_profile::Signal::Bought { item, units, .. } => format!("buy {units} {item}"),
            endcap_profile::Signal::OrderGap(gap) => format!("gap {gap}"),
        })
        .collect();
    let expected = ["[]->boot", r#"["boot"]->clog"#, "add clog", "buy 2 clog", "buy 2 boot", "gap 3600000", "[]->cape"];
    assert_eq!(taught, expected);
    assert_eq!(receive(&mut row, &batch(&events), NOW + 2 * HOUR).signals, []);
}

#[test]
fn what_is_kept_of_a_busy_browser_is_bounded() {
    let mut row = stranger();
    for round in 0..40 {
        let at = NOW + round * HOUR;
        let events: Vec<Value> = (0..50)
            .map(|n| {
                let id = format!("m{round}-{n}");
                match n % 5 {
                    0 => viewed(&id, at, &format!("p{round}-{n}"), &format!("c{round}-{n}")),
                    1 => in_session(page(&id, at, &format!("https://shop.example/?utm_source=s{round}-{n}")), &id),
                    2 => ordered(&id, at, &format!("o{round}-{n}"), "boot"),
                    3 => event(
                        "impression",
                        &id,
                        at,
                        &json!({"name": "Campaign Shown", "properties": {"campaign_id": format!("c{round}-{n}")}}),
                    ),
                    _ => claimed(&id, at, &format!("u{round}-{n}"), &json!({format!("t{round}-{n}"): "x".repeat(500)})),
                }
            })
            .collect();
        receive_with_proof_only(&mut row, &batch(&events), at);
        row.fragments.get_mut(BROWSER).unwrap().messages.spill();
    }
    let held = fragment(&row);
    let sizes = [
        held.events.len(),
        held.impressions.len(),
        held.orders.len(),
        held.traits.len(),
        held.claims.len(),
        held.touches.latest.len(),
        held.behaviour.categories.len(),
        held.visit_context.items().len(),
    ];
    assert_eq!(sizes[..7], [40, 40, 200, 50, 8, 20, 24]);
    assert!(sizes[7] <= 5);
    assert!(row.pack().unwrap().len() < 80_000, "{} bytes", row.pack().unwrap().len());
}

/// The stages of a row's history, with days since [`NOW`].
fn stages(row: &ProfileRow) -> Vec<(&'static str, i64)> {
    row.stages.entries().map(|entry| (entry.stage.as_str(), (entry.since - NOW).div_euclid(DAY_MS))).collect()
}

#[test]
fn stages_follow_orders_and_time() {
    let mut row = after(&[page("a", NOW, "")]);
    assert_eq!(settled(&mut row, NOW).person.behaviour.stage, Stage::Prospect);
    receive(&mut row, &batch(&[ordered("b", NOW + DAY_MS, "o1", "boot")]), NOW + DAY_MS);
    let bought = settled(&mut row, NOW + DAY_MS);
    assert_eq!((bought.person.behaviour.stage, bought.stage_changed), (Stage::New, true));
    assert!(!settled(&mut row, NOW + DAY_MS).stage_changed);
    // Nobody looked for a year; the history says what happened when.
    settled(&mut row, NOW + 365 * DAY_MS);
    let expected = [("prospect", 0), ("new", 1), ("sleep", 31), ("lost", 61), ("deep", 181)];
    assert_eq!(stages(&row), expected);
    receive(&mut row, &batch(&[ordered("c", NOW + 370 * DAY_MS, "o2", "boot")]), NOW + 370 * DAY_MS);
    assert_eq!(settled(&mut row, NOW + 370 * DAY_MS).person.behaviour.stage, Stage::Active);
    assert_eq!(stages(&row).last(), Some(&("active", 370)));
}

#[test]
fn timers_only_ever_move_to_an_earlier_time() {
    let shop = shop(&[], &json!({"cart_push": {"after_seconds": 60, "stages": ["prospect", "new", "active"]}}));
    let refresh = |row: &mut ProfileRow, now| endcap_engine::visit::refresh(row, &shop, now).timers;
    let cart = |from, to| TimerMove { key: TimerKey::CART_LEFT, from, to };
    let mut row = stranger();
    row.subscriptions = 1;
    let add = |row: &mut ProfileRow, id: &str, at| receive(row, &batch(&[added(id, at, "boot", "shoes")]), NOW + HOUR);
    add(&mut row, "a", NOW);
    assert_eq!(refresh(&mut row, NOW), [cart(None, NOW + 60_000)]);
    assert_eq!(refresh(&mut row, NOW), [], "it is armed");
    add(&mut row, "b", NOW + 30_000);
    assert_eq!(refresh(&mut row, NOW + 30_000), [], "a later due time waits until the timer looks again");
    // The timer fired: it looks again, and the cart is due later.
    row.timers.disarm(&TimerKey::CART_LEFT);
    assert_eq!(refresh(&mut row, NOW + 60_000), [cart(None, NOW + 90_000)]);
    row.timers.disarm(&TimerKey::CART_LEFT);
    row.timers.arm(TimerKey::CART_LEFT, NOW + 2 * HOUR, NOW);
    assert_eq!(refresh(&mut row, NOW + 60_000), [cart(Some(NOW + 2 * HOUR), NOW + 90_000)]);
    // An order arms the stage's timer, at the first moment of Sleep.
    receive(&mut row, &batch(&[ordered("c", NOW + HOUR, "o1", "boot")]), NOW + HOUR);
    let stage = TimerMove { key: TimerKey::STAGE, from: None, to: NOW + HOUR + 30 * DAY_MS + 1 };
    assert_eq!(refresh(&mut row, NOW + HOUR), [stage]);
}

/// Something a visitor does, its time and session given by its number, as browsers' clocks go forward.
fn any_events() -> impl Strategy<Value = Vec<Value>> {
    let kinds = (0_usize..6, 0_usize..4, prop::bool::weighted(0.2));
    proptest::collection::vec(kinds, 1..30).prop_map(|kinds| {
        let mut session = 0;
        let written = kinds.into_iter().enumerate().map(|(n, (kind, what, leaves))| {
            session += usize::from(leaves);
            let (id, at) = (format!("m{n}"), NOW - HOUR + n as i64 * 1000);
            let name = ["boot", "clog", "coat", "cape"][what];
            let event = match kind {
                0 => viewed(&id, at, name, ["shoes", "coats"][what / 2]),
                1 => added(&id, at, name, ["shoes", "coats"][what / 2]),
                2 => page(&id, at, &format!("https://shop.example/?utm_source={name}")),
                3 => ordered(&id, at, &format!("order-{n}"), name),
                4 => claimed(&id, at, "ann", &json!({"name": name})),
                _ => track(&id, at, "Wishlist Shared", &json!({})),
            };
            in_session(event, &format!("s{session}"))
        });
        written.collect()
    })
}

/// Events cut into batches, sent in some order, some of them more than once.
fn any_delivery() -> impl Strategy<Value = (Vec<Value>, Vec<Vec<Value>>)> {
    (any_events(), 1_usize..6, any::<prop::sample::Index>(), any::<bool>()).prop_flat_map(|(events, size, again, _)| {
        let mut batches: Vec<Vec<Value>> = events.chunks(size).map(<[Value]>::to_vec).collect();
        batches.push(batches[again.index(batches.len())].clone());
        (Just(events), Just(batches).prop_shuffle())
    })
}

/// What must depend only on the set of events.
fn counted(person: &Person) -> impl PartialEq + std::fmt::Debug + use<> {
    let behaviour = &person.behaviour;
    let categories: Vec<_> = behaviour
        .categories
        .iter()
        .map(|(id, facts)| {
            let viewed: BTreeSet<_> = facts.viewed.iter().cloned().collect();
            (id.clone(), viewed, facts.added, facts.bought, facts.last_at)
        })
        .collect();
    let revenue: BTreeMap<String, i64> =
        person.revenue().into_iter().map(|(code, sum)| (code.to_owned(), sum)).collect();
    let numbers =
        (behaviour.first_seen, behaviour.last_seen, behaviour.sessions, behaviour.page_views, person.accepted);
    let lists = (person.orders.clone(), person.events.clone(), person.traits.clone());
    (numbers, (behaviour.session.clone(), behaviour.orders, behaviour.last_order), categories, revenue, lists)
}

fn delivered(batches: &[Vec<Value>]) -> ProfileRow {
    let mut row = stranger();
    for events in batches {
        receive(&mut row, &batch(events), NOW);
    }
    row
}

proptest! {
    #[test]
    fn counters_depend_only_on_the_set_of_events((events, batches) in any_delivery()) {
        let straight = delivered(&[events]);
        let devious = delivered(&batches);
        prop_assert_eq!(counted(&person(&devious)), counted(&person(&straight)));
    }

    #[test]
    fn a_repeated_batch_changes_nothing((_, batches) in any_delivery()) {
        let mut row = delivered(&batches);
        let once = row.clone();
        for events in &batches {
            let visit = receive(&mut row, &batch(events), NOW + HOUR);
            prop_assert_eq!((visit.accepted.len(), visit.duplicate.len()), (0, events.len()));
        }
        prop_assert_eq!(row, once);
    }

    #[test]
    fn how_events_are_batched_changes_nothing(events in any_events(), size in 1_usize..8) {
        let chunks: Vec<Vec<Value>> = events.chunks(size).map(<[Value]>::to_vec).collect();
        prop_assert_eq!(delivered(&chunks), delivered(&[events]));
    }

    #[test]
    fn what_was_taken_is_known_for_as_long_as_it_would_be_taken(
        start in 0_i64..DAY_MS, ahead in -7 * DAY_MS..=60_000, wait in 0_i64..10 * DAY_MS,
        edge in prop::bool::ANY,
    ) {
        // Half of the tries are the last moment at which the event would be taken.
        let (first, ahead) = (NOW - NOW % DAY_MS + start, if edge { 60_000 } else { ahead });
        let again = if edge { first + ahead + 7 * DAY_MS } else { first + wait };
        let sent = batch(&[page("m", first + ahead, "")]);
        let mut row = stranger();
        prop_assert_eq!(receive(&mut row, &sent, first).accepted.len(), 1);
        prop_assert_eq!(receive(&mut row, &sent, again).accepted.len(), 0);
    }
}

#[test]
fn a_profile_ends_once_nobody_came_for_so_long_unless_somebody_is_known_or_found_by_it() {
    let row = after(&[viewed("v", NOW, "boot", "shoes")]);
    assert!(row.has_ended(NOW + 1) && !row.has_ended(NOW), "as long as it was not long enough");
    assert!(!stranger().has_ended(NOW + 1), "a row that only points elsewhere");
    let with = |event: Value| !after(&[viewed("v", NOW, "boot", "shoes"), event]).has_ended(NOW + 9);
    assert!(with(ordered("o", NOW, "o1", "boot")), "who bought");
    assert!(with(proved("i", NOW, "ann", &json!({}))) && with(claimed("i", NOW, "ann", &json!({}))), "who is somebody");
    let changed = |change: fn(&mut ProfileRow)| {
        let mut row = row.clone();
        change(&mut row);
        !row.has_ended(NOW + 9)
    };
    assert!(changed(|row| row.fragments.get_mut(BROWSER).unwrap().successor =
        Some(endcap_identity::FragmentId::parse("b~m").unwrap())));
    assert!(changed(|row| row.fragments.get_mut(BROWSER).unwrap().assignment_version = 1));
    assert!(changed(|row| row.fragments.get_mut(BROWSER).unwrap().consent_at = Some(NOW + 9)));
    assert!(changed(|row| {
        let busy = endcap_profile::Fragment { since: NOW + 9, ..row.fragments[BROWSER].clone() };
        row.fragments.insert(endcap_identity::FragmentId::parse("c").unwrap(), busy);
    }));
}
