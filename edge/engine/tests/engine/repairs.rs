//! One odd member never costs an event, and never in silence.

use endcap_events::ingest::event::{Event, Kind};
use endcap_events::ingest::{RejectCode, WarningCode, ingest};
use endcap_protocol::UnixMillis;
use endcap_protocol::repair::RepairCode;
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::ingest::any_json;
use crate::support::{BROWSER, NOW, batch, event, ingested, page, track, viewed, with};

/// `ENDCAP_UPDATE=1 cargo test -p endcap-engine` writes the tables anew.
#[test]
fn the_book_lists_every_code() {
    use std::fmt::Write as _;
    let mut tables = String::from("\n## Warnings\n\n| code | what it means |\n| --- | --- |\n");
    for code in WarningCode::ALL {
        writeln!(tables, "| `{}` | {} |", code.as_str(), code.meaning()).unwrap();
    }
    tables.push_str("\n## Reasons for a refusal\n\n| code | what it means | is kept |\n| --- | --- | --- |\n");
    for code in RejectCode::ALL {
        let kept = if code.is_kept() { "for 30 days" } else { "counted only" };
        writeln!(tables, "| `{}` | {} | {kept} |", code.as_str(), code.meaning()).unwrap();
    }
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/src/repairs.md");
    let page = std::fs::read_to_string(path).unwrap();
    let (before, rest) = page.split_once("<!-- codes -->\n").unwrap();
    let (_, after) = rest.split_once("<!-- /codes -->").unwrap();
    let wanted = format!("{before}<!-- codes -->\n{tables}\n<!-- /codes -->{after}");
    if std::env::var_os("ENDCAP_UPDATE").is_some() {
        std::fs::write(path, &wanted).unwrap();
    }
    assert_eq!(std::fs::read_to_string(path).unwrap(), wanted, "docs/src/repairs.md is stale");
}

/// Sends `odd` between two good events: all are kept, and what was done to `odd` is said.
fn repaired(odd: &Value) -> Vec<(RepairCode, String)> {
    repaired_text(&odd.to_string())
}

/// The same of an event's text.
fn repaired_text(odd: &str) -> Vec<(RepairCode, String)> {
    let sent = batch(&[viewed("first", NOW, "a", "x"), json!("odd"), viewed("last", NOW, "b", "x")]);
    let read = ingest(sent.to_string().replacen("\"odd\"", odd, 1).as_bytes(), NOW).unwrap();
    assert_eq!(read.rejected, [], "{odd}");
    let [first, kept, last] = <[Event; 3]>::try_from(read.events).unwrap();
    assert!(first.repairs.list.is_empty() && last.repairs.list.is_empty(), "beside {odd}");
    kept.repairs.list.into_iter().map(|repair| (repair.code, repair.path)).collect()
}

