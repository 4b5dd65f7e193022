//! What a request says around its body: cookies, agents, languages, places, addresses and referrers are read within bounds, or count as not
//! there.
#![no_main]

use endcap_api::{Side, find};
use endcap_engine::channel::{Channel, Origin, custom};
use endcap_engine::limit::client;
use endcap_events::ingest::bot::BotFilter;
use endcap_events::ingest::event::EventContext;
use endcap_events::ingest::sender::{LanguageTag, Place};
use endcap_events::ingest::user_agent::UserAgent;
use endcap_events::link::query;
use endcap_profile::touchpoint::Touchpoint;
use endcap_protocol::cookie::Identity;
use endcap_protocol::touch::{Campaign, decode};
use endcap_validation::path::segment;
use libfuzzer_sys::fuzz_target;

/// Longest value of a campaign parameter, in bytes.
const VALUE_BYTES: usize = 200;

fn arrive(url: &str, referrer: &str) {
    let campaign = Campaign::from_query(query::of(url));
    let context = EventContext { url: url.into(), referrer: referrer.into(), campaign, ..EventContext::default() };
    let touch = Touchpoint::of(&context, 1).unwrap_or_else(|| Touchpoint::direct(&context, 1));
    assert!(touch.utm.iter().chain(&touch.click_ids).all(|(_, value)| value.len() <= VALUE_BYTES));
    let origin = Origin::of(&touch);
    assert!(!origin.source.is_empty() && !origin.medium.is_empty());
    let _ = Channel::of(&origin);
    let custom = custom(url);
    assert!(custom.len() <= 10 && custom.iter().all(|(_, value)| value.len() <= VALUE_BYTES));
}

fuzz_target!(|headers: (&str, &str)| {
    let (first, second) = headers;
    if let Some(identity) = Identity::parse(first) {
        assert_eq!(Identity::parse(&identity.to_text()).as_ref(), Some(&identity));
        assert_eq!(
            Identity::newer(Some(identity.clone()), Identity::parse(second)).map(|newer| newer.epoch),
            Some(identity.epoch.max(Identity::parse(second).map_or(0, |other| other.epoch)))
        );
    }
    for filter in [BotFilter::Agents, BotFilter::Strict] {
        let _ = filter.catches(first, second);
    }
    assert!(!BotFilter::Off.catches(first, second));
    let _ = UserAgent::parse(first);
    if let Some(tag) = LanguageTag::first_accepted(first) {
        assert_eq!(LanguageTag::parse(tag.as_str()).as_ref(), Some(&tag));
    }
    let place = Place::new("DE", first, second);
    assert!(place.region().len() <= 6 && place.city().len() <= 64 && !place.city().contains(char::is_control));
    assert!(client(first).is_none_or(|name| name.len() <= 64));
    assert!(query::origin(first).is_none_or(|origin| first.starts_with(origin)));
    if let Ok(name) = segment(first, "id") {
        assert!(name.len() <= first.len());
        let written: String = name.bytes().map(|byte| format!("%{byte:02x}")).collect();
        assert_eq!(segment(&written, "id").as_deref(), Ok(&*name));
    }
    let _ = (find(Side::Server, "POST", first), find(Side::BelowPrefix, "GET", first));
    assert!(!decode(first).contains(char::is_control));
    arrive(first, second);
    arrive(&format!("https://shop.example/?{first}"), second);
});
