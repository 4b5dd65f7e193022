//! Where a request came from, as the platform says it: no finer than a city.

use std::cell::RefCell;
use std::collections::BTreeMap;

use endcap_events::ingest::sender::Place;
use js_sys::Reflect;
use wasm_bindgen::{JsCast, JsValue};
use worker::web_sys::Request as RawRequest;

use super::client_address::RuntimeRequest;
use super::config::Config;

/// Addresses whose place is remembered.
const REMEMBERED: usize = 512;

thread_local! {
    /// Places of addresses that came lately: to ask the runtime costs much. What is forgotten is asked again.
    static PLACES: RefCell<BTreeMap<String, Place>> = const { RefCell::new(BTreeMap::new()) };
}

/// The place of a client at an address. Nothing where no platform says it, or another proxy stands in front: then the platform
/// knows the proxy's.
pub(crate) fn of(request: &RawRequest, address: &str, config: &Config) -> Place {
    if config.client_ip_header.is_some() {
        return Place::default();
    }
    if let Some(known) = PLACES.with_borrow(|places| places.get(address).cloned()) {
        return known;
    }
    let platform = request.unchecked_ref::<RuntimeRequest>().cf();
    if !platform.is_object() {
        return Place::default();
    }
    let said = |name: &str| Reflect::get(&platform, &JsValue::from_str(name)).ok().and_then(|text| text.as_string());
    let text = |name| said(name).unwrap_or_default();
    let place = Place::new(&text("country"), &text("regionCode"), &text("city"));
    if !address.is_empty() {
        PLACES.with_borrow_mut(|places| {
            if places.len() >= REMEMBERED {
                places.clear();
            }
            places.insert(address.to_owned(), place.clone());
        });
    }
    place
}
