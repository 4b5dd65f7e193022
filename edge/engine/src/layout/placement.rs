//! Which shard holds each bucket, and how buckets move when a shop wants more or fewer shards.
//!
//! Role in the flow of one event: the entry looks up here where a profile's bucket is. What it knows may be old: a shard
//! that gave a bucket away hands on what still comes for it, so an old placement costs a hop and loses nothing.

use endcap_identity::route::shard_of;
use endcap_protocol::{BUCKETS, FieldError};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Most shards of a deployment: each holds at least one bucket.
pub const MAX_SHARDS: u16 = BUCKETS;

/// A bucket on its way from one shard to another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Move {
    /// The bucket.
    pub bucket: u16,
    /// The shard that has it.
    pub from: u16,
    /// The shard that gets it.
    pub to: u16,
    /// Counts the moves: shards tell a repeated request from a new one by it.
    pub number: u64,
}

/// Where every bucket is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Placement {
    /// Counts up whenever a move begins or ends.
    version: u64,
    /// Shards that the deployment began with. Buckets that never moved are where they put them.
    begun_with: u16,
    /// Shards that there ever were. One that holds no bucket any more keeps its part of the event log.
    ever: u16,
    /// The number of shards that is wanted.
    wanted: u16,
    /// The shard of each bucket.
    shards: Vec<u16>,
    /// The move that has begun and not ended.
    moving: Option<Move>,
}

/// How far a change of the number of shards has come.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ShardsView {
    /// The number that is wanted.
    pub wanted: u16,
    /// Shards that hold buckets now.
    pub shards: u16,
    /// Buckets that have to move yet; 0: all is done.
    pub remaining: u16,
    /// Buckets of each shard, by its number.
    pub buckets: Vec<u16>,
}

/// The number of shards that is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ShardsAsk {
    /// 1 to 1024.
    pub shards: u16,
}

impl ShardsAsk {
    /// Checks the number.
    ///
    /// # Errors
    /// With the field's path.
    pub fn check(self) -> Result<Self, FieldError> {
        if (1..=MAX_SHARDS).contains(&self.shards) {
            return Ok(self);
        }
        Err(FieldError::new("shards", "must be 1 to 1024"))
    }
}

impl Placement {
    /// The placement that a deployment begins with.
    #[must_use]
    pub fn new(shards: u16) -> Self {
        let shards = shards.clamp(1, MAX_SHARDS);
        Self {
            version: 1,
            begun_with: shards,
            ever: shards,
            wanted: shards,
            shards: (0..BUCKETS).map(|bucket| shard_of(bucket, shards)).collect(),
            moving: None,
        }
    }

    /// Counts the changes.
    #[must_use]
    pub fn version(&self) -> u64 {
        self.version
    }

    /// Whether a bucket is on its way.
    #[must_use]
    pub fn is_moving(&self) -> bool {
        self.moving.is_some()
    }

    /// Whether every bucket is where it is wanted.
    #[must_use]
    pub fn is_settled(&self) -> bool {
        self.moving.is_none() && self.next().is_none()
    }

    /// The shard that holds a bucket.
    #[must_use]
    pub fn shard_of(&self, bucket: u16) -> u16 {
        self.shards.get(usize::from(bucket % BUCKETS)).copied().unwrap_or_else(|| self.first_shard_of(bucket))
    }

    /// The shard that held a bucket before anything moved.
    #[must_use]
    pub fn first_shard_of(&self, bucket: u16) -> u16 {
        shard_of(bucket, self.begun_with)
    }

    /// Every shard that may hold something.
    pub fn all_shards(&self) -> impl Iterator<Item = u16> + use<> {
        0..self.ever
    }

    /// Wants another number of shards. A move that has begun ends first.
    pub fn want(&mut self, shards: u16) {
        self.wanted = shards.clamp(1, MAX_SHARDS);
        self.ever = self.ever.max(self.wanted);
        self.version += 1;
    }

    /// The move that has begun, or the one that begins now; None when all is as it is wanted.
    pub fn begin(&mut self) -> Option<Move> {
        if self.moving.is_none()
            && let Some((bucket, from, to)) = self.next()
        {
            self.version += 1;
            self.moving = Some(Move { bucket, from, to, number: self.version });
        }
        self.moving
    }

    /// A move has ended. One that ended before changes nothing.
    pub fn end(&mut self, done: &Move) {
        if self.moving != Some(*done) {
            return;
        }
        if let Some(shard) = self.shards.get_mut(usize::from(done.bucket)) {
            *shard = done.to;
        }
        self.moving = None;
        self.version += 1;
    }

    /// How far it has come.
    #[must_use]
    pub fn view(&self) -> ShardsView {
        let buckets = self.counts();
        let shards = buckets.iter().filter(|count| **count > 0).count() as u16;
        ShardsView { wanted: self.wanted, shards, remaining: self.remaining(), buckets }
    }

