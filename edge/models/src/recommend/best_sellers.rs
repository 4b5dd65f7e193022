//! What is popular, slowly forgotten.

use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// Most products counted; beyond it the least popular eighth is forgotten.
pub const MAX_SELLERS: usize = 20_000;

const DAY_MS: i64 = 86_400_000;

/// After this many days a signal counts half.
const HALF_LIFE_DAYS: i64 = 30;

/// Fractional bits of a score.
const FRACTION: u32 = 12;

/// Whole half-lives that scores may grow before they are scaled down.
const MOST_GROWTH: i64 = 16;

/// Something that speaks for a product.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SalesSignal {
    /// Its page was viewed.
    View,
    /// It was put into a cart.
    Add,
    /// Units of it were ordered.
    Order {
        /// How many; more than 100 in one order count as 100, so that one wholesale order does not rule the list.
        units: u32,
    },
}

impl SalesSignal {
    fn weight(self) -> u64 {
        match self {
            Self::View => 1,
            Self::Add => 5,
            Self::Order { units } => 25 * u64::from(units.clamp(1, 100)),
        }
    }
}

/// Popularity with exponential decay.
///
/// Decay runs forward: instead of shrinking old scores, later signals weigh more (Cormode, Shkapenyuk, Srivastava,
/// Xu 2009), so reading needs no clock and the ranking does not depend on when one looks. Scores are integers in
/// fixed point, by whole days; their sum does not depend on the order of signals.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct BestSellers {
    scores: BTreeMap<String, u64>,
    /// The day since 1970 on which a signal weighs exactly its weight.
    base_day: i64,
}

impl BestSellers {
    /// Counts a signal given at `at` (milliseconds since 1970). Pass a time that the edge vouches for: one far in the
    /// future would make everything before it worth nothing.
    pub fn record(&mut self, item: &str, signal: SalesSignal, at: i64) {
        let day = at.div_euclid(DAY_MS);
        self.rebase(day);
        let score = scaled(signal.weight(), day.saturating_sub(self.base_day));
        self.add(item, score);
        self.make_room();
    }

    /// Adds what another list counted.
    pub fn merge(&mut self, other: &Self) {
        if self.scores.is_empty() {
            *self = other.clone();
            return;
        }
        self.rebase(other.base_day);
        // Bases are whole half-lives apart by construction, so the shift is exact but for the bits it drops.
        let halvings = self.base_day.saturating_sub(other.base_day).div_euclid(HALF_LIFE_DAYS);
        for (item, score) in &other.scores {
            self.add(item, shifted(*score, halvings.saturating_neg()));
        }
        self.make_room();
    }

    /// Whether nothing was counted yet.
    pub fn is_empty(&self) -> bool {
        self.scores.is_empty()
    }

    /// A product's score; only its order among scores of the same list means anything.
    pub fn score(&self, item: &str) -> u64 {
        self.scores.get(item).copied().unwrap_or(0)
    }

    /// The `limit` most popular products that `accept` lets through, best first, ties by ID.
    pub fn top(&self, limit: usize, accept: impl Fn(&str) -> bool) -> Vec<&str> {
        let mut best: Vec<(u64, &str)> = Vec::with_capacity(limit.saturating_add(1).min(64));
        for (item, &score) in &self.scores {
            let worst = best.last().filter(|_| best.len() >= limit);
            // Items come in order of ID, so an equal score that comes later ranks lower.
            if worst.is_some_and(|(worst, _)| score <= *worst) || !accept(item) {
                continue;
            }
            let place = best.partition_point(|(better, _)| *better >= score);
            best.insert(place, (score, item));
            best.truncate(limit);
        }
        best.into_iter().map(|(_, item)| item).collect()
    }

    fn add(&mut self, item: &str, score: u64) {
        if score == 0 {
            return;
        }
        if let Some(known) = self.scores.get_mut(item) {
            *known = known.saturating_add(score);
        } else {
            self.scores.insert(item.to_owned(), score);
        }
    }

    /// Moves the base so that scores for `day` stay small, always by whole half-lives.
    fn rebase(&mut self, day: i64) {
        if self.scores.is_empty() {
            self.base_day = day.div_euclid(HALF_LIFE_DAYS).saturating_mul(HALF_LIFE_DAYS);
            return;
        }
        let growth = day.saturating_sub(self.base_day).div_euclid(HALF_LIFE_DAYS);
        if growth < MOST_GROWTH {
            return;
        }
        self.base_day = self.base_day.saturating_add(growth.saturating_mul(HALF_LIFE_DAYS));
        self.scores.values_mut().for_each(|score| *score = shifted(*score, -growth));
        self.scores.retain(|_, score| *score > 0);
    }

    fn make_room(&mut self) {
        if self.scores.len() <= MAX_SELLERS {
            return;
        }
        let mut order: Vec<(u64, &String)> = self.scores.iter().map(|(item, score)| (*score, item)).collect();
        order.sort_unstable();
        let least: BTreeSet<String> = order.into_iter().take(MAX_SELLERS / 8).map(|(_, item)| item.clone()).collect();
        self.scores.retain(|item, _| !least.contains(item));
    }
}

