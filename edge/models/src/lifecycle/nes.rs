//! NES: New, Existing and Sleeping customers, by multiples of their own repurchase cycle ([`Config::cycle_of`]).
//!
//! [`Config::cycle_of`]: super::Config::cycle_of

use serde::{Deserialize, Serialize};

use super::orders::Orders;

/// A group of customers by how many cycles ago they bought.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Nes {
    /// Bought once, at most one cycle ago.
    N,
    /// Bought more than once, last at most one cycle ago.
    E0,
    /// One to two cycles ago.
    S1,
    /// Two to three cycles ago.
    S2,
    /// Over three cycles ago.
    S3,
}

impl Nes {
    /// Every group.
    pub const ALL: [Self; 5] = [Self::N, Self::E0, Self::S1, Self::S2, Self::S3];

    /// The name in the API.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::N => "N",
            Self::E0 => "E0",
            Self::S1 => "S1",
            Self::S2 => "S2",
            Self::S3 => "S3",
        }
    }

    /// The group at `now` of somebody with these orders and this cycle. None for somebody without an order.
    #[must_use]
    pub fn of(orders: &Orders, cycle_ms: i64, now: i64) -> Option<Self> {
        let age = now.saturating_sub(orders.last()?);
        let cycles = |count: i64| cycle_ms.max(1).saturating_mul(count);
        Some(match age {
            _ if age <= cycles(1) => {
                if orders.count() == 1 {
                    Self::N
                } else {
                    Self::E0
                }
            }
            _ if age <= cycles(2) => Self::S1,
            _ if age <= cycles(3) => Self::S2,
            _ => Self::S3,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_group_ends_with_its_cycle() {
        let (once, twice) = (Orders::from_iter([100]), Orders::from_iter([0, 100]));
        let table = [
            (110, Nes::N, Nes::E0),
            (111, Nes::S1, Nes::S1),
            (120, Nes::S1, Nes::S1),
            (121, Nes::S2, Nes::S2),
            (130, Nes::S2, Nes::S2),
            (131, Nes::S3, Nes::S3),
        ];
        for (now, single, repeat) in table {
            assert_eq!((Nes::of(&once, 10, now), Nes::of(&twice, 10, now)), (Some(single), Some(repeat)), "{now}");
        }
        assert_eq!(Nes::of(&Orders::default(), 10, 110), None);
    }
}