#[test]
fn an_odd_member_costs_no_event_and_is_told_by_path() {
    use RepairCode::{
        AmountDropped, AmountNegative, CurrencyAssumed, CurrencyRead, FieldCut, FieldDropped, FieldRead, IdMade,
        ProductUnnamed, QuantityRepaired, TimeUnreadable, UserDropped,
    };
    let good = track("m", NOW, "Product Viewed", &json!({"product_id": "p"}));
    let changed = |key: &str, value: Value| with(good.clone(), key, value);
    let of = |properties: Value| changed("properties", properties);
    let order = |products: Value| track("m", NOW, "Order Completed", &json!({"order_id": "o", "products": products}));
    let identify = |more: Value| event("identify", "m", NOW, &more);
    let lines: Vec<Value> = (0..101).map(|n| json!({"product_id": format!("p{n}"), "price": 1})).collect();
    let many: Value = (0..51).map(|n| (format!("t{n:02}"), json!(n))).collect::<serde_json::Map<_, _>>().into();
    let long = |n: usize| json!("x".repeat(n));
    let deep = format!("{}{}", "[".repeat(200), "]".repeat(200));
    let deep: Value = json!(deep);
    let cases = [
        (changed("message_id", json!("")), IdMade, "message_id"),
        (changed("message_id", json!({})), FieldDropped, "message_id"),
        (changed("message_id", json!("a\u{0}b")), IdMade, "message_id"),
        (changed("message_id", long(101)), IdMade, "message_id"),
        (changed("type", json!("click")), FieldRead, "type"),
        (changed("type", json!(null)), FieldRead, "type"),
        (changed("name", long(201)), FieldCut, "name"),
        (changed("name", json!(true)), FieldRead, "name"),
        (changed("session_id", json!([1])), FieldDropped, "session_id"),
        (changed("session_id", long(101)), FieldDropped, "session_id"),
        (changed("user_id", long(257)), UserDropped, "user_id"),
        (changed("user_id", json!("[object Object]")), UserDropped, "user_id"),
        (changed("previous_id", long(257)), UserDropped, "previous_id"),
        (changed("identifiers", json!([1])), FieldDropped, "identifiers"),
        (changed("identifiers", json!({"email": "nobody"})), FieldDropped, "identifiers.email"),
        (changed("timestamp", json!("yesterday")), TimeUnreadable, "timestamp"),
        (changed("timestamp", json!("2025-11-22T08:00:00Z")), FieldRead, "timestamp"),
        (changed("timestamp", json!(NOW * 1000)), FieldRead, "timestamp"),
        (changed("timestamp", json!(1e300)), TimeUnreadable, "timestamp"),
        (changed("timestamp", json!(-1e300)), TimeUnreadable, "timestamp"),
        (changed("timestamp", json!(i64::MAX)), TimeUnreadable, "timestamp"),
        (changed("timestamp", json!(-62_135_596_800_000_i64)), TimeUnreadable, "timestamp"),
        (changed("context", json!("here")), FieldDropped, "context"),
        (changed("context", json!({"zone": {}})), FieldDropped, "context.zone"),
        (changed("context", json!({"page": {"url": []}})), FieldDropped, "context.page.url"),
        (changed("context", json!({"page": 7})), FieldDropped, "context.page"),
        (of(json!({})), ProductUnnamed, "properties.product_id"),
        (of(json!([])), FieldDropped, "properties"),
        (of(deep), FieldDropped, "properties"),
        (of(json!({"product_id": ""})), ProductUnnamed, "properties.product_id"),
        (of(json!({"product_id": "p", "quantity": 0})), QuantityRepaired, "properties.quantity"),
        (of(json!({"product_id": "p", "price": -1})), AmountNegative, "properties.price"),
        (of(json!({"product_id": "p", "price": "1e300"})), AmountDropped, "properties.price"),
        (of(json!({"product_id": "p", "currency": "EURO"})), CurrencyRead, "properties.currency"),
        (of(json!({"product_id": "p", "currency": "money"})), CurrencyAssumed, "properties.currency"),
        (of(json!({"product_id": "p", "category": "a\nb"})), FieldDropped, "properties.category"),
        (
            order(json!([{"product_id": "p", "price": 1}, {"sku": "", "price": 1}])),
            ProductUnnamed,
            "properties.products[1].product_id",
        ),
        (order(lines.into()), FieldCut, "properties.products"),
        (track("m", NOW, "Order Completed", &json!({"total": 5})), IdMade, "properties.order_id"),
        (track("m", NOW, "Order Completed", &json!({"order_id": long(129)})), IdMade, "properties.order_id"),
        (identify(json!({"user_id": long(257)})), UserDropped, "user_id"),
        (identify(json!({"user_id": "u", "traits": 1})), FieldDropped, "traits"),
        (identify(json!({"user_id": "u", "traits": {"a": long(513)}})), FieldCut, "traits.a"),
        (identify(json!({"user_id": "u", "traits": many})), FieldDropped, "traits.t50"),
    ];
    for (odd, code, path) in cases {
        let told = repaired(&odd);
        assert!(told.contains(&(code, path.to_owned())), "{odd}: {told:?}");
    }
    for fine in [
        changed("message_id", json!(7)),
        changed("timestamp", json!(NOW as f64 + 0.5)),
        changed("session_id", json!("")),
        identify(json!({"traits": {"email": "ann@shop.example", "address": {"city": "Graz"}, "tags": ["a"]}})),
    ] {
        assert_eq!(repaired(&fine), [], "{fine}");
    }
}

