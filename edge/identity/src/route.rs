//! Where a visitor's profile lives.

use endcap_protocol::{AnonymousId, BUCKETS, ProfileId, bucket_of};

/// The object that holds a bucket, out of `shards` objects.
#[must_use]
pub fn shard_of(bucket: u16, shards: u16) -> u16 {
    (u32::from(bucket % BUCKETS) * u32::from(shards.max(1)) / u32::from(BUCKETS)) as u16
}

/// A visitor's way to their profile.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProfileRoute {
    /// The profile that the visitor's events belong to.
    pub profile: ProfileId,
}

impl ProfileRoute {
    /// The route of a visitor whom nothing links to anybody: the profile named like the browser.
    ///
    /// # Errors
    /// Never for an anonymous ID that was parsed.
    pub fn home(anonymous: &AnonymousId) -> Result<Self, endcap_protocol::FieldError> {
        Ok(Self { profile: ProfileId::parse(anonymous.as_str())? })
    }

    /// The bucket of the profile.
    #[must_use]
    pub fn bucket(&self) -> u16 {
        bucket_of(self.profile.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buckets_spread_evenly_and_one_shard_holds_all() {
        for shards in [1, 3, 16, 1024] {
            let mut counts = vec![0_u32; usize::from(shards)];
            for bucket in 0..BUCKETS {
                counts[usize::from(shard_of(bucket, shards))] += 1;
            }
            let even = u32::from(BUCKETS / shards);
            assert!(counts.iter().all(|n| (even..=even + 1).contains(n)), "{shards}");
        }
    }
}
