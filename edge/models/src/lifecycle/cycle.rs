//! The shop's repurchase cycle: the median of all gaps between consecutive orders, from a histogram that shards can
//! fill apart and a coordinator can add up.

use std::collections::BTreeMap;

use endcap_protocol::DAY_MS;
use serde::{Deserialize, Serialize};

use super::config::Config;

const HOUR_MS: i64 = 3_600_000;
/// Buckets of an hour each: the first week.
const HOURS: i64 = 7 * 24;
/// Buckets of a day each: from there to two years.
const DAYS: i64 = 730 - 7;
/// One bucket for everything longer.
const LAST_BUCKET: i64 = HOURS + DAYS;

/// Counts of gaps in fixed buckets, an hour wide up to a week, a day wide up to two years. Adding histograms is
/// adding counts, so the result does not depend on who counted what, nor when.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct GapHistogram(BTreeMap<u16, u64>);

impl GapHistogram {
    /// Counts one gap, in milliseconds. A negative one is not a gap and is left out.
    pub fn record(&mut self, gap_ms: i64) {
        if gap_ms >= 0 {
            let count = self.0.entry(bucket_of(gap_ms)).or_default();
            *count = count.saturating_add(1);
        }
    }

    /// Adds the counts of another histogram.
    pub fn merge(&mut self, other: &Self) {
        for (&bucket, &more) in &other.0 {
            let count = self.0.entry(bucket).or_default();
            *count = count.saturating_add(more);
        }
    }

    /// How many gaps were counted.
    pub fn total(&self) -> u64 {
        self.0.values().fold(0, |sum, count| sum.saturating_add(*count))
    }

    /// The (lower) median gap in milliseconds, as the middle of its bucket: at most half an hour off up to a week,
    /// at most half a day up to two years. `None` without any gap.
    pub fn median_ms(&self) -> Option<i64> {
        let rank = self.total().div_ceil(2);
        let mut seen: u64 = 0;
        let holds_rank = |(_, count): &(&u16, &u64)| {
            seen = seen.saturating_add(**count);
            seen >= rank
        };
        let (&bucket, _) = self.0.iter().find(holds_rank)?;
        Some(middle_of(bucket))
    }

    /// The shop's cycle: the median once there are enough gaps, until then the configured default. Never less than
    /// an hour, so that orders split at the checkout do not put everyone else to sleep.
    pub fn cycle_ms(&self, config: &Config) -> i64 {
        let median = self.median_ms().filter(|_| self.total() >= config.least_gaps);
        median.unwrap_or(config.default_cycle_ms).max(HOUR_MS)
    }
}

fn bucket_of(gap_ms: i64) -> u16 {
    let hours = gap_ms / HOUR_MS;
    let bucket = if hours < HOURS { hours } else { (HOURS + gap_ms / DAY_MS - 7).min(LAST_BUCKET) };
    u16::try_from(bucket).unwrap_or(u16::MAX)
}

fn middle_of(bucket: u16) -> i64 {
    let bucket = i64::from(bucket);
    if bucket < HOURS { bucket * HOUR_MS + HOUR_MS / 2 } else { (bucket - HOURS + 7) * DAY_MS + DAY_MS / 2 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn histogram(gaps: &[i64]) -> GapHistogram {
        let mut histogram = GapHistogram::default();
        gaps.iter().for_each(|gap| histogram.record(*gap));
        histogram
    }

    fn gaps() -> impl Strategy<Value = Vec<i64>> {
        let gap = prop_oneof![0i64..10 * HOUR_MS, 0i64..40 * DAY_MS, 0i64..730 * DAY_MS];
        proptest::collection::vec(gap, 1..200)
    }

    #[test]
    fn the_default_holds_until_there_are_a_hundred_gaps() {
        let config = Config::default();
        assert_eq!(histogram(&[]).cycle_ms(&config), 30 * DAY_MS);
        assert_eq!(histogram(&[10 * DAY_MS; 99]).cycle_ms(&config), 30 * DAY_MS);
        assert_eq!(histogram(&[10 * DAY_MS; 100]).cycle_ms(&config), 10 * DAY_MS + DAY_MS / 2);
        assert_eq!(histogram(&[0; 100]).cycle_ms(&config), HOUR_MS);
    }

    #[test]
    fn negative_gaps_are_left_out_and_endless_ones_share_a_bucket() {
        assert_eq!(histogram(&[-1]).total(), 0);
        assert_eq!(histogram(&[i64::MAX]).median_ms(), histogram(&[730 * DAY_MS]).median_ms());
    }

    proptest! {
        #[test]
        fn the_median_is_within_half_a_bucket_of_the_exact_one(mut gaps in gaps()) {
            let estimate = histogram(&gaps).median_ms().unwrap();
            gaps.sort_unstable();
            let exact = gaps[(gaps.len() - 1) / 2];
            let width = if exact < 7 * DAY_MS { HOUR_MS } else { DAY_MS };
            prop_assert!((estimate - exact).abs() <= width / 2, "{} for {}", estimate, exact);
        }

        #[test]
        fn merging_is_counting_together_in_any_order(gaps in gaps(), more in gaps()) {
            let (mut left, mut right) = (histogram(&gaps), histogram(&more));
            let both: Vec<i64> = gaps.iter().chain(&more).copied().collect();
            left.merge(&histogram(&more));
            right.merge(&histogram(&gaps));
            prop_assert_eq!(&left, &right);
            prop_assert_eq!(&left, &histogram(&both));
            prop_assert_eq!(left.total(), both.len() as u64);
        }
    }
}
