//! Other vendors' requests from the outside: bytes in, events out that a shard takes.

use endcap_events::ingest::event::Kind;
use endcap_events::ingest::ingest_as;
use endcap_events::ingest::rejection::RejectCode;
use endcap_events::server::history_batch::{Item, Token, pack};
use endcap_events::server::{Action, ServerEvent};
use endcap_events::vendor::CallType;
use endcap_events::vendor::consent::Categories;
use endcap_events::vendor::request::{BATCH_CALLS, BODY_BYTES, read};
use endcap_protocol::commerce::Commerce;
use endcap_protocol::{AnonymousId, SourceId};
use endcap_validation::{DomainError, Trust};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::support::NOW;

/// The event of one call to its route.
fn call(kind: CallType, body: &Value) -> ServerEvent {
    let mut request = read(body.to_string().as_bytes(), Some(kind), NOW, &Categories::default()).unwrap();
    assert_eq!(request.refused, []);
    request.events.remove(0).1
}

/// Why one call to its route is refused.
fn refused(kind: CallType, body: &Value) -> (RejectCode, String) {
    let mut request = read(body.to_string().as_bytes(), Some(kind), NOW, &Categories::default()).unwrap();
    assert!(request.events.is_empty());
    let rejection = request.refused.remove(0).rejection;
    (rejection.code, rejection.path)
}

/// What a shard makes of an event.
fn ingested(event: &ServerEvent) -> endcap_events::ingest::Batch {
    let history = AnonymousId::parse("somebody").unwrap();
    let mut history_batches = pack(
        &SourceId::parse("shop").unwrap(),
        vec![Item { index: 0, history, token: Token::Unasked, consent: event.consent, event: event.to_wire(None) }],
    );
    ingest_as(history_batches.remove(0).body.as_bytes(), NOW, Trust::Fact).unwrap()
}

#[test]
fn a_call_says_who_did_what_when_and_where() {
    let event = call(
        CallType::Track,
        &json!({
            "anonymousId": "a1", "userId": 17, "messageId": "m1", "event": "Order Completed", "channel": "server",
            "timestamp": "2025-11-01T00:00:00.000Z", "integrations": {"All": true},
            "properties": {"orderId": "o1", "revenue": "12.50", "currency": "EUR",
                "products": [{"productId": "p1", "quantity": 2, "price": 6.25}]},
            "context": {"page": {"url": "https://shop.example/thanks", "referrer": "https://pay.example/"},
                "timezone": "Europe/Vienna", "locale": "de-AT", "userAgent": "UA", "ip": "192.0.2.1", "sessionId": 99},
        }),
    );
    assert_eq!(event.who.anonymous_id.as_ref().map(AnonymousId::as_str), Some("a1"));
    assert_eq!(event.who.user_id.as_ref().map(|id| id.as_str()), Some("17"));
    let batch = ingested(&event);
    assert_eq!(batch.rejected, []);
    let read = &batch.events[0];
    assert_eq!((read.message_id.as_str(), read.at), ("m1", 1_761_955_200_000));
    assert_eq!(
        (read.context.url.as_str(), read.context.zone.as_str()),
        ("https://shop.example/thanks", "Europe/Vienna")
    );
    assert_eq!(read.session_id.as_ref().map(|id| id.as_str()), Some("99"));
    let Kind::Track { commerce: Some(Commerce::Ordered(order)), .. } = &read.kind else { panic!("not an order") };
    assert_eq!((order.order_id.as_str(), order.lines[0].product.as_str()), ("o1", "p1"));
}

