//! How customers spread over the values of one axis, and where the fifths of them begin.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// Scores there are: fifths.
const SCORES: u64 = 5;

/// How many customers have each value. Counts of disjoint customers add up, in any order, to the same.
///
/// Shortened, it is a summary whose ranks are off by a bounded share of the customers, however it is merged: the equi-depth
/// summaries of Greenwald and Khanna (PODS 2004), with equal values kept together, since fifths of orders are full of ties.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ValueCounts(BTreeMap<i64, u64>);

impl ValueCounts {
    /// Counts a customer with a value.
    pub fn add(&mut self, value: i64) {
        self.add_many(value, 1);
    }

    fn add_many(&mut self, value: i64, more: u64) {
        let count = self.0.entry(value).or_default();
        *count = count.saturating_add(more);
    }

    /// Adds the counts of other customers.
    pub fn merge(&mut self, other: &Self) {
        other.0.iter().for_each(|(value, more)| self.add_many(*value, *more));
    }

    /// Customers counted.
    #[must_use]
    pub fn customers(&self) -> u64 {
        self.0.values().fold(0, |sum, count| sum.saturating_add(*count))
    }

    /// Values apart.
    #[must_use]
    pub fn values(&self) -> usize {
        self.0.len()
    }

    /// The same with at most about twice `most` values: neighbours become one, at the largest of them, as long as they are no
    /// more than `1 / most` of the customers. A rank is then off by at most that share; merging adds no error, so that of a
    /// whole shop is off by the same share of all its customers. A value that many have stays by itself.
    #[must_use]
    pub fn shortened(&self, most: u64) -> Self {
        let room = self.customers() / most.max(1);
        let mut short = Self::default();
        let mut run: Option<(i64, u64)> = None;
        for (value, count) in &self.0 {
            run = match run {
                Some((_, held)) if held.saturating_add(*count) <= room => Some((*value, held.saturating_add(*count))),
                Some((last, held)) => {
                    short.add_many(last, held);
                    Some((*value, *count))
                }
                None => Some((*value, *count)),
            };
        }
        run.into_iter().for_each(|(last, held)| short.add_many(last, held));
        short
    }

    /// Where the scores from 2 to 5 begin. A value's score is `ceil(5 · rank / n)`; customers with equal values share the mean
    /// of their ranks, so that it never depends on the order in which they were read, and a fifth need not hold 20 %.
    #[must_use]
    pub fn cuts(&self) -> Cuts {
        let customers = self.customers();
        let mut before: u64 = 0;
        let mut starts = [i64::MAX; 4];
        for (value, count) in &self.0 {
            let doubled_rank = before.saturating_mul(2).saturating_add(*count).saturating_add(1);
            let score = SCORES.saturating_mul(doubled_rank).div_ceil(customers.saturating_mul(2).max(1));
            for (start, reached) in starts.iter_mut().zip(2..) {
                if score >= reached && *start == i64::MAX {
                    *start = *value;
                }
            }
            before = before.saturating_add(*count);
        }
        Cuts { starts }
    }

    /// The mean rank of the customers with a value, from 1; where nobody has it, that of one who would.
    #[must_use]
    pub fn rank(&self, value: i64) -> f64 {
        let below: u64 = self.0.range(..value).map(|(_, count)| *count).sum();
        let same = self.0.get(&value).copied().unwrap_or_default();
        below as f64 + (same as f64 + 1.0) / 2.0
    }
}

/// The least values of the scores 2 to 5.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cuts {
    starts: [i64; 4],
}

