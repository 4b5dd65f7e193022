//! What the lifecycle needs to know of a person's orders: how many, the first and the last.

use serde::{Deserialize, Serialize};

/// A summary of a set of orders. It depends on the set only, not on the order in which it became known, and
/// summaries of disjoint sets merge, so a profile of several fragments has the same stage whichever way it is folded.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Orders {
    count: u32,
    first: i64,
    last: i64,
}

impl Orders {
    /// Counts an order at `at` (milliseconds since 1970). Returns the gap to the order before it where that is known,
    /// which is when the new order is the latest: the observation that the shop's cycle is estimated from.
    pub fn record(&mut self, at: i64) -> Option<i64> {
        let before = self.last();
        self.merge(&Self { count: 1, first: at, last: at });
        before.and_then(|before| at.checked_sub(before)).filter(|gap| *gap >= 0)
    }

    /// The summary of orders in order of time.
    pub fn of_sorted(times: &[i64]) -> Self {
        let (Some(first), Some(last)) = (times.first(), times.last()) else { return Self::default() };
        Self { count: u32::try_from(times.len()).unwrap_or(u32::MAX), first: *first, last: *last }
    }

    /// Adds the orders of another, disjoint set.
    pub fn merge(&mut self, other: &Self) {
        *self = match (self.count, other.count) {
            (0, _) => *other,
            (_, 0) => *self,
            (ours, theirs) => Self {
                count: ours.saturating_add(theirs),
                first: self.first.min(other.first),
                last: self.last.max(other.last),
            },
        };
    }

    /// How many orders.
    pub fn count(&self) -> u32 {
        self.count
    }

    /// When the first was, if any.
    pub fn first(&self) -> Option<i64> {
        (self.count > 0).then_some(self.first)
    }

    /// When the last was, if any.
    pub fn last(&self) -> Option<i64> {
        (self.count > 0).then_some(self.last)
    }

    /// From the first to the last, in milliseconds; 0 for fewer than two orders.
    pub fn span(&self) -> i64 {
        self.last.saturating_sub(self.first)
    }
}

impl FromIterator<i64> for Orders {
    fn from_iter<T: IntoIterator<Item = i64>>(times: T) -> Self {
        times.into_iter().fold(Self::default(), |mut orders, at| {
            orders.record(at);
            orders
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn only_the_latest_order_tells_a_gap() {
        let mut orders = Orders::default();
        assert_eq!(orders.record(100), None);
        assert_eq!(orders.record(150), Some(50));
        assert_eq!(orders.record(120), None);
        assert_eq!((orders.count(), orders.first(), orders.last(), orders.span()), (3, Some(100), Some(150), 50));
    }

    proptest! {
        #[test]
        fn neither_sequence_nor_grouping_matters(mut times in proptest::collection::vec(any::<i64>(), 0..12), cut in 0usize..12) {
            let whole = Orders::from_iter(times.iter().copied());
            let (left, right) = times.split_at(cut.min(times.len()));
            let mut merged = Orders::from_iter(right.iter().copied());
            merged.merge(&Orders::from_iter(left.iter().copied()));
            prop_assert_eq!(merged, whole);
            times.sort_unstable();
            prop_assert_eq!(Orders::of_sorted(&times), whole);
            prop_assert_eq!(Orders::from_iter(times), whole);
        }
    }
}
