//! The platform's clock and randomness, handed to the engine as values.

use endcap_protocol::UnixMillis;
use wasm_bindgen::prelude::wasm_bindgen;

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(js_namespace = crypto, js_name = getRandomValues)]
    fn fill_random(buffer: &mut [u8]);
}

/// The time. In Workers it stands still while a request computes, and moves on with I/O.
pub(crate) fn now() -> UnixMillis {
    js_sys::Date::now() as UnixMillis
}

/// Bytes from the platform's cryptographic random source.
pub(crate) fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    fill_random(&mut bytes);
    bytes
}
