//! The identity graph: it keeps evidence and works out people from it.
//!
//! Role in the flow of one event: a shard that accepted an identify tells the graph its evidence ([`hear`]). The graph
//! keeps it, works out the people around it again ([`resolve`]), and records a [`Reassignment`] for every other
//! fragment whose assignment changed. It keeps sending a reassignment until a shard has carried it out. All of this,
//! except the sending, is one transaction of the graph's object.

use std::collections::{BTreeMap, BTreeSet};

use endcap_protocol::{FieldError, ProfileId, UnixMillis};
use endcap_validation::Trust;
use serde::{Deserialize, Serialize};

use crate::assignment::{Assignment, LinkStrength, Reassignment};
use crate::edge::{Edge, Evidence};
use crate::evidence::{Alias, Assertion};
use crate::fragment_id::FragmentId;
use crate::identifier::Identifier;
use crate::namespace::Namespace;
use crate::resolve::{ResolvedPeople, Verdict, resolve};
use crate::rules::IdentityRules;

/// Most claims that are kept of one identifier. What more browsers claim without proof is not kept.
pub const MAX_CLAIMS: usize = 500;
/// Most edges by claims of one fragment, and as many by proofs. The graph drops further evidence.
pub const MAX_EDGES: usize = 100;
/// Most edges that the graph gathers to work out people. It stops there, even if they lead on.
pub(super) const MAX_REGION: usize = 20_000;

/// Where a graph is stored.
pub trait GraphStore {
    /// What can go wrong there.
    type Error: From<FieldError>;

    /// All edges of a fragment.
    ///
    /// # Errors
    /// As the store's.
    fn of_fragment(&self, fragment: &FragmentId) -> Result<Vec<Edge>, Self::Error>;
    /// All edges of an identifier.
    ///
    /// # Errors
    /// As the store's.
    fn of_identifier(&self, identifier: &Identifier) -> Result<Vec<Edge>, Self::Error>;
    /// Writes an edge.
    ///
    /// # Errors
    /// As the store's.
    fn save(&mut self, edge: &Edge) -> Result<(), Self::Error>;
    /// Writes what became of an edge, where that is news.
    ///
    /// # Errors
    /// As the store's.
    fn judge(&mut self, fragment: &FragmentId, identifier: &Identifier, verdict: Verdict) -> Result<(), Self::Error>;
    /// Where a fragment belongs.
    ///
    /// # Errors
    /// As the store's.
    fn assignment(&self, fragment: &FragmentId) -> Result<Option<Assignment>, Self::Error>;
    /// Writes where a fragment belongs.
    ///
    /// # Errors
    /// As the store's.
    fn assign(&mut self, fragment: &FragmentId, assignment: &Assignment) -> Result<(), Self::Error>;
    /// Records a reassignment that has to be delivered; it replaces an earlier one for the same fragment.
    ///
    /// # Errors
    /// As the store's.
    fn reassign(&mut self, reassignment: &Reassignment) -> Result<(), Self::Error>;
}

/// Keeps evidence about a fragment, and returns the fragment's assignment. The same evidence again changes nothing.
///
/// Other fragments whose assignment changed get a reassignment. The fragment itself gets none: its shard repeats the
/// request until it gets the answer, and acts on that.
///
/// # Errors
/// As the store's.
pub fn hear<S: GraphStore>(
    store: &mut S,
    rules: &IdentityRules,
    fragment: &FragmentId,
    said: &[Evidence],
) -> Result<Assignment, S::Error> {
    let room = |store: &S, evidence: &Evidence| has_room(store, rules, evidence);
    if note(store, rules, fragment, said, room)? || is_overtaken(store, rules, fragment)? {
        resolve_around(store, rules, [fragment.clone()].into(), Some(fragment))?;
    }
    assignment_of(store, fragment)
}

/// Keeps what was said about a fragment. False where it was nothing new. `has_room` says whether one more claim of an
/// identifier is kept.
pub(super) fn note<S: GraphStore>(
    store: &mut S,
    rules: &IdentityRules,
    fragment: &FragmentId,
    said: &[Evidence],
    has_room: impl Fn(&S, &Evidence) -> Result<bool, S::Error>,
) -> Result<bool, S::Error> {
    let mut changed = false;
    let mut held: BTreeMap<Identifier, Edge> = BTreeMap::new();
    for edge in store.of_fragment(fragment)? {
        held.insert(edge.identifier.clone(), edge);
    }
    for evidence in said.iter().filter(|evidence| !rules.blocks(&evidence.identifier)) {
        let known = held.get(&evidence.identifier).cloned();
        if known.is_none() {
            let edges = held.values().filter(|edge| edge.trust() == evidence.trust).count();
            let claim = evidence.trust == Trust::Claim;
            if edges >= MAX_EDGES || (claim && !has_room(store, evidence)?) {
                continue;
            }
        }
        let mut edge = known.unwrap_or_else(|| Edge::new(fragment.clone(), evidence.identifier.clone()));
        if edge.note(evidence.trust, &evidence.witness, rules) {
            store.save(&edge)?;
            held.insert(evidence.identifier.clone(), edge);
            changed = true;
        }
    }
    Ok(changed)
}

