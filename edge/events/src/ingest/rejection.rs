//! Why an event was refused.

use endcap_protocol::FieldError;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::codes::codes;

codes! {
    /// The stable code of a refusal.
    RejectCode {
        InvalidEvent "invalid_event" "The event is no JSON object.";
        InvalidField "invalid_field" "A member without which the event says nothing is missing or wrong: its type, the name of a `track`, or everything of an order.";
        TooLarge "too_large" "The event is over 32 KiB, or comes after too many long message IDs in one batch.";
        TooLate "too_late" "A browser's event is older than the 7 days within which duplicates are known.";
        InFuture "in_future" "The event lies more than a minute ahead of the edge's clock.";
        NoConsent "no_consent" "The visitor did not agree to this purpose.";
        WrongVisitor "wrong_visitor" "The event names another browser than its batch.";
        Bot "bot" "The sender is a crawler or another robot.";
        RateLimited "rate_limited" "The client or its source sent more than it may.";
        Dropped "dropped" "The browser had no room for the event and says how many there were.";
        Erased "erased" "The browser belongs to somebody who was erased; it is somebody new under a new anonymous ID only.";
        Unverified "unverified" "The browser does not show the token of the anonymous ID. Such events are counted and kept apart under a new ID. They are refused where that ID is bound as well.";
        TooManyPeople "too_many_people" "The batch named more people than one batch of a browser may hand the browser over to.";
    }
}

impl RejectCode {
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
