//! A graph in memory: what the tests and the simulation of the engine store people in.

use std::collections::BTreeMap;

use endcap_protocol::FieldError;

use crate::assignment::{Assignment, Reassignment};
use crate::edge::Edge;
use crate::erase::Forget;
use crate::fragment_id::FragmentId;
use crate::graph::GraphStore;
use crate::identifier::Identifier;
use crate::namespace::Namespace;
use crate::partition::{Cause, Mark, PartitionStore};
use crate::resolve::Verdict;

/// A graph that is gone with its process.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct MemoryGraph {
    edges: BTreeMap<FragmentId, BTreeMap<Identifier, Edge>>,
    named: BTreeMap<Identifier, Vec<FragmentId>>,
    /// What became of each edge.
    pub verdicts: BTreeMap<(FragmentId, Identifier), Verdict>,
    /// Where fragments belong that were placed.
    pub assignments: BTreeMap<FragmentId, Assignment>,
    /// Reassignments that were not delivered yet.
    pub reassignments: BTreeMap<FragmentId, Reassignment>,
    /// Fragments around which people have to be worked out, where this is part of a graph.
    pub marks: BTreeMap<(FragmentId, Cause), Mark>,
    marked: u64,
}

impl MemoryGraph {
    /// All edges.
    pub fn edges(&self) -> impl Iterator<Item = &Edge> {
        self.edges.values().flat_map(BTreeMap::values)
    }

    /// Takes over what a part of a graph has of its own, without the copies.
    ///
    /// # Errors
    /// Never in memory.
    pub fn take_over(&mut self, part: &Self, is_own: impl Fn(&FragmentId) -> bool) -> Result<(), FieldError> {
        for edge in part.edges().filter(|edge| is_own(&edge.fragment)) {
            self.save(edge)?;
            let key = (edge.fragment.clone(), edge.identifier.clone());
            let verdict = part.verdicts.get(&key).copied().unwrap_or(Verdict::Joined);
            self.verdicts.insert(key, verdict);
        }
        self.assignments.extend(part.assignments.iter().map(|(id, assignment)| (id.clone(), assignment.clone())));
        self.reassignments
            .extend(part.reassignments.iter().map(|(id, reassignment)| (id.clone(), reassignment.clone())));
        Ok(())
    }

    /// Forgets a reassignment that was carried out, unless a later one took its place.
    pub fn delivered(&mut self, reassignment: &Reassignment) {
        if self
            .reassignments
            .get(&reassignment.fragment)
            .is_some_and(|held| held.assignment.version == reassignment.assignment.version)
        {
            self.reassignments.remove(&reassignment.fragment);
        }
    }
}

impl GraphStore for MemoryGraph {
    type Error = FieldError;

    fn of_fragment(&self, fragment: &FragmentId) -> Result<Vec<Edge>, FieldError> {
        Ok(self.edges.get(fragment).into_iter().flat_map(BTreeMap::values).cloned().collect())
    }

    fn of_identifier(&self, identifier: &Identifier) -> Result<Vec<Edge>, FieldError> {
        let fragments = self.named.get(identifier).into_iter().flatten();
        Ok(fragments.filter_map(|fragment| self.edges.get(fragment)?.get(identifier)).cloned().collect())
    }

    fn save(&mut self, edge: &Edge) -> Result<(), FieldError> {
        let held = self.edges.entry(edge.fragment.clone()).or_default();
        if held.insert(edge.identifier.clone(), edge.clone()).is_none() {
            self.named.entry(edge.identifier.clone()).or_default().push(edge.fragment.clone());
        }
        Ok(())
    }

    fn judge(&mut self, fragment: &FragmentId, identifier: &Identifier, verdict: Verdict) -> Result<(), FieldError> {
        self.verdicts.insert((fragment.clone(), identifier.clone()), verdict);
        Ok(())
    }

    fn assignment(&self, fragment: &FragmentId) -> Result<Option<Assignment>, FieldError> {
        Ok(self.assignments.get(fragment).cloned())
    }

    fn assign(&mut self, fragment: &FragmentId, assignment: &Assignment) -> Result<(), FieldError> {
        self.assignments.insert(fragment.clone(), assignment.clone());
        Ok(())
    }

    fn reassign(&mut self, reassignment: &Reassignment) -> Result<(), FieldError> {
        self.reassignments.insert(reassignment.fragment.clone(), reassignment.clone());
        Ok(())
    }
}

impl PartitionStore for MemoryGraph {
    fn judged(&self, fragment: &FragmentId) -> Result<Vec<(Edge, Verdict)>, FieldError> {
        let verdict = |edge: &Edge| self.verdicts.get(&(edge.fragment.clone(), edge.identifier.clone())).copied();
        let edges = self.of_fragment(fragment)?.into_iter();
        Ok(edges.map(|edge| (verdict(&edge).unwrap_or(Verdict::Joined), edge)).map(|(v, edge)| (edge, v)).collect())
    }

    fn mark(&mut self, fragment: &FragmentId, cause: Cause) -> Result<Mark, FieldError> {
        self.marked += 1;
        let mark = Mark { fragment: fragment.clone(), cause, number: self.marked };
        self.marks.insert((fragment.clone(), cause), mark.clone());
        Ok(mark)
    }

    fn heard(&self, fragment: &FragmentId) -> Result<Option<Mark>, FieldError> {
        Ok(self.marks.get(&(fragment.clone(), Cause::Heard)).cloned())
    }

    fn unmark(&mut self, mark: &Mark) -> Result<(), FieldError> {
        let key = (mark.fragment.clone(), mark.cause);
        if self.marks.get(&key) == Some(mark) {
            self.marks.remove(&key);
        }
        Ok(())
    }

    fn is_gone(&self, _name: &str) -> Result<bool, FieldError> {
        Ok(false)
    }
}

impl Forget for MemoryGraph {
    fn forget(&mut self, fragment: &FragmentId) -> Result<(), FieldError> {
        let browser = Identifier { namespace: Namespace::AnonymousId, value: fragment.as_str().to_owned() };
        self.edges.remove(fragment);
        self.edges.values_mut().for_each(|edges| drop(edges.remove(&browser)));
        self.named.remove(&browser);
        self.named.values_mut().for_each(|fragments| fragments.retain(|held| held != fragment));
        self.verdicts.retain(|(of, identifier), _| of != fragment && *identifier != browser);
        self.assignments.remove(fragment);
        self.reassignments.remove(fragment);
        Ok(())
    }
}