    fn counts(&self) -> Vec<u16> {
        let mut counts = vec![0_u16; usize::from(self.ever)];
        for shard in &self.shards {
            if let Some(count) = counts.get_mut(usize::from(*shard)) {
                *count += 1;
            }
        }
        counts
    }

    /// Buckets that are over what their shard may keep: the fewest that have to move.
    fn remaining(&self) -> u16 {
        let (wanted, share) = (usize::from(self.wanted), BUCKETS / self.wanted);
        let mut spare = BUCKETS % self.wanted;
        let mut over = 0;
        let mut counts = self.counts();
        // The fullest shards keep the buckets that do not divide evenly.
        let (stay, leave) = counts.split_at_mut(wanted.min(usize::from(self.ever)));
        stay.sort_unstable_by(|a, b| b.cmp(a));
        for count in stay.iter() {
            let keeps = share + u16::from(spare > 0);
            spare = spare.saturating_sub(1);
            over += count.saturating_sub(keeps);
        }
        over + leave.iter().sum::<u16>()
    }

    /// The next bucket to move: from a shard that is not wanted any more, else from the fullest, to the emptiest.
    fn next(&self) -> Option<(u16, u16, u16)> {
        let counts = self.counts();
        let numbered = || counts.iter().copied().zip(0_u16..);
        let (least, to) = numbered().take(usize::from(self.wanted)).min()?;
        let leaving = numbered().skip(usize::from(self.wanted)).find(|(count, _)| *count > 0);
        let fullest = || {
            let fullest = numbered()
                .take(usize::from(self.wanted))
                .max_by_key(|(count, number)| (*count, std::cmp::Reverse(*number)));
            fullest.filter(|(count, _)| *count > least + 1)
        };
        let (_, from) = leaving.or_else(fullest)?;
        let bucket = self.shards.iter().rposition(|shard| *shard == from)?;
        Some((bucket as u16, from, to))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Moves until nothing has to move; returns how many moves that were.
    fn settle(placement: &mut Placement) -> u16 {
        let mut moves = 0;
        while let Some(next) = placement.begin() {
            assert_eq!(placement.shard_of(next.bucket), next.from);
            placement.end(&next);
            moves += 1;
            assert!(moves <= BUCKETS, "it does not come to rest");
        }
        moves
    }

    #[test]
    fn a_split_moves_half_of_the_buckets_and_no_other() {
        let mut placement = Placement::new(1);
        placement.want(2);
        assert_eq!((placement.view().remaining, placement.is_settled()), (512, false));
        assert_eq!(settle(&mut placement), 512);
        assert_eq!(placement.view(), ShardsView { wanted: 2, shards: 2, remaining: 0, buckets: vec![512, 512] });
        assert!(placement.is_settled() && (0..512).all(|bucket| placement.shard_of(bucket) == 0));
    }

    #[test]
    fn a_shard_that_is_not_wanted_gives_all_away_and_is_still_asked() {
        let mut placement = Placement::new(4);
        placement.want(3);
        assert_eq!(settle(&mut placement), 256);
        assert_eq!(placement.view().buckets, [342, 341, 341, 0]);
        assert_eq!(placement.all_shards().count(), 4);
    }

    #[test]
    fn a_move_that_began_ends_before_another_begins() {
        let mut placement = Placement::new(1);
        placement.want(2);
        let first = placement.begin();
        placement.want(1);
        assert_eq!(placement.begin(), first);
        placement.end(&first.unwrap());
        placement.end(&first.unwrap());
        let back = placement.begin().unwrap();
        assert_eq!((back.bucket, back.from, back.to), (1023, 1, 0));
        assert!(back.number > first.unwrap().number);
    }

    #[test]
    fn numbers_out_of_range_are_refused() {
        assert!(ShardsAsk { shards: 1024 }.check().is_ok());
        for shards in [0, 1025] {
            assert_eq!(ShardsAsk { shards }.check().unwrap_err().path, "shards");
        }
    }

    proptest! {
        #[test]
        fn whatever_is_wanted_comes_out_even_with_the_fewest_moves(
            begun in 1_u16..40, wishes in proptest::collection::vec(1_u16..40, 1..4),
        ) {
            let mut placement = Placement::new(begun);
            for wanted in wishes {
                placement.want(wanted);
                let expected = placement.view().remaining;
                prop_assert_eq!(settle(&mut placement), expected);
                let buckets = placement.view().buckets;
                let (held, empty) = buckets.split_at(usize::from(wanted));
                prop_assert!(held.iter().max().unwrap() - held.iter().min().unwrap() <= 1);
                prop_assert!(empty.iter().all(|count| *count == 0));
                prop_assert_eq!(held.iter().sum::<u16>(), BUCKETS);
            }
        }
    }
}
