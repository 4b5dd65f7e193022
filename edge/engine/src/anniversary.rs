//! Days of the year that come again: birthdays, and what else a trait dates.

use endcap_protocol::Date;

/// A day of the year.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Anniversary<'a> {
    /// Month and day, as `05-17`.
    month_day: &'a str,
}

impl<'a> Anniversary<'a> {
    /// Reads the month and the day of a date, as `1990-05-17`, whatever follows, or `05-17` alone.
    pub(crate) fn parse(text: &'a str) -> Option<Self> {
        let month_day = match text.len() {
            5 => text,
            _ => text.get(5..10).filter(|_| text.get(..10).is_some_and(|date| Date::parse(date).is_some()))?,
        };
        // A leap year has every day.
        Date::parse(&format!("2024-{month_day}")).map(|_| Self { month_day })
    }

    /// The next one from a day on, that day included, as days since 1970-01-01. The 29th of February is the 28th in other years.
    pub(crate) fn next(&self, today: i64) -> Option<i64> {
        let year: i64 = Date::from_day(today).to_string().get(..4)?.parse().ok()?;
        let of_year = |year: i64| {
            let day = |month_day: &str| Date::parse(&format!("{year:04}-{month_day}")).map(Date::day);
            day(self.month_day).or_else(|| day("02-28"))
        };
        [year, year + 1].into_iter().filter_map(of_year).find(|day| *day >= today)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn next(text: &str, today: &str) -> Option<String> {
        let day = Anniversary::parse(text)?.next(Date::parse(today).unwrap().day())?;
        Some(Date::from_day(day).to_string())
    }

    #[test]
    fn a_day_of_the_year_comes_again() {
        for (text, today, expected) in [
            ("1990-05-17", "2026-05-17", "2026-05-17"),
            ("1990-05-17", "2026-05-18", "2027-05-17"),
            ("1990-05-17T00:00:00Z", "2026-12-31", "2027-05-17"),
            ("05-17", "2026-01-01", "2026-05-17"),
            ("2000-02-29", "2026-01-01", "2026-02-28"),
            ("2000-02-29", "2028-02-28", "2028-02-29"),
            ("2000-02-29", "2026-03-01", "2027-02-28"),
        ] {
            assert_eq!(next(text, today).as_deref(), Some(expected), "{text} {today}");
        }
        for wrong in ["", "17 May", "1990-13-01", "13-01", "1990-02-30", "birthday!!!", "1990-5-17", "äöüäöüäöü"]
        {
            assert_eq!(Anniversary::parse(wrong), None, "{wrong}");
        }
    }
}
