//! Which products are visited together: a bounded item-to-item model that learns one step at a time.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::visit_context::{CONTEXT, Step};

/// Most neighbours kept of one product.
pub const MAX_NEIGHBOURS: usize = 50;

/// Most products known unless [`CoVisits::with_capacity`] says otherwise: at 50 neighbours of 12 bytes, some 12 MB.
pub const MAX_ITEMS: usize = 20_000;

/// Weight of a step from the product directly before. Divisible by four times each distance up to [`CONTEXT`], so
/// that every weight below is a whole number.
const UNIT: u32 = 240;

/// After this long a weight counts half, in milliseconds: 180 days.
const HALF_LIFE_MS: i64 = 180 * 86_400_000;

/// For each product, the products that visits went to before and after it, with weights.
///
/// A step from a product `d` places back adds `1/d` to the pair in the direction walked and three quarters of that in
/// the other. In a full row, a new neighbour replaces the lightest one and inherits its weight (space saving: Metwally,
/// Agrawal, El Abbadi 2005). So a row's memory is bounded and heavy neighbours stay. Inherited weight does not count
/// for the score, so recommendations are almost as good as with unbounded rows.
///
/// The constants were chosen on validation splits of the bol.com example and Diginetica; `tests/recommendation.rs`
/// measures the result.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Saved")]
pub struct CoVisits {
    capacity: u32,
    rows: Vec<Row>,
    visits: u64,
    /// Half-lives since 1970 up to which the weights have been halved.
    age: i64,
    #[serde(skip)]
    index: BTreeMap<String, u32>,
}

