//! When a deployment that counts its shards by itself gets more.
//!
//! A shard that nears what one object can carry says so. The registry then wants more shards, and the [`Placement`]
//! moves the fewest buckets that make them even. It never wants fewer, so no bucket goes back and forth.
//!
//! The event log stays where it is until it ages, so a full shard goes on being full for a while after its buckets
//! left. What matters is how fast it still fills: the younger its log, the more shards the same visitors will need in
//! the end.

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
/// A full shard has to grow by this part of its limit before it is heard again.
const STEP: u64 = 32;
/// What is planned for: so many quarters of the limit. A shard that was alone first keeps its early log for as long as the others
/// fill, and both together have to fit into twice the limit.
const PLANNED_QUARTERS: u128 = 3;
/// How long a shard that is too fast still has to be relieved before it is heard again, in milliseconds: where the last shard
/// brought nothing, another one brings nothing either.
const HOPELESS_MS: UnixMillis = 6 * 3_600_000;

/// What a shard may carry before it gets company.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
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
    /// Age of the oldest row of its event log, in milliseconds.
    #[serde(default)]
    pub log_age_ms: UnixMillis,
}

impl ShardLoad {
    /// Whether the registry has to hear of it.
    #[must_use]
    pub fn is_over(&self, limits: &ShardLimits) -> bool {
        self.bytes >= limits.bytes || self.batches_per_minute >= limits.batches_per_minute
    }
}

/// Whether the number of shards follows the load.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Sharding {
    /// `ENDCAP_SHARDS` is not set: it begins with one shard, and gets more by itself.
    Automatic,
    /// `ENDCAP_SHARDS` is a number: only a person changes it.
    #[default]
    Fixed,
}

/// What the registry remembers of growing by itself.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Growth {
    /// Each time for as long as the log is kept, the earliest first.
    steps: Vec<Grown>,
    /// What each shard carried when it was last heard, and when that was.
    heard: BTreeMap<u16, Heard>,
}

/// What a shard carried when it got company.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
struct Heard {
    at: UnixMillis,
    load: ShardLoad,
}

/// More shards.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Grown {
    /// When.
    pub at: UnixMillis,
    /// The number of shards before.
    pub before: u16,
    /// The number of shards from then on.
    pub shards: u16,
    /// The shard that asked for it, and what it carried.
    pub cause: ShardLoad,
}

/// How far a change of the number of shards has come, and what decides the number.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ShardsStatus {
    /// Where buckets are.
    #[serde(flatten)]
    pub view: ShardsView,
    /// Whether the number follows the load. (A registry of an earlier version says nothing of it.)
    #[serde(default)]
    pub sharding: Sharding,
    /// What a shard may carry before it gets company.
    #[serde(default)]
    pub limits: ShardLimits,
    /// When the number last grew by itself, and why.
    #[serde(default)]
    pub last_growth: Option<Grown>,
}

impl Growth {
    /// The last time.
    #[must_use]
    pub fn last(&self) -> Option<Grown> {
        self.steps.last().copied()
    }

    /// Hears what a shard carries. Returns the number of shards that is wanted from now on, where that is another one: twice
    /// as many at most. `log_ms` is how long the event log is kept.
    pub fn hear(
        &mut self,
        load: ShardLoad,
        limits: &ShardLimits,
        log_ms: UnixMillis,
        placement: &Placement,
        now: UnixMillis,
    ) -> Option<u16> {
        let shards = placement.view().wanted;
        if !placement.is_settled() || shards >= MOST_BY_ITSELF || load.shard >= shards {
            return None;
        }
        // After so long its log is another one, so what it carried then says nothing.
        let heard = self.heard.get(&load.shard).filter(|heard| now.saturating_sub(heard.at) < log_ms);
        let full = load.bytes >= limits.bytes && grew(&load, heard, limits);
        let rested = self.last().is_none_or(|last| now.saturating_sub(last.at) >= REST_MS);
        let slow = load.batches_per_minute >= limits.batches_per_minute && rested && relieved(&load, heard, now);
        // Buckets differ: one shard may be far over its limit where all together would have room.
        let over = full && load.bytes >= limits.bytes.saturating_add(limits.bytes / 2);
        let least = if slow || over { shards + 1 } else { 0 };
        let needed = if full { self.needed(&load, limits, log_ms, shards, now) } else { 0 };
        let wanted = needed.max(least).min(shards.saturating_mul(2)).min(MOST_BY_ITSELF);
        if wanted <= shards {
            return None;
        }
        self.heard.insert(load.shard, Heard { at: now, load });
        // No log goes back further.
        self.steps.retain(|step| now.saturating_sub(step.at) < log_ms);
        self.steps.push(Grown { at: now, before: shards, shards: wanted, cause: load });
        Some(wanted)
    }

