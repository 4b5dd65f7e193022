//! What a visitor sees, and why.

use std::collections::BTreeSet;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use endcap_engine::decide::{CampaignOffer, DECISION_BYTES, Decision, LeftOut, Setting, SlotReason, decide};
use endcap_engine::shop::Snapshot;
use endcap_events::ingest::wire::{Ask, SlotAsk};
use endcap_models::lifecycle::GapHistogram;
use endcap_profile::{Person, ProfileRow};
use endcap_protocol::DAY_MS;
use endcap_targeting::edge_fact::Nobody;
use endcap_targeting::{Behaviour, Program};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::support::{
    NOW, added, after, batch, event, fragment, ordered, page, person, receive, shop, stranger, track, viewed, with,
};

fn popup(more: &Value) -> Value {
    let mut definition = json!({"name": "Nudge", "type": "popup", "content": {"title": "Still thinking?"}});
    for (key, value) in more.as_object().unwrap() {
        definition[key] = value.clone();
    }
    definition
}

/// The nudge of the documentation: two products of a category viewed, none of it bought, the cart not empty.
fn undecided() -> Value {
    json!({"all": [
        {"some_category": {"all": [
            {"fact": "products_viewed", "category": "$", "op": ">=", "value": 2},
            {"fact": "units_bought", "category": "$", "op": "=", "value": 0}]}},
        {"fact": "cart_units", "op": ">=", "value": 1}]})
}

fn asking(url: &str, product: Option<&str>, slots: &[(&str, usize)]) -> Ask {
    let slots = slots.iter().map(|(name, limit)| SlotAsk { name: (*name).to_owned(), limit: *limit }).collect();
    Ask { slots, product_id: product.map(str::to_owned), url: Some(url.to_owned()) }
}

fn decided(person: &Person, ask: &Ask, shop: &Snapshot) -> Decision {
    decide(person, ask, shop, &Setting { profile_id: "p", now: NOW, vapid: None, room: DECISION_BYTES, facts: &Nobody })
}

/// What is offered to a profile on a page, in a shop with one campaign.
fn offered(row: &ProfileRow, campaign: &Value, url: &str) -> Option<CampaignOffer> {
    let decision = decided(&person(row), &asking(url, None, &[]), &shop(&[("c1", campaign.clone())], &json!({})));
    let mut campaigns = decision.campaigns;
    assert!(campaigns.len() <= 1);
    campaigns.pop()
}

fn ids(decision: &Decision, slot: &str) -> Vec<String> {
    decision.slots[slot].items.iter().map(|product| product.id.clone()).collect()
}

#[test]
fn a_campaign_says_whether_and_why() {
    let shown = |id: &str| {
        event("impression", id, NOW, &json!({"name": "Campaign Shown", "properties": {"campaign_id": "c1"}}))
    };
    let two = [viewed("a", NOW - 9, "boot", "shoes"), viewed("b", NOW - 8, "clog", "shoes")];
    let full = [&two[..], &[added("c", NOW - 7, "cape", "coats")]].concat();
    let bought = [&[ordered("o", NOW - 99, "o1", "pump")], &full[..]].concat();
    let seen = [&full[..], &[shown("s")]].concat();
    let campaign = popup(&json!({"condition": undecided(), "frequency": {"per_session": 1}}));
    let cases: [(&[Value], bool, &str); 5] = [
        (&[], false, "not yet: products_viewed in the category >= 2"),
        (&two, false, "not yet: cart_units >= 1"),
        (&bought, false, "not yet: units_bought in the category = 0"),
        (&full, true, "every condition holds"),
        (&seen, false, "shown as often as its frequency allows"),
    ];
    for (events, eligible, why) in cases {
        let offer = offered(&after(events), &campaign, "https://shop.example/").unwrap();
        assert_eq!((offer.eligible, offer.why.as_str()), (eligible, why));
        let labels = ["products_viewed in the category >= 2", "units_bought in the category = 0", "cart_units >= 1"];
        assert_eq!(offer.labels.unwrap(), labels);
        assert_eq!(
            (offer.id.as_str(), offer.version, offer.popup.unwrap().title.as_str()),
            ("c1", 3, "Still thinking?")
        );
    }
}

