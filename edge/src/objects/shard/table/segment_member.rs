//! `segment_member`: which profiles are in which segment.

use std::collections::BTreeMap;

use endcap_engine::segment::MembershipChanges;
use endcap_profile::memberships::Membership;
use endcap_protocol::{SegmentId, UnixMillis};
use serde::{Deserialize, Serialize};

use super::contract::{Access, ErasedProfile, Erasure, ProfileTransfer, Table, Transfer, Upgrade};
use super::rows::{pack, unpack};
use crate::objects::shard::store::{Store, bucket};
use crate::platform::clock;
use crate::platform::error::EdgeError;
use crate::rpc::erasure::ErasedRows;

/// The table.
pub(super) struct SegmentMemberTable;

/// Rows lie in the order of their segments, for lists of members. The rows of a profile are found by looking into each segment that has
/// rows, because another index would double what a change costs. Both statements begin so.
macro_rules! of_profiles {
    ($before:literal, $after:literal) => {
        concat!(
            $before,
            " WITH RECURSIVE named(id) AS (SELECT min(segment) FROM segment_member UNION ALL
                SELECT (SELECT min(segment) FROM segment_member WHERE segment > named.id) FROM named
                WHERE named.id IS NOT NULL) ",
            $after
        )
    };
}

impl Table for SegmentMemberTable {
    fn name(&self) -> &'static str {
        "segment_member"
    }

    fn schema(&self) -> &'static str {
        "CREATE TABLE IF NOT EXISTS segment_member(
           segment TEXT NOT NULL, profile_id TEXT NOT NULL, bucket INTEGER NOT NULL, since INTEGER NOT NULL,
           born INTEGER NOT NULL, PRIMARY KEY(segment, profile_id)) WITHOUT ROWID, STRICT"
    }

    fn upgrade(&self) -> Upgrade {
        Upgrade::None
    }

    fn transfer(&self) -> Transfer {
        Transfer::WithProfile(ProfileTransfer {
            take,
            put,
            delete: of_profiles!(
                "DELETE FROM segment_member WHERE (segment, profile_id) IN (",
                "SELECT named.id, profile.value FROM named CROSS JOIN json_each(?) AS profile
                 WHERE named.id IS NOT NULL)"
            ),
            delete_bucket: None,
        })
    }

    fn erasure(&self) -> Erasure {
        Erasure::Beside(erase)
    }

    fn access(&self) -> Access {
        Access::NotShown("the profile itself shows its segments")
    }
}

#[derive(Serialize, Deserialize)]
struct Row {
    segment: SegmentId,
    profile_id: String,
    membership: Membership,
}

const OF_PROFILES: &str = of_profiles!(
    "",
    "SELECT member.segment, member.profile_id, member.since, member.born FROM named
     CROSS JOIN json_each(?) AS profile
     CROSS JOIN segment_member AS member ON member.segment = named.id AND member.profile_id = profile.value"
);

fn rows_of(store: &Store, profiles: &[&str]) -> Result<Vec<Row>, EdgeError> {
    let rows = store.db.rows(OF_PROFILES, vec![serde_json::to_string(profiles)?.into()])?;
    let read = |row: &crate::platform::db::Row| {
        let membership = Membership { since: row.int(2), born: row.int(3).unsigned_abs() };
        Ok(Row { segment: SegmentId::parse(&row.text(0))?, profile_id: row.text(1), membership })
    };
    rows.iter().map(read).collect()
}

fn take(store: &Store, profiles: &[String]) -> Result<Vec<u8>, EdgeError> {
    pack(&rows_of(store, &profiles.iter().map(String::as_str).collect::<Vec<_>>())?)
}

fn put(store: &Store, rows: &[u8]) -> Result<(), EdgeError> {
    let rows = unpack::<Row>(rows)?;
    rows.iter().try_for_each(|row| store.put_member(&row.segment, &row.profile_id, row.membership))
}

fn erase(store: &Store, profile: &ErasedProfile<'_>, _: &mut ErasedRows) -> Result<(), EdgeError> {
    if !profile.is_gone {
        return Ok(());
    }
    let held = store.memberships(profile.id)?;
    store.put_memberships(profile.id, &held, &MembershipChanges::leaving(&held), clock::now())
}

impl Store {
    fn put_member(&self, segment: &SegmentId, profile_id: &str, membership: Membership) -> Result<(), EdgeError> {
        self.db.run(
            "INSERT INTO segment_member(segment, profile_id, bucket, since, born) VALUES(?, ?, ?, ?, ?)
             ON CONFLICT DO UPDATE SET since = excluded.since, born = excluded.born",
            vec![
                segment.as_str().into(),
                profile_id.into(),
                bucket(profile_id).into(),
                membership.since.into(),
                membership.born.cast_signed().into(),
            ],
        )
    }

    fn drop_member(&self, segment: &SegmentId, profile_id: &str) -> Result<(), EdgeError> {
        let delete = "DELETE FROM segment_member WHERE segment = ? AND profile_id = ?";
        self.db.run(delete, vec![segment.as_str().into(), profile_id.into()])
    }

    /// Writes how a profile's segments changed, and counts it. `held` are those that it was or is in.
    pub(crate) fn put_memberships(
        &self,
        profile_id: &str,
        held: &BTreeMap<SegmentId, Membership>,
        changes: &MembershipChanges,
        at: UnixMillis,
    ) -> Result<(), EdgeError> {
        let gone = changes.dropped.iter().chain(changes.left.iter().map(|change| &change.segment));
        gone.into_iter().try_for_each(|segment| self.drop_member(segment, profile_id))?;
        for change in &changes.entered {
            let membership = Membership { since: at, born: change.born };
            self.put_member(&change.segment, profile_id, held.get(&change.segment).copied().unwrap_or(membership))?;
        }
        self.count_movement(changes, at)
    }

    /// The segments that the table has of a profile whose row does not say them.
    pub(crate) fn memberships(&self, profile_id: &str) -> Result<BTreeMap<SegmentId, Membership>, EdgeError> {
        Ok(rows_of(self, &[profile_id])?.into_iter().map(|row| (row.segment, row.membership)).collect())
    }

    /// Members of a segment after a profile, with since when they are in it.
    pub(crate) fn members_after(
        &self,
        (segment, born): (&SegmentId, u64),
        after: &str,
        limit: usize,
    ) -> Result<Vec<(String, UnixMillis)>, EdgeError> {
        let query = "SELECT profile_id, since FROM segment_member WHERE segment = ? AND born = ? AND profile_id > ?
                     AND bucket NOT IN (SELECT bucket FROM unserved) ORDER BY profile_id LIMIT ?";
        let values = vec![segment.as_str().into(), born.cast_signed().into(), after.into(), (limit as i64).into()];
        Ok(self.db.rows(query, values)?.iter().map(|row| (row.text(0), row.int(1))).collect())
    }
}
