//! One part of the identity graph: where its rows lie, and what the parts ask each other.
//!
//! Role in the flow of one event: a shop with more people than one object holds spreads the graph over several. A hash
//! of a fragment's name says which part holds its edges, its assignment and its reassignment. The part of an identifier
//! holds copies of the edges to it, by which it finds their fragments. No part sees all of a person, so none decides
//! alone ([`partitioned_resolve`](crate::partitioned_resolve)).

use std::collections::BTreeSet;

use endcap_protocol::{UnixMillis, bucket_of};
use endcap_validation::Trust;
use serde::{Deserialize, Serialize};

use crate::assignment::{Assignment, Reassignment};
use crate::edge::{Edge, Evidence};
use crate::erase::Forget;
use crate::fragment_id::FragmentId;
use crate::graph;
use crate::graph::{Alteration, MAX_CLAIMS};
use crate::identifier::Identifier;
use crate::namespace::Namespace;
use crate::resolve::Verdict;
use crate::route::shard_of;
use crate::rules::IdentityRules;

/// Most parts of a graph.
pub const MAX_PARTITIONS: u16 = 256;

/// The part that a fragment lies in.
#[must_use]
pub fn of_fragment(fragment: &FragmentId, partitions: u16) -> u16 {
    shard_of(bucket_of(fragment.as_str()), partitions)
}

/// The part that has copies of what was said of an identifier. A browser's name lies with the browser.
#[must_use]
pub fn of_identifier(identifier: &Identifier, partitions: u16) -> u16 {
    let bucket = match identifier.namespace {
        Namespace::AnonymousId => bucket_of(&identifier.value),
        _ => bucket_of(&identifier.to_string()),
    };
    shard_of(bucket, partitions)
}

/// Why people around a fragment have to be worked out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Cause {
    /// Something was said about it: that has to reach the identifiers' parts as well.
    Heard,
    /// A request wrote its assignment or verdicts, or is about to change edges around it, and may crash before it
    /// checks the result.
    Written,
}

impl Cause {
    /// The code in tables.
    #[must_use]
    pub fn code(self) -> i64 {
        match self {
            Self::Heard => 1,
            Self::Written => 2,
        }
    }

    /// The cause of a code.
    #[must_use]
    pub fn of_code(code: i64) -> Option<Self> {
        [Self::Heard, Self::Written].into_iter().find(|cause| cause.code() == code)
    }
}

/// A fragment around which people have to be worked out, with a number that counts how often that was noted.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Mark {
    /// The fragment.
    pub fragment: FragmentId,
    /// Why.
    pub cause: Cause,
    /// The number.
    pub number: u64,
}

/// A new assignment, for a fragment that still has the one that it was worked out from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AssignmentWrite {
    /// The fragment.
    pub fragment: FragmentId,
    /// The assignment.
    #[serde(rename = "seat")]
    pub assignment: Assignment,
}

/// What one part asks another, or itself. Each may be asked twice.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum PeerAsk {
    /// What is known of fragments and identifiers that lie here.
    Look {
        /// The fragments.
        fragments: BTreeSet<FragmentId>,
        /// The identifiers.
        identifiers: BTreeSet<Identifier>,
    },
    /// Something was said about a fragment that lies here.
    Hear {
        /// The fragment.
        fragment: FragmentId,
        /// What was said.
        said: Vec<Evidence>,
        /// Identifiers of which no more claims are kept.
        full: BTreeSet<Identifier>,
    },
    /// What was said of identifiers that lie here.
    Copy(Vec<Edge>),
    /// People around these fragments will have to be worked out.
    Mark(BTreeSet<FragmentId>),
    /// An administrator decided about edges of fragments that lie here.
    Alter {
        /// The edges.
        edges: BTreeSet<(FragmentId, Identifier)>,
        /// What was decided.
        alteration: Alteration,
        /// When.
        at: UnixMillis,
    },
    /// What came out for fragments that lie here.
    Write {
        /// Where they belong.
        #[serde(rename = "seats")]
        assignments: Vec<AssignmentWrite>,
        /// What became of their edges.
        verdicts: Vec<(FragmentId, Identifier, Verdict)>,
    },
    /// People around these fragments were worked out.
    Settled(Vec<Mark>),
    /// These fragments were erased.
    Forget(BTreeSet<FragmentId>),
}

