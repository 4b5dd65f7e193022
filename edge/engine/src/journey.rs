//! Journeys: what happens to a person as time passes. So far one: a cart left behind leads to a web push.
//!
//! Role in the flow of one event: after an event was applied, [`cart_left_due`] says when to look again; the shard arms
//! a timer, and when it fires asks the same function whether the message is still due.

use endcap_protocol::UnixMillis;
use serde::{Deserialize, Serialize};

use crate::identity::FragmentId;
use crate::profile::bounded::keep_latest;
use crate::profile::{Person, ProfileRow};
use crate::push::Outcome;
use crate::shop::settings::CartPush;
use crate::shop::{Product, Snapshot};

/// Push messages kept per fragment.
const MAX_PUSHES: usize = 20;
/// Name of the journey in records and topics.
pub const CART_LEFT: &str = "cart_left";

/// One push message and what became of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PushRecord {
    /// The message.
    pub message_id: String,
    /// The journey or campaign it belongs to.
    pub campaign: String,
    /// When it was decided.
    pub at: UnixMillis,
    /// What the push service said last; None until it answered.
    pub outcome: Option<Outcome>,
    /// When the push service last answered.
    pub answered_at: Option<UnixMillis>,
    /// When the browser showed it.
    pub shown_at: Option<UnixMillis>,
    /// When the person clicked it.
    pub clicked_at: Option<UnixMillis>,
    /// When the person closed it.
    pub closed_at: Option<UnixMillis>,
}

/// What a browser reports about a notification.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Report {
    /// It was shown.
    Shown,
    /// It was clicked.
    Clicked,
    /// It was closed.
    Closed,
}

/// When a message about the cart is due; None while nothing would be sent.
///
/// The gates: the journey is on, the cart is not empty, the person agreed to marketing and can be reached, their stage is
/// among those meant, and this state of the cart was not written about before.
#[must_use]
pub fn cart_left_due(row: &ProfileRow, person: &Person, settings: &CartPush) -> Option<UnixMillis> {
    let cart = &person.behaviour.cart;
    let told = row.pushes().any(|push| push.campaign == CART_LEFT && push.at >= cart.changed_at);
    let wanted = settings.reaches(person.behaviour.stage) && person.behaviour.consent.marketing;
    let due = wanted && row.subscriptions > 0 && !cart.lines.is_empty() && !told;
    due.then(|| cart.changed_at.saturating_add(i64::from(settings.after_seconds) * 1000))
}

/// Title and text of the message.
#[must_use]
pub fn cart_left_text(person: &Person, snapshot: &Snapshot) -> (String, String) {
    let settings = &snapshot.settings.cart_push;
    let cart = &person.behaviour.cart;
    let first = cart.lines.last().and_then(|line| snapshot.catalogue.get(&line.product));
    let product = first.map_or("Something you liked", |product: &Product| product.title.as_str());
    let fill = |text: &str| text.replace("{{count}}", &cart.units().to_string()).replace("{{product}}", product);
    (fill(&settings.title), fill(&settings.body))
}

impl ProfileRow {
    /// Push messages of all fragments.
    pub fn pushes(&self) -> impl Iterator<Item = &PushRecord> {
        self.fragments.values().flat_map(|fragment| &fragment.pushes)
    }

    /// Notes that a message was decided, with the fragment whose browser it goes to, or one of them.
    pub fn push_decided(&mut self, to: &FragmentId, message_id: &str, campaign: &str, at: UnixMillis) {
        let Some(fragment) = self.fragments.get_mut(to) else { return };
        fragment.pushes.push(PushRecord {
            message_id: message_id.to_owned(),
            campaign: campaign.to_owned(),
            at,
            outcome: None,
            answered_at: None,
            shown_at: None,
            clicked_at: None,
            closed_at: None,
        });
        keep_latest(&mut fragment.pushes, MAX_PUSHES);
    }

    /// Notes what the push service said. With several browsers the best answer stays: sent once is sent.
    pub fn push_answered(&mut self, message_id: &str, outcome: Outcome, at: UnixMillis) {
        if let Some(push) = self.push_mut(message_id) {
            if push.outcome != Some(Outcome::Sent) {
                push.outcome = Some(outcome);
            }
            push.answered_at = Some(at);
        }
    }

    /// Notes what a browser reported; false when it was known already or is about no message of ours.
    pub fn push_reported(&mut self, message_id: &str, report: Report, at: UnixMillis) -> bool {
        let Some(push) = self.push_mut(message_id) else { return false };
        let slot = match report {
            Report::Shown => &mut push.shown_at,
            Report::Clicked => &mut push.clicked_at,
            Report::Closed => &mut push.closed_at,
        };
        let news = slot.is_none();
        slot.get_or_insert(at);
        news
    }

    fn push_mut(&mut self, message_id: &str) -> Option<&mut PushRecord> {
        let mut all = self.fragments.values_mut().flat_map(|fragment| fragment.pushes.iter_mut().rev());
        all.find(|push| push.message_id == message_id)
    }
}