/// `weight · 2^(days / half-life)` in fixed point.
fn scaled(weight: u64, days: i64) -> u64 {
    let part = days.rem_euclid(HALF_LIFE_DAYS) as f64 / HALF_LIFE_DAYS as f64;
    let growth = libm::round(libm::exp2(part) * f64::from(1u32 << FRACTION)) as u64;
    shifted(weight.saturating_mul(growth), days.div_euclid(HALF_LIFE_DAYS))
}

/// `value · 2^exponent`, rounded down, at most the greatest number.
fn shifted(value: u64, exponent: i64) -> u64 {
    let by = u32::try_from(exponent.unsigned_abs()).unwrap_or(u32::MAX);
    match exponent {
        0.. if value == 0 => 0,
        0.. if by < value.leading_zeros() => value << by,
        0.. => u64::MAX,
        _ => value.checked_shr(by).unwrap_or(0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn all(_: &str) -> bool {
        true
    }

    #[test]
    fn orders_outweigh_adds_and_adds_outweigh_views() {
        let mut sellers = BestSellers::default();
        (0..4).for_each(|_| sellers.record("viewed", SalesSignal::View, 0));
        sellers.record("added", SalesSignal::Add, 0);
        sellers.record("ordered", SalesSignal::Order { units: 1 }, 0);
        assert_eq!(sellers.top(3, all), ["ordered", "added", "viewed"]);
        assert_eq!(sellers.top(1, |item| item != "ordered"), ["added"]);
        assert_eq!(sellers.top(0, all), Vec::<&str>::new());
    }

    #[test]
    fn a_signal_counts_half_after_thirty_days() {
        let mut sellers = BestSellers::default();
        sellers.record("old", SalesSignal::Order { units: 2 }, 0);
        sellers.record("new", SalesSignal::Order { units: 1 }, 30 * DAY_MS);
        assert_eq!(sellers.score("old"), sellers.score("new"));
        sellers.record("new", SalesSignal::View, 30 * DAY_MS);
        assert_eq!(sellers.top(2, all), ["new", "old"]);
    }

    #[test]
    fn years_of_orders_neither_overflow_nor_lose_the_latest() {
        let mut sellers = BestSellers::default();
        for day in 0..20 * 365 {
            let item = if day < 19 * 365 { "classic" } else { "season" };
            sellers.record(item, SalesSignal::Order { units: 100 }, day * DAY_MS);
        }
        assert_eq!(sellers.top(2, all), ["season", "classic"]);
        assert!(sellers.score("season") < u64::MAX / 1000);
    }

    #[test]
    fn the_list_is_bounded_and_the_popular_stay() {
        let mut sellers = BestSellers::default();
        sellers.record("hit", SalesSignal::Order { units: 1 }, 0);
        (0..MAX_SELLERS + 5).for_each(|n| sellers.record(&format!("p{n}"), SalesSignal::View, 0));
        assert!(sellers.scores.len() <= MAX_SELLERS);
        assert_eq!(sellers.top(1, all), ["hit"]);
    }

    proptest! {
        #[test]
        fn within_a_year_neither_order_nor_grouping_of_signals_matters(
            signals in proptest::collection::vec((0u8..6, 1u32..5, 0i64..365), 1..40), cut in 0usize..40,
        ) {
            let list = |signals: &[(u8, u32, i64)]| {
                let mut sellers = BestSellers::default();
                // The first day of all, so that both lists scale alike.
                sellers.record("base", SalesSignal::View, 0);
                for (item, units, day) in signals {
                    sellers.record(&format!("p{item}"), SalesSignal::Order { units: *units }, day * DAY_MS);
                }
                sellers
            };
            let whole = list(&signals);
            let (left, right) = signals.split_at(cut.min(signals.len()));
            let (mut merged, other) = (list(right), list(left));
            merged.merge(&other);
            for item in 0..6 {
                prop_assert_eq!(merged.score(&format!("p{item}")), whole.score(&format!("p{item}")));
            }
        }

        #[test]
        fn no_time_panics(times in proptest::collection::vec(any::<i64>(), 0..20)) {
            let mut sellers = BestSellers::default();
            let mut other = BestSellers::default();
            for at in times {
                sellers.record("a", SalesSignal::Order { units: u32::MAX }, at);
                other.record("b", SalesSignal::View, at.wrapping_neg());
                sellers.merge(&other);
            }
        }

        #[test]
        fn top_is_the_head_of_the_full_ranking(scores in proptest::collection::vec(0u8..8, 0..40), limit in 0usize..12) {
            let mut sellers = BestSellers::default();
            for (n, score) in scores.iter().enumerate() {
                (0..*score).for_each(|_| sellers.record(&format!("p{n:02}"), SalesSignal::View, 0));
            }
            let mut full: Vec<(core::cmp::Reverse<u64>, &str)> = sellers.scores.iter().map(|(item, score)| (core::cmp::Reverse(*score), item.as_str())).collect();
            full.sort();
            let expected: Vec<&str> = full.into_iter().map(|(_, item)| item).take(limit).collect();
            prop_assert_eq!(sellers.top(limit, all), expected);
        }
    }
}
