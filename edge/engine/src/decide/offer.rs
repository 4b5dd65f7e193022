//! The parts of a decision, as the page reads them.

use std::collections::BTreeMap;

use endcap_validation::json::is_default;
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
    /// Whether it could be shown now, as the edge sees it.
    pub eligible: bool,
    /// Why, or why not.
    pub why: String,
    /// Its rules, binary, base64url. They, `labels` and `popup` are the same for every visitor. They are here or in `file`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub program: Option<String>,
    /// The condition's leaves in words, for debug views.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub labels: Option<Vec<String>>,
    /// What the visitor sees.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub popup: Option<Content>,
    /// Where those three are not here: the name of their file, `{prefix}/c/{file}`, whose content never changes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
    /// Products it may show, by category ID; under the empty ID where they depend on no category.
    pub products: BTreeMap<String, Vec<Product>>,
    /// Names of categories by ID, where its texts name the one that the condition finds. Without a name stands there what the text says
    /// otherwise, and only where it says nothing, the ID.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub names: BTreeMap<String, String>,
}

/// How much a decision leaves out.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct LeftOut {
    /// Campaigns that are for other pages.
    #[serde(default, skip_serializing_if = "is_default")]
    pub elsewhere: u32,
    /// Campaigns whose condition cannot come to hold on this page, such as one for people who never ordered.
    #[serde(default, skip_serializing_if = "is_default")]
    pub unreachable: u32,
    /// Campaigns that ask about events of which the person's past is still being read.
    #[serde(default, skip_serializing_if = "is_default")]
    pub not_known_yet: u32,
    /// Campaigns for which the answer had no room: those of the lowest priority.
    #[serde(default, skip_serializing_if = "is_default")]
    pub no_room: u32,
    /// Campaigns that an earlier version saved and that would show a placeholder nothing fills: save them again to see which.
    #[serde(default, skip_serializing_if = "is_default")]
    pub unfilled: u32,
    /// Products, of slots or campaigns, for which it had none.
    #[serde(default, skip_serializing_if = "is_default")]
    pub products: u32,
    /// Campaigns that are there and whose own part is a file, because it is large or there was no room for it.
    #[serde(default, skip_serializing_if = "is_default")]
    pub files: u32,
}

impl LeftOut {
    /// Whether nothing is left out.
    #[must_use]
    pub fn is_nothing(&self) -> bool {
        *self == Self::default()
    }
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