#[test]
fn a_campaign_that_cannot_be_shown_on_this_page_is_left_out_and_counted() {
    let row = after(&[ordered("o", NOW - 9, "o1", "boot")]);
    let never_ordered = json!({"fact": "orders", "op": "=", "value": 0});
    let campaigns = [
        ("draft", popup(&json!({"enabled": false}))),
        ("elsewhere", popup(&json!({"pages": {"include": ["/c/*"]}}))),
        ("first-order", popup(&json!({"condition": never_ordered}))),
        ("never", popup(&json!({"condition": {"any": []}}))),
        ("shown", popup(&json!({}))),
        ("before-placeholders-were-checked", popup(&json!({"content": {"title": "Hi {{first_name}}"}}))),
    ];
    let decision = decided(&person(&row), &asking("/", None, &[]), &shop(&campaigns, &json!({})));
    let offered: Vec<_> = decision.campaigns.iter().map(|offer| offer.id.as_str()).collect();
    assert_eq!(offered, ["shown"]);
    assert_eq!(decision.left_out, LeftOut { elsewhere: 1, unreachable: 2, unfilled: 1, ..LeftOut::default() });
    let text = serde_json::to_value(&decision).unwrap();
    assert_eq!(text["left_out"], json!({"elsewhere": 1, "unreachable": 2, "unfilled": 1}));
    let calm = decided(&person(&row), &asking("/", None, &[]), &shop(&campaigns[4..5], &json!({})));
    assert!(serde_json::to_value(&calm).unwrap().get("left_out").is_none());
}

/// A condition of many parts that may hold.
fn deep(parts: usize) -> Value {
    let leaf =
        |n| json!({"fact": "products_viewed", "category": format!("a-category-{n}"), "op": ">=", "value": 1000 + n});
    json!({"any": (0..parts).map(leaf).collect::<Vec<_>>()})
}

#[test]
fn a_decision_has_room_for_what_matters_most_and_names_files_for_what_is_large() {
    let many: Vec<(String, Value)> = (0..500)
        .map(|n| {
            let large = n % 2 == 0;
            let text = "x".repeat(900);
            let more = json!({"priority": n, "condition": deep(if large { 50 } else { 1 }), "content": {"title": "t", "body": text}});
            (format!("c{n:03}"), popup(&more))
        })
        .collect();
    let many: Vec<(&str, Value)> = many.iter().map(|(id, campaign)| (id.as_str(), campaign.clone())).collect();
    let snapshot = shop(&many, &json!({}));
    let row = stranger_who_agreed();
    let decision = decided(&person(&row), &asking("/", None, &[("home", 4)]), &snapshot);
    let bytes = serde_json::to_string(&decision).unwrap().len();
    assert!((DECISION_BYTES / 2..=DECISION_BYTES).contains(&bytes), "{bytes} bytes");
    let offered: Vec<_> = decision.campaigns.iter().map(|offer| offer.id.clone()).collect();
    let expected: Vec<_> = (0..500).rev().take(offered.len()).map(|n| format!("c{n:03}")).collect();
    assert_eq!(offered, expected, "the highest priority comes first");
    assert_eq!(decision.left_out.no_room as usize, 500 - offered.len());
    for offer in &decision.campaigns {
        let large = offer.id.ends_with(['0', '2', '4', '6', '8']);
        assert!(offer.program.is_some() != offer.file.is_some() && (!large || offer.file.is_some()), "{}", offer.id);
        let Some(name) = &offer.file else { continue };
        let file: Value = serde_json::from_str(snapshot.campaign_file(name).unwrap()).unwrap();
        let program = BASE64.decode(file["program"].as_str().unwrap()).unwrap();
        assert!(Program::decode(&program).is_ok() && file["popup"]["title"] == "t" && file["labels"].is_array());
    }
    assert!(decision.left_out.files > 0 && snapshot.campaign_file("other").is_none());
    assert_eq!(decision.slots["home"].items.len(), 4);
}