/// Whether a fragment's assignment is not what its claims would lead to now: an earlier version joined it by a claim, or the
/// shop's trust in a source changed. Hearing of it again, even if nothing is said, puts that right.
///
/// # Errors
/// As the store's.
pub(super) fn is_overtaken<S: GraphStore>(
    store: &S,
    rules: &IdentityRules,
    fragment: &FragmentId,
) -> Result<bool, S::Error> {
    let trusted = || Ok(store.of_fragment(fragment)?.iter().any(|edge| edge.is_trusted_claim(rules)));
    match store.assignment(fragment)?.map(|assignment| assignment.link_strength).unwrap_or_default() {
        LinkStrength::Claimed => Ok(true),
        LinkStrength::Proved => Ok(false),
        LinkStrength::Trusted => trusted().map(|trusted: bool| !trusted),
        LinkStrength::Own => trusted(),
    }
}

/// Keeps all evidence of an assertion, and returns its fragment's assignment. Hashes the user IDs of aliases with
/// `pepper`, as the caller hashed the other identifiers.
///
/// # Errors
/// As the store's.
pub fn take<S: GraphStore>(
    store: &mut S,
    rules: &IdentityRules,
    assertion: &Assertion,
    pepper: &[u8],
) -> Result<Assignment, S::Error> {
    for alias in &assertion.aliases {
        let (fragment, said) = alias_said(alias, pepper)?;
        hear(store, rules, &fragment, &said)?;
    }
    hear(store, rules, &assertion.fragment, &assertion.said)
}

/// An alias as something said about a fragment that stands for it.
pub(super) fn alias_said(alias: &Alias, pepper: &[u8]) -> Result<(FragmentId, Vec<Evidence>), FieldError> {
    let (one, other) = (alias.user_id.as_str(), alias.previous_id.as_str());
    let mut said = Vec::new();
    for user in [one, other] {
        let identifier = Identifier::new(Namespace::UserId, user)?.hashed(pepper);
        said.push(Evidence { identifier, trust: Trust::Fact, witness: alias.witness.clone() });
    }
    Ok((FragmentId::alias(one, other), said))
}

/// Claims that are only listed take no room from those of a trusted source.
fn has_room<S: GraphStore>(store: &S, rules: &IdentityRules, evidence: &Evidence) -> Result<bool, S::Error> {
    let trusted = rules.trusts_claims(&evidence.witness.source);
    let claims = store.of_identifier(&evidence.identifier)?.into_iter().filter(|edge| edge.trust() == Trust::Claim);
    Ok(claims.filter(|edge| edge.is_trusted_claim(rules) == trusted).count() < MAX_CLAIMS)
}

/// The name of a fragment's browser as an identifier: a server may name it.
pub(super) fn name_of(fragment: &FragmentId) -> Identifier {
    Identifier { namespace: Namespace::AnonymousId, value: fragment.as_str().to_owned() }
}

/// The assignment of a fragment without evidence.
pub(super) fn home_assignment(fragment: &FragmentId) -> Result<Assignment, FieldError> {
    Ok(Assignment { profile: fragment.home()?, link_strength: LinkStrength::Own, version: 0 })
}

/// Where a fragment belongs: at home, unless something was said about it.
///
/// # Errors
/// As the store's.
pub fn assignment_of<S: GraphStore>(store: &S, fragment: &FragmentId) -> Result<Assignment, S::Error> {
    store.assignment(fragment)?.map_or_else(|| Ok(home_assignment(fragment)?), Ok)
}

/// Which edges an administrator means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cut {
    /// Everything that links a fragment.
    Fragment(FragmentId),
    /// Everything that an identifier links.
    Identifier(Identifier),
    /// One edge.
    Edge(FragmentId, Identifier),
}

/// What an administrator decides about edges.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Alteration {
    /// They are dropped, as if nothing had ever been said of them.
    Cut,
    /// They are no longer dropped.
    Restore,
    /// No limit holds them up.
    Approve,
}

