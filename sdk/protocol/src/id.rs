//! Identifiers as types: text from outside becomes one of these at the door or is refused there.

use crate::error::FieldError;

/// Refuses text that is empty, longer than `max` bytes, or holds control characters.
#[inline(never)]
fn check(what: &str, text: &str, max: usize) -> Result<String, FieldError> {
    let problem = if text.is_empty() {
        "must not be empty"
    } else if text.len() > max {
        "is too long"
    } else if text.chars().any(char::is_control) {
        "must not hold control characters"
    } else {
        return Ok(text.to_owned());
    };
    Err(FieldError::new(what, problem))
}

macro_rules! identifier {
    ($(#[$doc:meta])* $name:ident, $field:literal, $max:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
        #[cfg_attr(feature = "serde", serde(transparent))]
        pub struct $name(String);

        impl $name {
            /// Longest accepted text, in bytes.
            pub const MAX: usize = $max;

            /// Parses outside text.
            ///
            /// # Errors
            /// When it is empty, longer than [`Self::MAX`] bytes or holds control characters.
            pub fn parse(text: &str) -> Result<Self, FieldError> {
                check($field, text, $max).map(Self)
            }

            /// The identifier as text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }

            /// The identifier's text, taken out.
            #[must_use]
            pub fn into_string(self) -> String {
                self.0
            }
        }

        impl std::borrow::Borrow<str> for $name {
            fn borrow(&self) -> &str {
                &self.0
            }
        }
    };
}

identifier!(
    /// Names one message for ever; a message ID seen before is a duplicate. Ours are UUIDv7 (RFC 9562 §5.7).
    MessageId, "message_id", 100
);
identifier!(
    /// Names one browser between two resets; a new one is drawn at `reset()`.
    AnonymousId, "anonymous_id", 100
);
identifier!(
    /// Names one installation: random, survives `reset()`, never joins people.
    DeviceId, "device_id", 100
);
identifier!(
    /// The shop's own name for a logged-in person.
    UserId, "user_id", 256
);
identifier!(
    /// One visit: activity without a gap of 30 minutes.
    SessionId, "session_id", 100
);
identifier!(
    /// The shop page, server or importer that an event came from.
    SourceId, "source", 64
);
identifier!(
    /// The canonical profile that a person's fragments fold into.
    ProfileId, "profile_id", 100
);
identifier!(
    /// A product as the shop's catalogue names it.
    ProductId, "product_id", 128
);
identifier!(
    /// A category as the shop's catalogue names it.
    CategoryId, "category", 128
);
identifier!(
    /// A campaign.
    CampaignId, "campaign_id", 64
);
identifier!(
    /// A segment.
    SegmentId, "segment_id", 64
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refuses_empty_long_and_control_text() {
        assert!(UserId::parse("").is_err());
        assert!(UserId::parse(&"x".repeat(257)).is_err());
        assert!(UserId::parse("a\nb").is_err());
        assert_eq!(UserId::parse("ü-1").map(UserId::into_string), Ok("ü-1".to_owned()));
    }
}