    /// How many shards hold the whole log within the limit, if visitors go on as they did, up to the age at which the log is
    /// trimmed. What this shard got of all was one part of as many as there were shards at the time.
    fn needed(&self, load: &ShardLoad, limits: &ShardLimits, log_ms: UnixMillis, shards: u16, now: UnixMillis) -> u16 {
        let (mut until, mut parts) = (now, 0_u128);
        let from = now.saturating_sub(load.log_age_ms.min(log_ms));
        let mut count = shards;
        for step in self.steps.iter().rev().chain([&Grown { at: from, before: shards, shards, cause: *load }]) {
            let at = step.at.max(from);
            parts += whole(until.saturating_sub(at)) * PARTS / u128::from(count.max(1));
            (until, count) = (until.min(at), step.before);
        }
        let all = u128::from(load.bytes) * whole(log_ms) * PARTS / parts.max(1);
        u16::try_from((all * 4).div_ceil(u128::from(limits.bytes.max(1)) * PLANNED_QUARTERS)).unwrap_or(u16::MAX)
    }
}

/// Fixed point of the sum of parts.
const PARTS: u128 = 1 << 20;

fn whole(ms: UnixMillis) -> u128 {
    u128::try_from(ms).unwrap_or(0)
}

/// Whether a full shard grew by a step since it was heard.
fn grew(load: &ShardLoad, heard: Option<&Heard>, limits: &ShardLimits) -> bool {
    heard.is_none_or(|heard| load.bytes >= heard.load.bytes.saturating_add(limits.bytes / STEP))
}

