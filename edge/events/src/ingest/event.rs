//! An event whose every field was checked.

use endcap_identity::Identifier;
use endcap_protocol::commerce::Commerce;
use endcap_protocol::repair::Repairs;
use endcap_protocol::touch::Campaign;
use endcap_protocol::{AnonymousId, CampaignId, MessageId, ProductId, SessionId, UnixMillis, UserId};

use super::sender::LanguageTag;
use super::user_agent::UserAgent;
use crate::Traits;

/// One good event.
#[derive(Debug, Clone, PartialEq)]
pub struct Event {
    /// Its position in the batch that it came with (`events`, then `raw`).
    pub place: usize,
    /// Names the message for ever.
    pub message_id: MessageId,
    /// The browser it belongs to.
    pub anonymous_id: AnonymousId,
    /// The visit it belongs to, where the client keeps sessions.
    pub session_id: Option<SessionId>,
    /// Whom it is about, where it says so: proved, a fact of the shop's server, or a claim.
    pub user_id: Option<UserId>,
    /// Other identifiers of the person, trusted as far as the sender.
    pub identifiers: Vec<Identifier>,
    /// An earlier user ID of the same person; only the shop's server can say that.
    pub previous_id: Option<UserId>,
    /// When it happened, on the edge's clock.
    pub at: UnixMillis,
    /// Where it happened.
    pub context: EventContext,
    /// What happened.
    pub kind: Kind,
    /// The text that was sent, for the log.
    pub raw: String,
    /// What of it was repaired.
    pub repairs: Repairs,
}

/// Where an event happened. Empty text where unknown.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct EventContext {
    /// URL of the page, at most 2,048 bytes.
    pub url: String,
    /// Referrer of the page, at most 2,048 bytes.
    pub referrer: String,
    /// IANA time zone of the browser.
    pub zone: String,
    /// Language of the browser.
    pub locale: Option<LanguageTag>,
    /// The device, where another client than the browser says which.
    pub agent: UserAgent,
    /// The campaign that the URL names.
    pub campaign: Option<Campaign>,
}

/// What happened.
#[derive(Debug, Clone, PartialEq)]
pub enum Kind {
    /// Something the visitor did.
    Track {
        /// Its name.
        name: String,
        /// What it means in the shop's terms, where its name says so.
        commerce: Option<Commerce>,
    },
    /// A page view.
    Page {
        /// The page's name or title.
        name: String,
    },
    /// Who the visitor is.
    Identify {
        /// What is known about the person.
        traits: Traits,
        /// What the shop's server vouches with (`endcap_identity::proof`).
        proof: Option<String>,
    },
    /// The visitor logged out.
    Reset,
    /// Something of ours met the visitor.
    Impression(Impression),
}

impl Kind {
    /// The name that timelines show.
    #[must_use]
    pub fn label(&self) -> &str {
        match self {
            Self::Track { name, .. } => name,
            Self::Page { .. } => "Page Viewed",
            Self::Identify { .. } => "Identified",
            Self::Reset => "Reset",
            Self::Impression(impression) => impression.label(),
        }
    }
}

/// How something of ours met the visitor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Impression {
    /// A campaign was shown, clicked or dismissed.
    Campaign(CampaignId, Reaction),
    /// A slot was shown, or a product of it clicked.
    Slot(String, Option<ProductId>, Reaction),
}

/// What the visitor did about it.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Reaction {
    /// Saw it.
    Shown,
    /// Clicked it.
    Clicked,
    /// Closed it.
    Dismissed,
}

impl Impression {
    fn label(&self) -> &'static str {
        match self {
            Self::Campaign(_, Reaction::Shown) => "Campaign Shown",
            Self::Campaign(_, Reaction::Clicked) => "Campaign Clicked",
            Self::Campaign(_, Reaction::Dismissed) => "Campaign Dismissed",
            Self::Slot(_, _, Reaction::Clicked) => "Slot Clicked",
            Self::Slot(..) => "Slot Shown",
        }
    }
}
