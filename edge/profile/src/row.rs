//! The packed row: everything of one profile that is read and written together.
//!
//! Of a large person of several browsers it is the head, and the fragments lie apart (`apart.rs`).
//!
//! One row per profile keeps an everyday batch at one row written, with its events (`log_tail.rs`), because rows written are
//! the bill. Each row starts with its format's version; every version ever released stays readable.

use std::collections::{BTreeMap, BTreeSet};

use endcap_identity::{FragmentId, IdentityRules, LinkStrength, Possession};
use endcap_models::lifecycle::History;
use endcap_protocol::{AnonymousId, ProfileId, UnixMillis};
use endcap_targeting::Act;
use endcap_validation::DomainError;
use serde::{Deserialize, Serialize};

use crate::apart::{Apart, Unread};
use crate::device_context::DeviceContext;
use crate::fragment::Fragment;
use crate::list_mark::ListMarks;
use crate::log_tail::{LogEntry, LogTail};
use crate::memberships::Memberships;
use crate::occurrences::FragmentOccurrences;
use crate::timers::Timers;

/// A fragment that moved to another profile.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Away {
    /// The profile.
    pub to: ProfileId,
    /// Version of the assignment that moved it there.
    pub version: u64,
}

/// Where the latest fragment of a browser is that several people used, for who comes without a route.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LatestFragment {
    /// The fragment.
    pub fragment: FragmentId,
    /// The profile that holds it.
    pub profile: ProfileId,
    /// How many people had the browser before.
    pub people_before: u32,
    /// Version of the assignment that put it there.
    pub version: u64,
}

impl LatestFragment {
    /// What the profile that a browser began as has to know of a fragment at a profile: None of one that is closed, and of one
    /// that is no browser's.
    #[must_use]
    pub fn of(
        id: &FragmentId,
        fragment: &Fragment,
        possession: Option<&Possession>,
        assigned: (&ProfileId, u64),
    ) -> Option<(AnonymousId, Self)> {
        let (profile, version) = (assigned.0.clone(), assigned.1);
        let browser = fragment.browser.clone()?;
        let people_before = possession.map_or(0, |held| held.people_before);
        let latest = Self { fragment: id.clone(), profile, people_before, version };
        fragment.successor.is_none().then_some((browser, latest))
    }

    /// Whether it says more than another one: of a later person, or of a later place.
    #[must_use]
    pub fn is_later_than(&self, other: &Self) -> bool {
        (self.people_before, self.version) > (other.people_before, other.version)
    }
}

