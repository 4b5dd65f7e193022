//! Whether an event may be kept, whose it is, and what it does to what the page knows of the visitor.

use endcap_protocol::{EventType, Props, UnixMillis, commerce};
use endcap_targeting::Act;
use wasm_bindgen::prelude::*;

use crate::app::{self, App};
use crate::constants::{PROMPT_MS, RELAXED_MS};
use crate::props::Bag;
use crate::{decide, host, identity, send};

/// What became of an event (`sdk/js/capture.js` reads the numbers).
const KEPT: u32 = 0;
const CONSENT_IS_OPEN: u32 = 1;
const REFUSED: u32 = 2;

/// Takes the event at hand, of a kind (its place in [`EventType::ALL`]), which happened at `at`. `id` is its message ID,
/// empty for a new one.
#[wasm_bindgen]
pub fn capture(kind: usize, name: &str, id: &str, at: f64) -> u32 {
    let done = app::with(|app| match app.consent {
        None => CONSENT_IS_OPEN,
        Some(consent) if !consent.analytics => REFUSED,
        Some(_) => {
            let Some(kind) = EventType::ALL.get(kind) else { return REFUSED };
            commit(app, *kind, id, at as UnixMillis, act(*kind, name));
            KEPT
        }
    });
    done.unwrap_or(REFUSED)
}

/// What the event does; the edge says what is wrong with one that cannot be understood.
fn act(kind: EventType, name: &str) -> Option<Act> {
    match kind {
        EventType::Page => Some(Act::PageViewed),
        EventType::Track => commerce::parse_brief(name, &Bag::WHOLE).map(Act::Commerce),
        EventType::Impression if name == "Campaign Shown" => Bag::WHOLE.text("campaign_id").map(Act::Shown),
        _ => None,
    }
}

fn commit(app: &mut App, kind: EventType, id: &str, at: UnixMillis, act: Option<Act>) {
    let id = if id.is_empty() { identity::message_id(at) } else { id.to_owned() };
    let Some(session) = identity::session(app, at) else { return };
    if !host::keep(&id, session.as_str(), at as f64) {
        return;
    }
    let prompt = matches!(kind, EventType::Page | EventType::Identify | EventType::Reset);
    if kind == EventType::Reset {
        identity::renew(app);
        decide::forget(app);
    } else {
        decide::note(app, id, [Some(Act::Session(session)), act], at);
    }
    send::schedule(app, if prompt { PROMPT_MS } else { RELAXED_MS });
}
