//! Deciding in the page: what the edge answered, what the visitor did since, and the same rules over both.
//!
//! The edge's reply holds the visitor's behaviour after the events that it answered for. Events it has not seen yet are
//! applied on top here, so a pop-up that depends on what the visitor does right now needs no round trip.

use endcap_protocol::UnixMillis;
use endcap_protocol::text::split_once;
use endcap_targeting::{Act, Behaviour, Eligibility, PageFacts, Trigger};
use wasm_bindgen::prelude::wasm_bindgen;

use crate::app::{self, App};
use crate::constants::PENDING;
use crate::decisions::{Decisions, Pending};
use crate::host;

/// An event was captured: applies it at once.
pub(crate) fn note(app: &mut App, id: String, acts: [Option<Act>; 2], at: UnixMillis) {
    let decisions = &mut app.decisions;
    apply(&mut decisions.behaviour, &acts, at);
    if decisions.pending.len() < PENDING {
        decisions.pending.push(Pending { id, at, acts });
    }
    host::look();
}

fn apply(behaviour: &mut Behaviour, acts: &[Option<Act>; 2], at: UnixMillis) {
    for act in acts.iter().flatten() {
        behaviour.apply(act, at);
    }
}

/// Consent changed: it is a fact that conditions may ask for.
pub(crate) fn consented(app: &mut App) {
    rebuild(app);
    host::look();
}

/// This browser subscribed to web push.
#[wasm_bindgen]
pub fn subscribed() {
    app::with(|app| {
        app.decisions.subscribed = true;
        consented(app);
    });
}

/// Forgets the visitor, on reset or denied consent.
pub(crate) fn forget(app: &mut App) {
    app.decisions = Decisions::default();
}

fn rebuild(app: &mut App) {
    let decisions = &mut app.decisions;
    // Reading it again is less code than a copy.
    decisions.behaviour = Behaviour::decode(&decisions.base).unwrap_or_default();
    decisions.behaviour.push_subscribed |= decisions.subscribed;
    for pending in &decisions.pending {
        apply(&mut decisions.behaviour, &pending.acts, pending.at);
    }
    if let Some(consent) = app.consent {
        decisions.behaviour.consent = consent;
    }
}

/// The edge decided: the visitor's behaviour in binary form once the events `done` (message IDs between commas) are part
/// of it. One that cannot be read counts as nothing known.
#[wasm_bindgen]
pub fn decided(behaviour: &[u8], done: &str) {
    app::with(|app| {
        app.decisions.base = behaviour.to_vec();
        app.decisions.pending.retain(|pending| split_once(done, &pending.id).is_none());
        rebuild(app);
    });
}

/// How a campaign stands (`sdk/js/show.js` reads the numbers; those of triggers follow the last).
const NOT_CONSENTED: u32 = 0;
const ELSEWHERE: u32 = 1;
const CAPPED: u32 = 2;
const UNMET: u32 = 3;
const UNREADABLE: u32 = 4;
const ELIGIBLE: u32 = 5;

/// Says by [`host::stands`] how a campaign stands on the page at `path`, by the binary form of its rules. One of a newer
/// format than this core knows is never shown.
#[wasm_bindgen]
pub fn judge(id: &str, program: &[u8], path: &str) {
    app::with(|app| {
        let page = PageFacts { path, now: host::now() as UnixMillis };
        let mut found = "";
        let (standing, value) = match endcap_targeting::judge(program, id, &app.decisions.behaviour, &page) {
            _ if !app.may_personalize() => (NOT_CONSENTED, 0),
            Ok(Eligibility::Eligible(trigger, category)) => {
                found = category.unwrap_or_default();
                match trigger {
                    Trigger::Immediately => (ELIGIBLE, 0),
                    Trigger::Dwell(seconds) => (ELIGIBLE + 1, seconds),
                    Trigger::Scroll(percent) => (ELIGIBLE + 2, percent),
                    Trigger::ExitIntent => (ELIGIBLE + 3, 0),
                }
            }
            Ok(Eligibility::Elsewhere) => (ELSEWHERE, 0),
            Ok(Eligibility::Capped) => (CAPPED, 0),
            Ok(Eligibility::Unmet) => (UNMET, 0),
            Err(_) => (UNREADABLE, 0),
        };
        host::stands(standing, value, found);
    });
}
