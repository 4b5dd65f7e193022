//! The batch as it comes over the wire, before any field is trusted.

use std::borrow::Cow;

use endcap_protocol::limits::{SLOT_ITEMS, SLOTS, URL_BYTES};
use endcap_protocol::touch::cut;
use endcap_protocol::{Consent, UnixMillis};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

/// A batch; events stay text until each is parsed on its own, so that a bad one spoils no other.
#[derive(Debug, Deserialize)]
pub struct WireBatch<'a> {
    /// Source ID.
    #[serde(borrow)]
    pub source: Cow<'a, str>,
    /// Anonymous ID of the browser.
    #[serde(borrow)]
    pub anonymous_id: Cow<'a, str>,
    /// Device ID of the browser.
    #[serde(borrow, default)]
    pub device_id: Option<Cow<'a, str>>,
    /// The page's clock when it sent the batch.
    #[serde(default)]
    pub sent_at: Option<UnixMillis>,
    /// The visitor's consent.
    #[serde(default)]
    pub consent: Option<Consent>,
    /// Who said what the visitor consents to: `api` (the default), `banner`, `tcf`, `gcm` or `gpc`.
    #[serde(borrow, default)]
    pub consent_source: Option<Cow<'a, str>>,
    /// How many events the browser threw out for lack of room since it last said so.
    #[serde(default)]
    pub dropped: Option<u32>,
    /// Events.
    #[serde(borrow, default)]
    pub events: Vec<&'a RawValue>,
    /// Calls that the loader held when the page ended before the core was there.
    #[serde(borrow, default)]
    pub raw: Vec<&'a RawValue>,
    /// What the page wants decided.
    #[serde(default)]
    pub ask: Option<Ask>,
    /// The possession token of the anonymous ID, where no cookie travels.
    #[serde(borrow, default)]
    pub possession: Option<Cow<'a, str>>,
}

/// What a page wants decided in the reply.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Ask {
    /// The slots on the page.
    pub slots: Vec<SlotAsk>,
    /// The product that the page shows; it is never recommended there.
    pub product_id: Option<String>,
    /// The page's URL.
    pub url: Option<String>,
}

/// One slot that a page wants filled.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct SlotAsk {
    /// Name of the slot: `home`, `product`, `cart` or one of the shop's own.
    pub name: String,
    /// How many products, 1 to 24.
    #[serde(default = "default_limit")]
    pub limit: usize,
}

fn default_limit() -> usize {
    4
}

impl Ask {
    /// The same ask within bounds.
    #[must_use]
    pub fn bounded(mut self) -> Self {
        self.slots.truncate(SLOTS);
        self.slots.retain(|slot| (1..=64).contains(&slot.name.len()));
        for slot in &mut self.slots {
            slot.limit = slot.limit.clamp(1, SLOT_ITEMS);
        }
        self.product_id = self.product_id.filter(|id| id.len() <= 128);
        self.url = self.url.map(|url| cut(&url, URL_BYTES).to_owned());
        self
    }
}

/// One event's outer shape. Properties stay text: most are only logged.
#[derive(Debug, Deserialize)]
pub struct WireEvent<'a> {
    /// Message ID.
    #[serde(borrow, default)]
    pub message_id: Option<Cow<'a, str>>,
    /// Type of message.
    #[serde(rename = "type", borrow, default)]
    pub kind: Cow<'a, str>,
    /// Name of the event or page.
    #[serde(borrow, default)]
    pub name: Option<Cow<'a, str>>,
    /// Anonymous ID, where it differs from the batch's.
    #[serde(borrow, default)]
    pub anonymous_id: Option<Cow<'a, str>>,
    /// User ID, for identify; other clients send it with each event.
    #[serde(borrow, default)]
    pub user_id: Option<Cow<'a, str>>,
    /// Other identifiers by namespace, such as `email` or `external:crm`.
    #[serde(borrow, default)]
    pub identifiers: Option<&'a RawValue>,
    /// Earlier user ID, for the identify that an alias becomes.
    #[serde(borrow, default)]
    pub previous_id: Option<Cow<'a, str>>,
    /// Session ID.
    #[serde(borrow, default)]
    pub session_id: Option<Cow<'a, str>>,
    /// When it happened, by the page's clock.
    #[serde(default)]
    pub timestamp: Option<UnixMillis>,
    /// Where it happened.
    #[serde(borrow, default)]
    pub context: Option<WireContext<'a>>,
    /// Properties.
    #[serde(borrow, default)]
    pub properties: Option<&'a RawValue>,
    /// Traits, for identify.
    #[serde(borrow, default)]
    pub traits: Option<&'a RawValue>,
    /// HMAC proof, for identify.
    #[serde(borrow, default)]
    pub proof: Option<Cow<'a, str>>,
    /// What our entry repaired when it made the event of another client's call. Nobody else is believed here.
    #[serde(borrow, default)]
    pub repairs: Option<&'a RawValue>,
}

/// Where an event happened.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct WireContext<'a> {
    /// The page.
    #[serde(borrow)]
    pub page: Option<WirePage<'a>>,
    /// IANA time zone of the browser.
    #[serde(borrow)]
    pub zone: Option<Cow<'a, str>>,
    /// Language of the browser.
    #[serde(borrow)]
    pub locale: Option<Cow<'a, str>>,
    /// What the browser calls itself, where another client tells of it.
    #[serde(borrow)]
    pub user_agent: Option<Cow<'a, str>>,
}

/// The page of an event. The campaign is read from its URL, so that any client's events get it.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct WirePage<'a> {
    /// Full URL.
    #[serde(borrow)]
    pub url: Option<Cow<'a, str>>,
    /// Title.
    #[serde(borrow)]
    pub title: Option<Cow<'a, str>>,
    /// The page before.
    #[serde(borrow)]
    pub referrer: Option<Cow<'a, str>>,
}