/// What is known of fragments and identifiers.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Seen {
    /// What was said about the fragments, and what became of it.
    pub edges: Vec<(Edge, Verdict)>,
    /// Where they belong, if that was ever written.
    #[serde(rename = "seats")]
    pub assignments: Vec<(FragmentId, Assignment)>,
    /// The fragments that the identifiers name.
    pub named: Vec<FragmentId>,
    /// The fragments that only claim the identifiers.
    #[serde(default)]
    pub listed: Vec<FragmentId>,
    /// Those of the identifiers of which no more claims are kept.
    pub full: BTreeSet<Identifier>,
}

/// The answer to a [`PeerAsk`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum PeerAnswer {
    /// To `Look`.
    Seen(Seen),
    /// To `Hear`, `Mark` and `Write`: what has to be settled, or looked at again.
    Marked(Vec<Mark>),
    /// To the others.
    Done,
}

/// Where one part is stored.
pub trait PartitionStore: Forget {
    /// What was said about a fragment, and what became of it.
    ///
    /// # Errors
    /// As the store's.
    fn judged(&self, fragment: &FragmentId) -> Result<Vec<(Edge, Verdict)>, Self::Error>;
    /// Notes that people around a fragment have to be worked out.
    ///
    /// # Errors
    /// As the store's.
    fn mark(&mut self, fragment: &FragmentId, cause: Cause) -> Result<Mark, Self::Error>;
    /// The mark that new evidence about a fragment left, if it has one.
    ///
    /// # Errors
    /// As the store's.
    fn heard(&self, fragment: &FragmentId) -> Result<Option<Mark>, Self::Error>;
    /// Takes a mark away, unless the fragment was marked again since.
    ///
    /// # Errors
    /// As the store's.
    fn unmark(&mut self, mark: &Mark) -> Result<(), Self::Error>;
    /// Whether somebody of this name was erased.
    ///
    /// # Errors
    /// As the store's.
    fn is_gone(&self, name: &str) -> Result<bool, Self::Error>;
}

/// Answers what a part was asked, in one transaction of its own.
///
/// # Errors
/// As the store's.
pub fn answer<S: PartitionStore>(store: &mut S, rules: &IdentityRules, ask: PeerAsk) -> Result<PeerAnswer, S::Error> {
    match ask {
        PeerAsk::Look { fragments, identifiers } => Ok(PeerAnswer::Seen(look(store, rules, &fragments, &identifiers)?)),
        PeerAsk::Hear { fragment, said, full } => hear(store, rules, &fragment, &said, &full),
        PeerAsk::Copy(edges) => {
            for edge in edges {
                copy(store, rules, edge)?;
            }
            Ok(PeerAnswer::Done)
        }
        PeerAsk::Mark(fragments) => {
            let marks = fragments.iter().map(|fragment| store.mark(fragment, Cause::Written));
            Ok(PeerAnswer::Marked(marks.collect::<Result<_, _>>()?))
        }
        PeerAsk::Alter { edges, alteration, at } => {
            for (fragment, identifier) in edges {
                let held = store.of_fragment(&fragment)?.into_iter().find(|edge| edge.identifier == identifier);
                if let Some(mut edge) = held
                    && alteration.apply(&mut edge, at)
                {
                    store.save(&edge)?;
                }
            }
            Ok(PeerAnswer::Done)
        }
        PeerAsk::Write { assignments, verdicts } => {
            let mut written = BTreeSet::new();
            for write in &assignments {
                if write_assignment(store, write)? {
                    written.insert(&write.fragment);
                }
            }
            for (fragment, identifier, verdict) in &verdicts {
                store.judge(fragment, identifier, *verdict)?;
                written.insert(fragment);
            }
            // The request that wrote this may crash before it checks the result. The mark makes this part check it.
            let marks = written.into_iter().map(|fragment| store.mark(fragment, Cause::Written));
            Ok(PeerAnswer::Marked(marks.collect::<Result<_, _>>()?))
        }
        PeerAsk::Settled(marks) => {
            marks.iter().try_for_each(|mark| store.unmark(mark))?;
            Ok(PeerAnswer::Done)
        }
        PeerAsk::Forget(fragments) => {
            fragments.iter().try_for_each(|fragment| store.forget(fragment))?;
            Ok(PeerAnswer::Done)
        }
    }
}