/// Whether company made a fast shard slower, or that was long ago.
fn relieved(load: &ShardLoad, heard: Option<&Heard>, now: UnixMillis) -> bool {
    heard.is_none_or(|heard| {
        let slower = load.batches_per_minute < heard.load.batches_per_minute / 10 * 9;
        slower || now.saturating_sub(heard.at) >= HOPELESS_MS
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const LIMITS: ShardLimits = ShardLimits { bytes: 8_000, batches_per_minute: 100 };

    const DAY: UnixMillis = 86_400_000;
    const LOG: UnixMillis = 90 * DAY;

    fn load(shard: u16, bytes: u64, batches_per_minute: u64) -> ShardLoad {
        ShardLoad { shard, bytes, batches_per_minute, log_age_ms: LOG }
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
        assert_eq!(growth.hear(load(0, 7_999, 99), &LIMITS, LOG, &placement, 0), None);
        assert_eq!(growth.hear(load(0, 8_000, 0), &LIMITS, LOG, &placement, LOG + 1), Some(2));
        placement.want(2);
        // Its buckets are on their way.
        assert_eq!(growth.hear(load(0, 99_000, 0), &LIMITS, LOG, &placement, LOG + 2), None);
        settle(&mut placement);
        assert_eq!(growth.hear(load(0, 8_249, 0), &LIMITS, LOG, &placement, LOG + 3), None);
        // It filled all that while it was alone, so two are enough, as long as they are alike.
        assert_eq!(growth.hear(load(0, 9_000, 0), &LIMITS, LOG, &placement, LOG + 4), None);
        assert_eq!(growth.hear(load(0, 12_001, 0), &LIMITS, LOG, &placement, LOG + 5), Some(3));
        assert_eq!(growth.last().map(|last| (last.at, last.before, last.shards)), Some((LOG + 5, 2, 3)));
    }

    #[test]
    fn a_slow_shard_waits_for_what_the_last_one_brought() {
        let (mut growth, placement) = (Growth::default(), Placement::new(2));
        assert_eq!(growth.hear(load(1, 0, 200), &LIMITS, LOG, &placement, 1_000), Some(3));
        assert_eq!(growth.hear(load(0, 0, 500), &LIMITS, LOG, &placement, 1_000 + REST_MS - 1), None);
        let later = 1_000 + REST_MS;
        assert_eq!(growth.hear(load(0, 0, 500), &LIMITS, LOG, &placement, later), Some(3));
        // One that got company and is as fast as before is not helped by more.
        assert_eq!(growth.hear(load(1, 0, 190), &LIMITS, LOG, &placement, later + REST_MS), None);
        assert_eq!(growth.hear(load(1, 0, 150), &LIMITS, LOG, &placement, later + REST_MS), Some(3));
        let long_after = later + REST_MS + HOPELESS_MS;
        assert_eq!(growth.hear(load(1, 0, 150), &LIMITS, LOG, &placement, long_after), Some(3));
    }

    #[test]
    fn a_full_shard_with_a_young_log_gets_more_company_up_to_twice_as_much() {
        let hear = |log_age_ms, shards| {
            let full = ShardLoad { log_age_ms, ..load(0, 8_000, 0) };
            Growth::default().hear(full, &LIMITS, LOG, &Placement::new(shards), LOG)
        };
        assert_eq!([hear(LOG, 4), hear(LOG / 2, 4), hear(0, 4)], [Some(6), Some(8), Some(8)]);
        assert_eq!(hear(LOG * 4 / 5, 9), Some(15));
        assert_eq!(hear(0, 200), Some(MOST_BY_ITSELF));
    }

    #[test]
    fn shards_that_fill_together_get_company_once() {
        let (mut growth, mut placement) = (Growth::default(), Placement::new(16));
        let full = |shard| ShardLoad { log_age_ms: LOG * 4 / 5, ..load(shard, 8_000, 0) };
        assert_eq!(growth.hear(full(0), &LIMITS, LOG, &placement, LOG), Some(27));
        placement.want(27);
        settle(&mut placement);
        for shard in 1..16 {
            assert_eq!(growth.hear(full(shard), &LIMITS, LOG, &placement, LOG + 1), None, "{shard}");
        }
    }

    #[test]
    fn what_a_shard_carried_is_forgotten_with_its_log() {
        let (mut growth, placement) = (Growth::default(), Placement::new(2));
        assert_eq!(growth.hear(load(0, 12_000, 0), &LIMITS, LOG, &placement, LOG), Some(4));
        assert_eq!(growth.hear(load(0, 12_100, 0), &LIMITS, LOG, &placement, 2 * LOG - 1), None);
        assert_eq!(growth.hear(load(0, 12_100, 0), &LIMITS, LOG, &placement, 2 * LOG), Some(4));
    }

    #[test]
    fn a_shard_that_gave_all_away_and_a_deployment_of_the_most_ask_for_nothing() {
        let mut growth = Growth::default();
        assert_eq!(growth.hear(load(2, 9_000, 0), &LIMITS, LOG, &Placement::new(2), LOG), None);
        assert_eq!(growth.hear(load(0, 9_000, 0), &LIMITS, LOG, &Placement::new(MOST_BY_ITSELF), LOG), None);
    }

    /// A shard's event log in the test below: units of each hour, and all of them.
    #[derive(Default)]
    struct Log {
        hours: std::collections::VecDeque<f64>,
        sum: f64,
    }

    impl Log {
        fn hour(&mut self, units: f64) {
            self.hours.push_back(units);
            self.sum += units;
            if self.hours.len() > 90 * 24 {
                self.sum -= self.hours.pop_front().unwrap();
            }
        }
    }

    /// 120 days of a shop that logs so many units a day, spread evenly over its buckets; the limit is 8,000 units a shard, and
    /// an object holds 16,000.
    #[test]
    fn no_shard_ever_runs_over_however_much_comes() {
        for per_day in [50.0, 400.0, 1_600.0, 6_400.0, 12_800.0] {
            let (mut growth, mut placement) = (Growth::default(), Placement::new(1));
            let (mut logs, mut buckets) = (vec![Log::default()], placement.view().buckets);
            for hour in 0..120 * 24_i64 {
                for number in 0..logs.len() {
                    logs[number].hour(per_day / 24.0 * f64::from(buckets[number]) / 1024.0);
                    let (bytes, hours) = (logs[number].sum, logs[number].hours.len() as i64);
                    assert!(bytes < 16_000.0, "{per_day} a day: shard {number} has {bytes} after {} days", hour / 24);
                    let log_age_ms = hours * 3_600_000;
                    let load =
                        ShardLoad { shard: number as u16, bytes: bytes as u64, batches_per_minute: 0, log_age_ms };
                    let now = LOG + hour * 3_600_000;
                    let over = load.is_over(&LIMITS);
                    if let Some(wanted) = over.then(|| growth.hear(load, &LIMITS, LOG, &placement, now)).flatten() {
                        placement.want(wanted);
                        settle(&mut placement);
                        buckets = placement.view().buckets;
                        logs.resize_with(buckets.len(), Log::default);
                    }
                }
            }
            println!("{per_day:>8} a day: {} shards, {:.1} needed at least", logs.len(), per_day * 90.0 / 8_000.0);
        }
    }

    proptest! {
        #[test]
        fn no_bucket_ever_goes_back(
            loads in proptest::collection::vec((0_u16..8, 0_u64..40_000, 0_u64..300), 1..60),
        ) {
            let (mut growth, mut placement) = (Growth::default(), Placement::new(1));
            let mut been: BTreeMap<u16, Vec<u16>> = BTreeMap::new();
            for (minute, (shard, bytes, rate)) in loads.into_iter().enumerate() {
                let now = LOG + minute as i64 * 60_000;
                let before = placement.view().wanted;
                if let Some(wanted) = growth.hear(load(shard, bytes, rate), &LIMITS, LOG, &placement, now) {
                    prop_assert!(wanted > before && wanted <= before * 2);
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
