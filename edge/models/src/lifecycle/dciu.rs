//! DCIU, as 91APP explains it: four groups of customers by how much they look as if they were about to buy.
//!
//! The published model names what it looks at (views, searches, favourites, cart actions of the last one or two weeks) and the groups; its
//! scoring is not public. Weights, half-life and shares here are this project's own.

use std::collections::BTreeMap;

use endcap_protocol::DAY_MS;
use serde::{Deserialize, Serialize};

/// How long ago something may be that counts, in milliseconds.
const WINDOW_MS: i64 = 14 * DAY_MS;
/// How long it takes until it counts half, in days.
const HALF_LIFE_DAYS: f64 = 5.0;
/// Digits of a score that count: so few scores differ that those of all customers fit into one message.
const DIGITS: u32 = 3;

/// What shows that somebody may be about to buy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Intent {
    /// Viewed a list of products.
    ListViewed,
    /// Viewed a product, or clicked it in a list.
    Viewed,
    /// Searched.
    Searched,
    /// Looked into the cart.
    CartViewed,
    /// Put a product on a list of wishes.
    Favoured,
    /// Put a product into the cart.
    Added,
    /// Began the checkout.
    CheckoutStarted,
}

impl Intent {
    /// What an event shows, by its name.
    #[must_use]
    pub fn of_event(name: &str) -> Option<Self> {
        Some(match name {
            "Product List Viewed" => Self::ListViewed,
            "Product Viewed" | "Product Clicked" => Self::Viewed,
            "Products Searched" => Self::Searched,
            "Cart Viewed" => Self::CartViewed,
            "Product Added to Wishlist" => Self::Favoured,
            "Product Added" => Self::Added,
            "Checkout Started" => Self::CheckoutStarted,
            _ => return None,
        })
    }

    /// How much it counts when it happens, in thousandths of the view of a product.
    fn weight(self) -> f64 {
        match self {
            Self::ListViewed => 500.0,
            Self::Viewed | Self::Searched | Self::CartViewed => 1_000.0,
            Self::Favoured | Self::Added => 3_000.0,
            Self::CheckoutStarted => 5_000.0,
        }
    }
}

/// How much somebody looks as if they were about to buy at `now`: each thing that they did within 14 days counts by its weight, and half
/// of that every 5 days. 0 for nothing.
#[must_use]
pub fn intent_score(done: impl Iterator<Item = (Intent, i64)>, now: i64) -> i64 {
    let counted = done.filter_map(|(intent, at)| {
        let age = now.saturating_sub(at);
        let days = age.max(0) as f64 / DAY_MS as f64;
        (age < WINDOW_MS).then(|| intent.weight() * (-days / HALF_LIFE_DAYS).exp2())
    });
    let score = counted.sum::<f64>().round() as i64;
    let step = 10_i64.pow(score.checked_ilog10().map_or(0, |digits| (digits + 1).saturating_sub(DIGITS)));
    score / step * step
}

/// The shares of customers that the first two groups have at most, except for equal scores.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct IntentShares {
    /// Of D, in percent.
    pub deciding: u32,
    /// Of C, in percent.
    pub considering: u32,
}

impl Default for IntentShares {
    fn default() -> Self {
        Self { deciding: 3, considering: 7 }
    }
}

/// The scores at which groups begin.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct IntentCuts {
    deciding: i64,
    considering: i64,
}

/// How scores spread over customers; adds up over shards.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct IntentCounts {
    customers: u64,
    scores: BTreeMap<i64, u64>,
}

impl IntentCounts {
    /// Counts a customer.
    pub fn add(&mut self, score: i64) {
        self.customers += 1;
        if score > 0 {
            *self.scores.entry(score).or_default() += 1;
        }
    }

    /// Adds other customers.
    pub fn merge(&mut self, other: &Self) {
        self.customers += other.customers;
        other.scores.iter().for_each(|(score, count)| *self.scores.entry(*score).or_default() += count);
    }

