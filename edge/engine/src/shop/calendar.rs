//! The shop's days: where they begin in its time zone.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fmt;
use std::rc::Rc;

use endcap_protocol::{DAY_MS, UnixMillis};

/// A time zone: what the platform knows of it.
pub trait Zone {
    /// The day of a moment there, since 1970-01-01.
    fn day(&self, at: UnixMillis) -> i64;

    /// The hour of a moment there, 0 to 23.
    fn hour(&self, at: UnixMillis) -> u8;
}

/// The hour of a moment in UTC.
#[must_use]
pub fn utc_hour(at: UnixMillis) -> u8 {
    u8::try_from(at.rem_euclid(DAY_MS) / (DAY_MS / 24)).unwrap_or_default()
}

/// The day of a moment in UTC, since 1970-01-01.
#[must_use]
pub fn utc_day(at: UnixMillis) -> i64 {
    at.div_euclid(DAY_MS)
}

/// Coordinated Universal Time.
struct Utc;

impl Zone for Utc {
    fn day(&self, at: UnixMillis) -> i64 {
        utc_day(at)
    }

    fn hour(&self, at: UnixMillis) -> u8 {
        utc_hour(at)
    }
}

/// How far a day begins from its beginning in UTC, at most: zones lie within 14 hours of it, and were changed by a day at most.
const FARTHEST_MS: i64 = 40 * 3_600_000;
/// Zones begin their days at whole minutes.
const MINUTE_MS: i64 = 60_000;
/// Beginnings that are remembered.
const REMEMBERED: usize = 2_000;

/// The days of a time zone. Beginnings are remembered, because asking the platform costs more than all else.
#[derive(Clone)]
pub struct Calendar {
    zone: Rc<dyn Zone>,
    starts: Rc<RefCell<BTreeMap<i64, UnixMillis>>>,
}

impl Default for Calendar {
    fn default() -> Self {
        Self::new(Rc::new(Utc))
    }
}

impl fmt::Debug for Calendar {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "Calendar({} days)", self.starts.borrow().len())
    }
}

impl Calendar {
    /// The days of a zone.
    #[must_use]
    pub fn new(zone: Rc<dyn Zone>) -> Self {
        Self { zone, starts: Rc::default() }
    }

    /// The day of a moment, since 1970-01-01.
    #[must_use]
    pub fn day(&self, at: UnixMillis) -> i64 {
        let day = at.div_euclid(DAY_MS);
        [day + 1, day].into_iter().find(|day| self.start(*day) <= at).unwrap_or(day - 1)
    }

    /// The hour of a moment, 0 to 23.
    #[must_use]
    pub fn hour(&self, at: UnixMillis) -> u8 {
        self.zone.hour(at)
    }

    /// The first moment of a day.
    #[must_use]
    pub fn start(&self, day: i64) -> UnixMillis {
        if let Some(start) = self.starts.borrow().get(&day) {
            return *start;
        }
        let start = self.search(day);
        let mut starts = self.starts.borrow_mut();
        if starts.len() >= REMEMBERED {
            starts.clear();
        }
        starts.insert(day, start);
        start
    }

    /// Halves the time in which the day begins until it is found.
    fn search(&self, day: i64) -> UnixMillis {
        let around = day.saturating_mul(DAY_MS);
        let (mut before, mut from) =
            (around.saturating_sub(FARTHEST_MS) / MINUTE_MS, around.saturating_add(FARTHEST_MS) / MINUTE_MS);
        while from - before > 1 {
            let middle = before + (from - before) / 2;
            if self.zone.day(middle * MINUTE_MS) >= day { from = middle } else { before = middle }
        }
        from * MINUTE_MS
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Hours ahead of UTC, which become one more from a moment on.
    struct Ahead(i64, UnixMillis);

    impl Ahead {
        fn ahead(&self, at: UnixMillis) -> i64 {
            let hours = if at >= self.1 { self.0 + 1 } else { self.0 };
            hours * 3_600_000
        }
    }

    impl Zone for Ahead {
        fn day(&self, at: UnixMillis) -> i64 {
            (at + self.ahead(at)).div_euclid(DAY_MS)
        }

        fn hour(&self, at: UnixMillis) -> u8 {
            utc_hour(at + self.ahead(at))
        }
    }

    #[test]
    fn days_begin_where_the_zone_says_and_one_is_shorter() {
        let utc = Calendar::default();
        assert_eq!(
            (utc.start(20_000), utc.day(20_000 * DAY_MS), utc.day(20_000 * DAY_MS - 1)),
            (20_000 * DAY_MS, 20_000, 19_999)
        );
        let change = 20_000 * DAY_MS + 3_600_000;
        for hours in [-11, 1, 13] {
            let calendar = Calendar::new(Rc::new(Ahead(hours, change)));
            for day in 19_990..20_010 {
                let start = calendar.start(day);
                assert_eq!((calendar.day(start), calendar.day(start - 1)), (day, day - 1), "{hours} {day}");
            }
            let lengths: Vec<i64> =
                (19_990..20_010).map(|day| (calendar.start(day + 1) - calendar.start(day)) / 3_600_000).collect();
            assert_eq!(lengths.iter().filter(|hours| **hours == 23).count(), 1, "{hours}: {lengths:?}");
            assert_eq!(lengths.iter().filter(|hours| **hours == 24).count(), 19);
        }
    }
}