impl Cuts {
    /// The score of a value, 1 to 5.
    #[must_use]
    pub fn score(&self, value: i64) -> u8 {
        self.starts.iter().fold(1, |score, start| score + u8::from(value >= *start && *start != i64::MAX))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn counts(values: &[i64]) -> ValueCounts {
        let mut counts = ValueCounts::default();
        values.iter().for_each(|value| counts.add(*value));
        counts
    }

    /// By the definition, from ranks.
    fn score_by_rank(values: &[i64], value: i64) -> u8 {
        let rank = counts(values).rank(value);
        (5.0 * rank / values.len() as f64).ceil() as u8
    }

    #[test]
    fn ties_share_a_score_and_may_leave_one_out() {
        // Six of ten bought once: all have the mean of the ranks 1 to 6.
        let orders = [1, 1, 1, 1, 1, 1, 2, 3, 4, 9];
        let cuts = counts(&orders).cuts();
        assert_eq!(orders.map(|count| cuts.score(count)), [2, 2, 2, 2, 2, 2, 4, 4, 5, 5]);
        assert_eq!((cuts.score(0), cuts.score(i64::MAX)), (1, 5));
        assert_eq!(ValueCounts::default().cuts().score(7), 1);
    }

    /// Many customers whom few values set apart, and a value that a third of them have.
    fn a_million() -> impl Iterator<Item = i64> {
        (0..1_000_000u64).map(|n| {
            let mixed = n.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 20;
            if n % 3 == 0 { 4_990 } else { (mixed % 1_000).pow(2) as i64 + (mixed % 97) as i64 }
        })
    }

    /// The ranks that counts give to the values of others, in one pass over both.
    fn ranks_at(counts: &ValueCounts, others: &ValueCounts) -> Vec<f64> {
        let (mut held, mut below) = (counts.0.iter().peekable(), 0);
        let rank = |value: &i64| {
            while let Some((_, count)) = held.next_if(|(other, _)| *other < value) {
                below += count;
            }
            let same = held.peek().filter(|(other, _)| *other == value).map_or(0, |(_, count)| **count);
            below as f64 + (same as f64 + 1.0) / 2.0
        };
        others.0.keys().map(rank).collect()
    }

    #[test]
    fn a_million_customers_over_64_shards_are_ranked_within_a_hundredth() {
        let mut shards = vec![ValueCounts::default(); 64];
        let mut exact = ValueCounts::default();
        for (n, value) in a_million().enumerate() {
            // Shards are not alike: the values of each lie together.
            let shard = if n % 2 == 0 { n % 64 } else { (value as usize / 16_000).min(63) };
            shards[shard].add(value);
            exact.add(value);
        }
        let mut merged = ValueCounts::default();
        shards.iter().for_each(|shard| merged.merge(&shard.shortened(500)));
        assert!(shards.iter().all(|shard| shard.shortened(500).values() <= 1_001));
        assert_eq!(merged.customers(), 1_000_000);
        let off = ranks_at(&merged, &exact)
            .into_iter()
            .zip(ranks_at(&exact, &exact))
            .map(|(found, rank)| (found - rank).abs());
        let worst = off.fold(0.0, f64::max);
        println!("largest error of a rank: {:.3} % of the customers", worst / 10_000.0);
        assert!(worst <= 10_000.0, "{worst} of 1,000,000");
        let (cuts, exact_cuts) = (merged.cuts(), exact.cuts());
        let wrong: u64 =
            exact.0.iter().filter(|(value, _)| cuts.score(**value) != exact_cuts.score(**value)).map(|it| it.1).sum();
        assert!(wrong <= 20_000, "{wrong} have another score");
    }

    proptest! {
        #[test]
        fn scores_follow_the_definition(values in proptest::collection::vec(0i64..30, 1..80)) {
            let cuts = counts(&values).cuts();
            for value in &values {
                prop_assert_eq!(cuts.score(*value), score_by_rank(&values, *value));
            }
        }

        #[test]
        fn shortened_parts_rank_within_their_share_however_they_are_merged(
            parts in proptest::collection::vec(proptest::collection::vec(-500i64..500, 0..200), 1..6), most in 2u64..60,
        ) {
            let all: Vec<i64> = parts.iter().flatten().copied().collect();
            let (mut merged, mut backwards) = (ValueCounts::default(), ValueCounts::default());
            parts.iter().for_each(|part| merged.merge(&counts(part).shortened(most)));
            parts.iter().rev().for_each(|part| backwards.merge(&counts(part).shortened(most)));
            prop_assert_eq!(&merged, &backwards);
            prop_assert_eq!(merged.customers(), all.len() as u64);
            for value in &all {
                let off = (merged.rank(*value) - counts(&all).rank(*value)).abs();
                prop_assert!(off <= all.len() as f64 / most as f64 + 1e-9, "{} of {}", off, all.len());
            }
        }

        #[test]
        fn with_room_for_all_nothing_is_shortened(values in proptest::collection::vec(any::<i64>(), 0..100)) {
            prop_assert_eq!(counts(&values).shortened(1_000), counts(&values));
        }
    }
}
