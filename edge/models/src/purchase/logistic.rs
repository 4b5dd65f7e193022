//! Logistic regression with a ridge, fitted by Newton's method (McCullagh and Nelder, Generalized Linear Models, 1989,
//! chapter 4).

use serde::{Deserialize, Serialize};

use crate::statistics::solve;

/// The ridge: half the square of each weight, on figures of unit variance, is added to the negative log-likelihood.
const RIDGE: f64 = 1.0;
/// Most steps of Newton's method; five or six do.
const MAX_STEPS: usize = 50;
/// It ends when no weight moves by more.
const CONVERGED_STEP: f64 = 1e-9;

/// A fitted regression.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Logistic {
    /// Of each figure, its mean and its standard deviation among the customers learned from.
    scales: Vec<Scale>,
    /// The intercept, then a weight for each figure.
    weights: Vec<f64>,
}

#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
struct Scale {
    mean: f64,
    deviation: f64,
}

impl Scale {
    fn of(values: impl Iterator<Item = f64> + Clone) -> Self {
        let count = values.clone().count().max(1) as f64;
        let mean = values.clone().sum::<f64>() / count;
        let variance = values.map(|value| (value - mean) * (value - mean)).sum::<f64>() / count;
        Self { mean, deviation: if variance > 1e-12 { variance.sqrt() } else { 1.0 } }
    }

    fn scaled(&self, value: f64) -> f64 {
        (value - self.mean) / self.deviation
    }
}

impl Logistic {
    /// Fits rows of figures to whether it came true. None without rows, or where a figure is no number.
    #[must_use]
    pub fn fitted<const N: usize>(rows: &[[f64; N]], came_true: &[bool]) -> Option<Self> {
        if rows.is_empty() || rows.len() != came_true.len() {
            return None;
        }
        let column = |at: usize| rows.iter().filter_map(move |row| row.get(at)).copied();
        let scales: Vec<Scale> = (0..N).map(|at| Scale::of(column(at))).collect();
        let mut model = Self { scales, weights: vec![0.0; N + 1] };
        let scaled: Vec<Vec<f64>> = rows.iter().map(|row| model.scaled(row)).collect();
        for _ in 0..MAX_STEPS {
            let step = model.step(&scaled, came_true)?;
            let largest = step.iter().fold(0.0, |most: f64, moved| most.max(moved.abs()));
            for (weight, moved) in model.weights.iter_mut().zip(&step) {
                *weight += moved;
            }
            if largest <= CONVERGED_STEP {
                break;
            }
        }
        model.weights.iter().all(|weight| weight.is_finite()).then_some(model)
    }

    /// The probability of a row.
    #[must_use]
    pub fn probability<const N: usize>(&self, row: &[f64; N]) -> f64 {
        self.of_scaled(&self.scaled(row))
    }

    /// A row as the weights want it: one for the intercept, then the scaled figures.
    fn scaled(&self, row: &[f64]) -> Vec<f64> {
        std::iter::once(1.0).chain(row.iter().zip(&self.scales).map(|(value, scale)| scale.scaled(*value))).collect()
    }

    fn of_scaled(&self, row: &[f64]) -> f64 {
        let sum: f64 = row.iter().zip(&self.weights).map(|(value, weight)| value * weight).sum();
        1.0 / (1.0 + libm::exp(-sum))
    }

    /// One step of Newton's method: the gradient of the likelihood over its curvature.
    fn step(&self, rows: &[Vec<f64>], came_true: &[bool]) -> Option<Vec<f64>> {
        let ridge = |at: usize| if at == 0 { 0.0 } else { RIDGE };
        let mut gradient: Vec<f64> = self.weights.iter().enumerate().map(|(at, weight)| -ridge(at) * weight).collect();
        let mut curvature = vec![vec![0.0; gradient.len()]; gradient.len()];
        for (at, row) in curvature.iter_mut().enumerate() {
            *row.get_mut(at)? = ridge(at) + 1e-9;
        }
        for (row, it) in rows.iter().zip(came_true) {
            let probability = self.of_scaled(row);
            let (off, spread) = (f64::from(u8::from(*it)) - probability, probability * (1.0 - probability));
            for ((value, slope), line) in row.iter().zip(&mut gradient).zip(&mut curvature) {
                *slope += off * value;
                for (sum, other) in line.iter_mut().zip(row) {
                    *sum += spread * value * other;
                }
            }
        }
        solve(&curvature, &gradient)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn with_nothing_to_tell_by_the_probability_is_the_share() {
        let fitted = Logistic::fitted(&[[3.0]; 8], &[true, false, false, false, false, true, false, false]).unwrap();
        assert!((fitted.probability(&[3.0]) - 0.25).abs() < 1e-6);
    }

    /// Three of four at 1, one of four at 0: without a ridge the weights are those of the log odds.
    #[test]
    fn with_many_rows_the_odds_are_those_observed() {
        let (mut rows, mut came_true) = (Vec::new(), Vec::new());
        for n in 0..8_000 {
            let high = n % 2 == 0;
            rows.push([f64::from(u8::from(high))]);
            came_true.push((n / 2) % 4 < if high { 3 } else { 1 });
        }
        let fitted = Logistic::fitted(&rows, &came_true).unwrap();
        assert!((fitted.probability(&[1.0]) - 0.75).abs() < 1e-3, "{}", fitted.probability(&[1.0]));
        assert!((fitted.probability(&[0.0]) - 0.25).abs() < 1e-3);
    }

    #[test]
    fn what_tells_all_apart_has_weights_that_end() {
        let fitted = Logistic::fitted(&[[0.0], [1.0]], &[false, true]).unwrap();
        let (low, high) = (fitted.probability(&[0.0]), fitted.probability(&[1.0]));
        assert!(low > 0.0 && low < 0.5 && high > 0.5 && high < 1.0);
        assert_eq!(Logistic::fitted::<1>(&[], &[]), None);
        assert_eq!(Logistic::fitted(&[[f64::NAN], [0.0]], &[true, false]), None);
    }
}
