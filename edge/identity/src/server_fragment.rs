//! Names of histories that belong to no browser.
//!
//! Events that a server sends about a user make up a history like a browser's. Its name is made from source and user,
//! so that each of their events finds it again. Events that anybody else sends about the same user make up another
//! history. The names are reserved: a browser that could choose one would get into that history.

use endcap_protocol::{AnonymousId, FieldError, SourceId};
use endcap_validation::Trust;
use endcap_validation::hash::digest;

/// How names of what the shop's server says begin.
pub(super) const OF_SERVER: &str = "server~";
/// How names of what anybody else says begin.
const OF_CLAIMS: &str = "claim~";
/// What only names that the edge gives hold: histories that no browser keeps, edges between user IDs, successors of fragments.
const RESERVED: char = '~';

/// What a derived name stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Of<'a> {
    /// A user ID.
    User(&'a str),
    /// An e-mail address, normalised.
    Email(&'a str),
    /// A browser that the sender names and did not show to have: what is said of it is kept beside it.
    Browser(&'a AnonymousId),
    /// An order of such a browser. Each is kept by itself, because different people may have been meant.
    Order {
        /// The browser.
        browser: &'a AnonymousId,
        /// The order's ID.
        order: &'a str,
    },
}

/// The name of the history that `source` keeps of somebody.
///
/// # Errors
/// Never in practice: what is made here is a name.
pub fn derived(source: &SourceId, trust: Trust, of: Of<'_>) -> Result<AnonymousId, FieldError> {
    let (kind, value, order) = match of {
        Of::User(value) => ("user", value, None),
        Of::Email(value) => ("email", value, None),
        Of::Browser(id) => ("browser", id.as_str(), None),
        Of::Order { browser, order } => ("order", browser.as_str(), Some(order)),
    };
    let prefix = match trust {
        Trust::Fact => OF_SERVER,
        Trust::Claim => OF_CLAIMS,
    };
    let parts: Vec<&str> = [source.as_str(), kind, value].into_iter().chain(order).collect();
    AnonymousId::parse(&format!("{prefix}{}", digest(&parts)))
}

/// The anonymous ID of another vendor's client: as it is where it can be one of ours, else its hash. None when empty.
#[must_use]
pub fn foreign(text: &str) -> Option<AnonymousId> {
    let text = text.trim();
    if text.is_empty() {
        return None;
    }
    let own = AnonymousId::parse(text).ok().filter(|id| !is_reserved(id.as_str()));
    own.or_else(|| AnonymousId::parse(&format!("hashed~{}", digest(&[text]))).ok())
}

/// Whether a name is one that only the edge may give.
#[must_use]
pub fn is_reserved(name: &str) -> bool {
    name.contains(RESERVED)
}

/// Whether a name is that of a history which no browser keeps.
#[must_use]
pub fn is_derived(id: &AnonymousId) -> bool {
    [OF_SERVER, OF_CLAIMS].iter().any(|prefix| id.as_str().starts_with(prefix))
}

/// Whether a name is that of a history of what is only claimed.
#[must_use]
pub fn is_claims(id: &AnonymousId) -> bool {
    id.as_str().starts_with(OF_CLAIMS)
}

/// Refuses names that only the edge may give.
///
/// # Errors
/// When it is one.
pub fn check_browsers(id: &AnonymousId) -> Result<(), FieldError> {
    if is_reserved(id.as_str()) { Err(FieldError::new("anonymous_id", "is a reserved name")) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use endcap_protocol::MessageId;
    use proptest::prelude::*;

    use super::*;
    use crate::fragment_id::FragmentId;

    fn browser() -> AnonymousId {
        AnonymousId::parse("ann").unwrap()
    }

    #[test]
    fn names_differ_by_source_trust_and_kind_and_stay_the_same() {
        let (shop, app) = (SourceId::parse("shop").unwrap(), SourceId::parse("app").unwrap());
        let name = |source, trust, of| derived(source, trust, of).unwrap().into_string();
        let browser = browser();
        let names = [
            name(&shop, Trust::Fact, Of::User("ann")),
            name(&app, Trust::Fact, Of::User("ann")),
            name(&shop, Trust::Claim, Of::User("ann")),
            name(&shop, Trust::Fact, Of::Email("ann")),
            name(&shop, Trust::Fact, Of::User("bob")),
            name(&shop, Trust::Fact, Of::Browser(&browser)),
            name(&shop, Trust::Fact, Of::Order { browser: &browser, order: "1" }),
            name(&shop, Trust::Fact, Of::Order { browser: &browser, order: "2" }),
        ];
        let different: std::collections::BTreeSet<_> = names.iter().collect();
        assert_eq!(different.len(), names.len());
        assert_eq!(names[0], name(&shop, Trust::Fact, Of::User("ann")));
        assert!(names.iter().all(|name| is_reserved(name)));
    }

    #[test]
    fn what_cannot_be_an_anonymous_id_is_hashed() {
        assert_eq!(foreign("a-1").unwrap().as_str(), "a-1");
        assert_eq!(foreign(" "), None);
        let long = "x".repeat(101);
        assert!(foreign(&long).unwrap().as_str().starts_with("hashed~"));
        assert_ne!(foreign(&long), foreign(&"x".repeat(102)));
        let made_here = FragmentId::first(&browser()).next(&MessageId::parse("login").unwrap());
        for name in ["server~00", "~00", FragmentId::alias("ann", "bob").as_str(), made_here.as_str()] {
            assert!(foreign(name).unwrap().as_str().starts_with("hashed~"), "nobody can name {name}");
            assert!(AnonymousId::parse(name).is_ok_and(|id| check_browsers(&id).is_err()), "{name}");
        }
    }

    proptest! {
        #[test]
        fn nobody_outside_gets_a_servers_name(text in "(server~|claim~|)[ -~é\u{0}]{0,120}") {
            if let Some(id) = foreign(&text) {
                prop_assert!(!id.as_str().starts_with("server~") && !id.as_str().starts_with("claim~"));
            }
        }
    }
}
