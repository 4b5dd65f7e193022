//! A token bucket over passed-in time: how fast messages may leave for one push service.

use serde::{Deserialize, Serialize};

/// Tokens are counted in thousandths, so that refilling by the millisecond is exact.
const UNIT: i64 = 1000;

/// Allows `burst` messages at once and `per_second` on average. Exact integers: the same calls give the same answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TokenBucket {
    per_second: u32,
    burst: u32,
    milli_tokens: i64,
    as_of: i64,
}

impl TokenBucket {
    /// A full bucket at `now` (milliseconds since 1970). Zero rates or bursts count as one.
    pub fn new(per_second: u32, burst: u32, now: i64) -> Self {
        let (per_second, burst) = (per_second.max(1), burst.max(1));
        Self { per_second, burst, milli_tokens: i64::from(burst) * UNIT, as_of: now }
    }

    /// Takes one token at `now`. Otherwise says how many milliseconds later one will be there.
    pub fn take(&mut self, now: i64) -> Result<(), i64> {
        self.refill(now);
        if self.milli_tokens >= UNIT {
            self.milli_tokens -= UNIT;
            return Ok(());
        }
        let paused = self.as_of.saturating_sub(now).max(0);
        let missing = UNIT - self.milli_tokens;
        Err(paused.saturating_add(missing.saturating_add(i64::from(self.per_second) - 1) / i64::from(self.per_second)))
    }

    /// Puts one token back that was taken for nothing.
    pub fn give_back(&mut self) {
        self.milli_tokens = self.milli_tokens.saturating_add(UNIT).min(i64::from(self.burst) * UNIT);
    }

    /// Whether it holds all that it can at `now`.
    #[must_use]
    pub fn is_full(&self, now: i64) -> bool {
        let gained = now.saturating_sub(self.as_of).max(0).saturating_mul(self.per_second.into());
        self.milli_tokens.saturating_add(gained) >= i64::from(self.burst) * UNIT
    }

    /// The push service said to slow down: nothing leaves for `pause_ms` from `now`.
    pub fn pause(&mut self, now: i64, pause_ms: i64) {
        self.milli_tokens = 0;
        self.as_of = self.as_of.max(now.saturating_add(pause_ms.max(0)));
    }

    /// A clock that runs backwards, or a pause, refills nothing.
    fn refill(&mut self, now: i64) {
        let elapsed = now.saturating_sub(self.as_of);
        if elapsed > 0 {
            let gained = elapsed.saturating_mul(self.per_second.into());
            self.milli_tokens = self.milli_tokens.saturating_add(gained).min(i64::from(self.burst) * UNIT);
            self.as_of = now;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_burst_passes_and_then_the_rate_holds() {
        let mut bucket = TokenBucket::new(2, 3, 0);
        assert_eq!(
            [bucket.take(0), bucket.take(0), bucket.take(0), bucket.take(0)],
            [Ok(()), Ok(()), Ok(()), Err(500)]
        );
        assert_eq!(bucket.take(499), Err(1));
        assert_eq!(bucket.take(500), Ok(()));
    }

    #[test]
    fn a_pause_holds_everything_back() {
        let mut bucket = TokenBucket::new(10, 5, 0);
        bucket.pause(0, 60_000);
        assert_eq!(bucket.take(0), Err(60_100));
        assert_eq!(bucket.take(60_099), Err(1));
        assert_eq!(bucket.take(60_100), Ok(()));
    }

    proptest! {
        #[test]
        fn never_more_than_burst_and_rate_allow(rate in 1u32..50, burst in 1u32..50, steps in proptest::collection::vec(0i64..200, 1..300)) {
            let mut bucket = TokenBucket::new(rate, burst, 0);
            let (mut now, mut passed) = (0, 0i64);
            for step in steps {
                now += step;
                match bucket.take(now) {
                    Ok(()) => passed += 1,
                    Err(wait) => prop_assert!(bucket.clone().take(now + wait).is_ok() && bucket.clone().take(now + wait - 1).is_err()),
                }
                prop_assert!(passed * 1000 <= i64::from(burst) * 1000 + now * i64::from(rate));
            }
        }
    }
}
