//! Edges: what was said about whose a fragment is, and by whom.

use endcap_protocol::UnixMillis;
use endcap_validation::Trust;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::fragment_id::FragmentId;
use crate::identifier::Identifier;

/// One event that said so.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub struct Witness {
    /// When it happened, Unix milliseconds.
    pub at: UnixMillis,
    /// Its message ID.
    pub message_id: String,
    /// The source that sent it.
    pub source: String,
}

/// Something said about whose a fragment is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Evidence {
    /// Whom it names.
    pub identifier: Identifier,
    /// How far who said it is believed.
    pub trust: Trust,
    /// The event that said so.
    pub witness: Witness,
}

/// All that was said to link one fragment to one identifier.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Edge {
    /// The fragment.
    pub fragment: FragmentId,
    /// The identifier.
    pub identifier: Identifier,
    /// The earliest claim.
    pub claimed: Option<Witness>,
    /// The earliest proof.
    pub proved: Option<Witness>,
    /// When an administrator dropped it. What is said again later does not bring it back.
    pub dropped: Option<UnixMillis>,
    /// An administrator looked at it, and no limit holds it up.
    pub approved: bool,
}

impl Edge {
    /// An edge of which nothing was said yet.
    #[must_use]
    pub fn new(fragment: FragmentId, identifier: Identifier) -> Self {
        Self { fragment, identifier, claimed: None, proved: None, dropped: None, approved: false }
    }

    /// Notes what was said; false when it is nothing new. The earliest event stays, so the order of hearing is all the
    /// same.
    pub fn note(&mut self, trust: Trust, witness: &Witness) -> bool {
        let held = match trust {
            Trust::Claim => &mut self.claimed,
            Trust::Fact => &mut self.proved,
        };
        if held.as_ref().is_some_and(|held| held <= witness) {
            return false;
        }
        *held = Some(witness.clone());
        true
    }

    /// How far it is believed.
    #[must_use]
    pub fn trust(&self) -> Trust {
        if self.proved.is_some() { Trust::Fact } else { Trust::Claim }
    }

    /// The event that counts: the earliest proof, else the earliest claim.
    #[must_use]
    pub fn witness(&self) -> Option<&Witness> {
        self.proved.as_ref().or(self.claimed.as_ref())
    }

    /// When that was; 0 where nothing was said.
    #[must_use]
    pub fn at(&self) -> UnixMillis {
        self.witness().map_or(0, |witness| witness.at)
    }
}
