//! What has to be said about every table: how its rows move to another shard, how they are erased, and how they are shown
//! to the person whom they are about.
//!
//! A table is made only by being in [`TABLES`](super::all::TABLES), and nothing of this has a default, so nobody can add a
//! table and forget one of the three.

use std::collections::BTreeSet;

use endcap_engine::person_export::Belongings;
use endcap_identity::FragmentId;
use endcap_protocol::UnixMillis;

use crate::objects::shard::store::Store;
use crate::platform::error::EdgeError;
use crate::rpc::erasure::{EraseStep, ErasedRows};
use crate::rpc::person_export::BelongingsAsk;

/// One table.
pub(crate) trait Table: Sync {
    /// Its name.
    fn name(&self) -> &'static str;

    /// The statements that make it. They run at each start of the object.
    fn schema(&self) -> &'static str;

    /// What brings rows of an earlier form up to date.
    fn upgrade(&self) -> Upgrade;

    /// How rows move when their bucket goes to another shard.
    fn transfer(&self) -> Transfer;

    /// How rows are erased when the person asks to be forgotten.
    fn erasure(&self) -> Erasure;

    /// How rows are shown when the person asks to see them.
    fn access(&self) -> Access;
}

/// What brings rows of an earlier form up to date.
pub(crate) enum Upgrade {
    /// There was no other form.
    None,
    /// A column had another name.
    RenamedColumn {
        /// The name that it had.
        from: &'static str,
        /// The statement that renames it.
        rename: &'static str,
    },
    /// Rows lay in another table.
    OtherTable {
        /// The table.
        name: &'static str,
        /// The statements that take its rows over and drop it, in order.
        take_over: &'static [&'static str],
    },
}

/// How rows move to another shard.
pub(crate) enum Transfer {
    /// Rows belong to profiles, and go with them.
    WithProfile(ProfileTransfer),
    /// Rows belong to a bucket, and go when it is closed.
    WithBucket(BucketTransfer),
    /// Rows are copied to a shard that had nothing before, and stay.
    Copied {
        /// Packs all rows.
        take: fn(&Store) -> Result<Vec<u8>, EdgeError>,
        /// Puts packed rows in.
        put: fn(&Store, &[u8]) -> Result<(), EdgeError>,
    },
    /// Rows stay where they were written, for this reason.
    Stays(&'static str),
}

/// Rows that go with their profiles.
pub(crate) struct ProfileTransfer {
    /// Packs the rows of some profiles.
    pub(crate) take: fn(&Store, &[String]) -> Result<Vec<u8>, EdgeError>,
    /// Puts packed rows in; those of the same profiles were deleted before.
    pub(crate) put: fn(&Store, &[u8]) -> Result<(), EdgeError>,
    /// Deletes the rows of profiles, which are a JSON list.
    pub(crate) delete: &'static str,
    /// Deletes the rows of a bucket, where they are few; others go with their profiles, a part at a time.
    pub(crate) delete_bucket: Option<&'static str>,
}

/// Rows that go with their bucket.
pub(crate) struct BucketTransfer {
    /// Packs the rows of a bucket.
    pub(crate) take: fn(&Store, u16) -> Result<Vec<u8>, EdgeError>,
    /// Puts packed rows in.
    pub(crate) put: fn(&Store, &[u8]) -> Result<(), EdgeError>,
    /// Deletes the rows of a bucket.
    pub(crate) delete: &'static str,
}

/// How rows are erased.
pub(crate) enum Erasure {
    /// The table finds what is about the person by itself.
    Found(fn(&Eraser<'_>, &mut ErasedRows) -> Result<(), EdgeError>),
    /// Rows lie beside a profile's row, and are taken out with what is taken out of it.
    Beside(fn(&Store, &ErasedProfile<'_>, &mut ErasedRows) -> Result<(), EdgeError>),
    /// The packed row itself: fragments are taken out of it, and what is left is worked out again (`erase.rs`).
    PackedRow,
    /// Rows hold nothing of a person, for this reason.
    NothingPersonal(&'static str),
}

/// How rows are shown.
pub(crate) enum Access {
    /// They are added to what is shown of a person.
    Shown(fn(&Store, &BelongingsAsk, &mut Belongings) -> Result<(), EdgeError>),
    /// They are shown page by page, by another route.
    Paged(&'static str),
    /// They are not shown, for this reason.
    NotShown(&'static str),
}

/// An erasure at work.
pub(crate) struct Eraser<'a> {
    /// The shard's rows.
    pub(crate) store: &'a Store,
    /// Whom to erase.
    pub(crate) step: &'a EraseStep,
    /// The deployment's pepper.
    pub(crate) pepper: &'a [u8],
    /// The time.
    pub(crate) now: UnixMillis,
}

/// A profile of which fragments are taken out.
pub(crate) struct ErasedProfile<'a> {
    /// The profile.
    pub(crate) id: &'a str,
    /// The fragments.
    pub(crate) fragments: &'a BTreeSet<FragmentId>,
    /// Whether nothing is left of it.
    pub(crate) is_gone: bool,
}
