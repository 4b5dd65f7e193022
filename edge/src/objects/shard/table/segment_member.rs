//! `segment_member`: which profiles are in which segment.

use std::collections::BTreeMap;

use endcap_engine::segment::MembershipChanges;
use endcap_profile::memberships::Memberships;
use endcap_protocol::{SegmentId, UnixMillis};
use serde::{Deserialize, Serialize};

use super::contract::{Access, ErasedProfile, Erasure, ProfileTransfer, Table, Transfer, Upgrade};
use super::rows::{pack, unpack};
use crate::objects::shard::store::{Store, bucket};
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
           PRIMARY KEY(segment, profile_id)) WITHOUT ROWID, STRICT"
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
            delete_bucket: Some("DELETE FROM segment_member WHERE bucket = ?"),
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
    since: UnixMillis,
}

const OF_PROFILES: &str = of_profiles!(
    "",
    "SELECT member.segment, member.profile_id, member.since FROM named
     CROSS JOIN json_each(?) AS profile
     CROSS JOIN segment_member AS member ON member.segment = named.id AND member.profile_id = profile.value"
);

fn rows_of(store: &Store, profiles: &[&str]) -> Result<Vec<Row>, EdgeError> {
    let rows = store.db.rows(OF_PROFILES, vec![serde_json::to_string(profiles)?.into()])?;
    let read = |row: &crate::platform::db::Row| {
        Ok(Row { segment: SegmentId::parse(&row.text(0))?, profile_id: row.text(1), since: row.int(2) })
    };
    rows.iter().map(read).collect()
}

fn take(store: &Store, profiles: &[String]) -> Result<Vec<u8>, EdgeError> {
    pack(&rows_of(store, &profiles.iter().map(String::as_str).collect::<Vec<_>>())?)
}

fn put(store: &Store, rows: &[u8]) -> Result<(), EdgeError> {
    let rows = unpack::<Row>(rows)?;
    rows.iter().try_for_each(|row| store.put_member(&row.segment, &row.profile_id, row.since))
}

fn erase(store: &Store, profile: &ErasedProfile<'_>, _: &mut ErasedRows) -> Result<(), EdgeError> {
    if !profile.is_gone {
        return Ok(());
    }
    rows_of(store, &[profile.id])?.iter().try_for_each(|row| store.drop_member(&row.segment, &row.profile_id))
}

impl Store {
    fn put_member(&self, segment: &SegmentId, profile_id: &str, since: UnixMillis) -> Result<(), EdgeError> {
        self.db.run(
            "INSERT INTO segment_member(segment, profile_id, bucket, since) VALUES(?, ?, ?, ?)
             ON CONFLICT DO UPDATE SET since = excluded.since",
            vec![segment.as_str().into(), profile_id.into(), bucket(profile_id).into(), since.into()],
        )
    }

    fn drop_member(&self, segment: &SegmentId, profile_id: &str) -> Result<(), EdgeError> {
        let delete = "DELETE FROM segment_member WHERE segment = ? AND profile_id = ?";
        self.db.run(delete, vec![segment.as_str().into(), profile_id.into()])
    }

    /// Writes how a profile's segments changed, and counts it.
    pub(crate) fn put_memberships(
        &self,
        profile_id: &str,
        changes: &MembershipChanges,
        at: UnixMillis,
    ) -> Result<(), EdgeError> {
        for change in &changes.entered {
            self.put_member(&change.segment, profile_id, at)?;
        }
        for change in &changes.left {
            self.drop_member(&change.segment, profile_id)?;
        }
        self.count_movement(changes, at)
    }

    /// The segments that the table has of a profile whose row does not say them.
    pub(crate) fn memberships(&self, profile_id: &str) -> Result<BTreeMap<SegmentId, UnixMillis>, EdgeError> {
        Ok(rows_of(self, &[profile_id])?.into_iter().map(|row| (row.segment, row.since)).collect())
    }

    /// Takes a profile that ends out of its segments.
    pub(crate) fn leave_segments(&self, held: Option<&Memberships>, at: UnixMillis) -> Result<(), EdgeError> {
        held.map_or(Ok(()), |held| self.count_movement(&MembershipChanges::leaving(held.since.keys()), at))
    }

    /// Members of a segment after a profile, with since when they are in it.
    pub(crate) fn members_after(
        &self,
        segment: &SegmentId,
        after: &str,
        limit: usize,
    ) -> Result<Vec<(String, UnixMillis)>, EdgeError> {
        let query = "SELECT profile_id, since FROM segment_member WHERE segment = ? AND profile_id > ?
                     AND bucket NOT IN (SELECT bucket FROM unserved) ORDER BY profile_id LIMIT ?";
        let values = vec![segment.as_str().into(), after.into(), (limit as i64).into()];
        Ok(self.db.rows(query, values)?.iter().map(|row| (row.text(0), row.int(1))).collect())
    }
}
