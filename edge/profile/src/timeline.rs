//! A fragment's recent events and what was shown to it, for people who look at a profile.

use endcap_events::ingest::event::{Impression, Reaction};
use endcap_protocol::UnixMillis;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Recent events kept per fragment.
pub const MAX_EVENTS: usize = 40;
/// Impressions kept per fragment.
pub const MAX_IMPRESSIONS: usize = 40;
/// Orders kept per fragment.
pub const MAX_ORDERS: usize = 200;

/// One recent event.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub struct TimelineEvent {
    /// When it happened.
    pub at: UnixMillis,
    /// Its message ID.
    pub message_id: String,
    /// Its name.
    pub name: String,
    /// What it was about: a product, a search, a path.
    pub about: String,
}

/// One order.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub struct OrderRecord {
    /// When it was placed.
    pub at: UnixMillis,
    /// The shop's number for it.
    pub order_id: String,
    /// What it brought, in minor units.
    pub revenue_minor: i64,
    /// ISO 4217 code.
    pub currency: String,
    /// Number of units.
    pub units: u32,
}

impl OrderRecord {
    /// Whether something went back: it is no purchase.
    #[must_use]
    pub fn is_return(&self) -> bool {
        self.revenue_minor < 0
    }
}

/// One showing, click or dismissal.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub struct ImpressionRecord {
    /// When.
    pub at: UnixMillis,
    /// Campaign ID, or empty.
    pub campaign_id: String,
    /// Slot name, or empty.
    pub slot: String,
    /// Product clicked, or empty.
    pub product_id: String,
    /// What the visitor did.
    pub reaction: Reaction,
}

impl ImpressionRecord {
    /// The record of an impression.
    #[must_use]
    pub fn new(impression: &Impression, at: UnixMillis) -> Self {
        let none = String::new;
        match impression {
            Impression::Campaign(id, reaction) => {
                Self { at, campaign_id: id.as_str().to_owned(), slot: none(), product_id: none(), reaction: *reaction }
            }
            Impression::Slot(slot, product, reaction) => Self {
                at,
                campaign_id: none(),
                slot: slot.clone(),
                product_id: product.as_ref().map(|id| id.as_str().to_owned()).unwrap_or_default(),
                reaction: *reaction,
            },
        }
    }
}
