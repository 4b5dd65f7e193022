//! Works people out: one function of all edges.
//!
//! [`resolve`] looks at edges in an order that depends on them only: aliases, then facts before claims, then by the
//! precedence of their namespace, then by time. It follows each unless that would break a rule (Kruskal's algorithm
//! with a condition on each union). So the order in which evidence came changes nothing, nor does evidence that came
//! twice. An edge that is dropped leaves no trace: the result is that of the other edges.

use std::collections::BTreeMap;

use endcap_protocol::{FieldError, ProfileId, UnixMillis};
use endcap_validation::Trust;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::assignment::LinkStrength;
use crate::edge::Edge;
use crate::fragment_id::FragmentId;
use crate::identifier::Identifier;
use crate::namespace::Namespace;
use crate::rules::IdentityRules;

/// One hour, in milliseconds.
const HOUR_MS: u64 = 3_600_000;

/// What became of an edge.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// It is followed.
    Joined,
    /// Following it would give one person more values of a namespace than they may have: two people share it.
    Conflict,
    /// A claim, which is only listed; or one of a trusted source that would join two known people, or somebody who has a
    /// proved browser.
    Unproved,
    /// The identifier names too many fragments to be one person's.
    Shared,
    /// It came too fast, or the person would have too many fragments: it waits for an administrator.
    Held,
    /// An administrator dropped it.
    Dropped,
}

impl Verdict {
    /// The word for it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Joined => "joined",
            Self::Conflict => "conflict",
            Self::Unproved => "unproved",
            Self::Shared => "shared",
            Self::Held => "held",
            Self::Dropped => "dropped",
        }
    }

    /// Reads the word.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        let all = [Self::Joined, Self::Conflict, Self::Unproved, Self::Shared, Self::Held, Self::Dropped];
        all.into_iter().find(|verdict| verdict.as_str() == word)
    }
}

/// People, as the edges make them.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ResolvedPeople {
    /// Where each fragment belongs, and what links it.
    pub places: BTreeMap<FragmentId, (ProfileId, LinkStrength)>,
    /// What became of each edge.
    pub verdicts: BTreeMap<(FragmentId, Identifier), Verdict>,
    /// The profile that each identifier names.
    pub named: BTreeMap<Identifier, ProfileId>,
}

/// A fragment or an identifier.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Node<'a> {
    Fragment(&'a str),
    Identifier(&'a Identifier),
}

/// Orders a person's fragments; the first names the profile. Proved comes before claimed, then the earlier, then by
/// name.
type Seniority = (bool, UnixMillis, String);

/// A person in the making.
#[derive(Debug, Clone, Default)]
struct Person {
    /// Fragments and identifiers.
    members: usize,
    /// Values by namespace.
    values: BTreeMap<Namespace, u32>,
    fragments: u32,
    /// Something proved is known about them.
    known: bool,
    /// A proof, or the shop's server, named one of their browsers.
    proved_browser: bool,
    /// When links enlarged them.
    merges: Vec<UnixMillis>,
    /// The fragment that names the profile.
    first: Option<Seniority>,
}

/// How many fragments an identifier names.
#[derive(Debug, Clone, Copy, Default)]
struct Degree {
    proved: u32,
    claimed: u32,
}

/// People who are being joined: a union-find over fragments and identifiers.
struct People<'a> {
    rules: &'a IdentityRules,
    indices: BTreeMap<Node<'a>, usize>,
    parents: Vec<usize>,
    people: Vec<Person>,
    degrees: BTreeMap<&'a Identifier, Degree>,
}

/// Makes people out of edges. The edges have to be all of those that lead from one to another. Claims that are only listed
/// lead nowhere.
///
/// # Errors
/// Never for fragments whose names were made by us.
pub fn resolve(edges: &[Edge], rules: &IdentityRules) -> Result<ResolvedPeople, FieldError> {
    let mut people = People::meeting(edges, rules);
    let (mut ordered, listed): (Vec<&Edge>, Vec<&Edge>) = edges.iter().partition(|edge| edge.is_followed(rules));
    ordered.sort_by_key(|edge| precedence(edge, rules));
    let mut resolution = ResolvedPeople::default();
    for edge in listed {
        let verdict = if edge.dropped.is_some() { Verdict::Dropped } else { Verdict::Unproved };
        resolution.verdicts.insert((edge.fragment.clone(), edge.identifier.clone()), verdict);
    }
    let mut link_strengths: BTreeMap<&str, LinkStrength> = BTreeMap::new();
    for edge in ordered {
        let verdict = people.judge(edge);
        if verdict == Verdict::Joined {
            // A browser that the shop's server named is linked as well as the record that names it.
            let browser =
                (edge.identifier.namespace == Namespace::AnonymousId).then_some(edge.identifier.value.as_str());
            for name in browser.into_iter().chain([edge.fragment.as_str()]) {
                let link_strength = link_strengths.entry(name).or_insert(LinkStrength::Trusted);
                if edge.trust() == Trust::Fact {
                    *link_strength = LinkStrength::Proved;
                }
            }
        }
        resolution.verdicts.insert((edge.fragment.clone(), edge.identifier.clone()), verdict);
    }
    for (node, index) in &people.indices {
        let person = people.people.get(people.root(*index));
        let Some((person, (.., first))) = person.and_then(|person| Some((person, person.first.as_ref()?))) else {
            continue;
        };
        let profile = ProfileId::parse(first)?;
        match node {
            Node::Identifier(identifier) => drop(resolution.named.insert((*identifier).clone(), profile)),
            Node::Fragment(name) => {
                let fragment = FragmentId::parse(name)?;
                let otherwise = if person.known { LinkStrength::Proved } else { LinkStrength::Own };
                let link_strength = link_strengths.get(name).copied().unwrap_or(otherwise);
                if !fragment.is_alias() {
                    resolution.places.insert(fragment, (profile, link_strength));
                }
            }
        }
    }
    Ok(resolution)
}

