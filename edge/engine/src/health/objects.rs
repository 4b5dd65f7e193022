//! Figures of each object. Times are Unix milliseconds, sizes are bytes.

use endcap_protocol::UnixMillis;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::awake::AwakeView;

/// One shard.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ShardHealth {
    /// Its number.
    pub shard: u16,
    /// When its object started last.
    pub started_at: UnixMillis,
    /// Size of its database. Cloudflare allows 10 GB.
    pub bytes: u64,
    /// Profiles, and when they were counted: where there are more than 500, about once an hour.
    pub profiles: Counted,
    /// Profiles that ended by their age, since the shard has data.
    #[serde(default)]
    pub profiles_ended: u64,
    /// Rows of the event log.
    pub log_rows: u64,
    /// Profiles whose events wait to leave for the log, as far as the object knows since it started.
    #[serde(default)]
    pub log_waits: u64,
    /// Batches a minute, over the last minute or more.
    pub batches_per_minute: u64,
    /// What waits for its time.
    pub timers: TimerHealth,
    /// What has to happen elsewhere.
    pub outbox: OutboxHealth,
    /// Refused events.
    pub quarantine: QuarantineHealth,
    /// What the shop has not learned yet.
    pub learning: LearningHealth,
    /// When its alarm rang last; None: not since its object started.
    pub last_alarm: Option<UnixMillis>,
    /// When it rings next; None: nothing is due.
    pub next_alarm: Option<UnixMillis>,
    /// How long it was awake.
    pub awake: AwakeView,
}

/// A number that may be old.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Counted {
    /// How many.
    pub count: u64,
    /// When they were counted.
    pub as_of: UnixMillis,
}

/// A shard's timers.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TimerHealth {
    /// When the earliest is due; in the past, it is late.
    pub oldest_due: Option<UnixMillis>,
    /// Those whose last run failed. They are tried again.
    pub failing: u64,
    /// Runs that failed since the shard has data.
    pub failed_runs: u64,
}

/// Jobs that are recorded before they are tried.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct OutboxHealth {
    /// How many wait.
    pub waiting: u64,
    /// Those whose last try failed. They are tried again.
    pub failing: u64,
    /// Those that failed too often and are tried no more until somebody asks for it.
    #[serde(default)]
    pub parked: u64,
    /// Tries of the one that failed most often.
    pub most_attempts: u64,
    /// When the earliest is due; in the past, it is late.
    pub oldest_due: Option<UnixMillis>,
}

/// A shard's refused events.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct QuarantineHealth {
    /// How many are kept at most: those that were taken in again since leave gaps.
    pub kept: u64,
    /// Those of the last hour; 100 stands for more.
    pub kept_last_hour: u64,
    /// Those that made room for later ones, since the shard has data.
    pub dropped: u64,
    /// When that happened last.
    pub last_dropped: Option<UnixMillis>,
    /// When the oldest came.
    pub oldest: Option<UnixMillis>,
}

/// What a shard has to report to the shop.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct LearningHealth {
    /// Rows of the log that were not reported.
    pub rows_behind: u64,
    /// When the oldest of them came.
    pub oldest: Option<UnixMillis>,
    /// Rows that could not be read, since the shard has data.
    pub unreadable_rows: u64,
    /// When that happened last.
    pub last_unreadable: Option<UnixMillis>,
    /// How long something may wait to be learned before it is late, in milliseconds.
    pub patience_ms: UnixMillis,
}

/// One part of the identity graph.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct GraphHealth {
    /// Its number.
    pub part: u16,
    /// Size of its database.
    pub bytes: u64,
    /// Reassignments that their fragments do not know yet.
    pub reassignments: OutboxHealth,
    /// Erasures that are not done yet.
    pub erasures: OutboxHealth,
}

/// The shop's object.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ShopHealth {
    /// Size of its database.
    pub bytes: u64,
    /// Campaigns.
    pub campaigns: u64,
    /// Products.
    pub products: u64,
    /// Reports of shards that were learned.
    pub reports_learned: u64,
}
