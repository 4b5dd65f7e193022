//! How a segment moved, day by day.

use std::collections::BTreeMap;

use endcap_protocol::Date;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Days that a history shows where nobody says how many.
pub const DEFAULT_DAYS: usize = 90;
/// Most days of a history.
pub const MAX_DAYS: usize = 730;

/// Movement of one day, as a shard counted it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct DayMovement {
    /// People who came in by what they did, or as time passed.
    pub entered: u64,
    /// People who went out by what they did, or as time passed.
    pub left: u64,
    /// People whom a new or a changed definition put in.
    pub defined_in: u64,
    /// People whom a changed definition put out.
    pub defined_out: u64,
}

impl DayMovement {
    /// What the day did to the size.
    fn net(self) -> i64 {
        let signed = |count: u64| i64::try_from(count).unwrap_or(i64::MAX);
        signed(self.entered) - signed(self.left) + signed(self.defined_in) - signed(self.defined_out)
    }

    fn add(&mut self, other: Self) {
        self.entered += other.entered;
        self.left += other.left;
        self.defined_in += other.defined_in;
        self.defined_out += other.defined_out;
    }
}

/// Movement by day, counted from 1970-01-01 in the shop's time zone.
pub type Movements = BTreeMap<i64, DayMovement>;

/// Adds what another shard counted.
pub fn merge(all: &mut Movements, other: Movements) {
    other.into_iter().for_each(|(day, movement)| all.entry(day).or_default().add(movement));
}

/// One day of a segment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct HistoryDay {
    /// The date in the shop's time zone, as `2026-11-28`.
    pub date: String,
    /// People in it at the end of the day; of today, now.
    pub size: u64,
    /// People who came in by what they did, or as time passed.
    pub entered: u64,
    /// People who went out by what they did, or as time passed, or who were erased.
    pub left: u64,
    /// People whom a new or a changed definition put in, less those whom it put out.
    pub by_definition: i64,
}

/// How a segment moved.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct History {
    /// The segment.
    pub segment: String,
    /// When this was counted, Unix milliseconds.
    pub as_of: i64,
    /// People in it now.
    pub size: u64,
    /// Each day, the earliest first.
    pub days: Vec<HistoryDay>,
}

/// The last `count` days until `today`, of a segment that has `size` people now.
#[must_use]
pub fn days(movements: &Movements, size: u64, today: i64, count: usize) -> Vec<HistoryDay> {
    let later = movements.range(today + 1..).map(|(_, movement)| movement.net()).sum::<i64>();
    let mut at_end = i64::try_from(size).unwrap_or(i64::MAX) - later;
    let mut days: Vec<HistoryDay> = (0..count)
        .map(|back| {
            let day = today - i64::try_from(back).unwrap_or_default();
            let movement = movements.get(&day).copied().unwrap_or_default();
            let size = at_end.max(0).unsigned_abs();
            at_end -= movement.net();
            HistoryDay {
                date: Date::from_day(day).to_string(),
                size,
                entered: movement.entered,
                left: movement.left,
                by_definition: DayMovement { entered: 0, left: 0, ..movement }.net(),
            }
        })
        .collect();
    days.reverse();
    days
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_follow_from_the_movement_back_from_now() {
        let mut all = Movements::from([(20_000, DayMovement { defined_in: 10, ..DayMovement::default() })]);
        let other = [
            (20_001, DayMovement { entered: 4, left: 1, ..DayMovement::default() }),
            (20_003, DayMovement { left: 2, defined_out: 1, ..DayMovement::default() }),
        ];
        merge(&mut all, other.into());
        let shown = days(&all, 10, 20_003, 5);
        let sizes: Vec<_> = shown.iter().map(|day| (day.date.as_str(), day.size, day.by_definition)).collect();
        let expected = [
            ("2024-10-03", 0, 0),
            ("2024-10-04", 10, 10),
            ("2024-10-05", 13, 0),
            ("2024-10-06", 13, 0),
            ("2024-10-07", 10, -1),
        ];
        assert_eq!(sizes, expected);
        assert_eq!((shown[2].entered, shown[2].left), (4, 1));
    }

    #[test]
    fn shards_add_up() {
        let one = DayMovement { entered: 1, left: 2, defined_in: 3, defined_out: 4 };
        let mut all = Movements::from([(1, one)]);
        merge(&mut all, [(1, one), (2, one)].into());
        assert_eq!(all[&1], DayMovement { entered: 2, left: 4, defined_in: 6, defined_out: 8 });
        assert_eq!(all[&2], one);
    }
}
