//! The name of a fragment: one browser within one login epoch, or what a server keeps of somebody.

use endcap_protocol::{AnonymousId, FieldError, MessageId, ProfileId};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::server_fragment::{OF_SERVER, is_derived};

/// How the names of edges between two user IDs begin: they hold no events.
const ALIAS: &str = "alias~";

/// Names one fragment for ever.
///
/// A browser's first one is named like its anonymous ID. When somebody else logs in on it, a new one begins, named after
/// that login, so that a retry finds the same.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct FragmentId(String);

impl FragmentId {
    /// The fragment that a browser begins with.
    #[must_use]
    pub fn first(anonymous: &AnonymousId) -> Self {
        Self(anonymous.as_str().to_owned())
    }

    /// The successor that begins when another person logs in. Its name joins this fragment's name and the login's, so
    /// it is a new one, in whatever order several tabs' events come. A name that is too long for an object's key is
    /// hashed, because two names that are cut could be the same.
    #[must_use]
    pub fn next(&self, login: &MessageId) -> Self {
        let name = format!("{}~{}", self.as_str(), login.as_str());
        if name.len() <= ProfileId::MAX { Self(name) } else { Self(format!("~{}", hex(name.as_bytes(), 32))) }
    }

    /// The edge that says two user IDs are one person's.
    #[must_use]
    pub fn alias(one: &str, other: &str) -> Self {
        let (first, second) = if one <= other { (one, other) } else { (other, one) };
        let text = [(first.len() as u64).to_le_bytes().as_slice(), first.as_bytes(), second.as_bytes()].concat();
        Self(format!("{ALIAS}{}", hex(&text, 16)))
    }

    /// Reads a name that was made here.
    ///
    /// # Errors
    /// When it can be none.
    pub fn parse(text: &str) -> Result<Self, FieldError> {
        ProfileId::parse(text)
            .map(|id| Self(id.into_string()))
            .map_err(|error| FieldError { path: "fragment_id".to_owned(), ..error })
    }

    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether it stands for an edge and holds no events.
    #[must_use]
    pub fn is_alias(&self) -> bool {
        self.0.starts_with(ALIAS)
    }

    /// Whether a browser makes it. Other fragments are what servers and other vendors' clients say about somebody who has
    /// no browser here.
    #[must_use]
    pub fn is_of_browser(&self) -> bool {
        !self.is_alias() && !AnonymousId::parse(&self.0).is_ok_and(|name| is_derived(&name))
    }

    /// Whether it is what the shop's server says about somebody.
    #[must_use]
    pub fn is_of_server(&self) -> bool {
        self.0.starts_with(OF_SERVER)
    }

    /// The profile that the fragment is while nothing links it to anybody.
    ///
    /// # Errors
    /// Never for a name that was made here.
    pub fn home(&self) -> Result<ProfileId, FieldError> {
        ProfileId::parse(&self.0)
    }
}

impl std::borrow::Borrow<str> for FragmentId {
    fn borrow(&self) -> &str {
        &self.0
    }
}

/// The first `bytes` of SHA-256, in hex.
fn hex(text: &[u8], bytes: usize) -> String {
    Sha256::digest(text).iter().take(bytes).map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_login_names_the_fragment_that_it_begins() {
        let (browser, login) = (AnonymousId::parse("b").unwrap(), MessageId::parse("m").unwrap());
        let begun = FragmentId::first(&browser).next(&login);
        assert_eq!(begun.as_str(), "b~m");
        assert_ne!(begun, FragmentId::first(&browser));
        let long = MessageId::parse(&"m".repeat(100)).unwrap();
        assert_eq!(FragmentId::first(&browser).next(&long).home().unwrap().as_str().len(), 65);
    }

    #[test]
    fn an_alias_is_the_same_either_way_round() {
        assert_eq!(FragmentId::alias("a", "b"), FragmentId::alias("b", "a"));
        assert_ne!(FragmentId::alias("a", "bc"), FragmentId::alias("ab", "c"));
        assert!(FragmentId::alias("a", "b").is_alias());
    }
}