#[test]
fn an_event_without_a_name_of_its_own_counts_each_time_and_one_with_a_bad_name_once() {
    let unnamed = |id: Option<&str>| {
        let mut event = track("m", NOW, "Note", &json!({}));
        match id {
            Some(id) => event["message_id"] = json!(id),
            None => drop(event.as_object_mut().unwrap().remove("message_id")),
        }
        event
    };
    let names = |events: &[Value], now: UnixMillis| -> Vec<String> {
        let read = ingested(&batch(events), now);
        read.events.iter().map(|event| event.message_id.as_str().to_owned()).collect()
    };
    let two = names(&[unnamed(None), unnamed(None)], NOW);
    assert_ne!(two[0], two[1]);
    assert_ne!(two, names(&[unnamed(None), unnamed(None)], NOW + 1));
    let long = "x".repeat(101);
    assert_eq!(names(&[unnamed(Some(&long))], NOW), names(&[unnamed(Some(&long))], NOW + 1));
}

#[test]
fn hostile_events_are_kept_without_what_cannot_be_held() {
    let deep = format!("{}{}", "[".repeat(10_000), "]".repeat(10_000));
    let hostile = [
        format!(r#"{{"message_id":"deep","type":"track","name":"Product Viewed","properties":{deep}}}"#),
        format!(r#"{{"message_id":"deeper","type":"identify","user_id":"u","traits":{{"a":{deep}}}}}"#),
        r#"{"message_id":"twice","message_id":"twice","type":"page"}"#.to_owned(),
        r#"{"message_id":"huge","type":"page","timestamp":1e999}"#.to_owned(),
        r#"{"message_id":"proto","type":"track","name":"Product Viewed","__proto__":{"product_id":"p"}}"#.to_owned(),
    ];
    let body = format!(
        r#"{{"source":"shop","anonymous_id":"{BROWSER}","events":[{},{}]}}"#,
        hostile.join(","),
        page("good", NOW, "")
    );
    let read = ingest(body.as_bytes(), NOW).unwrap();
    let ids: Vec<&str> = read.events.iter().map(|event| event.message_id.as_str()).collect();
    assert_eq!(ids, ["deep", "deeper", "twice", "huge", "proto", "good"]);
    for event in &read.events {
        assert!(
            serde_json::from_str::<Value>(&event.raw).is_ok(),
            "what is kept can be read: {}",
            event.message_id.as_str()
        );
    }
    let told: Vec<usize> = read.events.iter().map(|event| event.repairs.list.len()).collect();
    assert_eq!(told, [3, 1, 0, 1, 1, 0]);
}

#[test]
fn odd_raw_calls_are_kept() {
    let call = |call: Value| json!({"message_id": "m", "timestamp": NOW, "call": call});
    let read = |raw: String| {
        let body = batch(&[]).to_string().replacen("\"events\":[]", &format!("\"raw\":[{raw}]"), 1);
        let read = ingest(body.as_bytes(), NOW).unwrap();
        let [event] = <[Event; 1]>::try_from(read.events).unwrap();
        event
    };
    let segment = read(call(json!(["identify", {"email": "ann@shop.example"}])).to_string());
    assert_eq!(segment.user_id, None);
    let Kind::Identify { traits, .. } = &segment.kind else { panic!("{segment:?}") };
    assert_eq!(traits.email().as_deref(), Some("ann@shop.example"));
    let view = read(call(json!(["page", {"category": "shoes"}])).to_string());
    assert!(view.raw.contains("shoes") && view.kind == Kind::Page { name: String::new() });
    let cut = call(json!(["track", "Note", {"title": "Thanks X"}])).to_string().replace("Thanks X", "Thanks \\ud83d");
    assert!(read(cut).raw.contains("Thanks \u{fffd}"));
    let unnamed = read(json!({"call": ["page"], "timestamp": NOW}).to_string());
    assert_eq!(unnamed.repairs.list[0].code, RepairCode::IdMade);
    let viewed = read(call(json!(["track", "Product Viewed"])).to_string());
    assert_eq!(viewed.repairs.list[0].code, RepairCode::ProductUnnamed);
}

proptest! {
    #[test]
    fn no_member_that_is_thrown_in_costs_an_event(
        members in proptest::collection::btree_map(
            "message_id|type|name|user_id|previous_id|identifiers|session_id|context|properties|traits|proof|repairs|[a-z]{1,4}",
            any_json(), 0..6),
        kind in prop_oneof![Just("track"), Just("page"), Just("identify"), Just("reset")],
        called in prop_oneof![Just("Product Viewed"), Just("Order Completed"), Just("Product List Viewed"), Just("Note")],
        unheld in 0_usize..4,
    ) {
        let mut odd = event(kind, "m", NOW, &json!({"name": called, "user_id": "u", "timestamp": NOW}));
        for (name, value) in &members {
            // What has no name to be known by is another rule, and so is an order that says nothing.
            let needed = name == "name" || (name == "type" && kind != "track");
            let says = name == "properties" && called == "Order Completed";
            if !(needed || says) {
                odd[name.as_str()] = value.clone();
            }
        }
        if kind == "track" && called == "Order Completed" {
            odd["properties"] = json!({"order_id": "o", "products": members.values().collect::<Vec<_>>(), "coupon": members});
        }
        if odd["type"] != json!("impression") {
            let deep = format!("{{\"z\":{}{},", "[".repeat(300), "]".repeat(300));
            let begun = ["{", "{\"z\":1e999,", &deep, "{\"z\":\"\\ud83d\","][unheld];
            // Nobody reads that member, so nothing is told of it.
            repaired_text(&odd.to_string().replacen('{', begun, 1));
        }
    }

    #[test]
    fn no_member_costs_an_impression(
        members in proptest::collection::btree_map("product_id|version|[a-z]{1,4}", any_json(), 0..4),
        called in prop_oneof![Just("Campaign Shown"), Just("Campaign Dismissed"), Just("Slot Shown"), Just("Slot Clicked")],
        named in prop_oneof![Just(json!("it")), Just(json!(7))],
    ) {
        let mut properties = json!(members);
        properties["campaign_id"] = named.clone();
        properties["slot"] = named;
        repaired(&event("impression", "m", NOW, &json!({"name": called, "properties": properties})));
    }

    #[test]
    fn no_argument_costs_a_raw_call(
        method in prop_oneof![Just("page"), Just("identify"), Just("reset"), Just("track")],
        arguments in proptest::collection::vec(any_json(), 0..4),
        members in proptest::collection::btree_map("message_id|timestamp|url|referrer|[a-z]{1,4}", any_json(), 0..4),
    ) {
        let mut call = vec![json!(method)];
        // An event of the shop's own has a name.
        call.extend((method == "track").then(|| json!("Note")));
        call.extend(arguments);
        let mut raw = json!(members);
        raw["call"] = json!(call);
        // A time that can be read may be too old.
        if raw["timestamp"].is_number() || raw["timestamp"].is_string() {
            raw["timestamp"] = json!(NOW);
        }
        let body = batch(&[]).to_string().replacen("\"events\":[]", &format!("\"raw\":[{raw}]"), 1);
        let read = ingest(body.as_bytes(), NOW).unwrap();
        prop_assert_eq!((read.events.len(), read.rejected), (1, Vec::new()), "{}", raw);
    }
}
