//! The parts of a decision, as the page reads them.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Serialize;

use crate::shop::Product;
use crate::shop::campaign::Content;
use crate::shop::settings::PushPrompt;

/// A campaign that could be shown on the page.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct CampaignOffer {
    /// Its ID.
    pub id: String,
    /// Its version.
    pub version: u32,
    /// Its rules, binary, base64url.
    pub program: String,
    /// Whether it could be shown now, as the edge sees it.
    pub eligible: bool,
    /// Why, or why not.
    pub why: String,
    /// The condition's leaves in words, for debug views.
    pub labels: Vec<String>,
    /// What the visitor sees.
    pub popup: Content,
    /// Products it may show, by category ID; under the empty ID where they depend on no category.
    pub products: BTreeMap<String, Vec<Product>>,
}

/// Products for a slot.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct SlotOffer {
    /// Where the first of them came from.
    pub reason: SlotReason,
    /// The products.
    pub items: Vec<Product>,
}

/// Why a slot shows what it shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum SlotReason {
    /// Visitors who looked at the same products looked at these.
    CoViewed,
    /// What sells best in the category looked at.
    Category,
    /// What sells best.
    BestSellers,
    /// Nothing sold yet: the catalogue's order.
    Catalogue,
}

/// How to subscribe to web push.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct PushOffer {
    /// VAPID public key: base64url of 65 bytes.
    pub public_key: String,
    /// The key's ID, sent back with the subscription.
    pub key_id: String,
    /// Whether a browser of this visitor is subscribed.
    pub subscribed: bool,
    /// The prompt before the browser's own.
    pub prompt: PushPrompt,
}
