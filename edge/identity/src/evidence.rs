//! What was said about whose a fragment is, on its way to the identity graph.

use endcap_protocol::UserId;
use serde::{Deserialize, Serialize};

use super::edge::{Evidence, Witness};
use super::fragment_id::FragmentId;

/// Two user IDs that the shop's server says are one person's.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Alias {
    /// One of them.
    pub user_id: UserId,
    /// The other.
    pub previous_id: UserId,
    /// The event that said so.
    pub witness: Witness,
}

/// What was said about a fragment, for the graph.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Assertion {
    /// The fragment.
    pub fragment: FragmentId,
    /// Evidence about whose it is.
    pub said: Vec<Evidence>,
    /// User IDs that were said to be one person's.
    pub aliases: Vec<Alias>,
}

impl Assertion {
    /// Nothing said about a fragment.
    #[must_use]
    pub fn new(fragment: FragmentId) -> Self {
        Self { fragment, said: Vec::new(), aliases: Vec::new() }
    }

    /// Whether nothing was said.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.said.is_empty() && self.aliases.is_empty()
    }
}
