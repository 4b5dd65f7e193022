//! The address of the client behind a request, as somebody says it whom the deployment trusts.

use std::cell::Cell;

use wasm_bindgen::prelude::wasm_bindgen;
use wasm_bindgen::{JsCast, JsValue};
use worker::web_sys::Request as RawRequest;

use super::config::Config;
use super::error::EdgeError;

/// Where Cloudflare puts the address; it overwrites what a client sends under this name.
const PLATFORM_HEADER: &str = "cf-connecting-ip";

#[wasm_bindgen]
extern "C" {
    /// A request of the runtime.
    pub(super) type RuntimeRequest;

    /// What the platform says about the request (<https://developers.cloudflare.com/workers/runtime-apis/request/>); nothing
    /// where no platform is in front.
    #[wasm_bindgen(method, getter)]
    pub(super) fn cf(this: &RuntimeRequest) -> JsValue;
}

thread_local! {
    /// Whether the platform was ever seen in front. It does not go away, and to ask for what it says costs much: the runtime
    /// reads some kilobytes of text for it.
    static PLATFORM_WAS_SEEN: Cell<bool> = const { Cell::new(false) };
}

fn platform_is_in_front(request: &RawRequest) -> bool {
    let platform: &RuntimeRequest = request.unchecked_ref();
    let is_there = PLATFORM_WAS_SEEN.get() || platform.cf().is_object();
    PLATFORM_WAS_SEEN.set(is_there);
    is_there
}

/// The client's address: from the header that the configuration names, else from the platform's, where the platform is in
/// front. None where a client could have written it.
pub(crate) fn of(request: &RawRequest, config: &Config) -> Result<Option<String>, EdgeError> {
    let Some(name) = &config.client_ip_header else {
        let said = request.headers().get(PLATFORM_HEADER)?;
        return Ok(said.filter(|_| platform_is_in_front(request)));
    };
    // Of several proxies each appends what it saw; the nearest one is ours.
    let said = request.headers().get(name)?;
    Ok(said.and_then(|list| list.rsplit(',').next().map(|last| last.trim().to_owned())))
}
