//! Fragments to people: linking, its order, and taking it back.

use std::collections::{BTreeMap, BTreeSet};

use endcap_engine::shop::Snapshot;
use endcap_engine::visit::refresh;
use endcap_events::Trait;
use endcap_identity::{Assignment, FragmentId, IdentityRules, LinkStrength};
use endcap_profile::{Fragment, Person, ProfileRow, Reassigned};
use endcap_protocol::{DAY_MS, ProfileId, UnixMillis};
use endcap_targeting::Stage;
use endcap_validation::Trust;
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::support::{
    NOW, added, anonymous, applied, batch, claimed, event, first, in_session, ingested, ordered, page, person, proved,
    receive, settled, track, users, viewed, with,
};

/// A profile of these browsers, each of which sent its events in one batch.
fn profile(browsers: &[(&str, Vec<Value>)]) -> ProfileRow {
    let mut row = ProfileRow::new(ProfileId::parse("canonical").unwrap(), NOW);
    for (name, events) in browsers {
        receive(&mut row, &with(batch(events), "anonymous_id", json!(name)), NOW);
    }
    row
}

/// The fragment of a browser that sent these events.
fn fragment(name: &str, events: &[Value]) -> Fragment {
    profile(&[(name, events.to_vec())]).fragments.remove(name).unwrap()
}

#[test]
fn two_browsers_add_up_to_one_person() {
    let phone = vec![
        page("a", NOW - 9, "https://shop.example/?utm_source=mail"),
        viewed("b", NOW - 8, "boot", "shoes"),
        ordered("c", NOW - 7, "o1", "boot"),
        claimed("d", NOW - 6, "ann", &json!({"city": "Rome", "size": 38})),
    ];
    let laptop = vec![
        in_session(page("e", NOW - 5, "https://shop.example/?gclid=1"), "s2"),
        in_session(viewed("f", NOW - 4, "cape", "coats"), "s2"),
        in_session(added("g", NOW - 3, "cape", "coats"), "s2"),
        // The thank-you page of the order, opened again from the mail.
        in_session(ordered("h", NOW - 7, "o1", "boot"), "s2"),
        in_session(added("i", NOW - 2, "coat", "coats"), "s2"),
        in_session(claimed("j", NOW - 1, "ann", &json!({"city": "Oslo"})), "s2"),
    ];
    let person = person(&profile(&[("phone", phone), ("laptop", laptop)]));
    let behaviour = &person.behaviour;
    assert_eq!((behaviour.sessions, behaviour.session.as_str(), person.accepted), (2, "s2", 10));
    assert_eq!((behaviour.orders, person.orders.len(), person.revenue()["EUR"]), (1, 1, 2000), "an order counts once");
    assert_eq!(behaviour.recent, ["cape", "boot"]);
    assert_eq!(behaviour.cart.lines.iter().map(|line| line.product.as_str()).collect::<Vec<_>>(), ["coat"]);
    assert_eq!(
        (person.traits["city"].clone(), person.traits["size"].clone()),
        (Trait::Text("Oslo".into()), Trait::Number(38.0))
    );
    let utm = person.touches.first.as_ref().map(|touch| touch.utm.clone());
    assert_eq!(utm, Some(vec![("source".to_owned(), "mail".to_owned())]));
    assert_eq!(person.touches.latest.last().map(|touch| touch.click_ids.len()), Some(1));
    let times: Vec<UnixMillis> = person.events.iter().map(|event| event.at).collect();
    assert!(times.is_sorted() && times.len() == 10);
}

