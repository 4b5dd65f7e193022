//! Jobs that failed too often, for who operates the deployment.

use endcap_protocol::{FieldError, UnixMillis};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Most parked jobs that a list shows, and that one request has tried again in each shard.
pub const LISTED: usize = 200;

/// A job that is tried no more until somebody asks for it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ParkedJob {
    /// Names the job.
    pub id: String,
    /// What it does: `tell` the identity graph, `bring` a fragment to its profile, `point` a browser's first profile to its
    /// latest fragment, or `send` a push message.
    pub kind: String,
    /// The profile that it is about.
    pub profile_id: String,
    /// When it was parked, Unix milliseconds.
    pub parked_at: UnixMillis,
    /// Tries that failed.
    pub attempts: u64,
    /// What the last try failed with.
    pub error: String,
}

/// Parked jobs over all shards.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ParkedJobs {
    /// How many there are.
    pub count: u64,
    /// At most 200 of them, those that were parked first at the front.
    pub jobs: Vec<ParkedJob>,
}

impl ParkedJobs {
    /// Adds those of another shard.
    #[must_use]
    pub fn with(mut self, other: Self) -> Self {
        self.count = self.count.saturating_add(other.count);
        self.jobs.extend(other.jobs);
        self.jobs.sort_by(|one, other| (one.parked_at, &one.id).cmp(&(other.parked_at, &other.id)));
        self.jobs.truncate(LISTED);
        self
    }
}

/// Which parked jobs to try again.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct RetryAsk {
    /// Names of jobs, at most 200; left out or empty: the first 200 of each shard.
    pub ids: Vec<String>,
}

impl RetryAsk {
    /// Checks what the types cannot say.
    ///
    /// # Errors
    /// The field that is out of range.
    pub fn check(&self) -> Result<(), FieldError> {
        if self.ids.len() > LISTED { Err(FieldError::new("ids", "must hold at most 200 names")) } else { Ok(()) }
    }
}

/// How many parked jobs are being tried again.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RetryReply {
    /// How many.
    pub retried: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parked(id: &str, parked_at: UnixMillis) -> ParkedJob {
        let text = |text: &str| text.to_owned();
        ParkedJob {
            id: text(id),
            kind: text("bring"),
            profile_id: text("p"),
            parked_at,
            attempts: 40,
            error: text("no"),
        }
    }

    #[test]
    fn the_longest_parked_of_all_shards_come_first_and_the_count_says_how_many_there_are() {
        let one = ParkedJobs { count: 900, jobs: (0..150).map(|n| parked(&format!("a{n}"), 2 * n)).collect() };
        let other = ParkedJobs { count: 150, jobs: (0..150).map(|n| parked(&format!("b{n}"), 2 * n + 1)).collect() };
        let both = one.with(other);
        assert_eq!((both.count, both.jobs.len()), (1050, LISTED));
        let times: Vec<_> = both.jobs.iter().map(|job| job.parked_at).collect();
        assert_eq!(times, (0..200).collect::<Vec<_>>());
    }

    #[test]
    fn no_more_are_named_than_a_list_shows() {
        let ask = |count: usize| RetryAsk { ids: vec![String::from("x"); count] };
        assert!(ask(LISTED).check().is_ok());
        assert_eq!(ask(LISTED + 1).check().unwrap_err().path, "ids");
    }
}
