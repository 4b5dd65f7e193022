//! A graph in memory: what the tests and the simulation of the engine store people in.

use std::collections::BTreeMap;

use endcap_protocol::FieldError;

use super::edge::Edge;
use super::erase::Forget;
use super::fragment_id::FragmentId;
use super::graph::GraphStore;
use super::identifier::Identifier;
use super::namespace::Namespace;
use super::resolve::Verdict;
use super::seat::{Order, Seat};

/// A graph that is gone with its process.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct MemoryGraph {
    edges: BTreeMap<FragmentId, BTreeMap<Identifier, Edge>>,
    named: BTreeMap<Identifier, Vec<FragmentId>>,
    /// What became of each edge.
    pub verdicts: BTreeMap<(FragmentId, Identifier), Verdict>,
    /// Where fragments belong that were placed.
    pub seats: BTreeMap<FragmentId, Seat>,
    /// Orders that were not delivered yet.
    pub orders: BTreeMap<FragmentId, Order>,
}

impl MemoryGraph {
    /// All edges.
    pub fn edges(&self) -> impl Iterator<Item = &Edge> {
        self.edges.values().flat_map(BTreeMap::values)
    }

    /// Forgets an order that was carried out, unless a later one took its place.
    pub fn delivered(&mut self, order: &Order) {
        if self.orders.get(&order.fragment).is_some_and(|held| held.seat.version == order.seat.version) {
            self.orders.remove(&order.fragment);
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

    fn seat(&self, fragment: &FragmentId) -> Result<Option<Seat>, FieldError> {
        Ok(self.seats.get(fragment).cloned())
    }

    fn place(&mut self, fragment: &FragmentId, seat: &Seat) -> Result<(), FieldError> {
        self.seats.insert(fragment.clone(), seat.clone());
        Ok(())
    }

    fn order(&mut self, order: &Order) -> Result<(), FieldError> {
        self.orders.insert(order.fragment.clone(), order.clone());
        Ok(())
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
        self.seats.remove(fragment);
        self.orders.remove(fragment);
        Ok(())
    }
}
