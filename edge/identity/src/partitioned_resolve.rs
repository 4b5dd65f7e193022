//! Works out people whose edges lie in several parts of the graph.
//!
//! Role in the flow of one event: does over several parts what [`graph`](crate::graph) does in one transaction. Parts
//! may be asked twice, late and out of order. First the fragment's part stores the evidence, with a mark. Then this
//! module gathers all that leads from the fragment to others, and works people out by the same
//! [`resolve`](crate::resolve). It writes what differs from what the parts have, each assignment only over the one that
//! it was worked out from. It repeats this until gathering again finds nothing that differs. Then it removes the marks:
//! the first one, and those that each write left.
//!
//! Why the result is right: people are a function of the evidence alone. Each request gathers after its evidence is
//! stored. The request that writes last gathers once more, and finds nothing that differs. So when no request works any
//! more, the parts hold what the function makes of all evidence, in whatever order messages came. A crash leaves marks,
//! and their parts go on. If a request ends and its write comes late, the write leaves a mark of its own.

use std::collections::{BTreeMap, BTreeSet};
use std::future::Future;

use endcap_protocol::{FieldError, UnixMillis};
use futures_util::future::join_all;

use crate::assignment::{Assignment, Reassignment};
use crate::edge::{Edge, Evidence};
use crate::evidence::Assertion;
use crate::fragment_id::FragmentId;
use crate::graph::{Alteration, Cut, GraphStore};
use crate::identifier::Identifier;
use crate::memory::MemoryGraph;
use crate::namespace::Namespace;
use crate::partition::{AssignmentWrite, Mark, PeerAnswer, PeerAsk, Seen, of_fragment, of_identifier};
use crate::rules::IdentityRules;
use crate::{erase, graph};

/// Most times that people are worked out while others change them.
const ROUNDS: usize = 24;

/// The parts of a graph, as one of them reaches them.
pub trait Peers {
    /// What can go wrong there.
    type Error: From<FieldError>;

    /// How many there are.
    fn partitions(&self) -> u16;
    /// Asks one of them.
    fn ask(&self, to: u16, ask: PeerAsk) -> impl Future<Output = Result<PeerAnswer, Self::Error>>;
    /// The error for what has to be tried again.
    fn busy(&self) -> Self::Error;
}

/// Hears all that an assertion says, and answers where its fragment belongs.
///
/// # Errors
/// As the parts'; then it may be told again.
pub async fn tell<P: Peers>(
    peers: &P,
    rules: &IdentityRules,
    assertion: &Assertion,
    pepper: &[u8],
) -> Result<Assignment, P::Error> {
    for alias in &assertion.aliases {
        let (fragment, said) = graph::alias_said(alias, pepper)?;
        hear(peers, rules, &fragment, &said).await?;
    }
    let fragment = &assertion.fragment;
    hear(peers, rules, fragment, &assertion.said).await?;
    let seen = look(peers, [fragment.clone()].into(), BTreeSet::new()).await?;
    let assignment = seen.assignments.into_iter().find(|(id, _)| id == fragment).map(|(_, assignment)| assignment);
    assignment.map_or_else(|| graph::home_assignment(fragment).map_err(P::Error::from), Ok)
}

async fn hear<P: Peers>(
    peers: &P,
    rules: &IdentityRules,
    fragment: &FragmentId,
    said: &[Evidence],
) -> Result<(), P::Error> {
    let identifiers = said.iter().map(|evidence| evidence.identifier.clone()).collect();
    let full = look(peers, BTreeSet::new(), identifiers).await?.full;
    let ask = PeerAsk::Hear { fragment: fragment.clone(), said: said.to_vec(), full };
    let PeerAnswer::Marked(marks) = peers.ask(of_fragment(fragment, peers.partitions()), ask).await? else {
        return Err(peers.busy());
    };
    for mark in marks {
        finish(peers, rules, &mark).await?;
    }
    Ok(())
}

