//! Bytes to events: what is kept, what is refused, and why.

use endcap_engine::batch_reply::{BatchReply, REPLY_BYTES};
use endcap_engine::visit::Visit;
use endcap_events::ingest::event::{Event, Impression, Kind, Reaction};
use endcap_events::ingest::rejection::{RejectCode, Rejection};
use endcap_events::ingest::{Warning, ingest};
use endcap_protocol::commerce::Commerce;
use endcap_protocol::limits::{BATCH_BYTES, BATCH_EVENTS, EVENT_BYTES, FUTURE_MS, LATE_MS};
use endcap_protocol::{CampaignId, DAY_MS, UnixMillis};
use endcap_validation::DomainError;
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::support::{BROWSER, NOW, batch, event, ingested, page, receive, stranger, track, viewed, with};

/// Sends `bad` between two good events: those are kept, and `bad` is refused so.
fn refused(bad: &Value, code: RejectCode, path: &str) -> Rejection {
    let sent = batch(&[viewed("first", NOW, "a", "x"), bad.clone(), viewed("last", NOW, "b", "x")]);
    let read = ingested(&sent, NOW);
    let kept: Vec<&str> = read.events.iter().map(|event| event.message_id.as_str()).collect();
    assert_eq!(kept, ["first", "last"], "beside {bad}");
    let [rejection] = read.rejected.as_slice() else { panic!("{bad} is refused once: {:?}", read.rejected) };
    assert_eq!((rejection.index, rejection.code, rejection.path.as_str()), (1, code, path), "{bad}: {rejection:?}");
    assert!(!rejection.message.is_empty());
    rejection.clone()
}

/// The one event of a batch.
fn sole(batch: &Value) -> Event {
    let read = ingested(batch, NOW);
    assert_eq!(read.rejected, []);
    let [event] = <[Event; 1]>::try_from(read.events).unwrap();
    event
}

#[test]
fn what_an_event_cannot_do_without_is_refused_by_path() {
    let impression =
        |name: &str, properties: Value| event("impression", "m", NOW, &json!({"name": name, "properties": properties}));
    let nameless = event("click", "m", NOW, &json!({}));
    let cases = [
        (nameless, "type"),
        (track("m", NOW, "", &json!({})), "name"),
        (with(track("m", NOW, "", &json!({})), "name", json!({})), "name"),
        (track("m", NOW, "Order Completed", &json!({})), "properties.order_id"),
        (impression("Campaign Seen", json!({"campaign_id": "c"})), "name"),
        (impression("Campaign Shown", json!({})), "properties.campaign_id"),
        (impression("Slot Clicked", json!({"product_id": "p"})), "properties.slot"),
    ];
    for (bad, path) in cases {
        refused(&bad, RejectCode::InvalidField, &format!("events[1].{path}"));
    }
}

#[test]
fn what_is_no_event_at_all_is_refused_as_such() {
    let positional = json!(["m", "track", "Product Viewed"]);
    for bad in [json!(null), json!(true), json!(7), json!("event"), json!([]), positional] {
        refused(&bad, RejectCode::InvalidEvent, "events[1]");
    }
}

#[test]
fn each_other_reason_has_its_code() {
    let named = |rejection: Rejection| assert_eq!(rejection.message_id.as_deref(), Some("m"));
    let other = with(viewed("m", NOW, "a", "x"), "anonymous_id", json!("somebody-else"));
    named(refused(&other, RejectCode::WrongVisitor, "events[1].anonymous_id"));
    named(refused(&viewed("m", NOW - LATE_MS - 1, "a", "x"), RejectCode::TooLate, "events[1].timestamp"));
    named(refused(&viewed("m", NOW + FUTURE_MS + 1, "a", "x"), RejectCode::InFuture, "events[1].timestamp"));
    named(refused(&event("click", "m", NOW, &json!({})), RejectCode::InvalidField, "events[1].type"));
    let large = track("m", NOW, "Note", &json!({"text": "x".repeat(EVENT_BYTES)}));
    refused(&large, RejectCode::TooLarge, "events[1]");
}

#[test]
fn an_event_at_its_bounds_is_kept() {
    let frame = track("m", NOW, "Note", &json!({"text": ""})).to_string().len();
    let largest = track("m", NOW, "Note", &json!({"text": "x".repeat(EVENT_BYTES - frame)}));
    assert_eq!(largest.to_string().len(), EVENT_BYTES);
    for event in [largest, page("m", NOW - LATE_MS, ""), page("m", NOW + FUTURE_MS, "")] {
        sole(&batch(&[event]));
    }
}