/// What is stored: the index follows from the rows.
#[derive(Deserialize)]
struct Saved {
    capacity: u32,
    rows: Vec<Row>,
    visits: u64,
    age: i64,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Row {
    item: String,
    visits: u32,
    neighbours: Vec<Neighbour>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
struct Neighbour {
    row: u32,
    weight: u32,
    /// The weight of the neighbour that it replaced: at most this much was never earned.
    inherited: u32,
}

impl Neighbour {
    /// The least that the pair has really earned.
    fn earned(self) -> u32 {
        self.weight.saturating_sub(self.inherited)
    }

    fn halved(self, times: u32) -> Self {
        let halve = |value: u32| value.checked_shr(times).unwrap_or(0);
        Self { row: self.row, weight: halve(self.weight), inherited: halve(self.inherited) }
    }
}

impl From<Saved> for CoVisits {
    fn from(saved: Saved) -> Self {
        let Saved { capacity, rows, visits, age } = saved;
        let mut model = Self { capacity, rows, visits, age, index: BTreeMap::new() };
        model.reindex();
        model
    }
}

impl Default for CoVisits {
    fn default() -> Self {
        Self::with_capacity(MAX_ITEMS)
    }
}

impl CoVisits {
    /// A model that knows at most so many products (at least 100); beyond it the least visited eighth is forgotten.
    pub fn with_capacity(items: usize) -> Self {
        let capacity = u32::try_from(items.max(100)).unwrap_or(u32::MAX);
        Self { capacity, rows: Vec::new(), visits: 0, age: 0, index: BTreeMap::new() }
    }

    /// Learns one step taken at `at` (milliseconds since 1970). Pass a time that the edge vouches for: one far in the
    /// future would age everything learned before it.
    pub fn learn(&mut self, step: &Step, at: i64) {
        self.grow_old(at.div_euclid(HALF_LIFE_MS));
        self.make_room(CONTEXT + 1);
        let here = self.row_of(&step.item);
        self.visits = self.visits.saturating_add(1);
        if let Some(row) = self.row_mut(here) {
            row.visits = row.visits.saturating_add(1);
        }
        for (distance, earlier) in (1u32..).zip(step.recent.iter().take(CONTEXT)) {
            if *earlier != step.item {
                let there = self.row_of(earlier);
                self.add(there, here, UNIT / distance);
                self.add(here, there, UNIT / distance * 3 / 4);
            }
        }
    }

    /// Adds what another model learned from other steps.
    pub fn merge(&mut self, other: &Self) {
        self.grow_old(other.age);
        let shift = u32::try_from(self.age - other.age).unwrap_or(u32::MAX);
        self.visits = self.visits.saturating_add(other.visits.checked_shr(shift).unwrap_or(0));
        for theirs in &other.rows {
            self.make_room(MAX_NEIGHBOURS + 1);
            let here = self.row_of(&theirs.item);
            if let Some(row) = self.row_mut(here) {
                row.visits = row.visits.saturating_add(theirs.visits.checked_shr(shift).unwrap_or(0));
            }
            for neighbour in &theirs.neighbours {
                let weight = neighbour.halved(shift).earned();
                if let Some(item) = other.row(neighbour.row).map(|row| row.item.as_str()) {
                    let there = self.row_of(item);
                    self.add(here, there, weight);
                }
            }
        }
    }

    /// Whether nothing was learned yet.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// Products that go with a context (latest first), best first, the context's own left out. Each comes with the
    /// product of the context that speaks most for it.
    ///
    /// A neighbour's score is the sum over the context of `0.5^k · idf(context product) · weight`, divided by the
    /// fourth root of its own visits: recent products count more, ubiquitous ones less on either side.
    pub fn related<'a>(&'a self, context: &[&'a str]) -> Vec<(&'a str, &'a str)> {
        let mut votes = Vec::new();
        let mut recency = 1.0;
        for &item in context.iter().take(CONTEXT) {
            if let Some(row) = self.index.get(item).and_then(|&row| self.row(row)) {
                let factor = recency * self.rarity(row.visits);
                votes.extend(row.neighbours.iter().map(|to| (to.row, f64::from(to.earned()) * factor, item)));
            }
            recency *= 0.5;
        }
        let mut scored = self.tally(votes);
        scored.retain(|(_, item, _)| !context.contains(item));
        scored.sort_by(|a, b| b.0.total_cmp(&a.0).then_with(|| a.1.cmp(b.1)));
        scored.into_iter().map(|(_, item, because)| (item, because)).collect()
    }

    /// Sums the votes of each neighbour, in the order of the context, so that the floating-point sum has one value.
    fn tally<'a>(&'a self, mut votes: Vec<(u32, f64, &'a str)>) -> Vec<(f64, &'a str, &'a str)> {
        votes.sort_by_key(|(row, _, _)| *row);
        let group = |votes: &[(u32, f64, &'a str)]| {
            let row = votes.first().and_then(|(row, _, _)| self.row(*row))?;
            let sum: f64 = votes.iter().map(|(_, vote, _)| vote).sum();
            let strongest = votes.iter().rev().max_by(|a, b| a.1.total_cmp(&b.1))?;
            Some((sum / f64::from(row.visits.max(1)).sqrt().sqrt(), row.item.as_str(), strongest.2))
        };
        votes.chunk_by(|a, b| a.0 == b.0).filter_map(group).collect()
    }

    /// Inverse document frequency: how much a visit to the product says.
    fn rarity(&self, visits: u32) -> f64 {
        // Both counts are far below 2^53. One is added so that a shop with a single product has no zero weight.
        libm::log(1.0 + self.visits as f64 / f64::from(visits.max(1)))
    }

    fn row(&self, row: u32) -> Option<&Row> {
        self.rows.get(usize::try_from(row).ok()?)
    }

    fn row_mut(&mut self, row: u32) -> Option<&mut Row> {
        self.rows.get_mut(usize::try_from(row).ok()?)
    }

    fn row_of(&mut self, item: &str) -> u32 {
        if let Some(&row) = self.index.get(item) {
            return row;
        }
        let row = u32::try_from(self.rows.len()).unwrap_or(u32::MAX);
        self.rows.push(Row { item: item.to_owned(), visits: 0, neighbours: Vec::new() });
        self.index.insert(item.to_owned(), row);
        row
    }

    fn add(&mut self, from: u32, to: u32, weight: u32) {
        let Some(row) = self.row_mut(from).filter(|_| weight > 0) else { return };
        if let Some(known) = row.neighbours.iter_mut().find(|neighbour| neighbour.row == to) {
            known.weight = known.weight.saturating_add(weight);
        } else if row.neighbours.len() < MAX_NEIGHBOURS {
            row.neighbours.push(Neighbour { row: to, weight, inherited: 0 });
        } else if let Some(lightest) = row.neighbours.iter_mut().min_by_key(|neighbour| neighbour.weight) {
            let inherited = lightest.weight;
            *lightest = Neighbour { row: to, weight: inherited.saturating_add(weight), inherited };
        }
    }

    /// Halves every weight once for each half-life that began since the last time.
    fn grow_old(&mut self, age: i64) {
        let halvings = age.saturating_sub(self.age);
        if halvings <= 0 {
            return;
        }
        self.age = age;
        let shift = u32::try_from(halvings).unwrap_or(u32::MAX);
        self.visits = self.visits.checked_shr(shift).unwrap_or(0);
        for row in &mut self.rows {
            row.visits = row.visits.checked_shr(shift).unwrap_or(0);
            row.neighbours.iter_mut().for_each(|to| *to = to.halved(shift));
            row.neighbours.retain(|to| to.weight > 0);
        }
        let mut kept: Vec<bool> = self.rows.iter().map(|row| row.visits > 0 || !row.neighbours.is_empty()).collect();
        kept.resize(self.rows.len(), false);
        self.keep(&kept);
    }

    /// Forgets the least visited eighth where `more` further products would not fit.
    fn make_room(&mut self, more: usize) {
        let capacity = usize::try_from(self.capacity).unwrap_or(usize::MAX);
        if self.rows.len().saturating_add(more) <= capacity {
            return;
        }
        let mut order: Vec<usize> = (0..self.rows.len()).collect();
        order.sort_by_key(|&at| self.rows.get(at).map(|row| (row.visits, &row.item)));
        let mut kept = vec![true; self.rows.len()];
        for at in order.into_iter().take((capacity / 8).max(more)) {
            if let Some(flag) = kept.get_mut(at) {
                *flag = false;
            }
        }
        self.keep(&kept);
    }

    /// Removes the rows not marked, and every reference to them.
    fn keep(&mut self, kept: &[bool]) {
        if kept.iter().all(|kept| *kept) {
            return;
        }
        let mut next = 0u32;
        let renumbered: Vec<Option<u32>> = kept
            .iter()
            .map(|kept| {
                kept.then(|| {
                    next += 1;
                    next - 1
                })
            })
            .collect();
        let new_row = |old: u32| usize::try_from(old).ok().and_then(|old| *renumbered.get(old)?);
        let mut flags = kept.iter().copied();
        self.rows.retain(|_| flags.next().unwrap_or(false));
        for row in &mut self.rows {
            row.neighbours =
                row.neighbours.iter().filter_map(|to| Some(Neighbour { row: new_row(to.row)?, ..*to })).collect();
        }
        self.reindex();
    }

    fn reindex(&mut self) {
        self.index = (0u32..).zip(&self.rows).map(|(at, row)| (row.item.clone(), at)).collect();
    }
}

#[cfg(test)]
mod tests;