/// Finishes the work of a mark: copies the fragment's edges to the identifiers' parts, works out the people around it,
/// and removes the mark.
///
/// # Errors
/// As the parts'; then the mark stays.
pub async fn finish<P: Peers>(peers: &P, rules: &IdentityRules, mark: &Mark) -> Result<(), P::Error> {
    let partitions = peers.partitions();
    let own = of_fragment(&mark.fragment, partitions);
    let seen = look(peers, [mark.fragment.clone()].into(), BTreeSet::new()).await?;
    let mut copies: BTreeMap<u16, Vec<Edge>> = BTreeMap::new();
    for (edge, _) in seen.edges {
        copies.entry(of_identifier(&edge.identifier, partitions)).or_default().push(edge);
    }
    copies.remove(&own);
    ask_all(peers, copies.into_iter().map(|(to, edges)| (to, PeerAsk::Copy(edges)))).await?;
    resolve_around(peers, rules, [mark.fragment.clone()].into()).await?;
    peers.ask(own, PeerAsk::Settled(vec![mark.clone()])).await.map(drop)
}

/// Changes edges as an administrator decided. Returns the fragments whose place changed; None where there is no such edge.
///
/// # Errors
/// As the parts'; then it may be decided again.
pub async fn change<P: Peers>(
    peers: &P,
    rules: &IdentityRules,
    what: &Cut,
    alteration: Alteration,
    at: UnixMillis,
) -> Result<Option<Vec<Reassignment>>, P::Error> {
    let (fragments, identifiers) = match what {
        Cut::Fragment(fragment) | Cut::Edge(fragment, _) => ([fragment.clone()].into(), BTreeSet::new()),
        Cut::Identifier(identifier) => (BTreeSet::new(), [identifier.clone()].into()),
    };
    let seen = gather_listed(peers, rules, fragments, identifiers).await?;
    let edges = graph::meant(&seen, what)?;
    if edges.is_empty() {
        return Ok(None);
    }
    // People around the fragments that these edges linked before are worked out as well.
    let touched = edges.iter().map(|edge| edge.fragment.clone()).collect();
    let around = graph::region(&seen, rules, touched)?.fragments;
    let partitions = peers.partitions();
    let marks = mark(peers, &around).await?;
    let mut altered: BTreeMap<u16, BTreeSet<(FragmentId, Identifier)>> = BTreeMap::new();
    for edge in edges {
        altered.entry(of_fragment(&edge.fragment, partitions)).or_default().insert((edge.fragment, edge.identifier));
    }
    let alter = |(to, edges)| (to, PeerAsk::Alter { edges, alteration, at });
    ask_all(peers, altered.into_iter().map(alter)).await?;
    settle_marked(peers, rules, around, marks).await.map(Some)
}

/// Erases fragments, as if nothing had ever been said of them. Returns those whose place depended on them.
///
/// # Errors
/// As the parts'; then it may be asked again.
pub async fn erase<P: Peers>(
    peers: &P,
    rules: &IdentityRules,
    fragments: &BTreeSet<FragmentId>,
) -> Result<Vec<Reassignment>, P::Error> {
    let seen = gather(peers, rules, fragments.clone(), BTreeSet::new()).await?;
    let (gone, left) = erase::going(&seen, rules, fragments)?;
    let marks = mark(peers, &left).await?;
    let forget = (0..peers.partitions()).map(|to| (to, PeerAsk::Forget(gone.clone())));
    ask_all(peers, forget).await?;
    settle_marked(peers, rules, left, marks).await
}

/// The profile that an identifier names; None where nobody has it.
///
/// # Errors
/// As the parts'.
pub async fn find<P: Peers>(
    peers: &P,
    rules: &IdentityRules,
    identifier: &Identifier,
) -> Result<Option<graph::NamedProfile>, P::Error> {
    let seen = gather_listed(peers, rules, BTreeSet::new(), [identifier.clone()].into()).await?;
    Ok(graph::find(&seen, rules, identifier)?)
}

