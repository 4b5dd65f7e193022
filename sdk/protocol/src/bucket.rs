//! Virtual buckets: which slice of the profile space an identifier falls into.
//!
//! Buckets are fixed for ever; configuration maps them to shards, so a shop can split shards later by moving buckets.

/// Number of virtual buckets.
pub const BUCKETS: u16 = 1024;

/// The bucket of an identifier: 32-bit FNV-1a (draft-eastlake-fnv) with the murmur3 finaliser, because FNV's low bits
/// alone spread short, similar texts badly.
#[must_use]
pub fn bucket_of(id: &str) -> u16 {
    let mut hash = 0x811c_9dc5_u32;
    for byte in id.bytes() {
        hash = (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193);
    }
    hash = (hash ^ (hash >> 16)).wrapping_mul(0x85eb_ca6b);
    hash = (hash ^ (hash >> 13)).wrapping_mul(0xc2b2_ae35);
    ((hash ^ (hash >> 16)) & u32::from(BUCKETS - 1)) as u16
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_fixed_for_ever() {
        assert_eq!([bucket_of(""), bucket_of("a"), bucket_of("anon-1")], [PINNED[0], PINNED[1], PINNED[2]]);
    }

    const PINNED: [u16; 3] = [11, 435, 686];

    #[test]
    fn spreads_similar_names_evenly() {
        let mut counts = vec![0_u32; usize::from(BUCKETS)];
        for n in 0..102_400 {
            counts[usize::from(bucket_of(&format!("user-{n}")))] += 1;
        }
        // Poisson(100): 7 standard deviations either side.
        assert!(counts.iter().all(|&c| (30..170).contains(&c)), "{:?}", counts.iter().max());
    }
}