/// What an edge is ordered by. Links between two user IDs come first: they are a rule of the shop's.
fn precedence<'a>(
    edge: &'a Edge,
    rules: &IdentityRules,
) -> (bool, bool, u8, UnixMillis, &'a str, &'a FragmentId, &'a Identifier) {
    let message = edge.witness().map_or("", |witness| witness.message_id.as_str());
    let claim = edge.trust() == Trust::Claim;
    let priority = rules.of(&edge.identifier.namespace).priority;
    (!edge.fragment.is_alias(), claim, priority, edge.at(), message, &edge.fragment, &edge.identifier)
}

impl<'a> People<'a> {
    /// Makes a person of each end of all edges. A browser's name and its fragment are the same end.
    fn meeting(edges: &'a [Edge], rules: &'a IdentityRules) -> Self {
        let (indices, degrees) = (BTreeMap::new(), BTreeMap::new());
        let mut people = Self { rules, indices, parents: Vec::new(), people: Vec::new(), degrees };
        for edge in edges.iter().filter(|edge| edge.is_followed(rules)) {
            let claim = edge.trust() == Trust::Claim;
            let degree = people.degrees.entry(&edge.identifier).or_default();
            let count = if claim { &mut degree.claimed } else { &mut degree.proved };
            *count = count.saturating_add(1);
            people.meet_fragment(edge.fragment.as_str(), (claim, edge.at()));
            if edge.identifier.namespace == Namespace::AnonymousId {
                let index = people.meet_fragment(&edge.identifier.value, (claim, edge.at()));
                people.indices.insert(Node::Identifier(&edge.identifier), index);
            } else {
                let index = people.meet(Node::Identifier(&edge.identifier));
                let values = people.people.get_mut(index).map(|person| &mut person.values);
                values.map(|values| values.insert(edge.identifier.namespace.clone(), 1));
            }
        }
        people
    }

    fn meet(&mut self, node: Node<'a>) -> usize {
        let next = self.people.len();
        let index = *self.indices.entry(node).or_insert(next);
        if index == next {
            self.parents.push(next);
            self.people.push(Person { members: 1, ..Person::default() });
        }
        index
    }

    fn meet_fragment(&mut self, name: &'a str, (claim, at): (bool, UnixMillis)) -> usize {
        let index = self.meet(Node::Fragment(name));
        let holds = FragmentId::parse(name).is_ok_and(|fragment| !fragment.is_alias());
        if let Some(person) = self.people.get_mut(index).filter(|_| holds) {
            person.fragments = 1;
            let seniority = (claim, at, name.to_owned());
            if person.first.as_ref().is_none_or(|first| seniority < *first) {
                person.first = Some(seniority);
            }
        }
        index
    }

    fn root(&self, index: usize) -> usize {
        let mut at = index;
        while let Some(parent) = self.parents.get(at).copied().filter(|parent| *parent != at) {
            at = parent;
        }
        at
    }

    fn root_of(&self, node: Node<'a>) -> Option<usize> {
        self.indices.get(&node).map(|index| self.root(*index))
    }

    fn judge(&mut self, edge: &'a Edge) -> Verdict {
        let ends =
            (self.root_of(Node::Fragment(edge.fragment.as_str())), self.root_of(Node::Identifier(&edge.identifier)));
        let (Some(one), Some(other)) = ends else { return Verdict::Dropped };
        if self.is_shared(edge) {
            return Verdict::Shared;
        }
        if one == other {
            if let Some(person) = self.people.get_mut(one) {
                person.known |= edge.trust() == Trust::Fact;
                person.proved_browser |= proves_browser(edge);
            }
            return Verdict::Joined;
        }
        let (Some(a), Some(b)) = (self.people.get(one), self.people.get(other)) else { return Verdict::Dropped };
        if let Err(verdict) = self.may_join(a, b, edge) {
            return verdict;
        }
        let joined = joined(a, b, edge);
        // The smaller tree goes below the larger, which keeps ways to the root short.
        let (root, below) = if a.members >= b.members { (one, other) } else { (other, one) };
        if let (Some(person), Some(parent)) = (self.people.get_mut(root), self.parents.get_mut(below)) {
            *person = joined;
            *parent = root;
        }
        Verdict::Joined
    }

