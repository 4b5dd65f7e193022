//! Fragments that lie apart from their profile's row, each in a row of its own.
//!
//! One browser is one packed row. A person of several may grow too large for that: then the profile's row is a *head* that says
//! of the fragments only what each batch needs. That is the fold of those at rest, which come first in canonical order, and a
//! digest of each of the few that acted last. A batch reads the head and the row of its own fragment, and writes both. A fragment
//! that was at rest and acts again has to come out of the fold: then the digests of all are read, and nothing else of them.
//!
//! Who has read a profile in part finds in `fragments` what was read, and here what was not.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use endcap_identity::{FragmentId, IdentityRules, LinkStrength};
use endcap_protocol::UnixMillis;
use serde::{Deserialize, Serialize};

use crate::bounded::keep_greatest;
use crate::digest::{Digest, Foldable};
use crate::fold::{Fold, Place, canonical};
use crate::fragment::Fragment;

/// Digests that a head keeps of the fragments that acted last.
const ACTIVE: usize = 4;
/// User IDs of fragments at rest that a head keeps. Who proves to be another one is not taken for the person, and set apart.
const MAX_USERS: usize = 100;
/// Campaigns whose latest push message a head keeps.
const MAX_CAMPAIGNS: usize = 100;
/// Different sets of sources that link fragments at rest.
const MAX_SOURCES: usize = 16;

/// What a head says of the fragments at rest together.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
struct AtRest {
    fold: Fold,
    /// The place of the last of them.
    until: Option<Place>,
    /// When the first of them began.
    since: Option<UnixMillis>,
    users: BTreeSet<String>,
    pushed: BTreeMap<String, UnixMillis>,
    /// For those that a trusted source links: from which sources each has evidence.
    sources: BTreeSet<BTreeSet<String>>,
    /// Whether one of them, or the number of sources, keeps the fold from being used: all digests have to be read.
    is_unfit: bool,
}

impl AtRest {
    /// Adds the fragment that comes next in canonical order.
    fn add(&mut self, place: Place, digest: &Digest) {
        if digest.link_strength == LinkStrength::Claimed {
            self.is_unfit = true;
        } else {
            self.fold.add(&place.fragment, digest.into());
        }
        self.since = Some(self.since.map_or(digest.since, |since| since.min(digest.since)));
        self.users.extend(digest.all_users().cloned());
        while self.users.len() > MAX_USERS {
            self.users.pop_last();
        }
        for (campaign, at) in &digest.pushed {
            let latest = self.pushed.entry(campaign.clone()).or_insert(*at);
            *latest = (*latest).max(*at);
        }
        keep_greatest(&mut self.pushed, MAX_CAMPAIGNS, |at, other| at.cmp(other));
        if digest.link_strength == LinkStrength::Trusted {
            self.sources.insert(digest.sources.clone());
        }
        self.is_unfit |= self.sources.len() > MAX_SOURCES;
        while self.sources.len() > MAX_SOURCES {
            self.sources.pop_last();
        }
        self.until = Some(place);
    }
}

/// How many rows were not read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Unread {
    /// Fragments.
    pub fragments: u32,
    /// Pointers to fragments that moved to another profile.
    pub moved: u32,
    /// What is left of neither, as who had an anonymous ID.
    pub others: u32,
}

impl Unread {
    /// One row, by what it holds.
    pub(crate) fn one(is_fragment: bool, is_pointer: bool) -> Self {
        let others = !is_fragment && !is_pointer;
        Self { fragments: is_fragment.into(), moved: is_pointer.into(), others: others.into() }
    }

    fn plus(self, other: Self) -> Self {
        Self {
            fragments: self.fragments.saturating_add(other.fragments),
            moved: self.moved.saturating_add(other.moved),
            others: self.others.saturating_add(other.others),
        }
    }

    fn minus(self, other: Self) -> Self {
        Self {
            fragments: self.fragments.saturating_sub(other.fragments),
            moved: self.moved.saturating_sub(other.moved),
            others: self.others.saturating_sub(other.others),
        }
    }
}

impl std::iter::Sum for Unread {
    fn sum<I: Iterator<Item = Self>>(rows: I) -> Self {
        rows.fold(Self::default(), Self::plus)
    }
}

/// What a profile's row says of fragments that lie apart from it.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Apart {
    /// What was not read.
    unread: Unread,
    at_rest: AtRest,
    /// Digests of fragments that were not read and are not at rest.
    active: BTreeMap<FragmentId, Digest>,
    /// The rows that were read, as they lie there.
    #[serde(skip)]
    pub(crate) rows: BTreeMap<FragmentId, Vec<u8>>,
    /// The head as it lies there.
    #[serde(skip)]
    pub(crate) head: Vec<u8>,
    /// The digests of all fragments that were not read, as they lie there, where they were read and are few enough to be kept.
    #[serde(skip)]
    pub(crate) known: RefCell<Option<Arc<BTreeMap<FragmentId, Digest>>>>,
}

fn place(id: &FragmentId, last_seen: UnixMillis) -> Place {
    Place { last_seen, fragment: id.clone() }
}

impl Apart {
    /// Fragments that were not read.
    #[must_use]
    pub fn unread(&self) -> Unread {
        self.unread
    }

    /// Notes that a row was read.
    pub(crate) fn note_read(&mut self, id: &FragmentId, row: Unread) {
        self.active.remove(id);
        self.unread = self.unread.minus(row);
    }