async fn mark<P: Peers>(peers: &P, fragments: &BTreeSet<FragmentId>) -> Result<BTreeMap<u16, Vec<Mark>>, P::Error> {
    let mut by_partition: BTreeMap<u16, BTreeSet<FragmentId>> = BTreeMap::new();
    for fragment in fragments {
        by_partition.entry(of_fragment(fragment, peers.partitions())).or_default().insert(fragment.clone());
    }
    let asks = by_partition.into_iter().map(|(to, fragments)| (to, PeerAsk::Mark(fragments)));
    let mut marks = BTreeMap::new();
    for (to, answer) in ask_all(peers, asks).await? {
        let PeerAnswer::Marked(marked) = answer else { return Err(peers.busy()) };
        marks.insert(to, marked);
    }
    Ok(marks)
}

async fn settle_marked<P: Peers>(
    peers: &P,
    rules: &IdentityRules,
    around: BTreeSet<FragmentId>,
    marks: BTreeMap<u16, Vec<Mark>>,
) -> Result<Vec<Reassignment>, P::Error> {
    let moved = resolve_around(peers, rules, around).await?;
    take_away(peers, marks).await?;
    Ok(moved)
}

async fn take_away<P: Peers>(peers: &P, marks: BTreeMap<u16, Vec<Mark>>) -> Result<(), P::Error> {
    let marks = marks.into_iter().filter(|(_, marks)| !marks.is_empty());
    ask_all(peers, marks.map(|(to, marks)| (to, PeerAsk::Settled(marks)))).await.map(drop)
}

/// Works people out and writes what differs, until nothing does. The fragment that asks gets a reassignment as well:
/// this call may repeat one that was answered before, and then no shard waits for its answer.
async fn resolve_around<P: Peers>(
    peers: &P,
    rules: &IdentityRules,
    around: BTreeSet<FragmentId>,
) -> Result<Vec<Reassignment>, P::Error> {
    let mut moved: BTreeMap<FragmentId, Reassignment> = BTreeMap::new();
    let mut marks: BTreeMap<u16, Vec<Mark>> = BTreeMap::new();
    for _ in 0..ROUNDS {
        let before = gather(peers, rules, around.clone(), BTreeSet::new()).await?;
        let mut after = before.clone();
        let reassignments = graph::resolve_around(&mut after, rules, around.clone(), None)?;
        let writes = writes(&before, &after, &reassignments, peers.partitions());
        if writes.is_empty() {
            take_away(peers, marks).await?;
            return Ok(moved.into_values().collect());
        }
        for (to, answer) in ask_all(peers, writes).await? {
            let PeerAnswer::Marked(left) = answer else { return Err(peers.busy()) };
            marks.entry(to).or_default().extend(left);
        }
        moved.extend(reassignments.into_iter().map(|reassignment| (reassignment.fragment.clone(), reassignment)));
    }
    Err(peers.busy())
}

/// What differs, by part.
fn writes(
    before: &MemoryGraph,
    after: &MemoryGraph,
    reassignments: &[Reassignment],
    partitions: u16,
) -> BTreeMap<u16, PeerAsk> {
    type Writes = (Vec<AssignmentWrite>, Vec<(FragmentId, Identifier, crate::resolve::Verdict)>);
    let mut all: BTreeMap<u16, Writes> = BTreeMap::new();
    for Reassignment { fragment, assignment } in reassignments {
        let write = AssignmentWrite { fragment: fragment.clone(), assignment: assignment.clone() };
        all.entry(of_fragment(fragment, partitions)).or_default().0.push(write);
    }
    for ((fragment, identifier), verdict) in &after.verdicts {
        let key = (fragment.clone(), identifier.clone());
        if before.verdicts.get(&key) != Some(verdict) {
            all.entry(of_fragment(fragment, partitions)).or_default().1.push((key.0, key.1, *verdict));
        }
    }
    all.into_iter().map(|(to, (assignments, verdicts))| (to, PeerAsk::Write { assignments, verdicts })).collect()
}

/// All that leads from some fragments and identifiers to others: edges with what became of them, and assignments. Claims
/// that are only listed lead nowhere.
///
/// # Errors
/// As the parts'.
pub async fn gather<P: Peers>(
    peers: &P,
    rules: &IdentityRules,
    fragments: BTreeSet<FragmentId>,
    identifiers: BTreeSet<Identifier>,
) -> Result<MemoryGraph, P::Error> {
    Ok(gather_from(peers, rules, fragments, identifiers).await?.0)
}

