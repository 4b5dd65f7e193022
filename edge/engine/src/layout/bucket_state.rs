//! What a shard knows of a bucket that moved or moves: the states of a transfer.
//!
//! Role in the flow of one event: a shard looks here whether the profile's bucket is its own. The shard that gives a bucket
//! away goes on serving it while it copies (`Leaving`), then stops for the moment that the last changes take (`Closed`),
//! and hands on what still comes once the other has it (`Gone`). The other one takes it in (`Arriving`) and serves it from
//! the moment it has everything (`Here`). So at every moment at most one of them serves it.

use serde::{Deserialize, Serialize};

use super::placement::Move;

/// What a shard knows of a bucket.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum BucketState {
    /// It is served here and copied to another shard.
    Leaving {
        /// The try that copies it.
        session: String,
    },
    /// Nobody serves it until the other shard has the last changes.
    Closed {
        /// The try that copies it.
        session: String,
    },
    /// Another shard serves it.
    Gone {
        /// That shard.
        to: u16,
        /// The move that took it there.
        number: u64,
    },
    /// It is being copied here.
    Arriving {
        /// The try that copies it. What an earlier one sends is refused.
        session: String,
    },
    /// It came here and is served here.
    Here {
        /// The move that brought it.
        number: u64,
    },
}

/// Who answers for a bucket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BucketOwner {
    /// This shard.
    Here,
    /// Nobody at this moment: wait a little.
    Soon,
    /// Another shard.
    At(u16),
}

impl BucketState {
    /// The word for the state, as tables keep it.
    #[must_use]
    pub fn state(&self) -> &'static str {
        match self {
            Self::Leaving { .. } => "leaving",
            Self::Closed { .. } => "closed",
            Self::Gone { .. } => "gone",
            Self::Arriving { .. } => "arriving",
            Self::Here { .. } => "here",
        }
    }

    /// Who answers for the bucket.
    #[must_use]
    pub fn owner(&self) -> BucketOwner {
        match self {
            Self::Leaving { .. } | Self::Here { .. } => BucketOwner::Here,
            Self::Closed { .. } | Self::Arriving { .. } => BucketOwner::Soon,
            Self::Gone { to, .. } => BucketOwner::At(*to),
        }
    }

    /// Whether the bucket's rows may be read here: not those that are incomplete or left over.
    #[must_use]
    pub fn is_readable(&self) -> bool {
        !matches!(self, Self::Gone { .. } | Self::Arriving { .. })
    }

    /// Whether it is being given away.
    #[must_use]
    pub fn is_leaving(&self) -> bool {
        matches!(self, Self::Leaving { .. } | Self::Closed { .. })
    }

    /// Whether a move has brought the bucket here before.
    #[must_use]
    pub fn is_brought_by(&self, order: &Move) -> bool {
        *self == Self::Here { number: order.number }
    }

    /// Whether a move has taken the bucket away before.
    #[must_use]
    pub fn is_taken_by(&self, order: &Move) -> bool {
        *self == Self::Gone { to: order.to, number: order.number }
    }

    /// Whether this is the try that is going on.
    #[must_use]
    pub fn is_of(&self, session: &str) -> bool {
        match self {
            Self::Leaving { session: own } | Self::Closed { session: own } | Self::Arriving { session: own } => {
                own == session
            }
            Self::Gone { .. } | Self::Here { .. } => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn never_do_both_sides_of_a_handover_serve_the_bucket() {
        let session = || "s".to_owned();
        // Each step of either side, in the order of the protocol.
        let giving = [
            BucketState::Leaving { session: session() },
            BucketState::Closed { session: session() },
            BucketState::Gone { to: 1, number: 7 },
        ];
        let taking = [BucketState::Arriving { session: session() }, BucketState::Here { number: 7 }];
        // The taking side opens only while the giving side is closed, or after it is gone.
        for (given, taken) in [(0, 0), (1, 0), (1, 1), (2, 1)] {
            let stands = [giving[given].owner(), taking[taken].owner()];
            assert!(stands.iter().filter(|stand| **stand == BucketOwner::Here).count() <= 1, "{given} {taken}");
        }
        assert_eq!(giving[2].owner(), BucketOwner::At(1));
    }

    #[test]
    fn only_the_try_that_is_going_on_is_believed() {
        let arriving = BucketState::Arriving { session: "second".to_owned() };
        assert!(arriving.is_of("second") && !arriving.is_of("first"));
        let order = Move { bucket: 3, from: 0, to: 1, number: 7 };
        assert!(BucketState::Here { number: 7 }.is_brought_by(&order));
        assert!(!BucketState::Here { number: 6 }.is_brought_by(&order));
        assert!(BucketState::Gone { to: 1, number: 7 }.is_taken_by(&order));
        assert!(!BucketState::Gone { to: 2, number: 7 }.is_taken_by(&order));
    }

    #[test]
    fn states_are_stored_by_the_names_that_queries_use() {
        for holding in [BucketState::Closed { session: "s".to_owned() }, BucketState::Gone { to: 2, number: 1 }] {
            let text = serde_json::to_string(&holding).unwrap();
            assert!(text.contains(&format!("\"state\":\"{}\"", holding.state())), "{text}");
            assert_eq!(serde_json::from_str::<BucketState>(&text).unwrap(), holding);
        }
    }
}