impl Alteration {
    /// Changes an edge; false where that was decided before.
    pub(super) fn apply(self, edge: &mut Edge, at: UnixMillis) -> bool {
        match self {
            Self::Cut => edge.dropped.replace(at).is_none(),
            Self::Restore => edge.dropped.take().is_some(),
            Self::Approve => !std::mem::replace(&mut edge.approved, true),
        }
    }
}

/// Changes edges as an administrator decided. Returns the fragments whose place changed; None where there is no such edge.
///
/// # Errors
/// As the store's.
pub fn change<S: GraphStore>(
    store: &mut S,
    rules: &IdentityRules,
    what: &Cut,
    alteration: Alteration,
    at: UnixMillis,
) -> Result<Option<Vec<Reassignment>>, S::Error> {
    let edges = meant(store, what)?;
    if edges.is_empty() {
        return Ok(None);
    }
    // People around the fragments that these edges linked before are worked out as well.
    let touched: BTreeSet<FragmentId> = edges.iter().map(|edge| edge.fragment.clone()).collect();
    let around = region(store, rules, touched)?.fragments;
    for mut edge in edges {
        if alteration.apply(&mut edge, at) {
            store.save(&edge)?;
        }
    }
    resolve_around(store, rules, around, None).map(Some)
}

/// The edges that an administrator means.
pub(super) fn meant<S: GraphStore>(store: &S, what: &Cut) -> Result<Vec<Edge>, S::Error> {
    match what {
        Cut::Fragment(fragment) => {
            let mut edges = store.of_fragment(fragment)?;
            edges.extend(store.of_identifier(&name_of(fragment))?);
            Ok(edges)
        }
        Cut::Identifier(identifier) => store.of_identifier(identifier),
        Cut::Edge(fragment, identifier) => {
            let mut edges = store.of_fragment(fragment)?;
            edges.retain(|edge| edge.identifier == *identifier);
            Ok(edges)
        }
    }
}

/// Whom an identifier names, and on whose word.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NamedProfile {
    /// The profile.
    pub profile: ProfileId,
    /// A fact where the shop's server said it, or a proof vouches for it. A claim where only browsers say so, which may be
    /// anybody's.
    pub trust: Trust,
}

/// The profile that an identifier names; None where nobody has it. A fact wins over every claim, however early.
///
/// # Errors
/// As the store's.
pub fn find<S: GraphStore>(
    store: &S,
    rules: &IdentityRules,
    identifier: &Identifier,
) -> Result<Option<NamedProfile>, S::Error> {
    let (said, listed): (Vec<Edge>, Vec<Edge>) =
        store.of_identifier(identifier)?.into_iter().partition(|edge| edge.is_followed(rules));
    let region = region(store, rules, said.iter().map(|edge| edge.fragment.clone()).collect())?;
    let mut people = resolve(&region.edges, rules)?;
    let Some(profile) = people.named.remove(identifier) else { return claimant(store, listed) };
    let followed = |edge: &Edge| {
        let key = (edge.fragment.clone(), edge.identifier.clone());
        people.verdicts.get(&key) == Some(&Verdict::Joined)
    };
    let trust = said.iter().filter(|edge| followed(edge)).map(Edge::trust).max().unwrap_or(Trust::Claim);
    Ok(Some(NamedProfile { profile, trust }))
}

/// The profile of the browser that claimed first, where only claims name somebody.
fn claimant<S: GraphStore>(store: &S, listed: Vec<Edge>) -> Result<Option<NamedProfile>, S::Error> {
    let claims = listed.into_iter().filter(|edge| edge.dropped.is_none());
    let Some(first) = claims.min_by_key(|edge| (edge.at(), edge.fragment.clone())) else { return Ok(None) };
    let profile = assignment_of(store, &first.fragment)?.profile;
    Ok(Some(NamedProfile { profile, trust: Trust::Claim }))
}

/// Fragments that only claim to be a person.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Claimants {
    /// How many there are.
    pub count: usize,
    /// What the latest of them claim, the latest first.
    pub latest: Vec<Claimant>,
}

/// A fragment that only claims to be a person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claimant {
    /// What it claims.
    pub edge: Edge,
    /// Where it belongs.
    pub profile: ProfileId,
}