    /// Whether the fold of those at rest cannot be gone on from: one of the fragments that were read belongs before its end, a
    /// fragment counts for nothing, or a source is trusted no more.
    pub(crate) fn lacks_digests(&self, read: &BTreeMap<FragmentId, Fragment>, rules: Option<&IdentityRules>) -> bool {
        let Some(until) = self.at_rest.until.as_ref() else { return false };
        let distrusted = |rules: &IdentityRules| {
            let trusts = |sources: &BTreeSet<String>| rules.trusts_any(sources.iter().map(String::as_str));
            !self.at_rest.sources.iter().all(trusts)
        };
        self.at_rest.is_unfit
            || read.iter().any(|(id, fragment)| place(id, fragment.behaviour.last_seen) <= *until)
            || rules.is_some_and(distrusted)
    }

    /// Takes the digests of all fragments in the place of the fold, but for those that were read. Where these are going to
    /// act, they most likely come last then: so the others are folded again. If not, that is done once more.
    pub(crate) fn complete(&mut self, digests: &BTreeMap<FragmentId, Digest>, comes_last: bool) {
        let others = digests.iter().filter(|(id, _)| !self.rows.contains_key(*id));
        let mut all: Vec<(Place, &Digest)> =
            others.map(|(id, digest)| (place(id, digest.behaviour.last_seen), digest)).collect();
        all.sort_by(|(one, _), (other, _)| one.cmp(other));
        let counts = all.iter().all(|(_, digest)| digest.link_strength != LinkStrength::Claimed);
        let at_rest = if comes_last && counts { all.len().saturating_sub(ACTIVE) } else { 0 };
        let active = all.split_off(at_rest);
        self.at_rest = AtRest::default();
        all.into_iter().for_each(|(place, digest)| self.at_rest.add(place, digest));
        self.active = active.into_iter().map(|(place, digest)| (place.fragment, digest.clone())).collect();
    }

    /// Takes for joined by a claim what a source joined that the shop trusts no more.
    pub(crate) fn distrust(&mut self, rules: &IdentityRules) {
        self.active.values_mut().for_each(|digest| digest.distrust(rules));
    }

    /// Fragments that were not read and count for nothing until they went home.
    pub(crate) fn joined_by_claim(&self) -> impl Iterator<Item = &FragmentId> {
        let guests = self.active.iter().filter(|(_, digest)| digest.link_strength == LinkStrength::Claimed);
        guests.map(|(id, _)| id)
    }

    /// Whether none counts of those that were not read.
    pub(crate) fn has_only_guests(&self) -> bool {
        let is_guest = |digest: &Digest| digest.link_strength == LinkStrength::Claimed;
        self.at_rest.until.is_none() && self.active.values().all(is_guest)
    }

    /// User IDs that fragments which were not read make the person's.
    pub(crate) fn users(&self) -> impl Iterator<Item = &str> {
        let active = self.active.values().flat_map(Digest::all_users);
        self.at_rest.users.iter().chain(active).map(String::as_str)
    }

    /// When the latest push message of a campaign was decided for one of them.
    pub(crate) fn pushed_at(&self, campaign: &str) -> Option<UnixMillis> {
        let active = self.active.values().filter_map(|digest| digest.pushed.get(campaign));
        self.at_rest.pushed.get(campaign).into_iter().chain(active).max().copied()
    }

    /// When the latest push message of any campaign was decided for one of them.
    pub(crate) fn last_pushed_at(&self) -> Option<UnixMillis> {
        let active = self.active.values().flat_map(|digest| digest.pushed.values());
        self.at_rest.pushed.values().chain(active).max().copied()
    }

    /// When the first of them began.
    pub(crate) fn since(&self) -> Option<UnixMillis> {
        self.at_rest.since.into_iter().chain(self.active.values().map(|digest| digest.since)).min()
    }

    /// Whether one of them tells of an order.
    pub(crate) fn knows_order(&self, order_id: &str) -> bool {
        let holds = |digest: &Digest| digest.orders.iter().any(|order| order.order_id == order_id);
        self.at_rest.fold.knows_order(order_id) || self.active.values().any(holds)
    }

    /// Folds all fragments: those at rest, the active ones, and those that were read.
    pub(crate) fn fold(&self, read: &BTreeMap<FragmentId, Fragment>) -> Fold {
        let active = self.active.iter().map(|(id, digest)| (id, Foldable::from(digest)));
        let last = read.iter().map(|(id, fragment)| (id, Foldable::from(fragment))).chain(active);
        let mut fold = self.at_rest.fold.clone();
        for (id, fragment) in canonical(last, self.at_rest.until.is_some()) {
            fold.add(id, fragment);
        }
        fold
    }

    /// What the head is to say once all that was read lies apart again.
    pub(crate) fn settled(&self, read: &BTreeMap<FragmentId, Fragment>, rows: Unread) -> Self {
        let mut all: BTreeMap<Place, Digest> = BTreeMap::new();
        for (id, digest) in &self.active {
            all.insert(place(id, digest.behaviour.last_seen), digest.clone());
        }
        for (id, fragment) in read {
            all.insert(place(id, fragment.behaviour.last_seen), Digest::of(fragment));
        }
        let mut at_rest = self.at_rest.clone();
        while all.len() > ACTIVE {
            let Some((place, digest)) = all.pop_first() else { break };
            at_rest.add(place, &digest);
        }
        Self {
            unread: self.unread.plus(rows),
            at_rest,
            active: all.into_iter().map(|(place, digest)| (place.fragment, digest)).collect(),
            ..Self::default()
        }
    }
}
