//! What is stored about one person, for who asks to see it.

use std::collections::BTreeSet;

use endcap_engine::person_export::{Belongings, LogPlace, LoggedBatch, PersonGraph};
use endcap_identity::FragmentId;
use endcap_protocol::ProfileId;
use serde::{Deserialize, Serialize};

use super::message::{Done, Message};

/// Asks the graph for the fragments of a profile, or of the one that it became part of.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct MembersAsk {
    /// The profile, or one that moved to it.
    pub(crate) profile_id: ProfileId,
}

impl Message for MembersAsk {
    const PATH: &'static str = "/members";
    type Reply = Members;
}

/// A person's fragments.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Members {
    /// The profile that they belong to now.
    pub(crate) profile_id: ProfileId,
    /// The fragments.
    pub(crate) fragments: BTreeSet<FragmentId>,
}

/// Asks the graph for all that joins a profile.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct PersonGraphAsk {
    /// The profile, or one that moved to it.
    pub(crate) profile_id: ProfileId,
}

impl Message for PersonGraphAsk {
    const PATH: &'static str = "/person";
    type Reply = PersonGraph;
}

/// Tells the graph that a person's data were handed out.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct NoteExport {
    /// The profile.
    pub(crate) profile_id: ProfileId,
}

impl Message for NoteExport {
    const PATH: &'static str = "/exported";
    type Reply = Done;
}

/// Asks a shard for stored events.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct EventsAsk {
    /// Whose.
    pub(crate) fragments: BTreeSet<FragmentId>,
    /// Number of the shard that is asked.
    pub(crate) shard: u16,
    /// Where the page before ended.
    pub(crate) after: LogPlace,
    /// Most batches.
    pub(crate) limit: i64,
}

impl Message for EventsAsk {
    const PATH: &'static str = "/events";
    type Reply = Vec<LoggedBatch>;
}

/// Asks a shard for all else that is kept of a person.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct BelongingsAsk {
    /// Their fragments.
    pub(crate) fragments: BTreeSet<FragmentId>,
    /// All texts that name them, in lower case.
    pub(crate) names: BTreeSet<String>,
}

impl Message for BelongingsAsk {
    const PATH: &'static str = "/belongings";
    type Reply = Belongings;
}