/// The same with the fragments that only claim an identifier of these, and what they claim.
///
/// # Errors
/// As the parts'.
pub async fn gather_listed<P: Peers>(
    peers: &P,
    rules: &IdentityRules,
    fragments: BTreeSet<FragmentId>,
    identifiers: BTreeSet<Identifier>,
) -> Result<MemoryGraph, P::Error> {
    let (mut graph, listed) = gather_from(peers, rules, fragments, identifiers).await?;
    let seen = look(peers, listed, BTreeSet::new()).await?;
    for (edge, verdict) in seen.edges {
        graph.verdicts.insert((edge.fragment.clone(), edge.identifier.clone()), verdict);
        graph.save(&edge)?;
    }
    graph.assignments.extend(seen.assignments);
    Ok(graph)
}

/// The same, and fragments that were met but only claim.
async fn gather_from<P: Peers>(
    peers: &P,
    rules: &IdentityRules,
    fragments: BTreeSet<FragmentId>,
    identifiers: BTreeSet<Identifier>,
) -> Result<(MemoryGraph, BTreeSet<FragmentId>), P::Error> {
    let (mut graph, mut listed) = (MemoryGraph::default(), BTreeSet::new());
    let (mut known, mut named) = (BTreeSet::new(), BTreeSet::new());
    let (mut next, mut next_named) = (fragments, identifiers);
    loop {
        // What names a browser leads to it as well.
        next_named.extend(next.iter().map(graph::name_of));
        next.retain(|fragment| known.insert(fragment.clone()));
        next_named.retain(|identifier| named.insert(identifier.clone()));
        if (next.is_empty() && next_named.is_empty()) || known.len() > graph::MAX_REGION {
            listed.retain(|fragment| !known.contains(fragment));
            return Ok((graph, listed));
        }
        let seen = look(peers, std::mem::take(&mut next), std::mem::take(&mut next_named)).await?;
        next.extend(seen.named);
        listed.extend(seen.listed);
        for (edge, verdict) in seen.edges {
            if edge.identifier.namespace == Namespace::AnonymousId {
                next.extend(FragmentId::parse(&edge.identifier.value).ok());
            } else if edge.leads_on(rules) {
                next_named.insert(edge.identifier.clone());
            }
            graph.verdicts.insert((edge.fragment.clone(), edge.identifier.clone()), verdict);
            graph.save(&edge)?;
        }
        graph.assignments.extend(seen.assignments);
    }
}

async fn look<P: Peers>(
    peers: &P,
    fragments: BTreeSet<FragmentId>,
    identifiers: BTreeSet<Identifier>,
) -> Result<Seen, P::Error> {
    let mut by_partition: BTreeMap<u16, (BTreeSet<FragmentId>, BTreeSet<Identifier>)> = BTreeMap::new();
    for fragment in fragments {
        by_partition.entry(of_fragment(&fragment, peers.partitions())).or_default().0.insert(fragment);
    }
    for identifier in identifiers {
        by_partition.entry(of_identifier(&identifier, peers.partitions())).or_default().1.insert(identifier);
    }
    let asks = by_partition.into_iter();
    let asks = asks.map(|(to, (fragments, identifiers))| (to, PeerAsk::Look { fragments, identifiers }));
    let mut all = Seen::default();
    for (_, answer) in ask_all(peers, asks).await? {
        let PeerAnswer::Seen(seen) = answer else { return Err(peers.busy()) };
        all.edges.extend(seen.edges);
        all.assignments.extend(seen.assignments);
        all.named.extend(seen.named);
        all.listed.extend(seen.listed);
        all.full.extend(seen.full);
    }
    Ok(all)
}

/// Asks several parts at once.
async fn ask_all<P: Peers>(
    peers: &P,
    asks: impl IntoIterator<Item = (u16, PeerAsk)>,
) -> Result<Vec<(u16, PeerAnswer)>, P::Error> {
    let one = async |(to, ask)| Ok((to, peers.ask(to, ask).await?));
    join_all(asks.into_iter().map(one)).await.into_iter().collect()
}
