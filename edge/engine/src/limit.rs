//! How much a client or a source may send: token buckets over passed-in time.
//!
//! Role in the flow of one event: the entry limits by client address, before it looks at the request. The shard limits
//! by source, once the source is known.

mod token_bucket;

use std::collections::BTreeMap;
use std::net::IpAddr;

use endcap_protocol::UnixMillis;
use endcap_validation::hash::hash;

pub use token_bucket::TokenBucket;

/// Most buckets held at a time. Requests beyond that pass: a limit by address does not stop a flood from so many
/// addresses.
const BUCKETS: usize = 8192;
/// Least time between two searches for buckets to give back, in milliseconds.
const SWEEP_MS: i64 = 1000;

/// A bound: so many on average, and so many at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate {
    /// Requests a second, at least 1.
    pub per_second: u32,
    /// Requests at once, at least 1.
    pub burst: u32,
}

impl Rate {
    /// Parses `50/200`: 50 a second, 200 at once. None for `off`. What cannot be read is the default.
    #[must_use]
    pub fn parse(text: &str, default: Self) -> Option<Self> {
        if text == "off" {
            return None;
        }
        let number = |part: &str| part.trim().parse::<u32>().ok().filter(|n| (1..=1_000_000).contains(n));
        let parts = text.split_once('/').and_then(|(rate, burst)| Some((number(rate)?, number(burst)?)));
        Some(parts.map_or(default, |(per_second, burst)| Self { per_second, burst }))
    }
}

/// Buckets by name.
#[derive(Debug)]
pub struct Limiter {
    rate: Rate,
    buckets: BTreeMap<u64, TokenBucket>,
    swept_at: UnixMillis,
}

impl Limiter {
    /// A limiter that nobody has taken from.
    #[must_use]
    pub fn new(rate: Rate) -> Self {
        Self { rate, buckets: BTreeMap::new(), swept_at: 0 }
    }

    /// Takes one from the bucket of `name` at `now`.
    ///
    /// # Errors
    /// The milliseconds after which there will be one.
    pub fn take(&mut self, name: &str, now: UnixMillis) -> Result<(), i64> {
        let key = u64::from_le_bytes(hash(name));
        let Rate { per_second, burst } = self.rate;
        if let Some(bucket) = self.buckets.get_mut(&key) {
            return bucket.take(now);
        }
        if self.buckets.len() >= BUCKETS {
            self.sweep(now);
        }
        if self.buckets.len() >= BUCKETS {
            return Ok(());
        }
        self.buckets.entry(key).or_insert_with(|| TokenBucket::new(per_second, burst, now)).take(now)
    }

    /// Puts one back into the bucket of `name`, for a request that takes one again.
    pub fn give_back(&mut self, name: &str) {
        if let Some(bucket) = self.buckets.get_mut(&u64::from_le_bytes(hash(name))) {
            bucket.give_back();
        }
    }

    /// Gives back the buckets that are full again: a new one would be the same.
    fn sweep(&mut self, now: UnixMillis) {
        if now.saturating_sub(self.swept_at) >= SWEEP_MS {
            self.swept_at = now;
            self.buckets.retain(|_, bucket| !bucket.is_full(now));
        }
    }
}

/// What one client is known by: its IPv4 address, or the 64 bits of an IPv6 address that one line has. None for this
/// machine itself, whose requests come from tests and tools.
#[must_use]
pub fn client(address: &str) -> Option<String> {
    match address.parse::<IpAddr>() {
        Ok(ip) if ip.is_loopback() => None,
        Ok(IpAddr::V6(v6)) => {
            let [a, b, c, d, ..] = v6.segments();
            Some(format!("{a:x}:{b:x}:{c:x}:{d:x}"))
        }
        Ok(IpAddr::V4(_)) | Err(_) => Some(endcap_protocol::touch::cut(address, 64).to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const RATE: Rate = Rate { per_second: 10, burst: 3 };

    #[test]
    fn a_burst_passes_then_the_rate_and_each_name_has_its_own() {
        let mut limiter = Limiter::new(RATE);
        assert!((0..3).all(|_| limiter.take("a", 1000).is_ok()));
        assert_eq!(limiter.take("a", 1000), Err(100));
        assert!(limiter.take("b", 1000).is_ok());
        assert!(limiter.take("a", 1100).is_ok());
        assert_eq!(limiter.take("a", 1150), Err(50));
        limiter.give_back("a");
        assert!(limiter.take("a", 1150).is_ok() && limiter.take("a", 1150).is_err());
        limiter.give_back("nobody");
    }

    #[test]
    fn memory_is_bounded_and_full_buckets_are_given_back() {
        let mut limiter = Limiter::new(RATE);
        for n in 0..BUCKETS + 100 {
            assert!(limiter.take(&n.to_string(), 5000).is_ok());
        }
        assert_eq!(limiter.buckets.len(), BUCKETS);
        assert!(limiter.take("later", 60_000).is_ok());
        assert_eq!(limiter.buckets.len(), 1);
    }

    #[test]
    fn rates_are_read() {
        assert_eq!(Rate::parse("50/200", RATE), Some(Rate { per_second: 50, burst: 200 }));
        assert_eq!(Rate::parse("off", RATE), None);
        for text in ["", "50", "0/1", "a/b", "-1/5", "99999999/1"] {
            assert_eq!(Rate::parse(text, RATE), Some(RATE), "{text}");
        }
    }

    #[test]
    fn a_line_is_one_client() {
        assert_eq!(client("2001:db8:1:2:3:4:5:6"), client("2001:db8:1:2::9"));
        assert_ne!(client("2001:db8:1:2::1"), client("2001:db8:1:3::1"));
        assert_eq!(client("192.0.2.1").as_deref(), Some("192.0.2.1"));
        assert_eq!((client("127.0.0.1"), client("::1")), (None, None));
    }

    proptest! {
        #[test]
        fn never_more_than_burst_and_rate_allow(steps in proptest::collection::vec(0_i64..400, 1..200)) {
            let (mut limiter, mut now, mut passed) = (Limiter::new(RATE), 0, 0);
            for step in steps {
                now += step;
                passed += i64::from(limiter.take("a", now).is_ok());
                prop_assert!(passed <= 3 + now / 100);
            }
        }
    }
}
