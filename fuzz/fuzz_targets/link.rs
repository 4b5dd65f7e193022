//! Tokens, destinations and queries of pixels and links: any text is refused, or leads to a plain web address.
#![no_main]

use endcap_events::ingest::ingest;
use endcap_events::link::cross_domain::{CrossDomain, Leaving};
use endcap_events::link::destination::{Destination, Utm};
use endcap_events::link::page::{PageView, fresh_identity};
use endcap_events::link::reader::{Reader, Request};
use endcap_events::link::request::LinksRequest;
use endcap_events::link::token::{Click, Message};
use endcap_events::link::{cross_domain, query};
use endcap_identity::{Keys, Purpose};
use endcap_validation::read_json;
use libfuzzer_sys::fuzz_target;

fn leads_to_its_host(url: &str) {
    let (scheme, rest) = url.split_once("://").expect("an absolute URL");
    assert!(scheme.eq_ignore_ascii_case("http") || scheme.eq_ignore_ascii_case("https"));
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    assert!(!authority.is_empty() && !authority.contains(['@', '\\', '%']));
    assert!(url.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\'));
}

fuzz_target!(|data: &[u8]| {
    let keys = Keys::parse("a:AAAAAAAAAAAAAAAAAAAAAAAA");
    let text = String::from_utf8_lossy(data);
    assert!(Message::of_pixel(&keys, &text).is_none(), "nobody guesses a signature");
    for purpose in [Purpose::Open, Purpose::Click] {
        let token = keys.sign(purpose, &text).expect("there is a key");
        if let Some(click) = Click::of_token(&keys, &token) {
            leads_to_its_host(click.destination.as_str());
            click.clicked(Reader::Person, 1).expect("a click is an event");
        }
        if let Some(message) = Message::of_pixel(&keys, &token) {
            let again = message.pixel_token(&keys).expect("there is a key");
            assert_eq!(Message::of_pixel(&keys, &again), Some(message));
        }
    }
    assert!(CrossDomain::of_token(&keys, &text).is_none(), "nobody guesses a signature");
    let token = keys.sign(Purpose::CrossDomain, &text).expect("there is a key");
    if let Some(cross_domain) = CrossDomain::of_token(&keys, &token) {
        leads_to_its_host(cross_domain.destination.as_str());
        let again = cross_domain.token(&keys).expect("there is a key");
        assert_eq!(CrossDomain::of_token(&keys, &again), Some(cross_domain));
    }
    if let Ok((source, destination)) = cross_domain::asked(&text) {
        leads_to_its_host(destination.as_str());
        let origin = query::origin(destination.as_str()).unwrap_or_default();
        assert!(origin.is_empty() || destination.as_str().starts_with(origin));
        let visitor = fresh_identity([1; 16], [2; 16]).expect("UUIDs are identifiers");
        let leaving = Leaving { identity: visitor.clone(), generation: 1 };
        let cross_domain = CrossDomain::of(leaving, source, destination, "nonce".to_owned(), 1);
        assert_eq!(cross_domain.identity(None, 1), Some(visitor));
        let token = cross_domain.token(&keys).expect("there is a key");
        assert_eq!(CrossDomain::of_token(&keys, &token), Some(cross_domain));
    }
    if let Ok(url) = Destination::parse(&text) {
        leads_to_its_host(url.as_str());
        let utm = Utm { source: Some(text.chars().rev().take(200).collect()), ..Utm::default() };
        if let Ok(tagged) = url.with_utm(&utm) {
            leads_to_its_host(tagged.as_str());
        }
    }
    if let Ok(request) = read_json::<LinksRequest>(data) {
        let _ = request.answer("https://shop.example/ec", &keys, 1);
    }
    if let Some(view) = PageView::parse(&text, "") {
        let visitor = fresh_identity([1; 16], [2; 16]).expect("UUIDs are identifiers");
        let batch = view.batch(&visitor, false, "m", 1_700_000_000_000);
        assert!(ingest(batch.as_bytes(), 1_700_000_000_000).expect("a batch").rejected.is_empty());
    }
    let _ = Reader::of_link(Request { agent: &text, purpose: &text, head: false });
});
