//! NAPL, as 91APP explains it: four groups of customers by a window, three months unless a shop says otherwise.

use serde::{Deserialize, Serialize};

use super::orders::Orders;

/// The window that is usual, in days.
pub const NAPL_DAYS: i64 = 90;

/// A group of customers by whether, and when, they bought again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Napl {
    /// Bought once, within the window.
    N,
    /// Bought more than once, and within the window.
    A,
    /// Bought more than once, not within the window: a sleeping repeat buyer.
    P,
    /// Bought once, before the window: never returned.
    L,
}

impl Napl {
    /// Every group.
    pub const ALL: [Self; 4] = [Self::N, Self::A, Self::P, Self::L];

    /// The name in the API.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::N => "N",
            Self::A => "A",
            Self::P => "P",
            Self::L => "L",
        }
    }

    /// The group at `now` of somebody with these orders. None for somebody without an order. A purchase right at the beginning of the
    /// window is within it.
    #[must_use]
    pub fn of(orders: &Orders, window_ms: i64, now: i64) -> Option<Self> {
        let is_within = orders.last()? >= now.saturating_sub(window_ms);
        Some(match (orders.count(), is_within) {
            (1, true) => Self::N,
            (1, false) => Self::L,
            (_, true) => Self::A,
            (_, false) => Self::P,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_window_ends_where_it_says() {
        let (once, twice) = (Orders::from_iter([100]), Orders::from_iter([0, 100]));
        let table = [(110, Napl::N, Napl::A), (111, Napl::L, Napl::P)];
        for (now, single, repeat) in table {
            assert_eq!((Napl::of(&once, 10, now), Napl::of(&twice, 10, now)), (Some(single), Some(repeat)), "{now}");
        }
        assert_eq!(Napl::of(&Orders::default(), 10, 110), None);
    }
}