    /// Whether too many fragments name its identifier. Claims do not count against a proof, so no outsider can spoil
    /// it.
    fn is_shared(&self, edge: &Edge) -> bool {
        let names_one = matches!(edge.identifier.namespace, Namespace::UserId | Namespace::AnonymousId);
        let degree = self.degrees.get(&edge.identifier).copied().unwrap_or_default();
        let claimed = if edge.trust() == Trust::Claim { degree.claimed } else { 0 };
        !names_one && degree.proved.saturating_add(claimed) > self.rules.fragments_per_identifier.into()
    }

    fn may_join(&self, a: &Person, b: &Person, edge: &Edge) -> Result<(), Verdict> {
        let claim = edge.trust() == Trust::Claim;
        if claim && ((a.known && b.known) || a.proved_browser || b.proved_browser) {
            return Err(Verdict::Unproved);
        }
        // An alias says that two user IDs are one person's, so they are no conflict.
        let alias = edge.fragment.is_alias();
        for (namespace, ours) in &a.values {
            let theirs = b.values.get(namespace).copied().unwrap_or_default();
            let most = u32::from(self.rules.of(namespace).values);
            if !alias && theirs > 0 && ours.saturating_add(theirs) > most {
                return Err(Verdict::Conflict);
            }
        }
        if edge.approved {
            return Ok(());
        }
        let fragments = a.fragments.saturating_add(b.fragments);
        let lately = |person: &Person| person.merges.iter().filter(|at| at.abs_diff(edge.at()) < HOUR_MS).count();
        let merges = lately(a).saturating_add(lately(b));
        let enlarges = a.fragments > 0 && b.fragments > 0;
        let full = fragments > self.rules.fragments_per_person.into();
        if enlarges && (full || merges >= usize::from(self.rules.merges_per_hour)) {
            return Err(Verdict::Held);
        }
        Ok(())
    }
}

/// Whether an edge is a fact about a browser: a proof that came from it, or the word of the shop's server.
fn proves_browser(edge: &Edge) -> bool {
    let names_browser = edge.identifier.namespace == Namespace::AnonymousId;
    edge.trust() == Trust::Fact && (names_browser || edge.fragment.is_of_browser())
}

fn joined(a: &Person, b: &Person, edge: &Edge) -> Person {
    let mut values = a.values.clone();
    for (namespace, count) in &b.values {
        let held = values.entry(namespace.clone()).or_default();
        *held = held.saturating_add(*count);
    }
    if edge.fragment.is_alias() {
        // Joined by an alias, user IDs count as one.
        values.entry(Namespace::UserId).and_modify(|count| *count = 1);
    }
    let mut merges = [a.merges.as_slice(), b.merges.as_slice()].concat();
    if a.fragments > 0 && b.fragments > 0 {
        merges.push(edge.at());
    }
    // A claim does not rename a known person, whatever was proved about the side that claims.
    let keeps = match (edge.trust(), a.known, b.known) {
        (Trust::Claim, true, false) => a.first.as_ref(),
        (Trust::Claim, false, true) => b.first.as_ref(),
        _ => None,
    };
    Person {
        members: a.members.saturating_add(b.members),
        values,
        fragments: a.fragments.saturating_add(b.fragments),
        known: a.known || b.known || edge.trust() == Trust::Fact,
        proved_browser: a.proved_browser || b.proved_browser || proves_browser(edge),
        merges,
        first: keeps.or([&a.first, &b.first].into_iter().flatten().min()).cloned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::edge::Witness;

    /// How many steps lead from each fragment or identifier to its root, at most.
    fn depth(people: &People<'_>) -> usize {
        let steps = |start: usize| {
            let next = |at: &usize| people.parents.get(*at).copied().filter(|parent| parent != at);
            std::iter::successors(Some(start), next).count() - 1
        };
        (0..people.parents.len()).map(steps).max().unwrap_or_default()
    }

    #[test]
    fn ways_to_the_root_stay_short_however_many_fragments_meet_one_by_one() {
        let rules = IdentityRules::default();
        let ann = Identifier::new(Namespace::UserId, "ann").unwrap();
        let edges: Vec<Edge> = (0_i64..256)
            .map(|at| {
                let mut edge = Edge::new(FragmentId::parse(&format!("b{at}")).unwrap(), ann.clone());
                edge.note(
                    Trust::Fact,
                    &Witness { at, message_id: format!("m{at}"), source: "shop".to_owned() },
                    &rules,
                );
                edge.approved = true;
                edge
            })
            .collect();
        let mut people = People::meeting(&edges, &rules);
        for edge in &edges {
            assert_eq!(people.judge(edge), Verdict::Joined);
        }
        assert!(depth(&people) <= 8, "{} steps in 257 nodes; union by size takes at most 8", depth(&people));
    }
}
