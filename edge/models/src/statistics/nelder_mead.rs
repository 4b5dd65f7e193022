//! The least value of a function of a few variables, by the method of Nelder and Mead (Computer Journal 7, 1965), in
//! steps: a search is a value that can be stored between them and goes on as if it had never stopped.

use serde::{Deserialize, Serialize};

/// Edge of the first simplex, and of one that is begun anew.
const SIMPLEX_EDGE: f64 = 0.5;
/// A search has found a place when its simplex is no larger than this, and its values differ by no more.
const SETTLED_WIDTH: f64 = 1e-6;
const SETTLED_DEPTH: f64 = 1e-9;
/// It is done when it has found the same value, from a fresh simplex around the place, within this share of it, and within so
/// much.
const SAME_VALUE: [f64; 2] = [1e-7, 1e-3];
/// Most evaluations of one search.
const MAX_EVALUATIONS: u32 = 5_000;

/// A place and the function's value there.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Vertex {
    point: Vec<f64>,
    value: f64,
}

/// A search under way.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Search {
    /// The corners of the simplex, the best first.
    simplex: Vec<Vertex>,
    evaluations: u32,
    /// What the round before found.
    found: Option<f64>,
    has_converged: bool,
    is_done: bool,
}

impl Search {
    /// A search that begins around a place.
    pub fn around(start: &[f64], function: &mut impl FnMut(&[f64]) -> f64) -> Self {
        let mut search =
            Self { simplex: Vec::new(), evaluations: 0, found: None, has_converged: false, is_done: false };
        search.begin(start.to_vec(), function);
        search
    }

    /// Goes on for about so many evaluations of the function, and no longer than until it is done. Returns whether it is.
    pub fn advance(&mut self, evaluations: u32, function: &mut impl FnMut(&[f64]) -> f64) -> bool {
        let until = self.evaluations.saturating_add(evaluations).min(MAX_EVALUATIONS);
        while !self.is_done && self.evaluations < until {
            self.step(function);
        }
        self.is_done = self.is_done || self.evaluations >= MAX_EVALUATIONS;
        self.is_done
    }

    /// The best place so far.
    #[must_use]
    pub fn best(&self) -> &[f64] {
        self.simplex.first().map_or(&[], |best| &best.point)
    }

    /// The function's value there.
    #[must_use]
    pub fn value(&self) -> f64 {
        self.simplex.first().map_or(f64::INFINITY, |best| best.value)
    }

    /// How often the function was evaluated.
    #[must_use]
    pub fn evaluations(&self) -> u32 {
        self.evaluations
    }

    /// Whether it found the same place twice; otherwise it ended at the most evaluations.
    #[must_use]
    pub fn has_converged(&self) -> bool {
        self.has_converged
    }

    fn vertex(&mut self, point: Vec<f64>, function: &mut impl FnMut(&[f64]) -> f64) -> Vertex {
        self.evaluations += 1;
        let value = function(&point);
        Vertex { point, value: if value.is_nan() { f64::INFINITY } else { value } }
    }

    fn begin(&mut self, start: Vec<f64>, function: &mut impl FnMut(&[f64]) -> f64) {
        let mut simplex = Vec::with_capacity(start.len() + 1);
        for moved in 0..start.len() {
            let mut point = start.clone();
            if let Some(variable) = point.get_mut(moved) {
                *variable += SIMPLEX_EDGE;
            }
            simplex.push(self.vertex(point, function));
        }
        simplex.push(self.vertex(start, function));
        self.simplex = simplex;
        self.sort();
    }

    fn sort(&mut self) {
        self.simplex.sort_by(|left, right| left.value.total_cmp(&right.value));
    }