#[test]
fn an_order_that_browser_and_server_tell_of_counts_once_with_the_servers_figures() {
    let order = |id: &str, at: UnixMillis, price: i64| {
        let properties = json!({"order_id": "1003", "total": price, "currency": "EUR", "products": []});
        track(id, at, "Order Completed", &properties)
    };
    // The browser tells first, then last.
    for (browser, server) in [(NOW - 9, NOW - 5), (NOW - 5, NOW - 9)] {
        let told = profile(&[("phone", vec![order("a", browser, 1)]), ("server~ann", vec![order("b", server, 500)])]);
        let person = person(&told);
        let orders: Vec<_> = person.orders.iter().map(|held| (held.at, held.revenue_minor)).collect();
        assert_eq!((orders, person.behaviour.orders), (vec![(server, 50_000)], 1));
    }
    // Told by both about one browser, the server has the last word too.
    let mut row = profile(&[("phone", vec![order("a", NOW - 9, 1)])]);
    let mut server = ingested(&with(batch(&[order("b", NOW - 5, 500)]), "anonymous_id", json!("phone")), NOW);
    server.trust = Trust::Fact;
    applied(&mut row, &mut server, NOW, &IdentityRules::default());
    receive(&mut row, &with(batch(&[order("c", NOW - 4, 2)]), "anonymous_id", json!("phone")), NOW);
    let orders: Vec<_> = person(&row).orders.iter().map(|held| (held.at, held.revenue_minor)).collect();
    assert_eq!(orders, [(NOW - 9, 50_000)]);
    let bought = |id: &str, at: UnixMillis| ordered(id, at, "o7", "boot");
    let mut row = profile(&[("phone", vec![bought("c", NOW - 9)])]);
    let visit = receive(&mut row, &with(batch(&[bought("d", NOW - 8)]), "anonymous_id", json!("server~ann")), NOW);
    assert_eq!((visit.accepted.len(), visit.signals), (1, vec![]), "what was bought teaches once");
}

#[test]
fn consent_of_a_person_is_what_every_browser_agreed_to() {
    let said = |name: &str, consent: Value| with(with(batch(&[]), "anonymous_id", json!(name)), "consent", consent);
    let mut row = profile(&[]);
    receive(&mut row, &said("phone", json!({"analytics": true, "personalization": true, "marketing": true})), NOW);
    receive(&mut row, &said("laptop", json!({"analytics": true, "personalization": false, "marketing": true})), NOW);
    let consent = person(&row).behaviour.consent;
    assert_eq!((consent.analytics, consent.personalization, consent.marketing), (true, false, true));
}

#[test]
fn linking_a_buyer_moves_the_stage_and_unlinking_moves_it_back() {
    let buyer = fragment("phone", &[ordered("a", NOW - DAY_MS, "o1", "boot")]);
    let mut row = profile(&[("laptop", vec![page("b", NOW, "")])]);
    let before = settled(&mut row, NOW).person;
    assert_eq!(before.behaviour.stage, Stage::Prospect);
    assert!(row.absorb(&first("phone"), buyer));
    assert_eq!(settled(&mut row, NOW + 1).person.behaviour.stage, Stage::New);
    let home = Assignment { profile: ProfileId::parse("phone").unwrap(), link_strength: LinkStrength::Own, version: 1 };
    assert!(matches!(row.reassign(&first("phone"), &home), Reassigned::Leaves(_)));
    assert_eq!(settled(&mut row, NOW + 2).person, before);
    let history: Vec<&str> = row.stages.entries().map(|entry| entry.stage.as_str()).collect();
    assert_eq!(history, ["prospect"], "stages are those of the fragments that are here");
}

#[test]
fn a_fragment_is_absorbed_once() {
    let arriving = fragment("phone", &[viewed("a", NOW, "boot", "shoes")]);
    let mut row = profile(&[("laptop", vec![page("b", NOW, "")])]);
    assert!(row.absorb(&first("phone"), arriving.clone()));
    let once = row.clone();
    assert!(!row.absorb(&first("phone"), arriving.clone()), "the job ran twice");
    assert_eq!(row, once);
    // It went on living here, and the outbox job runs once more.
    let more = with(batch(&[viewed("c", NOW + 1, "clog", "shoes")]), "anonymous_id", json!("phone"));
    receive(&mut row, &more, NOW + 1);
    let on = row.clone();
    assert!(!row.absorb(&first("phone"), arriving));
    assert_eq!(row, on);
}

fn assignment(profile: &str, version: u64) -> Assignment {
    Assignment { profile: ProfileId::parse(profile).unwrap(), link_strength: LinkStrength::Proved, version }
}

