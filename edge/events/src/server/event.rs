//! One event as the entry understood it, whatever client or protocol it came by.

use endcap_identity::{Identifier, StatedLink, Witness};
use endcap_protocol::commerce::is_order_id;
use endcap_protocol::props::text_of;
use endcap_protocol::repair::Repairs;
use endcap_protocol::{AnonymousId, MessageId, SessionId, SourceId, UnixMillis, UserId};
use serde_json::{Map, Value, json};

use crate::ingest::consent::Stated;
use crate::ingest::parse::order_number;

/// The person that an event is about. The first of these that is given chooses the history: an anonymous ID with its browser's
/// token, user ID, anonymous ID, e-mail address.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Who {
    /// The browser.
    pub anonymous_id: Option<AnonymousId>,
    /// The browser's possession tokens, where the shop's server passes them on. They are not stored.
    pub possession: Option<String>,
    /// The shop's name for the person. A fact of the shop's server links what is known so far; anything else is a claim.
    pub user_id: Option<UserId>,
    /// E-mail address, normalised by [`endcap_validation::text::normalise_email`].
    pub email: Option<String>,
}

impl Who {
    /// The first of the names that are given.
    #[must_use]
    pub fn name(&self) -> Option<&str> {
        let anonymous = self.anonymous_id.as_ref().map(AnonymousId::as_str);
        anonymous.or(self.user_id.as_ref().map(UserId::as_str)).or(self.email.as_deref())
    }
}

/// What happened.
#[derive(Debug, Clone, PartialEq)]
pub enum Action {
    /// Something somebody did.
    Track {
        /// Its name; those of the e-commerce spec v2 are understood.
        name: String,
        /// Its properties, as in our own batches.
        properties: Map<String, Value>,
    },
    /// A page view.
    Page {
        /// The page's name or title.
        name: String,
        /// Its properties.
        properties: Map<String, Value>,
    },
    /// Who somebody is: [`Who::user_id`], or only what is known about them.
    Identify {
        /// What is known about the person: text, numbers, true and false.
        traits: Map<String, Value>,
    },
    /// Something of ours met the visitor, such as `Campaign Clicked`.
    Impression {
        /// One of the names that [`crate::ingest::event::Impression`] has.
        name: String,
        /// Its properties.
        properties: Map<String, Value>,
    },
    /// `previous` and [`Who::user_id`] are the same person.
    Alias {
        /// An anonymous ID, or an earlier user ID.
        previous: String,
    },
}

/// One event of one person.
#[derive(Debug, Clone, PartialEq)]
pub struct ServerEvent {
    /// Whom it is about.
    pub who: Who,
    /// Names the message for ever.
    pub message_id: MessageId,
    /// When it happened, on the edge's clock; None: now.
    pub at: Option<UnixMillis>,
    /// The visit it belongs to, where the client keeps sessions.
    pub session_id: Option<SessionId>,
    /// What happened.
    pub action: Action,
    /// Where it happened, as in our own batches: `page` (`url`, `title`, `referrer`), `campaign`, `zone`, `locale`,
    /// `user_agent`, `ip`.
    pub context: Map<String, Value>,
    /// What the person agreed to, where the client says so; None leaves what is known.
    pub consent: Option<Stated>,
    /// What the entry repaired.
    pub repairs: Repairs,
}

impl ServerEvent {
    /// That the browser is whose this event says, at the time `now` unless the event has one of its own.
    #[must_use]
    pub fn stated(&self, identifier: Identifier, source: &SourceId, now: UnixMillis) -> StatedLink {
        let message_id = self.message_id.as_str().to_owned();
        let witness = Witness { at: self.at.unwrap_or(now), message_id, source: source.as_str().to_owned() };
        StatedLink { identifier, order: self.order(), witness }
    }

    /// The same event for a history that is not the browser's: what else names the person does so there.
    #[must_use]
    pub fn beside_browser(&self) -> Self {
        Self { who: Who { anonymous_id: None, ..self.who.clone() }, ..self.clone() }
    }

    /// The order that it tells of, by its number.
    #[must_use]
    pub fn order(&self) -> Option<String> {
        let Action::Track { name, properties } = &self.action else { return None };
        if name == "Order Completed" {
            return order_number(&Value::Object(properties.clone()), &self.message_id);
        }
        text_of(properties.get("order_id")?).filter(|id| is_order_id(id))
    }

    /// The event as its history's shard takes it. `previous` is an earlier user ID of the person.
    #[must_use]
    pub fn to_wire(&self, previous: Option<&UserId>) -> Value {
        let (kind, name, properties, traits) = match &self.action {
            Action::Track { name, properties } => ("track", Some(name), Some(properties), None),
            Action::Page { name, properties } => ("page", Some(name), Some(properties), None),
            Action::Impression { name, properties } => ("impression", Some(name), Some(properties), None),
            Action::Identify { traits } if self.who.user_id.is_none() => ("traits", None, None, Some(traits)),
            Action::Identify { traits } => ("identify", None, None, Some(traits)),
            Action::Alias { .. } => ("identify", None, None, None),
        };
        // The e-mail address names the person where no other identifier does.
        let named = self.who.anonymous_id.is_none() && self.who.user_id.is_none();
        let identifiers = self.who.email.as_ref().filter(|_| named).map(|email| json!({"email": email}));
        let repairs = Some(&self.repairs.list).filter(|list| !list.is_empty());
        let members = json!({
            "repairs": repairs, "identifiers": identifiers, "message_id": self.message_id, "type": kind, "name": name, "user_id": self.who.user_id,
            "previous_id": previous, "session_id": self.session_id, "timestamp": self.at, "properties": properties,
            "traits": traits, "context": self.context,
        });
        let Value::Object(members) = members else { return members };
        members.into_iter().filter(|(_, value)| !value.is_null()).collect::<Map<_, _>>().into()
    }
}
