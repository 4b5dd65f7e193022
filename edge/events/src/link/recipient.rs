//! Whom a message went to.

use endcap_identity::{Identifier, Namespace};
use endcap_protocol::{AnonymousId, FieldError, UserId};
use endcap_validation::text::normalise_email;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Whom a message went to, as the shop's server knows them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Recipient {
    /// By the shop's user ID.
    User(UserId),
    /// By e-mail address, normalised.
    Email(String),
    /// By a browser's anonymous ID.
    Anonymous(AnonymousId),
}

/// A recipient as it is sent: exactly one member.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct WireRecipient {
    /// The shop's user ID.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user_id: Option<String>,
    /// E-mail address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// Anonymous ID of a browser.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub anonymous_id: Option<String>,
}

impl Recipient {
    /// Parses what was sent.
    ///
    /// # Errors
    /// Where not exactly one identifier is given, or it is not of its kind.
    pub fn parse(wire: &WireRecipient) -> Result<Self, FieldError> {
        match (&wire.user_id, &wire.email, &wire.anonymous_id) {
            (Some(user), None, None) => UserId::parse(user).map(Self::User),
            (None, Some(email), None) => {
                let email = normalise_email(email);
                email.map(Self::Email).ok_or_else(|| FieldError::new("email", "must be an e-mail address"))
            }
            (None, None, Some(id)) => AnonymousId::parse(id).map(Self::Anonymous),
            _ => Err(FieldError::new("", "must have exactly one of user_id, email and anonymous_id")),
        }
    }

    /// What names the person; None for a browser, which names itself.
    ///
    /// # Errors
    /// When the value cannot be an identifier.
    pub fn identifier(&self) -> Result<Option<Identifier>, FieldError> {
        match self {
            Self::User(user) => Identifier::new(Namespace::UserId, user.as_str()).map(Some),
            Self::Email(email) => Identifier::new(Namespace::Email, email).map(Some),
            Self::Anonymous(_) => Ok(None),
        }
    }

    /// The recipient as text in which no two are alike.
    #[must_use]
    pub fn key(&self) -> String {
        match self {
            Self::User(user) => format!("user_id {}", user.as_str()),
            Self::Email(email) => format!("email {email}"),
            Self::Anonymous(id) => format!("anonymous_id {}", id.as_str()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wire(user_id: Option<&str>, email: Option<&str>, anonymous_id: Option<&str>) -> WireRecipient {
        let own = |text: Option<&str>| text.map(str::to_owned);
        WireRecipient { user_id: own(user_id), email: own(email), anonymous_id: own(anonymous_id) }
    }

    #[test]
    fn is_exactly_one_identifier_and_normalised() {
        let email = Recipient::parse(&wire(None, Some(" Ann@Shop.Example "), None));
        assert_eq!(email, Ok(Recipient::Email("ann@shop.example".to_owned())));
        assert_eq!(Recipient::parse(&wire(None, Some("ann"), None)).unwrap_err().path, "email");
        assert_eq!(Recipient::parse(&wire(Some(""), None, None)).unwrap_err().path, "user_id");
        assert!(Recipient::parse(&wire(Some("u"), None, Some("a"))).is_err());
        assert!(Recipient::parse(&wire(None, None, None)).is_err());
    }
}