#[test]
fn words_may_come_twice_late_and_out_of_order() {
    let phone = first("phone");
    let mut home = ProfileRow::new(phone.home().unwrap(), NOW);
    assert_eq!(home.reassign(&phone, &assignment("anns", 1)), Reassigned::Unknown, "nothing came from it yet");
    receive(&mut home, &with(batch(&[viewed("a", NOW, "boot", "shoes")]), "anonymous_id", json!("phone")), NOW);
    assert_eq!(home.reassign(&phone, &assignment("phone", 1)), Reassigned::Stays);
    assert_eq!(home.fragments[&phone].link_strength, LinkStrength::Proved);
    let Reassigned::Leaves(leaving) = home.reassign(&phone, &assignment("anns", 3)) else { panic!("it stays") };
    assert_eq!(leaving.assignment_version, 3);
    assert_eq!(home.reassign(&phone, &assignment("anns", 3)), Reassigned::Done);
    assert_eq!(home.reassign(&phone, &assignment("bobs", 2)), Reassigned::Done, "overtaken");
    let anns = ProfileId::parse("anns").unwrap();
    assert_eq!(home.reassign(&phone, &assignment("bobs", 4)), Reassigned::Follow(anns.clone()));
    let mut there = ProfileRow::new(anns, NOW);
    assert_eq!(there.reassign(&phone, &assignment("bobs", 4)), Reassigned::Unknown, "it is on its way");
    assert!(there.absorb(&phone, (*leaving).clone()));
    let Reassigned::Leaves(back) = there.reassign(&phone, &assignment("phone", 5)) else { panic!("it stays") };
    assert!(!there.absorb(&phone, *leaving), "the job ran twice, and it left again");
    assert!(home.absorb(&phone, *back));
    assert!(home.moved.is_empty(), "the way ends where the fragment is");
    assert_eq!(person(&home).behaviour.recent, ["boot"]);
    assert_eq!(home.reassign(&phone, &assignment("anns", 3)), Reassigned::Done);
}

#[test]
fn a_browser_that_comes_back_to_its_first_person_loses_nothing() {
    // Ann's browser was handed over to Bob, then to Ann again: three fragments, two of them hers.
    let login =
        |id: &str, at, name: &str| with(batch(&[proved(id, at, name, &json!({}))]), "anonymous_id", json!("shared"));
    let view =
        |id: &str, at, what: &str| with(batch(&[viewed(id, at, what, "shoes")]), "anonymous_id", json!("shared"));
    let mut anns = ProfileRow::new(ProfileId::parse("shared").unwrap(), NOW);
    receive(&mut anns, &view("a", NOW, "boot"), NOW);
    receive(&mut anns, &login("b", NOW + 1, "ann"), NOW);
    let (bobs, _) = receive(&mut anns, &login("c", NOW + 2, "bob"), NOW).succession.unwrap();
    let mut at_bobs = ProfileRow::new(bobs.home().unwrap(), NOW);
    at_bobs.fragments.insert(bobs.clone(), Fragment::begun(&anonymous("shared"), NOW));
    receive(&mut at_bobs, &login("c", NOW + 2, "bob"), NOW);
    let (again, _) = receive(&mut at_bobs, &login("d", NOW + 3, "ann"), NOW).succession.unwrap();
    let mut returned = ProfileRow::new(again.home().unwrap(), NOW);
    returned.fragments.insert(again.clone(), Fragment::begun(&anonymous("shared"), NOW));
    receive(&mut returned, &login("d", NOW + 3, "ann"), NOW);
    receive(&mut returned, &view("e", NOW + 9, "clog"), NOW);
    let Reassigned::Leaves(fragment) = returned.reassign(&again, &assignment("shared", 1)) else { panic!("it stays") };
    assert!(anns.absorb(&again, (*fragment).clone()));
    assert!(!anns.absorb(&again, *fragment), "the job ran twice");
    assert_eq!(person(&anns).behaviour.recent, ["clog", "boot"]);
    assert_eq!((person(&anns).accepted, anns.fragments.len()), (4, 2));
    assert_eq!(anns.open_fragment(&anonymous("shared")), Some(&again), "and there her browser goes on");
    assert_eq!(users(&anns, Trust::Fact), ["ann"]);
}