    /// Where the groups begin. Customers with equal scores are in the same group.
    #[must_use]
    pub fn cuts(&self, shares: IntentShares) -> IntentCuts {
        let cut = |percent: u32| {
            let wanted = self.customers.saturating_mul(u64::from(percent)).div_ceil(100);
            let mut counted = 0_u64;
            let reached = self.scores.iter().rev().find(|(_, count)| {
                counted += **count;
                counted >= wanted
            });
            reached.map_or(1, |(score, _)| *score)
        };
        IntentCuts { deciding: cut(shares.deciding), considering: cut(shares.deciding + shares.considering) }
    }
}

/// A group of customers by how close to buying they seem.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Dciu {
    /// Deciding: the highest scores.
    D,
    /// Considering: those after them.
    C,
    /// Interested: any other score.
    I,
    /// Uninterested: none, or none since the last order.
    U,
}

impl Dciu {
    /// Every group.
    pub const ALL: [Self; 4] = [Self::D, Self::C, Self::I, Self::U];

    /// The name in the API.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::D => "D",
            Self::C => "C",
            Self::I => "I",
            Self::U => "U",
        }
    }

    /// The group of a score.
    #[must_use]
    pub fn of(score: i64, cuts: &IntentCuts) -> Self {
        match score {
            ..=0 => Self::U,
            score if score >= cuts.deciding => Self::D,
            score if score >= cuts.considering => Self::C,
            _ => Self::I,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_done_fades() {
        let now = 100 * DAY_MS;
        let score = |done: &[(Intent, i64)]| intent_score(done.iter().map(|(what, ago)| (*what, now - ago)), now);
        assert_eq!(score(&[]), 0);
        assert_eq!(score(&[(Intent::Viewed, 0)]), 1_000);
        assert_eq!(score(&[(Intent::Viewed, 5 * DAY_MS), (Intent::Added, 10 * DAY_MS)]), 1_250);
        assert_eq!(score(&[(Intent::Viewed, 14 * DAY_MS)]), 0);
        assert_eq!(score(&[(Intent::Viewed, 14 * DAY_MS - 1)]), 144);
        assert_eq!(score(&[(Intent::Viewed, -DAY_MS)]), 1_000, "a clock that was wrong counts as now");
        assert_eq!(score(&[(Intent::Added, DAY_MS), (Intent::CheckoutStarted, DAY_MS)]), 6_960, "three digits count");
        assert_eq!((Intent::of_event("Product Added"), Intent::of_event("Page Viewed")), (Some(Intent::Added), None));
    }

    #[test]
    fn the_highest_scores_decide() {
        let shares = IntentShares { deciding: 3, considering: 7 };
        let (mut one, mut other) = (IntentCounts::default(), IntentCounts::default());
        (1..=100).for_each(|n| one.add(if n <= 40 { n * 10 } else { 0 }));
        (0..100).for_each(|_| other.add(0));
        one.merge(&other);
        let cuts = one.cuts(shares);
        let groups: Vec<Dciu> = (0..=40).map(|n| Dciu::of(n * 10, &cuts)).collect();
        let count = |group| groups.iter().filter(|found| **found == group).count();
        assert_eq!([Dciu::D, Dciu::C, Dciu::I, Dciu::U].map(count), [6, 14, 20, 1]);
        assert_eq!(groups.last(), Some(&Dciu::D));
        let equal = IntentCounts { customers: 100, scores: [(50, 20)].into() };
        assert_eq!(Dciu::of(50, &equal.cuts(shares)), Dciu::D, "equal scores are in the same group");
        let few = IntentCounts { customers: 100, scores: [(50, 1)].into() };
        assert_eq!((Dciu::of(50, &few.cuts(shares)), Dciu::of(0, &few.cuts(shares))), (Dciu::D, Dciu::U));
    }
}
