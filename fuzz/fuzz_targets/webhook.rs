//! Webhooks: any mapping is refused with a path or makes bounded events of any body, and no signature is guessed.
#![no_main]

use std::collections::BTreeMap;

use endcap_engine::shop::webhooks::SavedWebhook;
use endcap_events::timestamp;
use endcap_events::webhook::delivery::Delivery;
use endcap_events::webhook::mapping::Mapping;
use endcap_events::webhook::preset::Preset;
use endcap_events::webhook::signature::Scheme;
use endcap_protocol::{SourceId, amount, currency};
use libfuzzer_sys::fuzz_target;

/// A mapping that looks everywhere a body can be.
const WIDE: &[u8] = br#"{"scheme":"endcap","rules":[{"when":[{"path":"/a","exists":true}],"event":"track",
    "name":"Order Completed","message_id":["/id","/a"],"timestamp":"/at","user_id":"/u","email":"/e","anonymous_id":"/x",
    "properties":{"order_id":"/id","products":{"list":"/l","each":{"product_id":"/p","price":{"money":"/m"}}},
    "revenue":{"money":"/m"},"all":""}},{"event":"identify","user_id":["/u","/id"],"properties":{"t":"/t"}}]}"#;

fn try_on(mapping: &Mapping, body: &[u8]) {
    let source = SourceId::parse("fuzz").expect("a good name");
    let topics = [("x-shopify-topic", "orders/create"), ("x-wc-webhook-topic", "order.updated")];
    let headers: BTreeMap<String, String> = topics.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
    let delivery = Delivery { source: &source, headers: &headers, body };
    let Ok(meaning) = mapping.apply(delivery) else { return };
    assert_eq!(Ok(&meaning), mapping.apply(delivery).as_ref(), "the same delivery means the same");
    assert!(meaning.events.iter().all(|event| !event.message_id.as_str().is_empty()));
}

fuzz_target!(|data: &[u8]| {
    let text = String::from_utf8_lossy(data);
    let _ = timestamp::read(&serde_json::Value::from(text.as_ref()));
    for decimals in 0..4 {
        let read = amount::read(&text, decimals);
        assert!(read.is_none() || text.bytes().any(|byte| byte.is_ascii_digit()), "an amount has a digit");
    }
    let _ = (currency::read(&text, *b"EUR"), currency::beside(&text, *b"CAD"));
    for scheme in [Scheme::Shopify, Scheme::Woocommerce, Scheme::Endcap] {
        assert!(scheme.verify(b"secret", &text, b"body", 1).is_err());
    }
    // The first half as a mapping of the second; all of it as a body.
    let (mapping, body) = data.split_at(data.len() / 2);
    if let Ok(mapping) = Mapping::read(mapping) {
        try_on(&mapping, body);
    }
    if let Ok(mapping) = Mapping::read(data) {
        let saved = SavedWebhook::read(SourceId::parse("fuzz").expect("a good name"), data).expect("it was read");
        assert!(saved.compile().is_ok(), "what was saved is read again");
        try_on(&mapping, br#"{"a":1,"id":7,"u":"x","e":"a@b.c","l":[{"p":1,"m":"1.5"}],"m":"2"}"#);
    }
    try_on(&Mapping::read(WIDE).expect("a good mapping"), data);
    for preset in [Preset::Shopify, Preset::Woocommerce] {
        try_on(&preset.mapping().expect("a ready mapping is good"), data);
    }
});
