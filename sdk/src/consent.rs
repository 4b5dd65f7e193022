//! Consent: open means memory only, granted keeps and sends, denied forgets.

use endcap_protocol::Consent;
use wasm_bindgen::prelude::wasm_bindgen;

use crate::constants::PROMPT_MS;
use crate::{app, decide, identity, send};

/// Takes the visitor's decision, or its withdrawal, as [`Consent::bits`]; below 0 it is open.
#[wasm_bindgen]
pub fn consent(bits: i32) {
    app::with(|app| {
        let tracked = app.may_track();
        app.consent = u8::try_from(bits).ok().map(Consent::from_bits);
        if app.may_track() {
            if !tracked {
                identity::recognise(app);
            }
            decide::consented(app);
            send::schedule(app, PROMPT_MS);
        } else if app.consent.is_some() {
            identity::forget(app);
            decide::forget(app);
        }
    });
}
