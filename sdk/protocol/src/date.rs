//! Days of the Gregorian calendar.

use core::fmt;

/// A day of the Gregorian calendar, of a year of four digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Date {
    /// Days since 1970-01-01.
    day: i64,
}

impl Date {
    /// The day that lies so many days after 1970-01-01.
    #[must_use]
    pub const fn from_day(day: i64) -> Self {
        Self { day }
    }

    /// Days since 1970-01-01.
    #[must_use]
    pub const fn day(self) -> i64 {
        self.day
    }

    /// The day of a month (1 to 12) of a year (0 to 9999); None where the month has no such day (Howard Hinnant, "chrono-compatible
    /// low-level date algorithms", `days_from_civil`).
    #[must_use]
    pub fn of(year: i64, month: i64, day: i64) -> Option<Self> {
        let is_leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
        let longest = match month {
            4 | 6 | 9 | 11 => 30,
            2 if is_leap => 29,
            2 => 28,
            1..=12 => 31,
            _ => return None,
        };
        if !(1..=longest).contains(&day) || !(0..=9999).contains(&year) {
            return None;
        }
        let year = year - i64::from(month <= 2);
        let era = year.div_euclid(400);
        let year_of_era = year.rem_euclid(400);
        let of_year = (153 * (if month > 2 { month - 3 } else { month + 9 }) + 2) / 5 + day - 1;
        let of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + of_year;
        Some(Self { day: era * 146_097 + of_era - 719_468 })
    }

    /// Reads `2026-11-29`; None for what is no date, or is written otherwise.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit()).then(|| part.parse().ok())?;
        let mut parts = text.split('-');
        let (year, month, day) = (parts.next()?, parts.next()?, parts.next()?);
        if (year.len(), month.len(), day.len()) != (4, 2, 2) || parts.next().is_some() {
            return None;
        }
        Self::of(digits(year)?, digits(month)?, digits(day)?)
    }
}

impl fmt::Display for Date {
    /// As `2026-11-29` (the same, `civil_from_days`).
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shifted = self.day.saturating_add(719_468);
        let era = shifted.div_euclid(146_097);
        let of_era = shifted.rem_euclid(146_097);
        let year_of_era = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
        let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let month = (5 * of_year + 2) / 153;
        let (day, month) = (of_year - (153 * month + 2) / 5 + 1, if month < 10 { month + 3 } else { month - 9 });
        let year = year_of_era + era * 400 + i64::from(month <= 2);
        write!(f, "{year:04}-{month:02}-{day:02}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_read_as_they_are_written() {
        for (text, day) in [
            ("1970-01-01", 0),
            ("1969-12-31", -1),
            ("2000-02-29", 11_016),
            ("2024-02-29", 19_782),
            ("2026-11-29", 20_786),
            ("0001-01-01", -719_162),
            ("9999-12-31", 2_932_896),
        ] {
            let read = Date::parse(text).unwrap();
            assert_eq!((read.to_string().as_str(), read.day()), (text, day));
        }
        for wrong in [
            "2026-02-29",
            "1900-02-29",
            "2026-13-01",
            "2026-00-10",
            "2026-1-01",
            "26-11-29",
            "2026-11-31",
            "2026-11-29-1",
            "2026/11/29",
            "2026-11-+1",
            "",
        ] {
            assert_eq!(Date::parse(wrong), None, "{wrong}");
        }
        assert!(Date::parse("2026-09-30") < Date::parse("2026-10-01"));
    }

    #[test]
    fn every_day_is_told_and_read_again() {
        for day in (-719_162..2_932_896).step_by(37).chain(-800..800) {
            let date = Date::from_day(day);
            assert_eq!(Date::parse(&date.to_string()), Some(date));
        }
    }
}