#[test]
fn without_consent_to_analytics_only_the_logout_is_kept() {
    let denied = json!({"analytics": false, "personalization": true, "marketing": true});
    let events = [viewed("view", NOW, "a", "x"), event("reset", "reset", NOW, &json!({}))];
    let read = ingested(&with(batch(&events), "consent", denied), NOW);
    assert_eq!(read.events.iter().map(|event| &event.kind).collect::<Vec<_>>(), [&Kind::Reset]);
    let [rejection] = read.rejected.as_slice() else { panic!("{:?}", read.rejected) };
    assert_eq!((rejection.code, rejection.path.as_str()), (RejectCode::NoConsent, "events[0]"));
    assert_eq!(rejection.message_id.as_deref(), Some("view"));
}

#[test]
fn a_purpose_that_is_left_out_is_refused_and_no_word_on_consent_refuses_nothing() {
    let read = |consent| ingested(&with(batch(&[page("m", NOW, "")]), "consent", consent), NOW);
    assert_eq!(read(json!({"marketing": true})).events.len(), 0);
    let silent = read(json!(null));
    assert_eq!((silent.events.len(), silent.consent), (1, None));
}

/// A batch that cannot be used as a whole: its code and path.
fn unusable(body: &[u8], code: &str, path: &str) {
    let error = ingest(body, NOW).unwrap_err();
    let shown = String::from_utf8_lossy(body.get(..body.len().min(80)).unwrap()).into_owned();
    assert_eq!((error.code(), error.path()), (code, path), "{shown}: {error:?}");
}

