//! Timers of a shard: passing time in, and how many runs failed.

use serde::{Deserialize, Serialize};

use super::message::Message;

/// Has a shard run what is due at a moment that is passed in.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct RunTimers {
    /// The time to pass in.
    pub(crate) now: i64,
}

impl Message for RunTimers {
    const PATH: &'static str = "/timers";
    type Reply = TimersRan;
}

/// What ran.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct TimersRan {
    /// Number of timers.
    pub(crate) ran: u64,
}

/// Asks a shard how its timers are.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct TimersAsk {}

impl Message for TimersAsk {
    const PATH: &'static str = "/timers/state";
    type Reply = endcap_engine::timers_view::TimersView;
}
