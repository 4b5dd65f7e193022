//! Identifiers, what administrators ask about them, cursors, and numbers of shards: any text is refused with a path, or
//! means the same when it is written and read again.
#![no_main]

use endcap_engine::layout::placement::ShardsAsk;
use endcap_engine::person_export::LogPlace;
use endcap_identity::admin_review::{LinkPlace, LinksAsk};
use endcap_identity::{FragmentId, Identifier, Namespace};
use endcap_validation::read_json;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: (&str, &str)| {
    let (name, text) = input;
    let known = ["user_id", "email", "phone", "member_no", "line_id", "anonymous_id", "external:crm"];
    for namespace in known.into_iter().chain([name]).filter_map(Namespace::parse) {
        if let Ok(identifier) = Identifier::new(namespace.clone(), text) {
            assert_eq!(Identifier::new(namespace, &identifier.value), Ok(identifier.clone()));
            assert_eq!(Identifier::read(&identifier.to_string()), Some(identifier.clone()));
            let hashed = identifier.hashed(b"pepper");
            assert_eq!(hashed.clone().hashed(b"pepper"), hashed);
        }
    }
    let _ = Identifier::read(text);
    if let Ok(fragment) = FragmentId::parse(text) {
        assert_eq!(FragmentId::parse(fragment.as_str()), Ok(fragment));
    }
    if let Ok(place) = LinkPlace::parse(text) {
        assert_eq!(LinkPlace::parse(&place.to_text()), Ok(place));
    }
    if let Ok(place) = LogPlace::parse(text) {
        assert_eq!(LogPlace::parse(&place.to_text()), Ok(place));
    }
    if let Ok(ask) = read_json::<LinksAsk>(text.as_bytes()) {
        let written = serde_json::to_vec(&ask).expect("it can be written");
        assert_eq!(read_json::<LinksAsk>(&written).expect("what was written is read").parse(), ask.parse());
    }
    if let Ok(Ok(ask)) = read_json::<ShardsAsk>(text.as_bytes()).map(ShardsAsk::check) {
        assert!((1..=1024).contains(&ask.shards));
    }
});