#[test]
fn what_is_put_right_in_a_call_is_told() {
    let told = |body: &str| -> Vec<String> {
        let mut request = read(body.as_bytes(), Some(CallType::Page), NOW, &Categories::default()).unwrap();
        assert_eq!(request.refused, [], "{body}");
        request.events.remove(0).1.repairs.list.into_iter().map(|repair| repair.path).collect()
    };
    let long = "x".repeat(1_000);
    let cases = [
        (r#"{"userId":"u","messageId":"m"}"#.to_owned(), None),
        (r#"{"userId":"u"}"#.to_owned(), None),
        (format!(r#"{{"userId":"u","messageId":"{long}"}}"#), Some("messageId")),
        (r#"{"userId":"u","messageId":"m","properties":{"a":1e999}}"#.to_owned(), Some("properties.a")),
        (format!(r#"{{"userId":"u","messageId":"m","name":"{long}"}}"#), Some("name")),
        (format!(r#"{{"userId":"u","messageId":"m","context":{{"sessionId":"{long}"}}}}"#), Some("context.sessionId")),
        (r#"{"userId":"u","messageId":"m","context":{"page":"/p"}}"#.to_owned(), Some("context.page")),
        (r#"{"userId":"u","messageId":"m","context":{"page":{"url":[]}}}"#.to_owned(), Some("context.page.url")),
        (r#"{"userId":"u","messageId":"m","context":{"timezone":{}}}"#.to_owned(), Some("context.timezone")),
        (
            r#"{"userId":"u","messageId":"m","context":{"campaign":{"name":[1]}}}"#.to_owned(),
            Some("context.campaign.name"),
        ),
    ];
    for (body, path) in cases {
        assert_eq!(told(&body), path.into_iter().collect::<Vec<_>>(), "{body}");
    }
    let batch = |sent: &str| {
        let body = format!(r#"{{"sentAt":{sent},"batch":[{{"type":"page","userId":"u","messageId":"m"}}]}}"#);
        let mut request = read(body.as_bytes(), None, NOW, &Categories::default()).unwrap();
        request.events.remove(0).1.repairs.list.into_iter().map(|repair| repair.path).collect::<Vec<_>>()
    };
    assert_eq!((batch("\"soon\""), batch("null")), (vec!["sentAt".to_owned()], Vec::new()));
}

#[test]
fn traits_of_a_user_without_a_usable_id_become_nobodys() {
    let traits = json!({"city": "Graz"});
    let kept = |user: Value| {
        let event = call(CallType::Identify, &json!({"anonymousId": "a1", "userId": user, "traits": traits}));
        let Action::Identify { traits } = &event.action else { panic!("not an identify") };
        (traits.len(), event.repairs.list.iter().any(|repair| repair.path == "traits"))
    };
    assert_eq!(kept(json!("x".repeat(1_000))), (0, true));
    assert_eq!(kept(json!({"id": 7})), (0, true));
    assert_eq!(kept(json!("u")), (1, false));
    assert_eq!(kept(json!(" ")), (1, false));
    assert_eq!(kept(Value::Null), (1, false));
}

#[test]
fn each_kind_of_call_becomes_its_event() {
    let page =
        call(CallType::Page, &json!({"userId": "u", "properties": {"title": "Home", "url": "https://s.example/"}}));
    assert!(matches!(&page.action, Action::Page { name, .. } if name == "Home"));
    assert_eq!(ingested(&page).events[0].context.url, "https://s.example/");
    let screen = call(CallType::Screen, &json!({"userId": "u", "name": "Start"}));
    assert!(matches!(&screen.action, Action::Page { name, .. } if name == "Start"));
    let group = call(CallType::Group, &json!({"userId": "u", "groupId": "g", "traits": {"size": 3}}));
    let Action::Track { name, properties } = &group.action else { panic!("no event") };
    assert_eq!((name.as_str(), Value::from(properties.clone())), ("Group Joined", json!({"group_id": "g", "size": 3})));
    let alias = call(CallType::Alias, &json!({"userId": "u", "previousId": "a1"}));
    assert_eq!(alias.action, Action::Alias { previous: "a1".to_owned() });
    let identify = call(
        CallType::Identify,
        &json!({"anonymousId": "a", "context": {"traits": {"a": 1, "b": 1}}, "traits": {"b": 2}}),
    );
    let Action::Identify { traits } = &identify.action else { panic!("no identify") };
    assert_eq!(Value::from(traits.clone()), json!({"a": 1, "b": 2}));
    assert_eq!(ingested(&identify).rejected, []);
}

#[test]
fn what_is_missing_is_named() {
    let id = json!("u");
    for (kind, body, path) in [
        (CallType::Track, json!({"userId": id}), "event"),
        (CallType::Track, json!({"event": "X"}), "userId"),
        (CallType::Track, json!({"event": "X", "userId": " ", "anonymousId": null}), "userId"),
        (CallType::Identify, json!({"userId": "x".repeat(257)}), "userId"),
        (CallType::Group, json!({"userId": id}), "groupId"),
        (CallType::Alias, json!({"userId": id}), "previousId"),
        (CallType::Alias, json!({"previousId": id, "anonymousId": "a"}), "userId"),
    ] {
        assert_eq!(refused(kind, &body), (RejectCode::InvalidField, path.to_owned()), "{body}");
    }
    let large = json!({"userId": id, "event": "X", "properties": {"x": "x".repeat(32 * 1024)}});
    assert_eq!(refused(CallType::Track, &large).0, RejectCode::TooLarge);
}

#[test]
fn time_is_corrected_by_the_clients_own_clock() {
    let at = |body: Value| call(CallType::Track, &body).at;
    let base = json!({"userId": "u", "event": "X"});
    let with = |more: Value| {
        let mut body = base.clone();
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        body
    };
    assert_eq!(at(base.clone()), None);
    assert_eq!(at(with(json!({"timestamp": NOW - 50_000}))), Some(NOW - 50_000));
    let behind = json!({"originalTimestamp": NOW - 3_600_000 - 5000, "timestamp": 1, "sentAt": NOW - 3_600_000});
    assert_eq!(at(with(behind)), Some(NOW - 5000));
    assert_eq!(
        at(with(json!({"timestamp": NOW - 5000, "sentAt": NOW - 900}))),
        Some(NOW - 5000),
        "that is the network"
    );
    assert_eq!(at(with(json!({"timestamp": "soon", "sentAt": "never"}))), None);
}

#[test]
fn calls_without_a_name_get_one_each() {
    let body = json!({"batch": [{"type": "track", "userId": "u", "event": "X"}, {"type": "track", "userId": "u", "event": "X"}]});
    let ids = |now| {
        let request = read(body.to_string().as_bytes(), None, now, &Categories::default()).unwrap();
        request.events.into_iter().map(|(_, event)| event.message_id.into_string()).collect::<Vec<_>>()
    };
    let (first, later) = (ids(NOW), ids(NOW + 1));
    assert_ne!(first[0], first[1]);
    assert_ne!(first, later, "sent again, it is another");
}

#[test]
fn a_batch_is_bounded() {
    let many = json!({"batch": vec![json!({}); BATCH_CALLS + 1]}).to_string();
    assert!(
        matches!(read(many.as_bytes(), None, NOW, &Categories::default()), Err(DomainError::Field(error)) if error.path == "batch")
    );
    let large = " ".repeat(BODY_BYTES) + "{}";
    assert!(matches!(read(large.as_bytes(), None, NOW, &Categories::default()), Err(DomainError::TooLarge { .. })));
}

/// Any JSON, with the members that calls have more often than others.
fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        "[ -~é\u{0}]{0,12}".prop_map(Value::from),
        Just(json!("https://shop.example/?q=1#x")),
    ];
    let key = prop_oneof![
        Just("type"),
        Just("userId"),
        Just("anonymousId"),
        Just("messageId"),
        Just("event"),
        Just("name"),
        Just("properties"),
        Just("traits"),
        Just("context"),
        Just("page"),
        Just("url"),
        Just("campaign"),
        Just("timestamp"),
        Just("sentAt"),
        Just("products"),
        Just("previousId"),
        Just("groupId"),
        Just("sessionId"),
    ];
    leaf.prop_recursive(4, 48, 8, move |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            proptest::collection::btree_map(key.clone(), inner, 0..8).prop_map(|map| map
                .into_iter()
                .map(|(k, v)| (k.to_owned(), v))
                .collect::<serde_json::Map<_, _>>()
                .into()),
        ]
    })
}

proptest! {
    #[test]
    fn every_call_has_one_outcome_and_a_shard_reads_what_was_understood(calls in proptest::collection::vec(any_json(), 0..6)) {
        let body = json!({"batch": calls}).to_string();
        let request = read(body.as_bytes(), None, NOW, &Categories::default()).unwrap();
        prop_assert_eq!(request.events.len() + request.refused.len(), calls.len());
        for (_, event) in &request.events {
            let batch = ingested(event);
            prop_assert_eq!(batch.events.len() + batch.rejected.len(), 1);
        }
    }

    #[test]
    fn no_member_costs_a_call(
        members in proptest::collection::btree_map(
            "messageId|event|name|type|properties|traits|context|timestamp|originalTimestamp|sentAt|integrations|[a-z]{1,4}",
            any_json(), 0..6),
        inner in proptest::collection::btree_map(
            "page|campaign|timezone|locale|userAgent|ip|library|sessionId|traits|[a-z]{1,4}", any_json(), 0..4),
        kind in 0_usize..6,
        unheld in 0_usize..3,
    ) {
        let kinds = [CallType::Track, CallType::Identify, CallType::Page, CallType::Screen, CallType::Group, CallType::Alias];
        let mut call = json!(members);
        if !members.contains_key("context") {
            call["context"] = json!(inner);
        }
        // A time that can be read may lie in the future.
        for name in ["timestamp", "originalTimestamp", "sentAt"] {
            if call[name].is_number() || call[name].is_string() {
                call[name] = json!(NOW);
            }
        }
        // Who it is about and what it is called are what a call is made of.
        for (name, value) in [("userId", "u"), ("anonymousId", "a"), ("event", "Note"), ("groupId", "g"), ("previousId", "b")] {
            call[name] = json!(value);
        }
        let deep = format!("{{\"zz\":{}{},", "[".repeat(300), "]".repeat(300));
        let text = call.to_string().replacen('{', ["{", "{\"zz\":1e999,", &deep][unheld], 1);
        let request = read(text.as_bytes(), Some(kinds[kind]), NOW, &Categories::default()).unwrap();
        prop_assert_eq!(&request.refused, &[], "{}", text);
        for (_, event) in &request.events {
            let told = &event.repairs.list;
            prop_assert!(unheld == 0 || told.len() == 20 || told.iter().any(|repair| repair.path.starts_with("zz")), "{}", text);
            let batch = ingested(event);
            prop_assert_eq!((batch.events.len(), batch.rejected), (1, Vec::new()), "{}", text);
        }
    }

    #[test]
    fn any_call_of_any_route_is_read_without_panic(call in any_json(), kind in 0_usize..6) {
        let kinds = [CallType::Track, CallType::Identify, CallType::Page, CallType::Screen, CallType::Group, CallType::Alias];
        if let Ok(request) = read(call.to_string().as_bytes(), Some(kinds[kind]), NOW, &Categories::default()) {
            for (_, event) in &request.events {
                let batch = ingested(event);
                // An identify is never lost: its traits are brought within bounds.
                prop_assert!(kinds[kind] != CallType::Identify || batch.rejected.iter().all(|r| r.path.contains("timestamp")));
            }
        }
    }

    #[test]
    fn any_bytes_are_read_without_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let _ = read(&bytes, None, NOW, &Categories::default());
        let _ = endcap_events::vendor::request::unpack(&bytes);
        let _ = endcap_events::vendor::request::write_key(&bytes);
    }
}

#[test]
fn a_request_without_a_secret_key_speaks_of_five_people_and_the_rest_is_kept() {
    let call = |n: usize, person: Value| {
        let mut call = json!({"type": "track", "event": "X", "messageId": format!("m{n}")});
        call.as_object_mut().unwrap().extend(person.as_object().unwrap().clone());
        call
    };
    let people: Vec<Value> = (0..7)
        .map(|n| match n % 3 {
            0 => json!({"anonymousId": format!("browser-{n}"), "userId": "somebody"}),
            1 => json!({"userId": format!("user-{n}")}),
            _ => json!({"anonymousId": format!("browser-{n}")}),
        })
        .collect();
    let calls: Vec<Value> = (0..21).map(|n| call(n, people[n % 7].clone())).chain([json!(1)]).collect();
    let body = json!({"batch": calls, "sentAt": "2026-11-22T12:00:00Z"}).to_string();
    let mut request = read(body.as_bytes(), None, NOW, &Categories::default()).unwrap();
    request.refuse_people(body.as_bytes());
    assert_eq!((request.events.len(), request.refused.len()), (15, 7));
    assert!(request.events.iter().all(|(index, _)| index % 7 < 5));
    let places: Vec<_> = request.refused.iter().map(|refused| refused.rejection.index).collect();
    assert_eq!(places, [5, 6, 12, 13, 19, 20, 21]);
    let refused = &request.refused[0];
    assert_eq!((refused.rejection.code, refused.subject.as_str()), (RejectCode::TooManyPeople, "browser-5"));
    assert!(refused.sent_at.is_some());
    assert_eq!(serde_json::from_str::<Value>(&refused.raw).unwrap(), calls[5]);
    // An alias goes to the history of the earlier name, whatever the other one is.
    let alias =
        |n: usize| json!({"type": "alias", "userId": "x", "previousId": format!("p{n}"), "messageId": format!("a{n}")});
    let aliases = json!({"batch": (0..9).map(alias).collect::<Vec<_>>()}).to_string();
    let mut request = read(aliases.as_bytes(), None, NOW, &Categories::default()).unwrap();
    request.refuse_people(aliases.as_bytes());
    assert_eq!((request.events.len(), request.refused.len()), (5, 4));
    let few = json!({"batch": calls[..5]}).to_string();
    let mut request = read(few.as_bytes(), None, NOW, &Categories::default()).unwrap();
    request.refuse_people(few.as_bytes());
    assert!(request.refused.is_empty());
}
