//! The people of a group, or of a movement from one to another.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::model::Group;
use super::tally::Movement;

/// People of a page where nobody says how many.
pub const DEFAULT_LIMIT: usize = 50;
/// Most people of a page.
pub const MAX_LIMIT: usize = 200;

/// Whom to list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct MovedBetween {
    /// Their group at the first moment; None for any.
    pub was: Option<Group>,
    /// Their group at the last moment; None for any.
    pub is: Option<Group>,
}

impl MovedBetween {
    /// Whether somebody with these groups is meant. Who never bought is nobody's.
    #[must_use]
    pub fn holds(&self, first: Group, last: Group) -> bool {
        let is = |wanted: Option<Group>, found: Group| wanted.is_none_or(|wanted| wanted == found);
        (first, last) != (Group::PROSPECT, Group::PROSPECT) && is(self.was, first) && is(self.is, last)
    }
}

/// A customer, as a shard tells of them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MovedCustomer {
    /// Their profile.
    pub profile_id: String,
    /// User IDs that the shop proved.
    pub user_ids: Vec<String>,
    /// Their group at the first moment.
    pub was: Group,
    /// Their group at the last one.
    pub is: Group,
    /// What they bought between the two.
    pub movement: Movement,
}

/// A customer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct GroupPerson {
    /// Their profile.
    pub profile_id: String,
    /// User IDs that the shop proved.
    pub user_ids: Vec<String>,
    /// Their group at the first moment.
    pub was: String,
    /// Their group at the last one.
    pub is: String,
    /// Their orders between the two, returns left out.
    pub orders: u64,
    /// What these brought, less what went back, in minor units of the shop's currency.
    pub revenue_minor: i64,
}
