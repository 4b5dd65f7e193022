//! Why an event was refused.

use endcap_protocol::FieldError;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The stable code of a refusal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum RejectCode {
    /// The event is no JSON object of the event's shape.
    InvalidEvent,
    /// A field has a value that it cannot have.
    InvalidField,
    /// The event is over its bound of bytes.
    TooLarge,
    /// The event is older than the dedupe window.
    TooLate,
    /// The event lies ahead of the edge's clock.
    InFuture,
    /// The visitor did not agree to this purpose.
    NoConsent,
    /// The event names another browser than its batch.
    WrongVisitor,
    /// The sender is a crawler or another robot.
    Bot,
    /// The client or its source sent more than it may.
    RateLimited,
    /// The browser had no room for the event and says how many there were.
    Dropped,
    /// The browser belongs to somebody who was erased; it is somebody new under a new anonymous ID only.
    Erased,
    /// The browser does not show the token of the anonymous ID. Such events are counted and kept apart under a new ID. They
    /// are refused where that ID is bound as well.
    Unverified,
    /// The batch named more people than one batch of a browser may hand the browser over to.
    TooManyPeople,
}

impl RejectCode {
    /// Every code.
    pub const ALL: [Self; 13] = [
        Self::InvalidEvent,
        Self::InvalidField,
        Self::TooLarge,
        Self::TooLate,
        Self::InFuture,
        Self::NoConsent,
        Self::WrongVisitor,
        Self::Bot,
        Self::RateLimited,
        Self::Dropped,
        Self::Erased,
        Self::Unverified,
        Self::TooManyPeople,
    ];

    /// The name on the wire.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::InvalidEvent => "invalid_event",
            Self::InvalidField => "invalid_field",
            Self::TooLarge => "too_large",
            Self::TooLate => "too_late",
            Self::InFuture => "in_future",
            Self::NoConsent => "no_consent",
            Self::WrongVisitor => "wrong_visitor",
            Self::Bot => "bot",
            Self::RateLimited => "rate_limited",
            Self::Dropped => "dropped",
            Self::Erased => "erased",
            Self::Unverified => "unverified",
            Self::TooManyPeople => "too_many_people",
        }
    }

    /// The code of a name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|code| code.as_str() == name)
    }

    /// Whether quarantine keeps the event's text. It only counts events without consent, events of robots and of erased
    /// browsers, events that a rate limit or the browser itself dropped, and unverified ones.
    #[must_use]
    pub fn is_kept(self) -> bool {
        !matches!(
            self,
            Self::NoConsent | Self::Bot | Self::RateLimited | Self::Dropped | Self::Erased | Self::Unverified
        )
    }
}

/// One refused event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Rejection {
    /// Its position in the batch (`events`, then `raw`).
    pub index: usize,
    /// Its message ID, where it could be read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message_id: Option<String>,
    /// The stable code.
    pub code: RejectCode,
    /// Path of the wrong field.
    pub path: String,
    /// What was wrong.
    pub message: String,
}

impl Rejection {
    /// A refusal; `index` is filled in by [`Rejection::at`].
    #[must_use]
    pub fn new(code: RejectCode, error: FieldError) -> Self {
        Self { index: 0, message_id: None, code, path: error.path, message: error.message }
    }

    /// Names the message, unless it has no name.
    #[must_use]
    pub fn of(mut self, message_id: &str) -> Self {
        let named = !message_id.is_empty();
        self.message_id = named.then(|| endcap_protocol::touch::cut(message_id, 100).to_owned());
        self
    }

    /// Says where in the batch the event stood; the path becomes absolute.
    #[must_use]
    pub fn at(self, index: usize) -> Self {
        let error = FieldError::new(self.path, self.message).under(&format!("events[{index}]"));
        Self { index, path: error.path, message: error.message, ..self }
    }

    /// The same refusal with a path relative to the event: [`Rejection::at`] taken back, to place it elsewhere.
    #[must_use]
    pub fn relative(self) -> Self {
        let place = format!("events[{}]", self.index);
        let path = self.path.strip_prefix(&place).unwrap_or(&self.path).trim_start_matches('.').to_owned();
        Self { path, ..self }
    }
}
