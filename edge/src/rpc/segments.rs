//! Segments: what the shop's object keeps, and what shards know of their people.

use std::collections::BTreeMap;

use endcap_engine::segment::SavedSegment;
use endcap_engine::segment::definition::Definition;
use endcap_engine::segment::history::Movements;
use endcap_engine::segment::members::Member;
use endcap_engine::segment::preview::{PreviewAsk, Tally};
use endcap_engine::segment::view::ShardSegments;
use endcap_profile::row_lists::{ListedBy, Lists};
use endcap_protocol::{AnonymousId, ProfileId, SegmentId};
use serde::{Deserialize, Serialize};

use super::message::Message;
use super::profile::Moved;

/// Asks the shop for its segments.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct GetSegments {}

/// The shop's segments.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct SavedSegments {
    /// Their version.
    pub(crate) version: u64,
    /// In order of their IDs.
    pub(crate) segments: Vec<SavedSegment>,
}

impl Message for GetSegments {
    const PATH: &'static str = "/segments/list";
    type Reply = SavedSegments;
}

/// Adds or replaces a segment that was checked, and asks for all.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct PutSegment {
    /// Which.
    pub(crate) id: SegmentId,
    /// What it is.
    pub(crate) definition: Definition,
}

impl Message for PutSegment {
    const PATH: &'static str = "/segments/put";
    type Reply = SavedSegments;
}

/// Deletes a segment, and asks for those that are left.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct DeleteSegment {
    /// Which.
    pub(crate) id: SegmentId,
}

impl Message for DeleteSegment {
    const PATH: &'static str = "/segments/delete";
    type Reply = SavedSegments;
}

/// Puts people on a list, or takes them off it, as far as the shard has them.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct ListPeople {
    /// The list.
    pub(crate) list: SegmentId,
    /// All lists.
    pub(crate) lists: Lists,
    /// The people.
    pub(crate) people: Vec<PersonToList>,
}

/// Somebody to be put on a list, or taken off it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct PersonToList {
    /// Their profile.
    pub(crate) profile_id: ProfileId,
    /// A browser of theirs that the profile began as, where it was named by that.
    pub(crate) anonymous_id: Option<AnonymousId>,
    /// The fragment, where another row says so, and an identifier by which they were named.
    pub(crate) named: ListedBy,
    /// Whether they are put on it.
    pub(crate) on: bool,
}

/// What became of one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum ListOutcome {
    /// It was done.
    Done,
    /// There was nothing to do.
    Unchanged,
    /// The profile became part of another one, or its browser another person's.
    Moved(Moved),
    /// There is no such profile.
    Unknown,
    /// The shard does not answer for it any more.
    Elsewhere,
    /// It could not be done just now, because of this.
    Failed(String),
}

impl Message for ListPeople {
    const PATH: &'static str = "/segments/people";
    /// In the order of the people.
    type Reply = Vec<ListOutcome>;
}

/// Asks a shard for its segments, and has it hold everybody against those of a version, if it did not yet.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct SegmentsAsk {
    /// Version of the segments.
    pub(crate) version: u64,
    /// Which sizes to tell: segments, each with the version that it began with.
    pub(crate) born: BTreeMap<SegmentId, u64>,
}

impl Message for SegmentsAsk {
    const PATH: &'static str = "/segments/sizes";
    type Reply = ShardSegments;
}

/// Asks a shard for members of a segment.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct MembersAsk {
    /// The segment.
    pub(crate) segment: SegmentId,
    /// The version that it began with.
    pub(crate) born: u64,
    /// The profile after which to go on; empty at the beginning.
    pub(crate) after: String,
    /// How many.
    pub(crate) limit: usize,
}

impl Message for MembersAsk {
    const PATH: &'static str = "/segments/members";
    type Reply = Vec<Member>;
}

/// Asks a shard how a segment moved.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct MovementsAsk {
    /// The segment.
    pub(crate) segment: SegmentId,
    /// The version that it began with.
    pub(crate) born: u64,
    /// Days back from today.
    pub(crate) days: usize,
}

/// How a segment moved at a shard.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct ShardMovements {
    /// What all days together brought: over all shards, people in it now.
    pub(crate) net: i64,
    /// Today, counted from 1970-01-01 in the shop's time zone.
    pub(crate) today: i64,
    /// The days.
    pub(crate) days: Movements,
}

impl Message for MovementsAsk {
    const PATH: &'static str = "/segments/movements";
    type Reply = ShardMovements;
}

/// Asks a shard how many of its people a condition describes, some at a time.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct CountAsk {
    /// The condition, and what to compare with.
    pub(crate) ask: PreviewAsk,
    /// The profile after which to go on; empty at the beginning.
    pub(crate) after: String,
    /// Look at one of so many buckets only.
    pub(crate) share: Option<u16>,
}

/// People that a shard counted.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct CountPage {
    /// What was counted.
    pub(crate) tally: Tally,
    /// Profiles that were passed, looked at or not.
    pub(crate) passed: u64,
    /// Profiles that were read, of which some may stand for nobody.
    pub(crate) read: u64,
    /// Profiles there are, as last counted; 0 before that.
    pub(crate) known: u64,
    /// The last profile, where there may be more.
    pub(crate) next: Option<String>,
}

impl Message for CountAsk {
    const PATH: &'static str = "/segments/count";
    type Reply = CountPage;
}
