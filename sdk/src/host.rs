//! What the page does for the core (`sdk/js/host.js`).
//!
//! It is JavaScript because it is all calls into the browser, which cost several times as many bytes from WebAssembly.
//! It decides nothing: it is told what to do, and enters the core again when something has happened.

use wasm_bindgen::prelude::*;

#[wasm_bindgen(module = "endcap-host")]
extern "C" {
    /// Fills bytes from the platform's cryptographic random source.
    pub(crate) fn random(bytes: &mut [u8]);
    /// Unix time in milliseconds.
    pub(crate) fn now() -> f64;
    /// Reads a storage key; empty where there is none.
    pub(crate) fn stored(key: &str) -> String;
    /// Writes a storage key, best effort; empty text removes it.
    pub(crate) fn store(key: &str, value: &str);
    /// Reads a cookie; empty where there is none.
    pub(crate) fn cookie(name: &str) -> String;
    /// Writes a cookie for the whole site that lives `seconds`; 0 removes it.
    #[wasm_bindgen(js_name = setCookie)]
    pub(crate) fn set_cookie(name: &str, value: &str, seconds: u32);
    /// Who this browser is, for the requests that the page makes; empty text for nobody.
    pub(crate) fn identified(device: &str, anonymous: &str);

    /// A property of the event at hand that is text, or a number as text. `at`: of which product; below 0: of all.
    #[wasm_bindgen(js_name = textOf)]
    pub(crate) fn text_of(at: i32, key: &str) -> Option<String>;
    /// A property that is a number or numeric text; NaN for anything else.
    #[wasm_bindgen(js_name = numberOf)]
    pub(crate) fn number_of(at: i32, key: &str) -> f64;
    /// How many products the event at hand has.
    #[wasm_bindgen(js_name = itemCount)]
    pub(crate) fn items() -> usize;
    /// Keeps the event at hand until the edge answered for it; false where it is too large.
    pub(crate) fn keep(message_id: &str, session_id: &str, timestamp: f64) -> bool;

    /// Enters [`crate::send::due`] in so many milliseconds, instead of at the time set before.
    pub(crate) fn wake(delay: u32);
    /// Waits for the lock that all tabs share, then enters [`crate::send::next`].
    pub(crate) fn lock();
    /// Gives the lock back.
    pub(crate) fn unlock();
    /// Posts the next request of at most `max` events (0: no limit); false when there are none and no decision is
    /// `wanted`. `asks`: a decision may be asked for.
    pub(crate) fn send(max: u32, wanted: bool, asks: bool) -> bool;

    /// What the visitor may be shown is looked at again, by [`crate::decide::judge`], once this piece of work is done.
    pub(crate) fn look();
    /// Tells the page the result of [`crate::decide::judge`]: one of the numbers in [`crate::decide`], the value of the
    /// campaign's trigger, and the category that its condition found, or empty.
    pub(crate) fn stands(standing: u32, value: u32, category: &str);
}
