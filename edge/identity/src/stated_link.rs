//! Stated links: what the shop's server says of whose a browser is, without that browser's token.
//!
//! A server reads an anonymous ID out of what a browser sent it, so it may be somebody else's. Such a link counts once that
//! browser, which shows its token, names the same user or the same order, whichever of them spoke first. Until then it is
//! only listed.

use endcap_protocol::UserId;
use serde::{Deserialize, Serialize};

use crate::edge::Witness;
use crate::identifier::Identifier;
use crate::namespace::Namespace;

/// Most links of one browser that wait, and most names that it is remembered to have said. The latest stay.
pub const MAX_WAITING: usize = 8;

/// What a browser and the shop's server can both name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CommonName {
    /// A user.
    User(UserId),
    /// An order, by its ID.
    Order(String),
}

/// One link that the shop's server stated.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StatedLink {
    /// Whose the browser is said to be.
    pub identifier: Identifier,
    /// The order that the server told of, by its ID.
    pub order: Option<String>,
    /// The event that said so.
    pub witness: Witness,
}

/// The stated links of one browser that wait, and what the browser said itself while it showed its token.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct StatedLinks {
    stated: Vec<StatedLink>,
    named: Vec<CommonName>,
}

impl StatedLink {
    /// Whether a browser that says this name confirms the link.
    fn is_confirmed_by(&self, name: &CommonName) -> bool {
        match name {
            CommonName::User(user) => self.user() == Some(user.as_str()),
            CommonName::Order(order) => self.order.as_ref() == Some(order),
        }
    }

    /// The user whose the browser is said to be, where the link names one.
    #[must_use]
    pub fn user(&self) -> Option<&str> {
        (self.identifier.namespace == Namespace::UserId).then_some(self.identifier.value.as_str())
    }

    /// Whether both say the same, whichever event said it.
    #[must_use]
    pub fn says(&self, other: &Self) -> bool {
        self.identifier == other.identifier && self.order == other.order
    }
}

impl StatedLinks {
    /// Whether nothing is known.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.stated.is_empty() && self.named.is_empty()
    }

    /// Notes a link that the shop's server states.
    pub fn state(&mut self, link: StatedLink) {
        if !self.stated.iter().any(|held| held.says(&link)) {
            push(&mut self.stated, link);
        }
    }

    /// Notes what the browser said while it showed its token.
    pub fn name(&mut self, name: CommonName) {
        if !self.named.contains(&name) {
            push(&mut self.named, name);
        }
    }

    /// What goes on to count once another person uses the browser: what the server states, and nothing that the earlier one said.
    #[must_use]
    pub fn inherited(&self) -> Self {
        Self { stated: self.stated.clone(), named: Vec::new() }
    }

    /// Whether the shop's server named this user.
    #[must_use]
    pub fn states_user(&self, user: &UserId) -> bool {
        self.stated.iter().any(|link| link.user() == Some(user.as_str()))
    }

    /// Takes out the links that the browser confirmed.
    pub fn take_confirmed(&mut self) -> Vec<StatedLink> {
        let Self { stated, named } = self;
        let (confirmed, waiting) =
            std::mem::take(stated).into_iter().partition(|link| named.iter().any(|name| link.is_confirmed_by(name)));
        *stated = waiting;
        confirmed
    }

    /// Takes out all links: those of an ID that only the shop's server names.
    pub fn take_all(&mut self) -> Vec<StatedLink> {
        std::mem::take(&mut self.stated)
    }
}

/// Adds to a list that keeps the latest.
fn push<T>(list: &mut Vec<T>, value: T) {
    if list.len() >= MAX_WAITING {
        list.remove(0);
    }
    list.push(value);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn link(user: &str, order: Option<&str>) -> StatedLink {
        let witness = Witness { at: 1, message_id: "m".to_owned(), source: "shop".to_owned() };
        let identifier = Identifier::new(Namespace::UserId, user).unwrap();
        StatedLink { identifier, order: order.map(str::to_owned), witness }
    }

    fn user(name: &str) -> CommonName {
        CommonName::User(UserId::parse(name).unwrap())
    }

    #[test]
    fn a_link_counts_once_the_browser_names_the_same_user_or_order_whoever_is_first() {
        let order = CommonName::Order("1003".to_owned());
        for name in [user("ann"), order] {
            let mut links = StatedLinks::default();
            links.state(link("ann", Some("1003")));
            assert_eq!(links.take_confirmed(), []);
            links.name(name.clone());
            assert_eq!(links.take_confirmed(), [link("ann", Some("1003"))]);
            assert_eq!(links.take_confirmed(), [], "once");
            let mut links = StatedLinks::default();
            links.name(name);
            links.state(link("ann", Some("1003")));
            assert_eq!(links.take_confirmed().len(), 1);
        }
    }

    #[test]
    fn another_user_or_order_confirms_nothing() {
        let mut links = StatedLinks::default();
        links.name(user("bob"));
        links.name(CommonName::Order("ann".to_owned()));
        links.name(user("1003"));
        links.state(link("ann", None));
        links.state(link("ann", Some("1003")));
        assert_eq!(links.take_confirmed(), []);
        assert!(
            links.states_user(&UserId::parse("ann").unwrap()) && !links.states_user(&UserId::parse("bob").unwrap())
        );
    }

    #[test]
    fn what_an_earlier_person_said_confirms_nothing_for_the_next() {
        let mut links = StatedLinks::default();
        links.name(user("ann"));
        links.state(link("bob", None));
        let mut next = links.inherited();
        next.state(link("ann", None));
        assert_eq!(next.take_confirmed(), []);
        next.name(user("bob"));
        assert_eq!(next.take_confirmed(), [link("bob", None)]);
    }

    #[test]
    fn the_latest_eight_of_each_stay() {
        let mut links = StatedLinks::default();
        for n in 0..20 {
            links.state(link(&format!("u{n}"), None));
            links.state(link(&format!("u{n}"), None));
            links.name(user(&format!("v{n}")));
        }
        assert_eq!((links.stated.len(), links.named.len()), (8, 8));
        assert!(
            links.states_user(&UserId::parse("u12").unwrap()) && !links.states_user(&UserId::parse("u11").unwrap())
        );
        assert_eq!(links.take_all().len(), 8);
    }
}