    /// One step: the worst corner is moved, or all but the best are drawn in.
    fn step(&mut self, function: &mut impl FnMut(&[f64]) -> f64) {
        if self.has_settled() {
            return self.settle(function);
        }
        let (Some(best), Some(worst)) = (self.simplex.first().cloned(), self.simplex.pop()) else { return };
        let second = self.simplex.last().map_or(best.value, |second| second.value);
        let middle = self.middle();
        let along = |factor: f64| -> Vec<f64> {
            middle.iter().zip(&worst.point).map(|(middle, worst)| middle + factor * (middle - worst)).collect()
        };
        let reflected = self.vertex(along(1.0), function);
        let next = if reflected.value < best.value {
            let expanded = self.vertex(along(2.0), function);
            if expanded.value < reflected.value { expanded } else { reflected }
        } else if reflected.value < second {
            reflected
        } else {
            let is_outside = reflected.value < worst.value;
            let contracted = self.vertex(along(if is_outside { 0.5 } else { -0.5 }), function);
            if contracted.value >= reflected.value.min(worst.value) {
                self.simplex.push(worst);
                return self.shrink(&best.point, function);
            }
            contracted
        };
        self.simplex.push(next);
        self.sort();
    }

    /// The mean of all corners that are left.
    fn middle(&self) -> Vec<f64> {
        let count = self.simplex.len() as f64;
        let mut middle = vec![0.0; self.best().len()];
        for vertex in &self.simplex {
            for (sum, value) in middle.iter_mut().zip(&vertex.point) {
                *sum += value / count;
            }
        }
        middle
    }

    fn shrink(&mut self, best: &[f64], function: &mut impl FnMut(&[f64]) -> f64) {
        for vertex in std::mem::take(&mut self.simplex) {
            let is_best = vertex.point == best;
            let drawn = vertex.point.iter().zip(best).map(|(value, best)| best + 0.5 * (value - best)).collect();
            let kept = if is_best { vertex } else { self.vertex(drawn, function) };
            self.simplex.push(kept);
        }
        self.sort();
    }

    fn has_settled(&self) -> bool {
        let (best, value) = (self.best(), self.value());
        self.simplex.iter().all(|vertex| {
            let is_near = vertex.point.iter().zip(best).all(|(left, right)| (left - right).abs() <= SETTLED_WIDTH);
            is_near && (vertex.value - value).abs() <= SETTLED_DEPTH * value.abs().max(1.0)
        })
    }

    /// A simplex may settle where nothing is; a fresh one around the place tells.
    fn settle(&mut self, function: &mut impl FnMut(&[f64]) -> f64) {
        let value = self.value();
        let [share, most] = SAME_VALUE;
        let same = (share * value.abs().max(1.0)).min(most);
        self.has_converged = self.found.is_some_and(|found| found - value <= same);
        self.is_done = self.has_converged;
        if !self.is_done {
            self.found = Some(value);
            self.begin(self.best().to_vec(), function);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Rosenbrock's valley: the least is 0 at (1, 1).
    fn valley(at: &[f64]) -> f64 {
        let (x, y) = (at[0], at[1]);
        (1.0 - x) * (1.0 - x) + 100.0 * (y - x * x) * (y - x * x)
    }

    #[test]
    fn finds_the_end_of_a_bent_valley() {
        let mut search = Search::around(&[-1.2, 1.0], &mut valley);
        assert!(search.advance(2_000, &mut valley) && search.has_converged());
        assert!(search.best().iter().all(|value| (value - 1.0).abs() < 1e-5), "{search:?}");
    }

    #[test]
    fn a_search_that_is_stored_between_steps_goes_on_to_the_same_bits() {
        let mut whole = Search::around(&[-1.2, 1.0], &mut valley);
        whole.advance(2_000, &mut valley);
        let mut halted = Search::around(&[-1.2, 1.0], &mut valley);
        while !halted.advance(7, &mut valley) {
            halted = postcard::from_bytes(&postcard::to_allocvec(&halted).unwrap()).unwrap();
        }
        assert_eq!(halted, whole);
    }

    #[test]
    fn a_function_without_a_least_value_ends_too() {
        let mut endless = |at: &[f64]| -at[0];
        let mut search = Search::around(&[0.0], &mut endless);
        assert!(search.advance(u32::MAX, &mut endless) && !search.has_converged());
        let mut nothing = |_: &[f64]| f64::NAN;
        assert!(Search::around(&[0.0, 0.0], &mut nothing).advance(u32::MAX, &mut nothing));
    }
}