/// What only claims to be a person; the latest `most` claims are listed. `fragments` are the person's own.
///
/// # Errors
/// As the store's.
pub fn claims_about<S: GraphStore>(
    store: &S,
    rules: &IdentityRules,
    fragments: &BTreeSet<FragmentId>,
    most: usize,
) -> Result<Claimants, S::Error> {
    let people = resolve(&region(store, rules, fragments.clone())?.edges, rules)?;
    let profiles: BTreeSet<&ProfileId> =
        fragments.iter().filter_map(|id| people.places.get(id)).map(|(profile, _)| profile).collect();
    let theirs = people.named.iter().filter(|(_, profile)| profiles.contains(profile)).map(|(named, _)| named);
    let mut claims: BTreeMap<FragmentId, Edge> = BTreeMap::new();
    for identifier in theirs.filter(|identifier| identifier.namespace != Namespace::AnonymousId) {
        let others = store.of_identifier(identifier)?.into_iter();
        let others = others.filter(|edge| edge.trust() == Trust::Claim && edge.dropped.is_none());
        for edge in others.filter(|edge| !fragments.contains(&edge.fragment)) {
            let held = claims.entry(edge.fragment.clone()).or_insert_with(|| edge.clone());
            if held.at() < edge.at() {
                *held = edge;
            }
        }
    }
    let count = claims.len();
    let mut latest: Vec<Edge> = claims.into_values().collect();
    latest.sort_by_key(|edge| (std::cmp::Reverse(edge.at()), edge.fragment.clone()));
    latest.truncate(most);
    let placed = latest.into_iter().map(|edge| {
        let profile = assignment_of(store, &edge.fragment)?.profile;
        Ok(Claimant { edge, profile })
    });
    Ok(Claimants { count, latest: placed.collect::<Result<_, S::Error>>()? })
}

/// Everything that leads from some fragments to others, also what an administrator dropped: who was joined by it may have to
/// be worked out again. A claim that is only listed leads nowhere, so nobody makes another person's links more work by
/// claiming to be them.
pub(super) struct Region {
    pub(super) edges: Vec<Edge>,
    pub(super) fragments: BTreeSet<FragmentId>,
}

pub(super) fn region<S: GraphStore>(
    store: &S,
    rules: &IdentityRules,
    start: BTreeSet<FragmentId>,
) -> Result<Region, S::Error> {
    let mut edges: BTreeMap<(FragmentId, Identifier), Edge> = BTreeMap::new();
    let mut identifiers = BTreeSet::new();
    let mut fragments = start.clone();
    let mut waiting: Vec<FragmentId> = start.into_iter().collect();
    while let Some(fragment) = waiting.pop() {
        let name = name_of(&fragment);
        let mut reached = store.of_fragment(&fragment)?;
        let followed = reached.iter().filter(|edge| edge.leads_on(rules));
        let named: Vec<Identifier> = followed.map(|edge| edge.identifier.clone()).chain([name]).collect();
        for identifier in named {
            if identifiers.insert(identifier.clone()) {
                let others = store.of_identifier(&identifier)?;
                reached.extend(others.into_iter().filter(|edge| edge.leads_on(rules)));
            }
        }
        for edge in reached {
            let browser = (edge.identifier.namespace == Namespace::AnonymousId)
                .then(|| FragmentId::parse(&edge.identifier.value).ok());
            for next in browser.flatten().into_iter().chain([edge.fragment.clone()]) {
                if fragments.insert(next.clone()) {
                    waiting.push(next);
                }
            }
            edges.insert((edge.fragment.clone(), edge.identifier.clone()), edge);
        }
        if edges.len() > MAX_REGION {
            break;
        }
    }
    Ok(Region { edges: edges.into_values().collect(), fragments })
}

/// Works out the people around some fragments again. Returns a reassignment for each fragment whose assignment changed,
/// and records it, except that of the `asking` fragment.
pub(super) fn resolve_around<S: GraphStore>(
    store: &mut S,
    rules: &IdentityRules,
    around: BTreeSet<FragmentId>,
    asking: Option<&FragmentId>,
) -> Result<Vec<Reassignment>, S::Error> {
    let region = region(store, rules, around)?;
    let ResolvedPeople { places, verdicts, .. } = resolve(&region.edges, rules)?;
    for ((fragment, identifier), verdict) in &verdicts {
        store.judge(fragment, identifier, *verdict)?;
    }
    let mut reassignments = Vec::new();
    for fragment in region.fragments.iter().filter(|fragment| !fragment.is_alias()) {
        let before = assignment_of(store, fragment)?;
        let (profile, link_strength) = match places.get(fragment) {
            Some((profile, link_strength)) => (profile.clone(), *link_strength),
            None => (fragment.home()?, LinkStrength::Own),
        };
        if before.profile == profile && before.link_strength == link_strength {
            continue;
        }
        let assignment = Assignment { profile, link_strength, version: before.version.saturating_add(1) };
        store.assign(fragment, &assignment)?;
        let reassignment = Reassignment { fragment: fragment.clone(), assignment };
        if asking != Some(fragment) {
            store.reassign(&reassignment)?;
        }
        reassignments.push(reassignment);
    }
    Ok(reassignments)
}