#[test]
fn what_has_no_room_is_left_out_and_counted_whatever_it_is() {
    let row = after(&[viewed("a", NOW, "boot", "shoes")]);
    let from_category = popup(&json!({"content": {"title": "t", "products": {"from": "category", "limit": 3}}}));
    let snapshot = shop(&[("c1", from_category)], &json!({}));
    let ask = asking("/", None, &[("home", 4), ("cart", 4)]);
    let vapid = Some(("k", "key"));
    let of = |room| {
        decide(&person(&row), &ask, &snapshot, &Setting { profile_id: "p", now: NOW, vapid, room, facts: &Nobody })
    };
    let whole = of(DECISION_BYTES);
    let all = |decision: &Decision| {
        let slots: usize = decision.slots.values().map(|slot| slot.items.len()).sum();
        slots + decision.campaigns.iter().flat_map(|offer| offer.products.values()).map(Vec::len).sum::<usize>()
    };
    assert!(whole.left_out.is_nothing() && whole.push.is_some() && all(&whole) > 8);
    let size = |decision: &Decision| serde_json::to_string(decision).unwrap().len();
    for room in (0..size(&whole) + 1200).step_by(37) {
        let decision = of(room);
        // The frame and what the visitor did are always there.
        assert!(size(&decision) <= room.max(600), "{} bytes in {room}", size(&decision));
        let campaigns = decision.campaigns.len() + decision.left_out.no_room as usize;
        assert_eq!(campaigns, 1);
        if decision.left_out.no_room == 0 {
            assert_eq!(all(&decision) + decision.left_out.products as usize, all(&whole), "in {room}");
        }
    }
}

#[test]
fn of_a_visitor_who_did_too_much_the_page_learns_what_they_did_last() {
    let long = |kind: &str, n: usize| format!("{kind}-{n}-{}", "x".repeat(100));
    let mut row = stranger_who_agreed();
    for n in 0..24 {
        let events: Vec<Value> = (0..16)
            .map(|m| viewed(&format!("v{n}-{m}"), NOW + n as i64, &long("p", 100 * n + m), &long("c", n)))
            .collect();
        receive(&mut row, &batch(&events), NOW + n as i64);
    }
    assert!(fragment(&row).behaviour.encode().len() > 40_000);
    let decision = decided(&person(&row), &asking("/", None, &[]), &shop(&[("c1", popup(&json!({})))], &json!({})));
    let behaviour = Behaviour::decode(&BASE64.decode(&decision.behaviour).unwrap()).unwrap();
    assert!(decision.behaviour.len() <= 16 * 1024 && decision.campaigns.len() == 1);
    let kept: Vec<_> = behaviour.categories_by_recency().iter().map(|name| (*name).to_owned()).collect();
    assert!(!kept.is_empty());
    assert_eq!(kept, (0..24).rev().take(kept.len()).map(|n| long("c", n)).collect::<Vec<_>>());
}

#[test]
fn the_reason_is_a_leaf_that_made_the_difference() {
    let leaf = |fact: &str, value: i64| json!({"fact": fact, "op": ">=", "value": value});
    let cases = [
        // The first part of `any` fails and the second holds, so neither is the reason.
        (json!({"all": [{"any": [leaf("orders", 9), leaf("orders", 0)]}, leaf("sessions", 9)]}), "sessions >= 9"),
        (json!({"all": [{"not": leaf("orders", 9)}, leaf("sessions", 9)]}), "sessions >= 9"),
        (
            json!({"all": [{"any": [leaf("orders", 9), leaf("orders", 0)]}, {"some_category": leaf("sessions", 9)}]}),
            "sessions >= 9",
        ),
        (json!({"all": [leaf("page_views", 0), {"not": leaf("cart_units", 0)}]}), "cart_units >= 0"),
    ];
    for (condition, leaf) in cases {
        let offer = offered(&stranger_who_agreed(), &popup(&json!({"condition": condition})), "/").unwrap();
        assert_eq!(offer.why, format!("not yet: {leaf}"), "{condition}");
    }
}

