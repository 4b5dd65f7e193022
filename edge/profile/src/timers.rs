//! When a profile has to be looked at again.

use endcap_protocol::UnixMillis;
use serde::{Deserialize, Serialize};

/// Timers that are armed in the shard's table, so that they can be moved without a search.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Timers {
    /// When to look at a cart left behind.
    pub cart_left: Option<UnixMillis>,
    /// When the lifecycle stage changes by time alone.
    pub stage: Option<UnixMillis>,
}

/// A kind of timer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TimerKind {
    /// Look at a cart left behind.
    CartLeft,
    /// The lifecycle stage changes by time alone.
    Stage,
}

impl TimerKind {
    /// The code in the table.
    #[must_use]
    pub fn code(self) -> i64 {
        match self {
            Self::CartLeft => 1,
            Self::Stage => 2,
        }
    }

    /// The kind of a code.
    #[must_use]
    pub fn from_code(code: i64) -> Option<Self> {
        [Self::CartLeft, Self::Stage].into_iter().find(|kind| kind.code() == code)
    }
}

/// A timer to be moved in the shard's table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TimerMove {
    /// Which timer.
    pub kind: TimerKind,
    /// Where it was.
    pub from: Option<UnixMillis>,
    /// Where it goes.
    pub to: UnixMillis,
}
