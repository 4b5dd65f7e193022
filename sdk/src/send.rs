//! When events go to the edge: promptly after a page view, soon after anything else, later after a failure.
//!
//! One tab sends at a time (a Web Lock); where there are no locks, two tabs may send the same event and the edge counts
//! it once. An event leaves the queue only when the edge answered for it.

use endcap_protocol::bucket_of;
use wasm_bindgen::prelude::wasm_bindgen;

use crate::app::{self, App};
use crate::constants::PROMPT_MS;
use crate::host;
use crate::retry::{SendOutcome, outcome, wait};

/// Sees to it that the queue is sent in `delay` milliseconds at the latest.
pub(crate) fn schedule(app: &mut App, delay: u32) {
    if !app.may_track() {
        return;
    }
    let now = host::now();
    let due = app.sender.not_before.max(now + f64::from(delay));
    if app.sender.due < now || due < app.sender.due {
        app.sender.due = due;
        host::wake((due - now) as u32);
    }
}

/// The time that was waited for has come.
#[wasm_bindgen]
pub fn due() {
    app::with(|app| {
        app.sender.due = 0.0;
        start(app);
    });
}

/// Sends the queue now.
#[wasm_bindgen]
pub fn flush() {
    app::with(|app| {
        if app.may_track() {
            start(app);
        } else if !app.sender.running {
            host::unlock();
        }
    });
}

/// The network is back, or the visitor: what waited need not wait longer.
#[wasm_bindgen]
pub fn online() {
    app::with(|app| {
        app.sender.not_before = 0.0;
        app.sender.failures = 0;
        schedule(app, PROMPT_MS);
    });
}

/// A slot on the page shows nothing yet.
#[wasm_bindgen]
pub fn wanted() {
    app::with(|app| {
        app.sender.wants_decision = true;
        schedule(app, PROMPT_MS);
    });
}

fn start(app: &mut App) {
    if !app.sender.running {
        app.sender.running = true;
        host::lock();
    }
}

/// The lock is held: posts the next request, if there is anything to send and the time has come.
#[wasm_bindgen]
pub fn next() {
    app::with(|app| {
        let early = app.sender.not_before - host::now();
        if early > 0.0 {
            schedule(app, early as u32);
        } else if app.may_track() && host::send(app.sender.max_events, app.sender.wants_decision, app.may_personalize())
        {
            app.sender.wants_decision = false;
            return;
        }
        release(app);
    });
}

/// There is no more to send for now.
#[wasm_bindgen]
pub fn stop() {
    app::with(release);
}

fn release(app: &mut App) {
    app.sender.running = false;
    host::unlock();
}

/// The edge answered a request of so many events with a status, or (0) nobody did. `retry_after` are the seconds that it
/// asked to wait, below 0 where it named none. What that means for the events, as [`SendOutcome`]'s number.
#[wasm_bindgen]
pub fn answered(status: u16, retry_after: f64, events: u32) -> u32 {
    let outcome = outcome(status, events);
    app::with(|app| match outcome {
        SendOutcome::Answered | SendOutcome::Drop => app.sender.failures = 0,
        SendOutcome::Split => app.sender.max_events = events / 2,
        SendOutcome::Retry => {
            app.sender.failures += 1;
            let asked = (retry_after >= 0.0).then_some((retry_after * 1000.0) as u32);
            let wait = wait(app.sender.failures, js_sys::Math::random(), asked);
            app.sender.not_before = host::now() + f64::from(wait);
            release(app);
            schedule(app, wait);
        }
    });
    outcome as u32
}

/// The virtual bucket of an anonymous ID, for the address of its batches.
#[wasm_bindgen]
pub fn bucket(anonymous_id: &str) -> u32 {
    bucket_of(anonymous_id).into()
}