fn look<S: PartitionStore>(
    store: &S,
    rules: &IdentityRules,
    fragments: &BTreeSet<FragmentId>,
    identifiers: &BTreeSet<Identifier>,
) -> Result<Seen, S::Error> {
    let mut seen = Seen::default();
    for fragment in fragments {
        seen.edges.extend(store.judged(fragment)?);
        seen.assignments.extend(store.assignment(fragment)?.map(|assignment| (fragment.clone(), assignment)));
    }
    for identifier in identifiers {
        let edges = store.of_identifier(identifier)?;
        let (named, listed): (Vec<Edge>, Vec<Edge>) = edges.into_iter().partition(|edge| edge.leads_on(rules));
        if listed.len() >= MAX_CLAIMS {
            seen.full.insert(identifier.clone());
        }
        seen.named.extend(named.into_iter().map(|edge| edge.fragment));
        seen.listed.extend(listed.into_iter().map(|edge| edge.fragment));
    }
    Ok(seen)
}

fn hear<S: PartitionStore>(
    store: &mut S,
    rules: &IdentityRules,
    fragment: &FragmentId,
    said: &[Evidence],
    full: &BTreeSet<Identifier>,
) -> Result<PeerAnswer, S::Error> {
    if store.is_gone(fragment.as_str())? {
        return Ok(PeerAnswer::Marked(Vec::new()));
    }
    let trusted = |evidence: &Evidence| rules.trusts_claims(&evidence.witness.source);
    let room = |_: &S, evidence: &Evidence| Ok(trusted(evidence) || !full.contains(&evidence.identifier));
    if graph::note(store, rules, fragment, said, room)? || graph::is_overtaken(store, rules, fragment)? {
        return Ok(PeerAnswer::Marked(vec![store.mark(fragment, Cause::Heard)?]));
    }
    // The evidence is known, but an earlier try may have left its mark behind.
    Ok(PeerAnswer::Marked(store.heard(fragment)?.into_iter().collect()))
}

/// A copy serves to find its fragment. Evidence is only added to it, so copies may come in any order.
fn copy<S: PartitionStore>(store: &mut S, rules: &IdentityRules, edge: Edge) -> Result<(), S::Error> {
    if store.is_gone(edge.fragment.as_str())? {
        return Ok(());
    }
    let known = store.of_identifier(&edge.identifier)?.into_iter().find(|known| known.fragment == edge.fragment);
    let mut held = known.unwrap_or_else(|| Edge::new(edge.fragment.clone(), edge.identifier.clone()));
    let mut grown = false;
    for (trust, witness) in [(Trust::Claim, &edge.claimed), (Trust::Fact, &edge.proved)] {
        grown |= witness.as_ref().is_some_and(|witness| held.note(trust, witness, rules));
    }
    if grown { store.save(&held) } else { Ok(()) }
}

/// Writes an assignment, unless it was worked out from an older one than the part has. The request then gathers again.
fn write_assignment<S: PartitionStore>(store: &mut S, write: &AssignmentWrite) -> Result<bool, S::Error> {
    let before = store.assignment(&write.fragment)?.map_or(0, |assignment| assignment.version);
    if before.saturating_add(1) != write.assignment.version || store.is_gone(write.fragment.as_str())? {
        return Ok(false);
    }
    store.assign(&write.fragment, &write.assignment)?;
    store.reassign(&Reassignment { fragment: write.fragment.clone(), assignment: write.assignment.clone() })?;
    Ok(true)
}
