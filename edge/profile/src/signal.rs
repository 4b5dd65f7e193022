//! What one event teaches the shop's models.
//!
//! Role in the flow of one event: signals lie in the shard's log beside the event; the shard's alarm reports them to the
//! `Shop` object in order, exactly once, so models learn from every visit without a hop on the event path.

use endcap_models::lifecycle::GapHistogram;
use endcap_models::recommend::Model;
use endcap_models::recommend::Step;
use endcap_protocol::UnixMillis;
use serde::{Deserialize, Serialize};

/// Something to learn.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Signal {
    /// A product was viewed after others of the same session.
    Viewed {
        /// The step from one product to the next.
        step: Step,
        /// When.
        at: UnixMillis,
    },
    /// A product was put into a cart.
    Added {
        /// The product.
        item: String,
        /// When.
        at: UnixMillis,
    },
    /// A product was bought.
    Bought {
        /// The product.
        item: String,
        /// How many.
        units: u32,
        /// When.
        at: UnixMillis,
    },
    /// Time between two orders of one person, in milliseconds.
    OrderGap(UnixMillis),
}

impl Signal {
    /// Teaches it to the shop's models.
    pub fn teach(&self, model: &mut Model, gaps: &mut GapHistogram) {
        match self {
            Self::Viewed { step, at } => model.step(step, *at),
            Self::Added { item, at } => model.added(item, *at),
            Self::Bought { item, units, at } => model.ordered(item, *units, *at),
            Self::OrderGap(gap) => gaps.record(*gap),
        }
    }
}
