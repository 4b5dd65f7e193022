//! How timers are, for who operates the deployment.

use endcap_protocol::UnixMillis;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Timers over all shards.
#[derive(Debug, Default, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TimersView {
    /// When this was counted, Unix milliseconds.
    pub as_of: UnixMillis,
    /// Timers that wait for their time.
    pub waiting: u64,
    /// Timers whose last run failed, and that are tried again.
    pub postponed: u64,
    /// Runs that failed since the shards have data.
    pub failed_runs: u64,
    /// When the earliest timer is due; None where none waits.
    pub next_due: Option<UnixMillis>,
}

impl TimersView {
    /// Adds what another shard counted.
    #[must_use]
    pub fn with(self, other: &Self) -> Self {
        Self {
            as_of: self.as_of.max(other.as_of),
            waiting: self.waiting.saturating_add(other.waiting),
            postponed: self.postponed.saturating_add(other.postponed),
            failed_runs: self.failed_runs.saturating_add(other.failed_runs),
            next_due: self.next_due.into_iter().chain(other.next_due).min(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shards_add_up() {
        let one = TimersView { as_of: 5, waiting: 1, postponed: 0, failed_runs: 2, next_due: None };
        let other = TimersView { as_of: 7, waiting: 2, postponed: 1, failed_runs: 3, next_due: Some(9) };
        let both = TimersView { as_of: 7, waiting: 3, postponed: 1, failed_runs: 5, next_due: Some(9) };
        assert_eq!(one.clone().with(&other), both);
        assert_eq!(other.with(&one), both);
    }
}