#[test]
fn a_batch_that_is_wrong_as_a_whole_keeps_nothing() {
    let with = |key: &str, value: Value| with(batch(&[]), key, value).to_string();
    let cases = [
        (with("source", json!("")), "invalid_field", "source"),
        (with("source", json!("x".repeat(65))), "invalid_field", "source"),
        (with("source", json!(null)), "invalid_field", "source"),
        (with("anonymous_id", json!(1)), "invalid_field", "anonymous_id"),
        (with("anonymous_id", json!("")), "invalid_field", "anonymous_id"),
        (with("consent", json!({"analytics": "yes"})), "invalid_field", "consent"),
        (with("events", json!(vec![0; BATCH_EVENTS + 1])), "invalid_field", "events"),
        (json!(["shop", BROWSER]).to_string(), "invalid_json", ""),
        (json!({"source": "shop"}).to_string(), "invalid_field", "anonymous_id"),
        (String::new(), "invalid_json", ""),
        ("null".to_owned(), "invalid_json", ""),
        ("{".to_owned(), "invalid_json", ""),
        (format!("{} 1", batch(&[])), "invalid_json", ""),
        ("[".repeat(100_000), "invalid_json", ""),
        (r#"{"a":"#.repeat(50_000), "invalid_json", ""),
        (r#"{"source":"shop","anonymous_id":"b","events":[{"message_id":]}"#.to_owned(), "invalid_json", ""),
    ];
    for (body, code, path) in cases {
        unusable(body.as_bytes(), code, path);
    }
    unusable(b"\xff\xfe{}", "invalid_json", "");
    unusable(br#"{"source":"\ud800","anonymous_id":"a"}"#, "invalid_field", "source");
    let raw: Vec<Value> = vec![json!({}); BATCH_EVENTS];
    let both = batch(&[json!({})]).as_object().unwrap().clone();
    unusable(
        json!({"raw": raw, "source": both["source"], "anonymous_id": BROWSER, "events": [{}]}).to_string().as_bytes(),
        "invalid_field",
        "events",
    );
}

#[test]
fn the_bound_on_bytes_is_exact() {
    let body = batch(&[]).to_string();
    let padded = |bytes: usize| format!("{body}{}", " ".repeat(bytes - body.len()));
    assert!(ingest(padded(BATCH_BYTES).as_bytes(), NOW).is_ok());
    let over = ingest(padded(BATCH_BYTES + 1).as_bytes(), NOW).unwrap_err();
    assert_eq!((over.code(), over.status()), ("too_large", 413));
    assert_eq!(over, DomainError::TooLarge { limit: BATCH_BYTES });
}

#[test]
fn a_text_cut_through_an_emoji_costs_no_order() {
    let event = format!(
        r#"{{"message_id":"m","type":"track","name":"Order Completed","timestamp":{NOW},
            "context":{{"page":{{"url":"https://shop.example/thanks","title":"Thanks \ud83d"}}}},
            "properties":{{"order_id":"o\udc00","products":[{{"product_id":"p","name":"Dress \ud83d\ude00 \ud83d"}}]}}}}"#
    );
    let body = format!(r#"{{"source":"shop","anonymous_id":"{BROWSER}","events":[{event}]}}"#);
    let read = ingest(body.as_bytes(), NOW).unwrap();
    assert_eq!(read.rejected, []);
    let Kind::Track { commerce: Some(Commerce::Ordered(order)), .. } = &read.events[0].kind else {
        panic!("{:?}", read.events)
    };
    assert_eq!(order.order_id, "o\u{fffd}");
}

#[test]
fn extreme_times_neither_overflow_nor_get_through() {
    for timestamp in [i64::MIN, -1, 1, i64::MAX] {
        for sent_at in [json!(null), json!(i64::MIN), json!(0), json!(i64::MAX)] {
            for now in [0, NOW, i64::MAX] {
                let body = with(batch(&[page("m", timestamp, "")]), "sent_at", sent_at.clone());
                let read = ingested(&body, now);
                assert_eq!(read.events.len() + read.rejected.len(), 1);
                let near = |at: UnixMillis| at >= now.saturating_sub(LATE_MS) && at <= now.saturating_add(FUTURE_MS);
                assert!(read.events.iter().all(|event| near(event.at)), "{timestamp} {sent_at} {now}");
            }
        }
    }
}

#[test]
fn events_are_put_on_the_edges_clock() {
    let at =
        |sent_at: Value, timestamp: UnixMillis| sole(&with(batch(&[page("m", timestamp, "")]), "sent_at", sent_at)).at;
    let hour = 3_600_000;
    let cases = [
        // The page's clock is right; the batch took its time on the way.
        (json!(NOW - 9_999), NOW - 20_000, NOW - 20_000),
        (json!(NOW + 9_999), NOW + 5_000, NOW + 5_000),
        // The page's clock is an hour slow, or fast, or from another decade.
        (json!(NOW - hour), NOW - hour - 500, NOW - 500),
        (json!(NOW + hour), NOW + hour - 500, NOW - 500),
        (json!(1_000), 400, NOW - 600),
        // No word of when it was sent.
        (json!(null), NOW - hour, NOW - hour),
        // No word of when it happened.
        (json!(NOW), 0, NOW),
    ];
    for (sent_at, timestamp, expected) in cases {
        assert_eq!(at(sent_at.clone(), timestamp), expected, "{sent_at} {timestamp}");
    }
    let mut timeless = page("m", NOW, "");
    timeless["timestamp"] = json!(null);
    assert_eq!(sole(&batch(&[timeless])).at, NOW);
}

#[test]
fn a_wrong_clock_makes_no_event_late_and_no_late_event_fresh() {
    let slow = 400 * DAY_MS;
    let sent = |timestamp| with(batch(&[page("m", timestamp, "")]), "sent_at", json!(NOW - slow));
    assert_eq!(sole(&sent(NOW - slow - DAY_MS)).at, NOW - DAY_MS);
    let late = ingested(&sent(NOW - slow - 8 * DAY_MS), NOW);
    assert_eq!(late.rejected[0].code, RejectCode::TooLate);
}

#[test]
fn raw_calls_are_the_events_they_stand_for() {
    let (url, referrer) = ("https://shop.example/p/1?utm_source=mail", "https://mail.example/");
    let context = json!({"page": {"url": url, "referrer": referrer}});
    let cases = [
        (
            json!(["track", "Product Viewed", {"product_id": "p"}]),
            json!({"type": "track", "name": "Product Viewed", "properties": {"product_id": "p"}}),
        ),
        (json!(["track", "Ping"]), json!({"type": "track", "name": "Ping"})),
        (json!(["page"]), json!({"type": "page"})),
        (json!(["page", "Home", {"a": 1}]), json!({"type": "page", "name": "Home", "properties": {"a": 1}})),
        (
            json!(["identify", "u", {"email": "a@b.example"}, {"proof": "00"}]),
            json!({"type": "identify", "user_id": "u", "traits": {"email": "a@b.example"}, "proof": "00"}),
        ),
        (json!(["identify", "u", null, null]), json!({"type": "identify", "user_id": "u"})),
        (json!(["reset"]), json!({"type": "reset"})),
    ];
    for (call, stands_for) in cases {
        let raw = json!([{"message_id": "m", "timestamp": NOW - 5, "call": call, "url": url, "referrer": referrer}]);
        let replayed = sole(&with(batch(&[]), "raw", raw));
        let mut written = with(stands_for, "context", context.clone());
        written["message_id"] = json!("m");
        written["timestamp"] = json!(NOW - 5);
        let written = sole(&batch(&[written]));
        assert_eq!(Event { raw: String::new(), ..replayed }, Event { raw: String::new(), ..written }, "{call}");
    }
}

#[test]
fn raw_calls_that_mean_nothing_are_refused_after_the_events() {
    let call = |call: Value| json!({"message_id": "m", "timestamp": NOW, "call": call});
    let cases = [
        (call(json!([])), RejectCode::InvalidField, "call[0]"),
        (call(json!(["init", {}])), RejectCode::InvalidField, "call[0]"),
        (call(json!(["track"])), RejectCode::InvalidField, "name"),
        (json!({"message_id": "m", "call": "page"}), RejectCode::InvalidField, "call[0]"),
        (json!(7), RejectCode::InvalidField, "call[0]"),
    ];
    for (raw, code, path) in cases {
        let read = ingested(&with(batch(&[page("good", NOW, "")]), "raw", json!([raw])), NOW);
        assert_eq!(read.events.len(), 1);
        let [rejection] = read.rejected.as_slice() else { panic!("{raw}: {:?}", read.rejected) };
        let place = if path.is_empty() { "events[1]".to_owned() } else { format!("events[1].{path}") };
        assert_eq!((rejection.index, rejection.code, &rejection.path), (1, code, &place), "{raw}");
    }
}

#[test]
fn impressions_become_typed() {
    let read = |name: &str, properties: Value| {
        sole(&batch(&[event("impression", "m", NOW, &json!({"name": name, "properties": properties}))])).kind
    };
    let campaign = |reaction| Kind::Impression(Impression::Campaign(CampaignId::parse("c").unwrap(), reaction));
    assert_eq!(read("Campaign Shown", json!({"campaign_id": "c", "version": 2})), campaign(Reaction::Shown));
    assert_eq!(read("Campaign Clicked", json!({"campaign_id": "c"})), campaign(Reaction::Clicked));
    assert_eq!(read("Campaign Dismissed", json!({"campaign_id": "c"})), campaign(Reaction::Dismissed));
    let slot = read("Slot Clicked", json!({"slot": "home", "product_id": "p"}));
    let Kind::Impression(Impression::Slot(name, Some(product), Reaction::Clicked)) = slot else { panic!("{slot:?}") };
    assert_eq!((name.as_str(), product.as_str()), ("home", "p"));
}

#[test]
fn what_a_page_asks_is_brought_within_bounds() {
    let slots: Vec<Value> = (0..20).map(|n| json!({"name": format!("s{n}"), "limit": n * 10})).collect();
    let ask = json!({"slots": slots, "product_id": "x".repeat(129), "url": "u".repeat(5000)});
    let ask = ingested(&with(batch(&[]), "ask", ask), NOW).ask.unwrap();
    let limits: Vec<usize> = ask.slots.iter().map(|slot| slot.limit).collect();
    assert_eq!(limits, [1, 10, 20, 24, 24, 24, 24, 24]);
    assert_eq!((ask.product_id, ask.url.map(|url| url.len())), (None, Some(2048)));
    let named = |name: String| json!({"slots": [{"name": name}]});
    for (name, kept) in [(String::new(), 0), ("x".repeat(65), 0), ("home".to_owned(), 1)] {
        assert_eq!(ingested(&with(batch(&[]), "ask", named(name)), NOW).ask.unwrap().slots.len(), kept);
    }
}

#[test]
fn a_reply_is_good_if_any_event_is() {
    let reply = |accepted: &[&str], duplicate: &[&str], rejected: usize| {
        let owned = |ids: &[&str]| ids.iter().map(|id| (*id).to_owned()).collect();
        let error = endcap_protocol::FieldError::new("", "is wrong");
        let rejected = vec![Rejection::new(RejectCode::InvalidEvent, error); rejected];
        BatchReply::of(owned(accepted), owned(duplicate), rejected).status()
    };
    assert_eq!(
        [reply(&[], &[], 0), reply(&["a"], &[], 3), reply(&[], &["a"], 3), reply(&[], &[], 1)],
        [200, 200, 200, 400]
    );
}

#[test]
fn names_that_are_long_together_leave_room_for_an_answer() {
    let events = |mark: &str| -> Vec<Value> {
        (0..500).map(|n| page(&format!("{n:03}{}", mark.repeat(97)), NOW, "https://shop.example/")).collect()
    };
    assert_eq!(ingested(&batch(&events("x")), NOW).events.len(), 500);
    let read = ingested(&batch(&events("\"")), NOW);
    assert_eq!((read.events.len(), read.rejected.len()), (260, 240));
    assert!(read.rejected.iter().all(|one| one.code == RejectCode::TooLarge && one.path.ends_with("message_id")));
    assert!(read.refused.iter().all(|one| one.body().is_some()), "they are kept");
}

#[test]
fn a_reply_says_of_every_event_what_became_of_it_and_is_never_too_long() {
    let id = |n: usize| format!("{n:03}{}", "x".repeat(97));
    let warning = |n| Warning::unverified(&id(n));
    for (accepted, rejected) in [(500, 0), (250, 250), (0, 500)] {
        let long = || endcap_protocol::FieldError::new("x".repeat(256), "y".repeat(512));
        let refused = |n| Rejection::new(RejectCode::InvalidField, long()).of(&id(n)).at(n);
        let visit = Visit {
            accepted: (0..accepted).map(id).collect(),
            warnings: (0..accepted).map(warning).collect(),
            ..Visit::default()
        };
        let refused: Vec<Rejection> = (accepted..accepted + rejected).map(refused).collect();
        let room = BatchReply::room_for_decision(&visit, &refused);
        let mut reply = BatchReply::of(visit.accepted, Vec::new(), refused).warning(visit.warnings);
        let bytes = reply.text(None).unwrap().len();
        assert!(bytes + room <= REPLY_BYTES, "{bytes} and {room}");
        assert_eq!((reply.accepted.len(), reply.rejected.len()), (accepted, rejected));
        assert!(reply.rejected.iter().map(|one| one.index).eq(accepted..accepted + rejected));
        assert_eq!(reply.warnings.len() + reply.more_warnings, accepted);
        reply.decision = Some(serde_json::value::to_raw_value(&"z".repeat(REPLY_BYTES)).unwrap());
        reply.whole_text().unwrap();
        assert!(reply.decision.is_none(), "what does not fit together goes without it");
    }
}

/// Something like an event, from good to nonsense.
fn any_event() -> impl Strategy<Value = String> {
    let id = "[a-f]{1,2}";
    prop_oneof![
        4 => (id, -10_i64..10).prop_map(|(id, days)| viewed(&id, NOW + days * DAY_MS, "p", "c").to_string()),
        1 => id.prop_map(|id| event("reset", &id, NOW, &json!({})).to_string()),
        1 => (id, "[a-z ]{0,12}").prop_map(|(id, name)| track(&id, NOW, &name, &json!({"quantity": -1})).to_string()),
        1 => (id, any::<i64>()).prop_map(|(id, at)| page(&id, at, "https://shop.example/?gclid=1").to_string()),
        1 => any_json().prop_map(|value| value.to_string()),
    ]
}

pub(crate) fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        ".{0,20}".prop_map(Value::from),
    ];
    let key = prop_oneof![
        Just("message_id".to_owned()),
        Just("type".to_owned()),
        Just("name".to_owned()),
        Just("properties".to_owned()),
        Just("context".to_owned()),
        Just("timestamp".to_owned()),
        "[a-z_]{1,8}",
    ];
    leaf.prop_recursive(3, 24, 6, move |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            proptest::collection::btree_map(key.clone(), inner, 0..7)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn every_event_ends_in_exactly_one_outcome(
        events in proptest::collection::vec(any_event(), 0..20),
        raw in proptest::collection::vec(any_event(), 0..4),
        consents in any::<bool>(),
        times in 1_usize..3,
    ) {
        let body = format!(
            r#"{{"source":"shop","anonymous_id":"{BROWSER}","consent":{{"analytics":{consents}}},"events":[{}],"raw":[{}]}}"#,
            events.join(","), raw.join(","),
        );
        let mut row = stranger();
        for _ in 0..times {
            let mut read = ingest(body.as_bytes(), NOW).unwrap();
            let indexes: std::collections::BTreeSet<usize> = read.rejected.iter().map(|r| r.index).collect();
            prop_assert_eq!(indexes.len(), read.rejected.len());
            prop_assert!(indexes.iter().all(|index| *index < events.len() + raw.len()));
            let visit = crate::support::applied(&mut row, &mut read, NOW, &crate::support::proof_only());
            prop_assert_eq!(visit.accepted.len() + visit.duplicate.len() + read.rejected.len(), events.len() + raw.len());
            prop_assert_eq!(visit.kept.len(), visit.accepted.len());
        }
    }

    #[test]
    fn any_bytes_are_answered(bytes in proptest::collection::vec(any::<u8>(), 0..400), now in any::<i64>()) {
        let _ = ingest(&bytes, now);
    }

    #[test]
    fn any_json_is_answered(value in any_json(), now in any::<i64>()) {
        let _ = ingest(value.to_string().as_bytes(), now);
        let in_place = with(batch(std::slice::from_ref(&value)), "ask", value.clone());
        let _ = ingest(in_place.to_string().as_bytes(), now);
        let replayed = ingested(&with(batch(&[]), "raw", json!([value])), NOW);
        prop_assert_eq!(replayed.events.len() + replayed.rejected.len(), 1);
    }

    #[test]
    fn a_good_batch_cut_anywhere_is_refused_as_a_whole(cut in 0.0_f64..1.0) {
        let body = batch(&[viewed("a", NOW, "p", "c"), page("b", NOW, "https://shop.example/")]).to_string();
        let end = (cut * body.len() as f64) as usize;
        prop_assert!(ingest(&body.as_bytes()[..end], NOW).is_err());
    }
}

#[test]
fn the_rest_of_a_batch_is_a_batch_with_the_same_events() {
    let events = [viewed("a", NOW - 5, "p", "c"), page("b", NOW - 4, "https://shop.example/"), page("c", NOW - 3, "")];
    let sent =
        with(with(batch(&events), "device_id", json!("d")), "ask", json!({"slots": [{"name": "home", "limit": 2}]}));
    let whole = ingested(&with(sent, "sent_at", json!(NOW - 60_000)), NOW);
    let rest = ingest(whole.body(&whole.events[1..]).as_bytes(), NOW).unwrap();
    let places = |events: &[Event]| events.iter().map(|event| event.place).collect::<Vec<_>>();
    assert_eq!((places(&rest.events), places(&whole.events[1..])), (vec![0, 1], vec![1, 2]));
    let anywhere =
        |events: &[Event]| events.iter().cloned().map(|event| Event { place: 0, ..event }).collect::<Vec<_>>();
    assert_eq!(anywhere(&rest.events), anywhere(&whole.events[1..]));
    assert_eq!(
        (rest.source, rest.anonymous_id, rest.device_id),
        (whole.source.clone(), whole.anonymous_id.clone(), whole.device_id.clone())
    );
    assert_eq!((rest.consent, rest.sent_at, rest.ask.unwrap().slots[0].limit), (whole.consent, whole.sent_at, 2));
    let none = ingest(whole.body(&[]).as_bytes(), NOW).unwrap();
    assert_eq!((none.events.len(), none.rejected.len()), (0, 0));
}

#[test]
fn the_text_that_was_sent_is_the_text_that_is_logged() {
    let mut row = stranger();
    let event =
        r#"{ "message_id":"m", "type":"track","name":"Ping", "properties":{"deep":[1,{"b":2.50}]},"unknown":1 }"#;
    let body = format!(r#"{{"source":"shop","anonymous_id":"{BROWSER}","events":[{event}]}}"#);
    let mut read = ingest(body.as_bytes(), NOW).unwrap();
    let visit = crate::support::applied(&mut row, &mut read, NOW, &crate::support::proof_only());
    assert_eq!(visit.kept.into_iter().map(|kept| kept.raw).collect::<Vec<_>>(), [event]);
    assert_eq!(receive(&mut row, &serde_json::from_str(&body).unwrap(), NOW).kept, Vec::new());
}