/// A visitor without behaviour who agreed to everything.
fn stranger_who_agreed() -> ProfileRow {
    after(&[])
}

#[test]
fn pages_stages_and_switches_decide_what_is_offered_at_all() {
    let pages = popup(&json!({"pages": {"include": ["/c/*"], "exclude": ["/c/sale*"]}}));
    let row = stranger_who_agreed();
    let cases = [
        ("https://shop.example/c/shoes?q=1#top", true),
        ("https://shop.example/c/sale", false),
        ("https://shop.example/", false),
        ("https://shop.example", false),
        ("/c/shoes", true),
        ("", false),
    ];
    for (url, expected) in cases {
        assert_eq!(offered(&row, &pages, url).is_some(), expected, "{url}");
    }
    assert!(offered(&row, &popup(&json!({"enabled": false})), "/").is_none());
    assert!(offered(&row, &popup(&json!({})), "/").unwrap().eligible);
}

#[test]
fn caps_count_in_sessions_and_days() {
    let shown = |id: &str, session: &str, at| {
        let mut event =
            event("impression", id, at, &json!({"name": "Campaign Shown", "properties": {"campaign_id": "c1"}}));
        event["session_id"] = json!(session);
        event
    };
    let campaign = popup(&json!({"frequency": {"per_days": {"count": 2, "days": 3}}}));
    let eligible = |events: &[Value]| offered(&after(events), &campaign, "/").unwrap().eligible;
    assert!(eligible(&[shown("a", "s1", NOW - 1)]));
    assert!(!eligible(&[shown("a", "s1", NOW - DAY_MS), shown("b", "s2", NOW - 1)]));
    assert!(eligible(&[shown("a", "s1", NOW - 3 * DAY_MS), shown("b", "s2", NOW - 1)]));
}

#[test]
fn the_page_gets_what_it_needs_to_go_on_alone() {
    let row = after(&[viewed("a", NOW, "boot", "shoes"), added("b", NOW, "cape", "coats")]);
    let campaign = popup(&json!({"condition": undecided(), "trigger": {"dwell_seconds": 8}}));
    let snapshot = shop(&[("c1", campaign)], &json!({}));
    let decision = decided(&person(&row), &asking("/", None, &[]), &snapshot);
    let behaviour = Behaviour::decode(&BASE64.decode(&decision.behaviour).unwrap()).unwrap();
    assert_eq!(behaviour, fragment(&row).behaviour);
    let program = Program::decode(&BASE64.decode(decision.campaigns[0].program.as_ref().unwrap()).unwrap()).unwrap();
    assert_eq!(program, snapshot.campaigns[0].compiled.program);
    assert_eq!((decision.profile_id.as_str(), decision.stage.as_str()), ("p", "prospect"));
}

#[test]
fn a_popup_gets_products_of_the_categories_touched_last() {
    let row = after(&[
        viewed("a", NOW - 9, "coat", "coats"),
        viewed("b", NOW - 8, "boot", "shoes"),
        viewed("c", NOW - 7, "clog", "shoes"),
        added("d", NOW - 6, "clog", "shoes"),
    ]);
    let content = |from: &str| popup(&json!({"content": {"title": "t", "products": {"from": from, "limit": 2}}}));
    let products = |from: &str| offered(&row, &content(from), "/").unwrap().products;
    let of = |from: &str, category: &str| -> Vec<String> {
        products(from)[category].iter().map(|product| product.id.clone()).collect()
    };
    assert_eq!(products("category").keys().collect::<Vec<_>>(), ["coats", "shoes"]);
    assert_eq!(of("category", "shoes"), ["boot", "pump"], "viewed ones first, what is in the cart never");
    assert_eq!(of("category", "coats"), ["coat", "cape"]);
    assert_eq!(of("viewed", ""), ["pump", "cape"], "none of those viewed");
    assert_eq!(of("cart", "").len(), 2);
    assert!(!of("cart", "").contains(&"clog".to_owned()));
}

