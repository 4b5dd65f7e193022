//! Spans of time as people name them.

use endcap_protocol::{DAY_MS, UnixMillis};

/// Most days of a span.
pub const MAX_DAYS: u16 = 730;
/// Most minutes of a span: from two days on, days are counted.
pub const MAX_MINUTES: u16 = 2_879;

/// A span of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Span {
    /// So many minutes, 1 to [`MAX_MINUTES`].
    Minutes(u16),
    /// So many days, 2 to [`MAX_DAYS`]. What counts something within them counts the shop's days, today included; what asks how long ago
    /// something was takes each for 24 hours.
    Days(u16),
}

impl Span {
    /// The span of a number of units, of which the plural is named. None where it is out of bounds, or for another unit. One day is
    /// 24 hours.
    #[must_use]
    pub fn of(count: i64, unit: &str) -> Option<Self> {
        let minutes = match unit {
            "minute" | "minutes" => count,
            "hour" | "hours" => count.checked_mul(60)?,
            "day" | "days" if count == 1 => 24 * 60,
            "day" | "days" => {
                let days = u16::try_from(count).ok().filter(|days| (2..=MAX_DAYS).contains(days));
                return days.map(Self::Days);
            }
            _ => return None,
        };
        let minutes = u16::try_from(minutes).ok().filter(|minutes| (1..=MAX_MINUTES).contains(minutes));
        minutes.map(Self::Minutes)
    }

    /// The number and its unit.
    #[must_use]
    pub fn parts(self) -> (u16, &'static str) {
        match self {
            Self::Days(days) => (days, "days"),
            Self::Minutes(minutes) if minutes % 60 == 0 => (minutes / 60, "hours"),
            Self::Minutes(minutes) => (minutes, "minutes"),
        }
    }

    /// Its length, each day being 24 hours.
    #[must_use]
    pub fn millis(self) -> UnixMillis {
        match self {
            Self::Days(days) => i64::from(days) * DAY_MS,
            Self::Minutes(minutes) => i64::from(minutes) * 60_000,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_are_named_as_people_do_and_bounded() {
        assert_eq!(Span::of(14, "days"), Some(Span::Days(14)));
        assert_eq!(Span::of(1, "day"), Some(Span::Minutes(1440)));
        assert_eq!(Span::of(2, "hours").map(Span::parts), Some((2, "hours")));
        assert_eq!(Span::of(90, "minutes").map(Span::parts), Some((90, "minutes")));
        for (count, unit) in
            [(0, "days"), (731, "days"), (48, "hours"), (0, "minutes"), (-3, "days"), (2, "weeks"), (i64::MAX, "hours")]
        {
            assert_eq!(Span::of(count, unit), None, "{count} {unit}");
        }
    }
}
