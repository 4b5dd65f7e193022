//! Idempotence by message ID: what a fragment accepted within the dedupe window.
//!
//! IDs are kept as 64-bit hashes in blocks by day. Beyond [`RING`] hashes the oldest block leaves the packed row for a
//! table of its own, so a busy browser costs one row more per thousand events, and nobody else pays for it.

use endcap_protocol::{DAY_MS, MessageId, UnixMillis};
use endcap_validation::hash::hash;
use serde::{Deserialize, Serialize};

use crate::bounded::keep_latest;

/// Days an ID is remembered: the seven that events may be late, the day they end in, and one more, because an event may
/// lie a minute ahead of the edge's clock at midnight.
const WINDOW_DAYS: u32 = 9;
/// Hashes kept in the packed row.
pub const RING: usize = 1024;

/// Hashes of messages accepted on one day.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Block {
    /// Day of acceptance, counted from 1970-01-01.
    pub day: u32,
    /// 64-bit hashes of message IDs, 8 bytes each, little endian.
    #[serde(with = "crate::packed::bytes")]
    pub hashes: Vec<u8>,
}

impl Block {
    fn contains(&self, hash: [u8; 8]) -> bool {
        self.hashes.chunks_exact(8).any(|held| held == hash)
    }

    fn len(&self) -> usize {
        self.hashes.len() / 8
    }
}

/// Blocks that a history takes along which goes elsewhere: some 32,000 messages, a quarter of a megabyte.
const CARRIED: usize = 64;

/// The blocks that a history takes along, the latest: a job and a request have room for no more.
#[must_use]
pub fn carried(mut blocks: Vec<Block>) -> Vec<Block> {
    keep_latest(&mut blocks, CARRIED);
    blocks
}

/// Messages accepted within the window.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Accepted {
    blocks: Vec<Block>,
    /// Days whose overflow lies in the table.
    spilled: Vec<u32>,
}

impl Accepted {
    /// Remembers a message; false when it is known already. `overflow` are the blocks that were spilled before.
    pub fn insert(&mut self, id: &MessageId, now: UnixMillis, overflow: &[Block]) -> bool {
        if self.contains(id, overflow) {
            return false;
        }
        let (hash, today) = (hash(id.as_str()), day(now));
        self.blocks.retain(|block| block.day.saturating_add(WINDOW_DAYS) > today);
        self.spilled.retain(|day| day.saturating_add(WINDOW_DAYS) > today);
        match self.blocks.last_mut().filter(|block| block.day == today && block.len() < RING / 2) {
            Some(block) => block.hashes.extend_from_slice(&hash),
            None => self.blocks.push(Block { day: today, hashes: hash.to_vec() }),
        }
        true
    }

    /// Whether a message is known. `overflow` are the blocks that were spilled before.
    #[must_use]
    pub fn contains(&self, id: &MessageId, overflow: &[Block]) -> bool {
        let hash = hash(id.as_str());
        self.blocks.iter().chain(overflow).any(|block| block.contains(hash))
    }

    /// The same with the blocks that were spilled before taken in again.
    #[must_use]
    pub fn with(&self, overflow: &[Block]) -> Self {
        let mut blocks = [overflow, self.blocks.as_slice()].concat();
        blocks.sort_by_key(|block| block.day);
        Self { blocks: carried(blocks), spilled: Vec::new() }
    }

    /// Whether some message is known to both: they belong to the same history.
    #[must_use]
    pub fn shares(&self, other: &Self) -> bool {
        let theirs = || other.blocks.iter().flat_map(|block| block.hashes.as_chunks::<8>().0);
        self.blocks.iter().any(|block| theirs().any(|hash| block.contains(*hash)))
    }

    /// The oldest block, once there are more hashes than the packed row should hold.
    pub fn spill(&mut self) -> Option<Block> {
        let total: usize = self.blocks.iter().map(Block::len).sum();
        if total <= RING {
            return None;
        }
        let block = self.blocks.remove(0);
        self.spilled.push(block.day);
        Some(block)
    }

    /// Whether spilled blocks have to be read before [`Accepted::insert`].
    #[must_use]
    pub fn has_overflow(&self, now: UnixMillis) -> bool {
        self.spilled.iter().any(|spilled| spilled.saturating_add(WINDOW_DAYS) > day(now))
    }

    /// First day whose blocks still matter at `now`; older rows can be deleted.
    #[must_use]
    pub fn oldest_day(now: UnixMillis) -> u32 {
        day(now).saturating_sub(WINDOW_DAYS - 1)
    }
}

fn day(at: UnixMillis) -> u32 {
    u32::try_from(at / DAY_MS).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn id(n: u32) -> MessageId {
        MessageId::parse(&format!("m{n}")).unwrap()
    }

    #[test]
    fn remembers_for_as_long_as_events_may_be_late_and_then_forgets() {
        let mut accepted = Accepted::default();
        assert!(accepted.insert(&id(1), 0, &[]));
        assert!(!accepted.insert(&id(1), 8 * DAY_MS, &[]));
        assert!(accepted.insert(&id(2), 9 * DAY_MS, &[]));
        assert!(accepted.insert(&id(1), 9 * DAY_MS, &[]), "the block of day 0 was dropped");
    }

    #[test]
    fn a_history_that_goes_elsewhere_takes_its_latest_messages_along() {
        let (mut accepted, mut overflow) = (Accepted::default(), Vec::new());
        for n in 0..40_000 {
            accepted.insert(&id(n), 0, &[]);
            overflow.extend(accepted.spill());
        }
        let taken = accepted.with(&overflow);
        assert!(taken.contains(&id(39_999), &[]) && taken.contains(&id(10_000), &[]) && !taken.contains(&id(0), &[]));
        assert!(postcard::to_allocvec(&taken).unwrap().len() < 300_000);
        assert_eq!(carried(overflow.clone()).last(), overflow.last());
    }

    #[test]
    fn histories_share_a_message_or_they_do_not() {
        let of = |ids: &[u32]| {
            let mut accepted = Accepted::default();
            ids.iter().for_each(|n| assert!(accepted.insert(&id(*n), 0, &[])));
            accepted
        };
        assert!(of(&[1, 2]).shares(&of(&[2, 3])));
        assert!(!of(&[1, 2]).shares(&of(&[3])));
        assert!(!of(&[]).shares(&of(&[])));
    }

    proptest! {
        // Each case is thousands of IDs long.
        #![proptest_config(ProptestConfig::with_cases(48))]

        #[test]
        fn nothing_is_taken_twice_across_spills(ids in proptest::collection::vec(0_u32..3000, 0..6000)) {
            let (mut accepted, mut overflow) = (Accepted::default(), Vec::new());
            let mut taken = std::collections::BTreeSet::new();
            for n in ids {
                prop_assert_eq!(accepted.insert(&id(n), 1, &overflow), taken.insert(n));
                overflow.extend(accepted.spill());
                prop_assert_eq!(accepted.has_overflow(1), !overflow.is_empty());
            }
        }
    }
}
