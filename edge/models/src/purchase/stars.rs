//! One to five stars: where somebody stands among the shop's customers.

use std::cmp::Ordering;

use serde::{Deserialize, Serialize};

use crate::statistics::mean_ranks;

/// The share of customers with five stars, four, three, two and one.
pub const STAR_SHARES: [f64; 5] = [0.05, 0.10, 0.20, 0.30, 0.35];

/// A start that no probability reaches.
const NEVER: f64 = 2.0;

/// Where the stars begin, by probability.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct StarCuts {
    /// The least probability of two stars to five.
    starts: [f64; 4],
}

/// What became of those with as many stars.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Star {
    /// How many stars.
    pub stars: u8,
    /// The share of customers who have as many.
    pub share: f64,
    /// The share of these who bought. None where nobody has as many stars.
    pub observed: Option<f64>,
}

impl StarCuts {
    /// Works out where stars begin among customers with these probabilities. Equals share a place, the middle of theirs.
    #[must_use]
    pub fn of(probabilities: &[f64]) -> Self {
        let customers = probabilities.len() as f64;
        let mut starts = [NEVER; 4];
        for (probability, rank) in probabilities.iter().zip(mean_ranks(probabilities)) {
            // The share of customers above the middle of this one's place.
            let above = (customers - rank + 0.5) / customers;
            let mut upto = 0.0;
            for (start, share) in starts.iter_mut().rev().zip(STAR_SHARES) {
                upto += share;
                if above <= upto && probability.total_cmp(start) == Ordering::Less {
                    *start = *probability;
                }
            }
        }
        Self { starts }
    }

    /// The stars of a probability, 1 to 5.
    #[must_use]
    pub fn stars(&self, probability: f64) -> u8 {
        self.starts.iter().fold(1, |stars, start| stars + u8::from(probability >= *start))
    }

    /// How many have each number of stars, and how many of these it came true for; five stars first.
    #[must_use]
    pub fn observed(&self, probabilities: &[f64], came_true: &[bool]) -> Vec<Star> {
        let rated: Vec<(u8, bool)> =
            probabilities.iter().zip(came_true).map(|(probability, it)| (self.stars(*probability), *it)).collect();
        let of = |stars: u8| {
            let these = rated.iter().filter(|(held, _)| *held == stars);
            let (count, bought) = (these.clone().count() as f64, these.filter(|(_, it)| *it).count() as f64);
            let observed = (count > 0.0).then(|| bought / count);
            Star { stars, share: count / (rated.len() as f64).max(1.0), observed }
        };
        (1..=5).rev().map(of).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hundred_customers_have_the_shares() {
        let probabilities: Vec<f64> = (0..100).map(|n| f64::from((n * 37) % 100) / 100.0).collect();
        let cuts = StarCuts::of(&probabilities);
        let came_true: Vec<bool> = probabilities.iter().map(|probability| *probability >= 0.9).collect();
        let stars = cuts.observed(&probabilities, &came_true);
        assert_eq!(
            stars.iter().map(|star| (star.share * 100.0).round() as u32).collect::<Vec<_>>(),
            [5, 10, 20, 30, 35]
        );
        assert_eq!(stars.iter().map(|star| star.observed).collect::<Vec<_>>(), [1.0, 0.5, 0.0, 0.0, 0.0].map(Some));
    }

    #[test]
    fn equals_have_equal_stars_and_nobody_has_none() {
        let cuts = StarCuts::of(&[0.2; 10]);
        assert_eq!(cuts.stars(0.2), 2);
        assert_eq!(StarCuts::of(&[]).stars(0.9), 1);
        assert_eq!(cuts.observed(&[], &[])[0].observed, None);
    }
}
