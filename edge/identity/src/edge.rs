//! Edges: evidence that links fragments to identifiers, and the events behind it.

use endcap_protocol::UnixMillis;
use endcap_validation::Trust;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::fragment_id::FragmentId;
use crate::identifier::Identifier;
use crate::rules::IdentityRules;

/// An event that gave evidence.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub struct Witness {
    /// When it happened, Unix milliseconds.
    pub at: UnixMillis,
    /// Its message ID.
    pub message_id: String,
    /// The source that sent it.
    pub source: String,
}

/// What one event says about whose a fragment is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Evidence {
    /// Whom it names.
    pub identifier: Identifier,
    /// Whether it is a fact or a claim.
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
    /// The earliest claim; one of a source that the shop trusts goes before others.
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

    /// Notes an event as evidence; false when that changes nothing. The earliest event stays, and of claims the earliest of
    /// a trusted source, so the order in which events come does not matter.
    pub fn note(&mut self, trust: Trust, witness: &Witness, rules: &IdentityRules) -> bool {
        let held = match trust {
            Trust::Claim => &mut self.claimed,
            Trust::Fact => &mut self.proved,
        };
        let claims = trust == Trust::Claim;
        let rank = |witness: &Witness| (claims && !rules.trusts_claims(&witness.source), witness.clone());
        if held.as_ref().is_some_and(|held| rank(held) <= rank(witness)) {
            return false;
        }
        *held = Some(witness.clone());
        true
    }

    /// Whether people are worked out from it. A claim only lists its browser, unless its source is trusted.
    #[must_use]
    pub fn is_followed(&self, rules: &IdentityRules) -> bool {
        self.dropped.is_none() && self.leads_on(rules)
    }

    /// The same, also for one that an administrator dropped and may restore.
    #[must_use]
    pub fn leads_on(&self, rules: &IdentityRules) -> bool {
        self.trust() == Trust::Fact || self.is_trusted_claim(rules)
    }

    /// Whether it is a claim of a source that the shop trusts.
    #[must_use]
    pub fn is_trusted_claim(&self, rules: &IdentityRules) -> bool {
        let trusted = self.claimed.as_ref().is_some_and(|witness| rules.trusts_claims(&witness.source));
        self.trust() == Trust::Claim && trusted
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