/// A shop in which people went from boots to capes, and capes sell best.
fn lived_in() -> Snapshot {
    let mut snapshot = shop(&[], &json!({}));
    let mut row = stranger();
    let events = [
        viewed("a", NOW, "boot", "shoes"),
        viewed("b", NOW, "cape", "coats"),
        ordered("c", NOW, "o1", "cape"),
        added("d", NOW, "clog", "shoes"),
    ];
    let mut gaps = GapHistogram::default();
    for signal in receive(&mut row, &batch(&events), NOW).signals {
        signal.teach(&mut snapshot.model, &mut gaps);
    }
    snapshot
}

#[test]
fn slots_are_filled_by_what_is_known() {
    let nothing = stranger_who_agreed();
    let looked = after(&[viewed("a", NOW, "boot", "shoes")]);
    let carted = after(&[added("a", NOW, "boot", "shoes"), viewed("b", NOW + 1, "coat", "coats")]);
    let cases = [
        (
            "nothing is known of anybody",
            shop(&[], &json!({})),
            &nothing,
            asking("/", None, &[("home", 3)]),
            SlotReason::Catalogue,
            vec!["boot", "clog", "pump"],
        ),
        (
            "a first visit",
            lived_in(),
            &nothing,
            asking("/", None, &[("home", 3)]),
            SlotReason::BestSellers,
            vec!["cape", "clog", "boot"],
        ),
        (
            "somebody who looked at boots",
            lived_in(),
            &looked,
            asking("/", None, &[("home", 3)]),
            SlotReason::CoViewed,
            vec!["cape", "clog", "pump"],
        ),
        (
            "the page of a product",
            lived_in(),
            &nothing,
            asking("/p/parka", Some("parka"), &[("product", 2)]),
            SlotReason::Category,
            vec!["cape", "coat"],
        ),
        (
            "the cart",
            lived_in(),
            &carted,
            asking("/cart", None, &[("cart", 2)]),
            SlotReason::CoViewed,
            vec!["cape", "clog"],
        ),
    ];
    for (what, snapshot, row, ask, reason, expected) in cases {
        let slot = ask.slots[0].name.clone();
        let decision = decided(&person(row), &ask, &snapshot);
        assert_eq!(
            (decision.slots[&slot].reason, ids(&decision, &slot)),
            (reason, expected.into_iter().map(str::to_owned).collect()),
            "{what}"
        );
    }
}

#[test]
fn without_consent_to_personalization_everybody_sees_the_same() {
    let lived = after(&[
        viewed("a", NOW - 9, "boot", "shoes"),
        viewed("b", NOW - 8, "clog", "shoes"),
        track("c", NOW - 7, "Product Removed", &json!({"product_id": "boot"})),
    ]);
    let carted = after(&[added("a", NOW, "pump", "shoes")]);
    let refuse = |row: &ProfileRow| {
        let mut row = row.clone();
        let consent = json!({"analytics": true, "personalization": false, "marketing": true});
        receive(&mut row, &with(batch(&[page("z", NOW, "")]), "consent", consent), NOW);
        person(&row)
    };
    let mut snapshot = lived_in();
    snapshot.campaigns = shop(&[("c1", popup(&json!({})))], &json!({})).campaigns;
    let ask = asking("/p/coat", Some("coat"), &[("home", 2), ("product", 2), ("cart", 2)]);
    let strangers = decided(&refuse(&stranger_who_agreed()), &ask, &snapshot);
    for row in [&lived, &carted] {
        let decision = decided(&refuse(row), &ask, &snapshot);
        assert_eq!(decision.campaigns.len(), 0);
        for slot in ["home", "product", "cart"] {
            assert_eq!(ids(&decision, slot), ids(&strangers, slot), "{slot}");
        }
        // The same visitors with consent see something else.
        let personal = decided(&person(row), &ask, &snapshot);
        assert_eq!(personal.campaigns.len(), 1);
        assert!(["home", "product", "cart"].iter().any(|slot| ids(&personal, slot) != ids(&strangers, slot)));
    }
}