#[test]
fn what_was_joined_by_a_claim_adds_nothing_to_her_until_it_is_proved() {
    let consent = |given: bool| json!({"analytics": true, "personalization": given, "marketing": given});
    let of = |name: &str, given: bool, events: &[Value]| {
        with(with(batch(events), "anonymous_id", json!(name)), "consent", consent(given))
    };
    let mut row = profile(&[]);
    receive(&mut row, &of("hers", true, &[proved("a", NOW, "ann", &json!({"city": "Rome"}))]), NOW);
    receive(&mut row, &of("theirs", false, &[claimed("b", NOW + 9, "ann", &json!({"city": "Oslo", "size": 38}))]), NOW);
    let link_strength =
        |name: &str, link_strength| Assignment { profile: ProfileId::parse(name).unwrap(), link_strength, version: 1 };
    row.reassign(&first("hers"), &link_strength("canonical", LinkStrength::Proved));
    row.reassign(&first("theirs"), &link_strength("canonical", LinkStrength::Claimed));
    let both = person(&row);
    assert_eq!(both.traits["city"], Trait::Text("Rome".into()));
    assert_eq!(both.traits.get("size"), None);
    assert!(both.behaviour.consent.marketing, "nobody refuses in her name");
    assert_eq!(both.accepted, 1);
    row.reassign(&first("theirs"), &Assignment { version: 2, ..link_strength("canonical", LinkStrength::Proved) });
    assert_eq!(person(&row).traits["city"], Trait::Text("Oslo".into()), "proved, the later word counts");
    assert!(!person(&row).behaviour.consent.marketing);
}