/// A profile as it is stored.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ProfileRow {
    /// The profile.
    pub id: ProfileId,
    /// Its fragments; where some lie apart, those that were read.
    pub fragments: BTreeMap<FragmentId, Fragment>,
    /// Fragments that were here and moved to another profile; where some lie apart, those that were asked for.
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
    /// At the profile that a browser began as: the fragment that it adds to now, where somebody else logged in since.
    #[serde(skip)]
    pub latest: Option<LatestFragment>,
    /// The segments that the person is in. None where the row does not say: it is new, the shop has none, or a version wrote it
    /// that knows of none.
    #[serde(skip)]
    pub memberships: Option<Memberships>,
    /// What conditions count of the fragments here, whether they were read or not.
    #[serde(skip)]
    pub occurrences: BTreeMap<FragmentId, FragmentOccurrences>,
    /// The devices that fragments here came with, whether they were read or not.
    #[serde(skip)]
    pub devices: BTreeMap<FragmentId, DeviceContext>,
    /// The lists that people put fragments here on by hand, whether they were read or not.
    #[serde(skip)]
    pub lists: BTreeMap<FragmentId, ListMarks>,
    /// Events of the fragments here that wait to leave for the log.
    #[serde(skip)]
    pub tails: BTreeMap<FragmentId, LogTail>,
    /// What is known of fragments that lie apart and were not read; None where all are in the row.
    #[serde(skip)]
    pub apart: Option<Box<Apart>>,
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
            latest: None,
            memberships: None,
            occurrences: BTreeMap::new(),
            devices: BTreeMap::new(),
            lists: BTreeMap::new(),
            tails: BTreeMap::new(),
            apart: None,
        }
    }

    /// How many fragments and pointers it has that were not read.
    #[must_use]
    pub fn unread(&self) -> Unread {
        self.apart.as_ref().map_or_else(Unread::default, |apart| apart.unread())
    }

    /// What was read and has a row of its own where fragments lie apart.
    pub(crate) fn rows_read(&self) -> Unread {
        let names = self.names_apart();
        names.iter().map(|id| Unread::one(self.fragments.contains_key(id), self.moved.contains_key(id))).sum()
    }

    /// Names of what has a row of its own where fragments lie apart, as far as it was read.
    pub(crate) fn names_apart(&self) -> BTreeSet<FragmentId> {
        let named = self.fragments.keys().chain(self.moved.keys());
        named.chain(self.possessions.keys()).chain(self.tails.keys()).cloned().collect()
    }

    /// Whether it has a fragment, read or not.
    #[must_use]
    pub fn has_fragments(&self) -> bool {
        !self.fragments.is_empty() || self.unread().fragments > 0
    }

    /// Whether fragments count for nothing until they went home, an earlier version having joined them by a claim.
    #[must_use]
    pub fn has_guests(&self) -> bool {
        let apart = self.apart.as_ref().is_some_and(|apart| apart.joined_by_claim().next().is_some());
        apart || self.fragments.values().any(Fragment::is_joined_by_claim)
    }

    /// Whether all its fragments are such.
    #[must_use]
    pub fn has_only_guests(&self) -> bool {
        let apart = self.apart.as_ref().is_none_or(|apart| apart.has_only_guests());
        apart && self.fragments.values().all(Fragment::is_joined_by_claim)
    }

    /// Whether another fragment than one that was read tells of an order.
    #[must_use]
    pub fn knows_order_elsewhere(&self, at: &FragmentId, order_id: &str) -> bool {
        let mut others = self.fragments.iter().filter(|(id, _)| *id != at).flat_map(|(_, held)| &held.orders);
        others.any(|held| held.order_id == order_id)
            || self.apart.as_ref().is_some_and(|apart| apart.knows_order(order_id))
    }

    /// User IDs that were proved for this profile, or that a trusted source claims for it.
    #[must_use]
    pub fn users(&self) -> BTreeSet<&str> {
        let apart = self.apart.as_ref().into_iter().flat_map(|apart| apart.users());
        self.fragments.values().flat_map(Fragment::users).chain(apart).collect()
    }

    /// Whether somebody proved who the person is.
    #[must_use]
    pub fn is_known(&self) -> bool {
        let apart = || self.apart.as_ref().is_some_and(|apart| apart.users().next().is_some());
        self.fragments.values().any(|fragment| fragment.users().next().is_some()) || apart()
    }

    /// When the first of its fragments began; None where it has none.
    #[must_use]
    pub fn since(&self) -> Option<UnixMillis> {
        let apart = self.apart.as_ref().and_then(|apart| apart.since());
        self.fragments.values().map(|fragment| fragment.since).chain(apart).min()
    }

    /// Takes for joined by a claim what a source joined that the shop trusts no more: then it goes home as well.
    pub fn distrust(&mut self, rules: &IdentityRules) {
        for fragment in self.fragments.values_mut() {
            if fragment.link_strength == LinkStrength::Trusted && !rules.trusts_any(fragment.linking_sources()) {
                fragment.link_strength = LinkStrength::Claimed;
            }
        }
        if let Some(apart) = &mut self.apart {
            apart.distrust(rules);
        }
    }

    /// Fragments that an earlier version joined to this profile by a claim, at most `most`: they have to go home.
    #[must_use]
    pub fn joined_by_claim(&self, most: usize) -> Vec<FragmentId> {
        let read = self.fragments.iter().filter(|(_, fragment)| fragment.is_joined_by_claim()).map(|(id, _)| id);
        let apart = self.apart.as_ref().into_iter().flat_map(|apart| apart.joined_by_claim());
        let guests = read.chain(apart).filter(|id| id.as_str() != self.id.as_str());
        guests.take(most).cloned().collect()
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

    /// Adds the kept events of a batch to the tail of their fragment.
    ///
    /// # Errors
    /// Never in practice; the serialiser's own failure is passed on.
    pub fn log(&mut self, at: &FragmentId, entry: &LogEntry<'_>) -> Result<(), DomainError> {
        if let Some(tail) = self.tails.get_mut(at) {
            return tail.push(entry);
        }
        self.tails.insert(at.clone(), LogTail::of(entry)?);
        Ok(())
    }

    /// Whether tails have to leave: they are over so many bytes together, or one of them waits for so long.
    #[must_use]
    pub fn tails_are_full(&self, bytes: usize, rest_ms: UnixMillis, now: UnixMillis) -> bool {
        let total: usize = self.tails.values().map(|tail| tail.entries.len()).sum();
        total > bytes || self.tails.values().any(|tail| now.saturating_sub(tail.since) >= rest_ms)
    }

    /// Whether the profile has ended at a time: nobody came since, nobody is known to be it, it ordered nothing, and nobody else
    /// has to be found by it.
    #[must_use]
    pub fn has_ended(&self, before: UnixMillis) -> bool {
        let nobody_else =
            self.moved.is_empty() && self.latest.is_none() && self.tails.is_empty() && self.apart.is_none();
        let unknown = |held: &Possession| !held.is_proved && held.links.is_empty();
        nobody_else
            && !self.fragments.is_empty()
            && self.fragments.values().all(|fragment| fragment.has_ended(before))
            && self.possessions.values().all(unknown)
    }

    /// Notes where the latest fragment of the browser is that began as this profile. False where a later one is known.
    pub fn note_latest(&mut self, latest: &LatestFragment) -> bool {
        let news = self.latest.as_ref().is_none_or(|held| latest.is_later_than(held));
        if news {
            self.latest = Some(latest.clone());
        }
        news
    }

    /// What the profile that a browser began as has to know of a fragment that began here: None of its first one.
    #[must_use]
    pub fn latest_of(&self, at: &FragmentId) -> Option<(AnonymousId, LatestFragment)> {
        let fragment = self.fragments.get(at)?;
        let assigned = (&self.id, fragment.assignment_version);
        let found = LatestFragment::of(at, fragment, self.possessions.get(at), assigned);
        found.filter(|(browser, _)| FragmentId::first(browser) != *at)
    }

    /// Whether the profile that a browser began as has to be told where its fragment is that leaves this one. Itself it knows
    /// where its first one went, as long as that is all there is to know.
    pub fn tells_of(&mut self, browser: &AnonymousId, latest: &LatestFragment) -> bool {
        if FragmentId::first(browser).as_str() != self.id.as_str() {
            return true;
        }
        if self.latest.is_some() || latest.fragment.as_str() != self.id.as_str() {
            self.note_latest(latest);
        }
        false
    }

    /// Notes how many push subscriptions the profile has; `at` is the fragment whose browser changed it.
    pub fn set_subscriptions(&mut self, at: &FragmentId, count: u32, subscribed: bool, now: UnixMillis) {
        self.subscriptions = count;
        if let Some(fragment) = self.fragments.get_mut(at) {
            fragment.behaviour.apply(&Act::Push(subscribed), now);
        }
    }
}
