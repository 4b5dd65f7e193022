//! Other vendors' requests: any body is refused, or becomes events that a shard takes or refuses one by one.
#![no_main]

use std::collections::BTreeSet;

use endcap_events::ingest::ingest_as;
use endcap_events::ingest::redact::without_possession;
use endcap_events::server::history_batch::{Item, Token, pack};
use endcap_events::vendor::CallType;
use endcap_events::vendor::consent::Categories;
use endcap_events::vendor::keys::{ServerKeys, basic_user};
use endcap_events::vendor::request::{BODY_BYTES, read, unpack, write_key};
use endcap_identity::server_fragment::{foreign, is_reserved};
use endcap_protocol::{AnonymousId, SourceId};
use endcap_validation::Trust;
use libfuzzer_sys::fuzz_target;

const NOW: i64 = 1_800_000_000_000;

fn take(body: &[u8], call: Option<CallType>) {
    let Ok(request) = read(body, call, NOW, &Categories::default()) else { return };
    let places = request.events.iter().map(|(index, _)| *index);
    let places: Vec<usize> = places.chain(request.refused.iter().map(|refused| refused.rejection.index)).collect();
    assert_eq!(places.len(), places.iter().collect::<BTreeSet<_>>().len(), "a call has one outcome");
    let source = SourceId::parse("fuzz").expect("a good name");
    let home = AnonymousId::parse("a").expect("a good name");
    let mut events = Vec::new();
    for (index, event) in &request.events {
        let given = event.who.anonymous_id.as_ref().map_or("", |id| id.as_str());
        assert!(!given.starts_with("server~") && !given.starts_with("claim~"), "nobody names a server's history");
        let (history, consent) = (home.clone(), event.consent);
        events.push(Item { index: *index, history, token: Token::Unasked, consent, event: event.to_wire(None) });
    }
    for history_batch in pack(&source, events) {
        let batch =
            ingest_as(history_batch.body.as_bytes(), NOW, Trust::Fact).expect("a shard takes what the entry packs");
        assert_eq!(batch.events.len() + batch.rejected.len(), history_batch.indices.len());
        assert!(batch.consent.is_none_or(|consent| consent.analytics) || batch.events.is_empty());
    }
}

fuzz_target!(|data: &[u8]| {
    let text = String::from_utf8_lossy(data);
    let _ = (basic_user(&text), write_key(data));
    assert_eq!(ServerKeys::parse(&text).source("short"), None);
    assert!(foreign(&text).is_none_or(|id| !is_reserved(id.as_str()) || id.as_str().starts_with("hashed~")));
    let cleaned = without_possession(&text);
    assert_eq!(without_possession(&cleaned), cleaned);
    if let Ok(call) = serde_json::from_str::<serde_json::Value>(&cleaned) {
        assert!(call.pointer("/context/possession").is_none(), "tokens are not stored");
    }
    if let Ok(unpacked) = unpack(data) {
        assert!(unpacked.len() <= BODY_BYTES);
        take(&unpacked, None);
    }
    take(data, None);
    for name in ["track", "identify", "page", "screen", "group", "alias"] {
        take(data, CallType::parse(name));
    }
});
