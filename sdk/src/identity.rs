//! Who this browser is: device ID and anonymous ID, kept in cookie and storage alike, so that losing one is no loss.

use std::hint::black_box;

use endcap_protocol::cookie::{ID_COOKIE, Identity, MAX_AGE_SECONDS};
use endcap_protocol::session::{resume, store as session_text};
use endcap_protocol::{AnonymousId, DeviceId, SessionId, UnixMillis, uuid};
use wasm_bindgen::prelude::wasm_bindgen;

use crate::app::{self, App};
use crate::constants::{IDENTITY, SESSION};
use crate::host::{self, cookie, identified, set_cookie, store, stored};

/// Finds out who this browser is, or draws a new identity. Needs consent.
pub(crate) fn recognise(app: &mut App) {
    // Of two copies of one epoch the page's own counts: an answer that came late may have set the cookie.
    let known = Identity::newer(Identity::parse(&stored(IDENTITY)), Identity::parse(&cookie(ID_COOKIE)));
    app.identity = known.or_else(|| draw(None));
    save(app);
}

/// The visitor logged out: a new anonymous ID and a new session.
pub(crate) fn renew(app: &mut App) {
    app.identity = draw(app.identity.take());
    save(app);
    keep_session(app, String::new());
}

/// The edge says that this browser does not have its anonymous ID, and gives it another one. Where another tab has moved on
/// already, this one follows it.
#[wasm_bindgen]
pub fn renamed(anonymous: &str) {
    app::with(|app| {
        let Some(known) = app.identity.take() else { return };
        let given = AnonymousId::parse(anonymous).ok();
        let epoch = known.epoch.saturating_add(1);
        let next = given.map(|anonymous| Identity { device: known.device.clone(), anonymous, epoch });
        let kept = Identity::newer(Identity::parse(&stored(IDENTITY)), Identity::parse(&cookie(ID_COOKIE)));
        app.identity = Identity::newer(kept.filter(|kept| kept.epoch > known.epoch), next).or(Some(known));
        save(app);
    });
}

/// Forgets who this browser is.
pub(crate) fn forget(app: &mut App) {
    app.identity = None;
    save(app);
    keep_session(app, String::new());
}

/// Draws a new anonymous ID; a device that is known already stays, one epoch on.
fn draw(before: Option<Identity>) -> Option<Identity> {
    let anonymous = AnonymousId::parse(&uuid::v4(random())).ok()?;
    Some(match before {
        Some(known) => Identity { device: known.device, anonymous, epoch: known.epoch.saturating_add(1) },
        None => Identity { device: DeviceId::parse(&uuid::v4(random())).ok()?, anonymous, epoch: 0 },
    })
}

fn save(app: &App) {
    let text = app.identity.as_ref().map(Identity::to_text).unwrap_or_default();
    let (device, anonymous) = app.identity.as_ref().map_or(("", ""), |id| (id.device.as_str(), id.anonymous.as_str()));
    identified(device, anonymous);
    set_cookie(ID_COOKIE, &text, if text.is_empty() { 0 } else { MAX_AGE_SECONDS });
    store(IDENTITY, &text);
}

/// The session that an event at `now` belongs to; a new one after 30 idle minutes. Other tabs share it.
pub(crate) fn session(app: &mut App, now: UnixMillis) -> Option<SessionId> {
    let kept = stored(SESSION);
    let text = if kept.is_empty() { &app.session } else { &kept };
    let id = resume(text, now).map_or_else(|| uuid::v4(random()), str::to_owned);
    let text = session_text(&id, now);
    keep_session(app, text);
    SessionId::parse(&id).ok()
}

fn keep_session(app: &mut App, text: String) {
    store(SESSION, &text);
    app.session = text;
}

/// A new message ID.
pub(crate) fn message_id(at: UnixMillis) -> String {
    uuid::v7(at, random())
}

/// Bytes of the platform's cryptographic random source.
fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    // wasm-bindgen hands the slice over as a shared one. The compiler may conclude that nobody writes to it, and take the
    // zeros for what comes back: it did so where wasm-bindgen was not optimized.
    host::random(black_box(&mut bytes));
    bytes
}