#[test]
fn push_is_offered_where_it_is_set_up_and_wanted() {
    let vapid = Some(("k1", "the-key"));
    let offer = |settings: &Value, vapid| {
        let person = person(&stranger_who_agreed());
        let setting = Setting { profile_id: "p", now: NOW, vapid, room: DECISION_BYTES, facts: &Nobody };
        decide(&person, &asking("/", None, &[]), &shop(&[], settings), &setting).push
    };
    let made = offer(&json!({}), vapid).unwrap();
    assert_eq!((made.key_id.as_str(), made.public_key.as_str(), made.subscribed), ("k1", "the-key", false));
    assert!(offer(&json!({}), None).is_none());
    assert!(offer(&json!({"push_prompt": {"enabled": false}}), vapid).is_none());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn no_slot_holds_the_pages_product_or_what_is_in_the_cart(
        views in proptest::collection::vec(0_usize..6, 0..8),
        cart in proptest::collection::vec(0_usize..6, 0..4),
        on_page in proptest::option::of(0_usize..6),
        personal in any::<bool>(),
        limit in 1_usize..8,
    ) {
        let names = ["boot", "clog", "pump", "coat", "cape", "parka"];
        let category = |which: usize| ["shoes", "coats"][which / 3];
        let events: Vec<Value> = views.iter().map(|which| (*which, "view")).chain(cart.iter().map(|which| (*which, "add")))
            .enumerate()
            .map(|(n, (which, what))| {
                let (id, at) = (format!("m{n}"), NOW + n as i64);
                if what == "view" { viewed(&id, at, names[which], category(which)) } else { added(&id, at, names[which], category(which)) }
            })
            .collect();
        let consent = json!({"analytics": true, "personalization": personal, "marketing": true});
        let mut row = stranger();
        receive(&mut row, &with(batch(&events), "consent", consent), NOW);
        let mut snapshot = lived_in();
        let content = |from: &str| popup(&json!({"content": {"title": "t", "products": {"from": from, "limit": 6}}}));
        let campaigns = [("c1", content("category")), ("c2", content("cart")), ("c3", content("viewed"))];
        snapshot.campaigns = shop(&campaigns, &json!({})).campaigns;
        let page = on_page.map(|which| names[which]);
        let ask = asking("/", page, &[("home", limit), ("product", limit), ("cart", limit), ("own", limit)]);
        let decision = decided(&person(&row), &ask, &snapshot);
        let barred: BTreeSet<&str> = cart.iter().map(|which| names[*which]).chain(page).collect();
        let filled = decision.slots.values().map(|slot| &slot.items);
        let carried = decision.campaigns.iter().flat_map(|offer| offer.products.values());
        for items in filled.chain(carried) {
            let ids: Vec<&str> = items.iter().map(|product| product.id.as_str()).collect();
            prop_assert!(ids.iter().all(|id| !barred.contains(id)), "{ids:?} with {barred:?} barred");
            prop_assert_eq!(ids.iter().collect::<BTreeSet<_>>().len(), ids.len());
        }
        prop_assert!(decision.slots.values().all(|slot| slot.items.len() <= limit));
        prop_assert_eq!(decision.campaigns.is_empty(), !personal);
    }
}
