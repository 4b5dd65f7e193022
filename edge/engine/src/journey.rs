//! Journeys: what happens to a person as time passes. So far one: a cart left behind leads to a web push.
//!
//! Role in the flow of one event: after an event was applied, [`cart_left_due`] says when to look again; the shard arms
//! a timer, and when it fires asks the same function whether the message is still due.

use endcap_profile::{Person, ProfileRow};
use endcap_protocol::{DAY_MS, UnixMillis};
use endcap_validation::placeholder;

use crate::shop::Snapshot;
use crate::shop::settings::CartPush;

/// Least time between two messages to a person, of whatever journey, in milliseconds: the prompt promises it.
const BETWEEN_MS: i64 = DAY_MS;
/// Name of the journey in records and topics.
pub const CART_LEFT: &str = "cart_left";

/// When a message about the cart is due; None while nothing would be sent.
///
/// A person gets one message a day at most, whatever it is about: the next one waits. The gates: the journey is on, the cart is not empty, the
/// person agreed to marketing and can be reached, their stage is among those meant, and this state of the cart was not
/// written about before.
#[must_use]
pub fn cart_left_due(row: &ProfileRow, person: &Person, settings: &CartPush) -> Option<UnixMillis> {
    let cart = &person.behaviour.cart;
    let told = row.pushed_at(CART_LEFT).is_some_and(|at| at >= cart.changed_at);
    let wanted = settings.reaches(person.behaviour.stage) && person.behaviour.consent.marketing;
    let due = wanted && is_reachable(row, person) && !cart.lines.is_empty() && !told;
    let rested = row.last_pushed_at().map_or(0, |at| at.saturating_add(BETWEEN_MS));
    due.then(|| cart.changed_at.saturating_add(i64::from(settings.after_seconds) * 1000).max(rested))
}

/// Whether a browser of the person is subscribed. One that an earlier version joined by a claim is not the person's to be reached at.
#[must_use]
pub fn is_reachable(row: &ProfileRow, person: &Person) -> bool {
    row.subscriptions > 0 && (!row.has_guests() || (person.behaviour.push_subscribed && !row.has_only_guests()))
}

/// Title and text of the message.
#[must_use]
pub fn cart_left_text(person: &Person, snapshot: &Snapshot) -> (String, String) {
    let settings = &snapshot.settings.cart_push;
    let cart = &person.behaviour.cart;
    let first = cart.lines.last().and_then(|line| snapshot.catalogue.get(&line.product));
    let fill = |text: &str| {
        placeholder::fill(text, |one| match one.name {
            "count" => cart.units().to_string(),
            // The catalogue may not have it.
            "product" => {
                first.map_or(one.fallback.unwrap_or("Something you liked"), |product| &product.title).to_owned()
            }
            other => format!("{{{{{other}}}}}"),
        })
    };
    (fill(&settings.title), fill(&settings.body))
}