#[test]
fn a_browser_that_a_source_joined_leaves_when_the_shop_trusts_the_source_no_more() {
    let trusting: IdentityRules = serde_json::from_str(r#"{"claims":{"shop":"trust"}}"#).unwrap();
    let mut row = profile(&[("hers", vec![viewed("a", NOW, "boot", "shoes")])]);
    let mut said = ingested(&with(batch(&[claimed("b", NOW, "ann", &json!({}))]), "anonymous_id", json!("app")), NOW);
    let visit = applied(&mut row, &mut said, NOW, &trusting);
    assert_eq!((visit.warnings, row.joined_by_claim(9)), (vec![], vec![]));
    let canonical = ProfileId::parse("canonical").unwrap();
    let joined = Assignment { profile: canonical, link_strength: LinkStrength::Trusted, version: 1 };
    row.reassign(&first("app"), &joined);
    assert_eq!(users(&row, Trust::Fact), ["ann"]);
    row.distrust(&trusting);
    assert_eq!((row.joined_by_claim(9), person(&row).accepted), (vec![], 2));
    row.distrust(&IdentityRules::default());
    assert_eq!((row.joined_by_claim(9), person(&row).accepted), (vec![first("app")], 1));
    assert!(users(&row, Trust::Fact).is_empty());
}

/// What one browser did; messages, orders and times are its own.
fn any_browser(number: usize) -> impl Strategy<Value = (FragmentId, Fragment)> {
    let step = (0_usize..6, 0_usize..4, 0_i64..500);
    proptest::collection::vec(step, 0..12).prop_map(move |steps| {
        let events: Vec<Value> = steps
            .into_iter()
            .enumerate()
            .map(|(n, (kind, what, wait))| {
                // Times of different browsers never meet: their remainders differ.
                let (id, at) = (format!("m{number}-{n}"), NOW - DAY_MS + (n as i64 * 500 + wait) * 8 + number as i64);
                let name = ["boot", "clog", "coat", "cape"][what];
                let category = ["shoes", "coats"][what / 2];
                let event = match kind {
                    0 => viewed(&id, at, name, category),
                    1 => added(&id, at, name, category),
                    2 => page(&id, at, &format!("https://shop.example/?utm_source={name}")),
                    3 => ordered(&id, at, &id, name),
                    4 => claimed(&id, at, &format!("u{number}"), &json!({"name": name, name: number})),
                    _ => event(
                        "impression",
                        &id,
                        at,
                        &json!({"name": "Campaign Shown", "properties": {"campaign_id": name}}),
                    ),
                };
                in_session(event, &format!("s{number}"))
            })
            .collect();
        let name = format!("browser-{number}");
        let made = fragment(&name, &events);
        (first(&name), made)
    })
}

fn any_browsers() -> impl Strategy<Value = Vec<(FragmentId, Fragment)>> {
    (any_browser(0), any_browser(1), any_browser(2), any_browser(3), 1_usize..5)
        .prop_map(|(a, b, c, d, count)| [a, b, c, d].into_iter().take(count).collect())
}

/// The row after linking these browsers one by one, folding and storing after each, as the shard does.
fn linked(browsers: &[(FragmentId, Fragment)]) -> ProfileRow {
    browsers.iter().fold(profile(&[]), |mut row, (name, fragment)| {
        assert!(row.absorb(name, fragment.clone()));
        settled(&mut row, NOW);
        ProfileRow::unpack(&row.pack().unwrap()).unwrap()
    })
}

/// What must not even depend on how the browsers are called.
fn facts(person: &Person) -> impl PartialEq + std::fmt::Debug + use<> {
    let behaviour = &person.behaviour;
    let categories: Vec<_> = behaviour
        .categories
        .iter()
        .map(|(id, facts)| {
            (id.clone(), facts.viewed.iter().cloned().collect::<BTreeSet<_>>(), facts.added, facts.bought)
        })
        .collect();
    let recent = behaviour.recent.clone();
    let times = (behaviour.first_seen, behaviour.last_seen, behaviour.last_order, behaviour.session.clone());
    let counts = (behaviour.sessions, behaviour.orders, person.accepted, behaviour.consent);
    let lists = (person.orders.clone(), person.touches.clone(), person.events.clone(), person.impressions.clone());
    (times, counts, categories, recent, behaviour.cart.clone(), behaviour.seen.clone(), lists, person.traits.clone())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn the_order_of_linking_changes_nothing(
        (straight, shuffled) in any_browsers().prop_flat_map(|all| (Just(all.clone()), Just(all).prop_shuffle())),
    ) {
        let (mut straight, mut shuffled) = (linked(&straight), linked(&shuffled));
        prop_assert_eq!(&straight.fragments, &shuffled.fragments);
        prop_assert_eq!(settled(&mut straight, NOW).person, settled(&mut shuffled, NOW).person);
    }

    #[test]
    fn what_browsers_are_called_changes_nothing(
        (straight, shuffled) in any_browsers().prop_flat_map(|all| (Just(all.clone()), Just(all).prop_shuffle())),
    ) {
        let named = |all: &[(FragmentId, Fragment)]| -> BTreeMap<FragmentId, Fragment> {
            (0..).zip(all).map(|(n, (_, fragment))| (first(&format!("n{n}")), fragment.clone())).collect()
        };
        prop_assert_eq!(facts(&Person::fold(&named(&straight))), facts(&Person::fold(&named(&shuffled))));
    }

    #[test]
    fn dropping_a_fragment_is_never_having_had_it(all in any_browsers(), which in any::<prop::sample::Index>()) {
        let (dropped, _) = all[which.index(all.len())].clone();
        let rest: Vec<_> = all.iter().filter(|(name, _)| *name != dropped).cloned().collect();
        let mut unmerged = linked(&all);
        let home = Assignment { profile: dropped.home().unwrap(), link_strength: LinkStrength::Own, version: 1 };
        prop_assert!(matches!(unmerged.reassign(&dropped, &home), Reassigned::Leaves(_)));
        let mut never = linked(&rest);
        prop_assert_eq!(&unmerged.fragments, &never.fragments);
        prop_assert_eq!(settled(&mut unmerged, NOW).person, settled(&mut never, NOW).person);
        if !rest.is_empty() {
            prop_assert_eq!(unmerged.stages, never.stages);
        }
    }

    #[test]
    fn folding_briefly_leaves_out_only_what_deciding_does_not_need(all in any_browsers()) {
        let row = linked(&all);
        let (full, brief) = (Person::fold(&row.fragments), Person::brief(&row.fragments));
        prop_assert_eq!(&brief.behaviour, &full.behaviour);
        prop_assert_eq!(&brief.orders, &full.orders);
        let (mut fully, mut briefly) = (row.clone(), row);
        let (fully_settled, briefly_settled) =
            (settled(&mut fully, NOW + DAY_MS), refresh(&mut briefly, &Snapshot::empty(), NOW + DAY_MS));
        prop_assert_eq!(fully_settled.timers, briefly_settled.timers);
        prop_assert_eq!(fully_settled.person.behaviour, briefly_settled.person.behaviour);
        prop_assert_eq!(fully, briefly);
    }

    #[test]
    fn a_fragment_that_moves_is_the_fragment_that_arrives((name, fragment) in any_browser(0)) {
        let packed = postcard::to_allocvec(&fragment).unwrap();
        let arrived: Fragment = postcard::from_bytes(&packed).unwrap();
        prop_assert_eq!(&arrived, &fragment);
        prop_assert_eq!(linked(&[(name.clone(), arrived)]).fragments[&name].clone(), fragment);
    }
}
