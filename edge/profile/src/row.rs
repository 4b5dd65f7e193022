//! The packed row: everything of one profile that is read and written together.
//!
//! One row per profile keeps an everyday batch at two rows written (this one and the log's), because rows written are
//! the bill. Each row starts with its format's version; every version ever released stays readable.

use std::collections::{BTreeMap, BTreeSet};

use endcap_identity::{FragmentId, IdentityRules, LinkStrength, Possession};
use endcap_models::lifecycle::History;
use endcap_protocol::{AnonymousId, ProfileId, UnixMillis};
use endcap_targeting::Act;
use endcap_validation::Trust;
use serde::{Deserialize, Serialize};

use crate::fragment::{Fragment, Named};
use crate::timers::Timers;

/// A fragment that moved to another profile.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Away {
    /// The profile.
    pub to: ProfileId,
    /// Version of the assignment that moved it there.
    pub version: u64,
}

/// A profile as it is stored.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ProfileRow {
    /// The profile.
    pub id: ProfileId,
    /// Its fragments.
    pub fragments: BTreeMap<FragmentId, Fragment>,
    /// Fragments that were here and moved to another profile.
    pub moved: BTreeMap<FragmentId, Away>,
    /// Lifecycle stages over time.
    pub stages: History,
    /// Armed timers.
    pub timers: Timers,
    /// Number of live push subscriptions.
    pub subscriptions: u32,
    /// Who has the anonymous IDs of the fragments here; open where nothing is said.
    #[serde(skip)]
    pub possessions: BTreeMap<FragmentId, Possession>,
}

impl ProfileRow {
    /// A profile first seen at `at`.
    #[must_use]
    pub fn new(id: ProfileId, at: UnixMillis) -> Self {
        Self {
            id,
            fragments: BTreeMap::new(),
            moved: BTreeMap::new(),
            stages: History::starting_at(at),
            timers: Timers::default(),
            subscriptions: 0,
            possessions: BTreeMap::new(),
        }
    }

    /// User IDs that were proved for this profile, or that a trusted source claims for it.
    #[must_use]
    pub fn users(&self) -> BTreeSet<&str> {
        let counts =
            |named: &Named, of: &Fragment| named.trust == Trust::Fact || of.link_strength == LinkStrength::Trusted;
        let named = self.fragments.values().filter_map(|fragment| Some((fragment.user.as_ref()?, fragment)));
        let named = named.filter(|(named, of)| counts(named, of)).map(|(named, _)| named.user_id.as_str());
        named.chain(self.fragments.values().flat_map(Fragment::aliases)).collect()
    }

    /// Takes for joined by a claim what a source joined that the shop trusts no more: then it goes home as well.
    pub fn distrust(&mut self, rules: &IdentityRules) {
        for fragment in self.fragments.values_mut() {
            let mut sources = fragment.said.iter().map(|evidence| evidence.witness.source.as_str());
            if fragment.link_strength == LinkStrength::Trusted && !sources.any(|source| rules.trusts_claims(source)) {
                fragment.link_strength = LinkStrength::Claimed;
            }
        }
    }

    /// Fragments that an earlier version joined to this profile by a claim, at most `most`: they have to go home.
    #[must_use]
    pub fn joined_by_claim(&self, most: usize) -> Vec<FragmentId> {
        let guests = self
            .fragments
            .iter()
            .filter(|(id, fragment)| fragment.is_joined_by_claim() && id.as_str() != self.id.as_str());
        guests.map(|(id, _)| id.clone()).take(most).collect()
    }

    /// The fragment that a browser is adding to here, if it is one of this profile's.
    #[must_use]
    pub fn open_fragment(&self, browser: &AnonymousId) -> Option<&FragmentId> {
        let first = self.fragments.get_key_value(browser.as_str()).filter(|(_, held)| held.successor.is_none());
        let of_browser = |fragment: &Fragment| fragment.browser.as_ref() == Some(browser);
        let mut all = self.fragments.iter();
        let open = first.or_else(|| all.find(|(_, held)| held.successor.is_none() && of_browser(held)));
        open.map(|(id, _)| id)
    }

    /// Notes who has the anonymous ID of a fragment here. True when that changed.
    pub fn note_possession(&mut self, at: &FragmentId, possession: &Possession) -> bool {
        let held = self.possessions.get(at);
        let same = held.map_or_else(|| *possession == Possession::default(), |held| held == possession);
        if !same {
            self.possessions.insert(at.clone(), possession.clone());
        }
        !same
    }

    /// Notes how many push subscriptions the profile has; `at` is the fragment whose browser changed it.
    pub fn set_subscriptions(&mut self, at: &FragmentId, count: u32, subscribed: bool, now: UnixMillis) {
        self.subscriptions = count;
        if let Some(fragment) = self.fragments.get_mut(at) {
            fragment.behaviour.apply(&Act::Push(subscribed), now);
        }
    }
}
