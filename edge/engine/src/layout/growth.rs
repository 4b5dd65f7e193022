//! When a deployment that counts its shards by itself gets one more.
//!
//! A shard that nears what one object can carry says so. The registry then wants one shard more than there are, and the
//! [`Placement`] moves the fewest buckets that make them even. It never wants fewer, so no bucket goes back and forth.

use std::collections::BTreeMap;

use endcap_protocol::UnixMillis;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Placement;
use super::placement::ShardsView;

/// Most shards that a deployment gets by itself.
pub const MOST_BY_ITSELF: u16 = 256;
/// The least time between two shards that come for want of speed, in milliseconds: the first one has to show.
const REST_MS: UnixMillis = 600_000;
/// A shard has to grow by this part of its limit before it asks again: its event log stays where it is until it ages, so
/// giving buckets away does not make it smaller at once.
const STEP: u64 = 8;

/// What a shard may carry before it gets company.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ShardLimits {
    /// Bytes of its database (`ENDCAP_SHARD_MEGABYTES`).
    pub bytes: u64,
    /// Batches a minute (`ENDCAP_SHARD_BATCHES`).
    pub batches_per_minute: u64,
}

/// What a shard carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ShardLoad {
    /// Its number.
    pub shard: u16,
    /// Bytes of its database.
    pub bytes: u64,
    /// Batches a minute.
    pub batches_per_minute: u64,
}

impl ShardLoad {
    /// Whether the registry has to hear of it.
    #[must_use]
    pub fn is_over(&self, limits: &ShardLimits) -> bool {
        self.bytes >= limits.bytes || self.batches_per_minute >= limits.batches_per_minute
    }
}

/// Whether the number of shards follows the load.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Sharding {
    /// `ENDCAP_SHARDS` is not set: it begins with one shard, and gets more by itself.
    Automatic,
    /// `ENDCAP_SHARDS` is a number: only a person changes it.
    Fixed,
}

/// What the registry remembers of growing by itself.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Growth {
    /// The last time.
    pub last: Option<Grown>,
    /// Bytes that each shard had when it last asked for company.
    asked_at: BTreeMap<u16, u64>,
}

/// One shard more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Grown {
    /// When.
    pub at: UnixMillis,
    /// The number of shards from then on.
    pub shards: u16,
    /// The shard that asked for it, and what it carried.
    pub cause: ShardLoad,
}

/// How far a change of the number of shards has come, and what decides the number.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ShardsStatus {
    /// Where buckets are.
    #[serde(flatten)]
    pub view: ShardsView,
    /// Whether the number follows the load.
    pub sharding: Sharding,
    /// What a shard may carry before it gets company.
    pub limits: ShardLimits,
    /// When the number last grew by itself, and why.
    pub last_growth: Option<Grown>,
}

impl Growth {
    /// Hears what a shard carries. Returns the number of shards that is wanted from now on, where that is another one.
    pub fn hear(
        &mut self,
        load: ShardLoad,
        limits: &ShardLimits,
        placement: &Placement,
        now: UnixMillis,
    ) -> Option<u16> {
        let shards = placement.view().wanted;
        if !placement.is_settled() || shards >= MOST_BY_ITSELF || load.shard >= shards {
            return None;
        }
        let asked_at = self.asked_at.get(&load.shard).copied();
        let grew = asked_at.is_none_or(|bytes| load.bytes >= bytes.saturating_add(limits.bytes / STEP));
        let rested = self.last.is_none_or(|last| now.saturating_sub(last.at) >= REST_MS);
        let (full, slow) = (load.bytes >= limits.bytes, load.batches_per_minute >= limits.batches_per_minute);
        if !(full && grew || slow && rested) {
            return None;
        }
        self.asked_at.insert(load.shard, load.bytes);
        self.last = Some(Grown { at: now, shards: shards + 1, cause: load });
        Some(shards + 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const LIMITS: ShardLimits = ShardLimits { bytes: 8_000, batches_per_minute: 100 };

    fn load(shard: u16, bytes: u64, batches_per_minute: u64) -> ShardLoad {
        ShardLoad { shard, bytes, batches_per_minute }
    }

    /// Moves all that has to move.
    fn settle(placement: &mut Placement) {
        while let Some(next) = placement.begin() {
            placement.end(&next);
        }
    }

    #[test]
    fn a_full_shard_gets_company_once_and_again_only_when_it_grew() {
        let (mut growth, mut placement) = (Growth::default(), Placement::new(1));
        assert_eq!(growth.hear(load(0, 7_999, 99), &LIMITS, &placement, 0), None);
        assert_eq!(growth.hear(load(0, 8_000, 0), &LIMITS, &placement, 1), Some(2));
        placement.want(2);
        // Its buckets are on their way.
        assert_eq!(growth.hear(load(0, 99_000, 0), &LIMITS, &placement, 2), None);
        settle(&mut placement);
        assert_eq!(growth.hear(load(0, 8_999, 0), &LIMITS, &placement, 3), None);
        assert_eq!(growth.hear(load(0, 9_000, 0), &LIMITS, &placement, 4), Some(3));
        assert_eq!(growth.last.map(|last| (last.at, last.shards, last.cause.bytes)), Some((4, 3, 9_000)));
    }

    #[test]
    fn a_slow_shard_waits_for_what_the_last_one_brought() {
        let (mut growth, placement) = (Growth::default(), Placement::new(2));
        assert_eq!(growth.hear(load(1, 0, 100), &LIMITS, &placement, 1_000), Some(3));
        assert_eq!(growth.hear(load(0, 0, 500), &LIMITS, &placement, 1_000 + REST_MS - 1), None);
        assert_eq!(growth.hear(load(0, 0, 500), &LIMITS, &placement, 1_000 + REST_MS), Some(3));
    }

    #[test]
    fn a_shard_that_gave_all_away_and_a_deployment_of_the_most_ask_for_nothing() {
        let mut growth = Growth::default();
        assert_eq!(growth.hear(load(2, 9_000, 0), &LIMITS, &Placement::new(2), 0), None);
        assert_eq!(growth.hear(load(0, 9_000, 0), &LIMITS, &Placement::new(MOST_BY_ITSELF), 0), None);
    }

    proptest! {
        #[test]
        fn no_bucket_ever_goes_back(
            loads in proptest::collection::vec((0_u16..8, 0_u64..40_000, 0_u64..300), 1..60),
        ) {
            let (mut growth, mut placement) = (Growth::default(), Placement::new(1));
            let mut been: BTreeMap<u16, Vec<u16>> = BTreeMap::new();
            for (minute, (shard, bytes, rate)) in loads.into_iter().enumerate() {
                let now = minute as i64 * 60_000;
                let before = placement.view().wanted;
                if let Some(wanted) = growth.hear(load(shard, bytes, rate), &LIMITS, &placement, now) {
                    prop_assert_eq!(wanted, before + 1);
                    placement.want(wanted);
                }
                while let Some(next) = placement.begin() {
                    let homes = been.entry(next.bucket).or_insert_with(|| vec![next.from]);
                    prop_assert!(!homes.contains(&next.to), "bucket {} goes back to {}", next.bucket, next.to);
                    homes.push(next.to);
                    placement.end(&next);
                }
            }
        }
    }
}
