//! How many events were refused or repaired on a day.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

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
