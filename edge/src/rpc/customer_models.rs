//! Models of customers' life: what shards tell of the groups of their customers.

use endcap_engine::customer_model::people::{MovedBetween, MovedCustomer};
use endcap_engine::customer_model::{GroupTally, Grouping, Survey};
use serde::{Deserialize, Serialize};

use super::message::Message;

/// What of a shard's customers is asked.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(crate) enum GroupQuestion {
    /// What the model needs to know of all of them.
    Survey,
    /// How many are in each group.
    Tally,
    /// Who they are.
    People {
        /// Whom to list.
        who: MovedBetween,
        /// How many.
        limit: usize,
    },
}

/// Asks a shard about the groups of its customers, some at a time.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct GroupsAsk {
    /// The model, its thresholds and the moments.
    pub(crate) grouping: Grouping,
    /// What is asked.
    pub(crate) question: GroupQuestion,
    /// The profile after which to go on; empty at the beginning.
    pub(crate) after: String,
}

/// What is known of some customers: of what was not asked, nothing.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct GroupsPage {
    /// What the model needs to know of all.
    pub(crate) survey: Survey,
    /// How many are in each group.
    pub(crate) tally: GroupTally,
    /// Who they are.
    pub(crate) people: Vec<MovedCustomer>,
    /// Profiles that could not be read.
    pub(crate) unreadable: u64,
    /// The last profile that was looked at, where there may be more.
    pub(crate) next: Option<String>,
}

impl Message for GroupsAsk {
    const PATH: &'static str = "/models/groups";
    type Reply = GroupsPage;
}
