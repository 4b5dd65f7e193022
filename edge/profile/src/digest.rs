//! A digest: what is needed of a fragment where a decision is made and its history is not read.

use std::collections::{BTreeMap, BTreeSet};

use endcap_identity::{FragmentId, IdentityRules, LinkStrength};
use endcap_protocol::UnixMillis;
use endcap_targeting::Behaviour;
use endcap_validation::{DomainError, Trust};
use serde::{Deserialize, Serialize};

use crate::fragment::Fragment;
use crate::timeline::OrderRecord;

/// Version of the stored form.
const FORMAT: u8 = 1;

/// What the fold needs of a fragment, and what is asked of a person beside it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Digest {
    /// What conditions ask about.
    #[serde(with = "crate::packed::behaviour")]
    pub behaviour: Behaviour,
    /// Orders.
    pub orders: Vec<OrderRecord>,
    /// When the fragment began.
    pub since: UnixMillis,
    /// Whether it says anything of consent.
    pub says_consent: bool,
    /// What links it to its profile.
    pub link_strength: LinkStrength,
    /// Sources of its evidence, where a source that the shop trusts links it.
    pub sources: BTreeSet<String>,
    /// User IDs that were proved for it.
    pub users: BTreeSet<String>,
    /// The user ID that a source claims which the shop trusts.
    pub trusted_user: Option<String>,
    /// When the latest push message of each campaign was decided.
    pub pushed: BTreeMap<String, UnixMillis>,
}

/// The part of a fragment that is folded.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Foldable<'a> {
    pub(crate) behaviour: &'a Behaviour,
    pub(crate) orders: &'a [OrderRecord],
    pub(crate) says_consent: bool,
    pub(crate) is_joined_by_claim: bool,
}

impl Digest {
    /// The digest of a fragment.
    #[must_use]
    pub fn of(fragment: &Fragment) -> Self {
        let mut pushed: BTreeMap<String, UnixMillis> = BTreeMap::new();
        for push in &fragment.pushes {
            let latest = pushed.entry(push.campaign.clone()).or_insert(push.at);
            *latest = push.at.max(*latest);
        }
        Self {
            behaviour: fragment.behaviour.clone(),
            orders: fragment.orders.clone(),
            since: fragment.since,
            says_consent: fragment.says_consent(),
            link_strength: fragment.link_strength,
            sources: fragment.linking_sources().map(str::to_owned).collect(),
            users: fragment.proved_users().map(str::to_owned).collect(),
            trusted_user: fragment.trusted_user().map(str::to_owned),
            pushed,
        }
    }

    /// Takes for joined by a claim what a source joined that the shop trusts no more.
    pub(crate) fn distrust(&mut self, rules: &IdentityRules) {
        let sources = self.sources.iter().map(String::as_str);
        if self.link_strength == LinkStrength::Trusted && !rules.trusts_any(sources) {
            self.link_strength = LinkStrength::Claimed;
            self.trusted_user = None;
        }
    }

    /// User IDs that it makes the person's.
    pub(crate) fn all_users(&self) -> impl Iterator<Item = &String> {
        self.users.iter().chain(&self.trusted_user)
    }

    /// The stored form, which names the fragment: reading one column of many rows costs much less than reading two.
    ///
    /// # Errors
    /// Never in practice; the serialiser's own failure is passed on.
    pub fn pack(&self, id: &FragmentId) -> Result<Vec<u8>, DomainError> {
        postcard::to_extend(&(id, self), vec![FORMAT]).map_err(|error| DomainError::Internal(error.to_string()))
    }

    /// Reads the stored form, and of which fragment it is.
    ///
    /// # Errors
    /// When it was written by a newer version, or is damaged.
    pub fn unpack(bytes: &[u8]) -> Result<(FragmentId, Self), DomainError> {
        let unreadable = |format| DomainError::Format { what: "digest", format };
        match bytes.split_first() {
            Some((&FORMAT, rest)) => postcard::from_bytes(rest).map_err(|_| unreadable(FORMAT)),
            other => Err(unreadable(other.map_or(0, |(format, _)| *format))),
        }
    }
}

impl Fragment {
    /// Whether it says anything of consent. A server's record of somebody often says nothing.
    pub(crate) fn says_consent(&self) -> bool {
        self.consent_at.is_some() || self.behaviour.consent != endcap_protocol::Consent::default()
    }

    /// Sources of its evidence, where a source that the shop trusts links it.
    pub(crate) fn linking_sources(&self) -> impl Iterator<Item = &str> {
        let is_trusted = self.link_strength == LinkStrength::Trusted;
        self.said.iter().filter(move |_| is_trusted).map(|evidence| evidence.witness.source.as_str())
    }

    /// User IDs that it makes the person's.
    pub(crate) fn users(&self) -> impl Iterator<Item = &str> {
        self.proved_users().chain(self.trusted_user())
    }

    /// Its user, if proved, and the user's aliases.
    fn proved_users(&self) -> impl Iterator<Item = &str> {
        let proved = self.user.as_ref().filter(|named| named.trust == Trust::Fact);
        proved.map(|named| named.user_id.as_str()).into_iter().chain(self.aliases())
    }

    /// Its user, if a source claims that which the shop trusts.
    fn trusted_user(&self) -> Option<&str> {
        let claimed = self.user.as_ref().filter(|named| named.trust == Trust::Claim);
        claimed.filter(|_| self.link_strength == LinkStrength::Trusted).map(|named| named.user_id.as_str())
    }
}

impl<'a> From<&'a Fragment> for Foldable<'a> {
    fn from(fragment: &'a Fragment) -> Self {
        Self {
            behaviour: &fragment.behaviour,
            orders: &fragment.orders,
            says_consent: fragment.says_consent(),
            is_joined_by_claim: fragment.is_joined_by_claim(),
        }
    }
}

impl<'a> From<&'a Digest> for Foldable<'a> {
    fn from(digest: &'a Digest) -> Self {
        Self {
            behaviour: &digest.behaviour,
            orders: &digest.orders,
            says_consent: digest.says_consent,
            is_joined_by_claim: digest.link_strength == LinkStrength::Claimed,
        }
    }
}
