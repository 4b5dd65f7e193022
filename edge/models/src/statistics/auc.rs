//! The area under the ROC curve, and whether one score orders people better than another.

use serde::{Deserialize, Serialize};

use super::ranks::mean_ranks;

/// The area under the ROC curve: how often somebody of whom it came true has the higher score than somebody of whom it did
/// not, ties counting half (the Mann-Whitney statistic). None without both kinds of people.
#[must_use]
pub fn auc(scores: &[f64], came_true: &[bool]) -> Option<f64> {
    let positives = came_true.iter().filter(|it| **it).count() as f64;
    let negatives = came_true.len() as f64 - positives;
    if positives == 0.0 || negatives == 0.0 || scores.len() != came_true.len() {
        return None;
    }
    let ranks = mean_ranks(scores);
    let sum: f64 = ranks.iter().zip(came_true).filter(|(_, it)| **it).map(|(rank, _)| rank).sum();
    Some((sum - positives * (positives + 1.0) / 2.0) / (positives * negatives))
}

/// A standard error of 0, of two scores that never disagree at random, is taken for this, so that `z` stays a number.
const LEAST_ERROR: f64 = 1e-12;

/// Two scores of the same people beside each other.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Comparison {
    /// Area under the curve of the first score.
    pub auc: f64,
    /// That of the second.
    pub other: f64,
    /// Standard error of the difference.
    pub standard_error: f64,
}

impl Comparison {
    /// By how many standard errors the first is better; 0 where both order people alike.
    #[must_use]
    pub fn z(&self) -> f64 {
        let difference = self.auc - self.other;
        difference / self.standard_error.max(LEAST_ERROR)
    }
}

/// Compares two scores of the same people by the method of DeLong, DeLong and Clarke-Pearson (Biometrics 44, 1988), with
/// placements from ranks (Sun and Xu, IEEE Signal Processing Letters 21, 2014). None with fewer than two people of
/// each kind.
#[must_use]
pub fn compare(scores: &[f64], others: &[f64], came_true: &[bool]) -> Option<Comparison> {
    let (first, second) = (Placements::of(scores, came_true)?, Placements::of(others, came_true)?);
    let differences = |left: &[f64], right: &[f64]| left.iter().zip(right).map(|(a, b)| a - b).collect::<Vec<f64>>();
    let positives = differences(&first.positives, &second.positives);
    let negatives = differences(&first.negatives, &second.negatives);
    let variance = variance(&positives)? / positives.len() as f64 + variance(&negatives)? / negatives.len() as f64;
    Some(Comparison { auc: mean(&first.positives), other: mean(&second.positives), standard_error: variance.sqrt() })
}

/// For each person, the share of the other kind that the score puts on the right side.
struct Placements {
    positives: Vec<f64>,
    negatives: Vec<f64>,
}

impl Placements {
    fn of(scores: &[f64], came_true: &[bool]) -> Option<Self> {
        let of_kind = |kind: bool| -> Vec<f64> {
            scores.iter().zip(came_true).filter(|(_, it)| **it == kind).map(|(score, _)| *score).collect()
        };
        let (positives, negatives) = (of_kind(true), of_kind(false));
        if positives.len() < 2 || negatives.len() < 2 || scores.len() != came_true.len() {
            return None;
        }
        let all: Vec<f64> = positives.iter().chain(&negatives).copied().collect();
        let ranks = mean_ranks(&all);
        let (high, low) = ranks.split_at(positives.len());
        let others = |count: usize| count as f64;
        let positives: Vec<f64> =
            high.iter().zip(mean_ranks(&positives)).map(|(rank, own)| (rank - own) / others(negatives.len())).collect();
        let count = others(positives.len());
        let negatives = low.iter().zip(mean_ranks(&negatives)).map(|(rank, own)| 1.0 - (rank - own) / count).collect();
        Some(Self { positives, negatives })
    }
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

/// The sample variance; None of fewer than two values.
fn variance(values: &[f64]) -> Option<f64> {
    let mean = mean(values);
    let squares: f64 = values.iter().map(|value| (value - mean) * (value - mean)).sum();
    (values.len() > 1).then(|| squares / (values.len() as f64 - 1.0))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_area_counts_pairs_in_the_right_order() {
        assert_eq!(auc(&[0.1, 0.4, 0.35, 0.8], &[false, false, true, true]), Some(0.75));
        assert_eq!(auc(&[0.5, 0.5], &[true, false]), Some(0.5));
        assert_eq!(auc(&[0.5, 0.6], &[true, true]), None);
        assert_eq!(auc(&[0.5], &[true, false]), None);
    }

    #[test]
    fn a_score_beside_itself_is_no_better() {
        let scores = [0.1, 0.4, 0.35, 0.8, 0.2];
        let same = compare(&scores, &scores, &[false, true, false, true, true]).unwrap();
        assert_eq!((same.z(), same.standard_error), (0.0, 0.0));
        assert_eq!(compare(&scores, &scores, &[true, false, false, false, false]), None);
    }

    /// By hand from the definitions: placements of the positives of the first score 1 and 1/2, of the second 1/2 and 1/2;
    /// of the negatives 1/2 and 1, 1 and 0.
    #[test]
    fn the_standard_error_is_that_of_the_paper() {
        let came_true = [true, true, false, false];
        let found = compare(&[4.0, 2.0, 3.0, 1.0], &[2.5, 2.0, 1.0, 3.0], &came_true).unwrap();
        let (positives, negatives): (f64, f64) = (0.125, 1.125);
        assert!((found.standard_error - (positives / 2.0 + negatives / 2.0).sqrt()).abs() < 1e-12, "{found:?}");
        assert_eq!((found.auc, found.other), (0.75, 0.5));
    }

    proptest! {
        #[test]
        fn the_comparison_has_the_areas_of_both(people in proptest::collection::vec((0u8..9, 0u8..9, any::<bool>()), 4..60)) {
            let first: Vec<f64> = people.iter().map(|it| f64::from(it.0)).collect();
            let second: Vec<f64> = people.iter().map(|it| f64::from(it.1)).collect();
            let came_true: Vec<bool> = people.iter().map(|it| it.2).collect();
            if let Some(found) = compare(&first, &second, &came_true) {
                prop_assert!((found.auc - auc(&first, &came_true).unwrap()).abs() < 1e-9);
                prop_assert!((found.other - auc(&second, &came_true).unwrap()).abs() < 1e-9);
            }
        }
    }
}
