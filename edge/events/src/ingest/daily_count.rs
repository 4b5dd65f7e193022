//! How many events were refused or repaired on a day.

use endcap_protocol::DAY_MS;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::timestamp;

/// Days that a refused event, a sample of a warning, and the counts of both are kept.
pub const KEPT_DAYS: i64 = 30;

/// How many events of a source were refused or repaired on a day, for one reason.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Count {
    /// The day in UTC, as in `2026-11-22`.
    pub day: String,
    /// The source; empty where it is not known.
    pub source: String,
    /// The stable code of the refusal, or of the warning.
    pub code: String,
    /// How many.
    pub count: u64,
}

/// A day counted from 1970-01-01 as `2026-11-22` (Howard Hinnant, "chrono-compatible low-level date algorithms").
#[must_use]
pub fn date(day: i64) -> String {
    let shifted = day.saturating_add(719_468);
    let era = shifted.div_euclid(146_097);
    let of_era = shifted.rem_euclid(146_097);
    let year_of_era = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month = (5 * of_year + 2) / 153;
    let (day, month) = (of_year - (153 * month + 2) / 5 + 1, if month < 10 { month + 3 } else { month - 9 });
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    format!("{year:04}-{month:02}-{day:02}")
}

/// The day of a date, counted from 1970-01-01; None for what is no date, or is written otherwise than `2026-11-22`.
#[must_use]
pub fn day_of(text: &str) -> Option<i64> {
    let at = timestamp::read(&Value::String(text.to_owned()))?;
    let day = at.div_euclid(DAY_MS);
    (date(day) == text).then_some(day)
}
