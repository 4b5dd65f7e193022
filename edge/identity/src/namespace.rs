//! Kinds of identifiers.

use std::fmt;

use serde::{Deserialize, Serialize};

/// What an identifier names somebody by.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Namespace {
    /// A browser between two resets; also the name of a fragment.
    AnonymousId,
    /// The shop's own name for a logged-in person.
    UserId,
    /// Number of a loyalty card or membership.
    MemberNo,
    /// ID of a LINE account.
    LineId,
    /// ID in another system, which is named: `external:crm`.
    External(String),
    /// Phone number in E.164 form.
    Phone,
    /// E-mail address.
    Email,
}

/// Longest name of another system, in bytes.
const MAX_SYSTEM: usize = 32;

impl Namespace {
    /// Reads a namespace: `user_id`, `email`, `external:crm` and so on.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Some(match text {
            "anonymous_id" => Self::AnonymousId,
            "user_id" => Self::UserId,
            "member_no" => Self::MemberNo,
            "line_id" => Self::LineId,
            "phone" => Self::Phone,
            "email" => Self::Email,
            _ => {
                let system = text.strip_prefix("external:")?;
                let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_' || b == b'-';
                let fits = !system.is_empty() && system.len() <= MAX_SYSTEM && system.bytes().all(plain);
                fits.then(|| Self::External(system.to_owned()))?
            }
        })
    }
}

impl fmt::Display for Namespace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::AnonymousId => "anonymous_id",
            Self::UserId => "user_id",
            Self::MemberNo => "member_no",
            Self::LineId => "line_id",
            Self::Phone => "phone",
            Self::Email => "email",
            Self::External(system) => return write!(f, "external:{system}"),
        })
    }
}

impl TryFrom<String> for Namespace {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        Self::parse(&text).ok_or_else(|| format!("{text:?} is no namespace of identifiers"))
    }
}

impl From<Namespace> for String {
    fn from(namespace: Namespace) -> Self {
        namespace.to_string()
    }
}
