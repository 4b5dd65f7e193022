//! `dedupe_overflow`: message IDs of busy browsers that left the packed row.

use endcap_identity::FragmentId;
use endcap_profile::ProfileRow;
use endcap_profile::dedupe::{Accepted, Block};
use endcap_protocol::UnixMillis;
use serde::{Deserialize, Serialize};

use super::contract::{Access, ErasedProfile, Erasure, ProfileTransfer, Table, Transfer, Upgrade};
use super::meta::DEDUPE_PART;
use super::rows::{pack, unpack};
use crate::objects::shard::store::{Store, bucket};
use crate::platform::error::EdgeError;
use crate::rpc::erasure::ErasedRows;

/// The table.
pub(super) struct DedupeOverflowTable;

impl Table for DedupeOverflowTable {
    fn name(&self) -> &'static str {
        "dedupe_overflow"
    }

    fn schema(&self) -> &'static str {
        "CREATE TABLE IF NOT EXISTS dedupe_overflow(
           profile_id TEXT NOT NULL, fragment_id TEXT NOT NULL, day INTEGER NOT NULL, part INTEGER NOT NULL,
           bucket INTEGER NOT NULL, hashes BLOB NOT NULL,
           PRIMARY KEY(profile_id, fragment_id, day, part)) WITHOUT ROWID, STRICT"
    }

    fn upgrade(&self) -> Upgrade {
        Upgrade::RenamedColumn {
            from: "anonymous_id",
            rename: "ALTER TABLE dedupe_overflow RENAME COLUMN anonymous_id TO fragment_id",
        }
    }

    fn transfer(&self) -> Transfer {
        Transfer::WithProfile(ProfileTransfer {
            take,
            put,
            delete: "DELETE FROM dedupe_overflow WHERE profile_id IN (SELECT value FROM json_each(?))",
            delete_bucket: None,
        })
    }

    fn erasure(&self) -> Erasure {
        Erasure::Beside(erase)
    }

    fn access(&self) -> Access {
        Access::NotShown("hashes of message IDs; the events themselves are shown")
    }
}

#[derive(Debug, Serialize, Deserialize)]
struct Row {
    profile_id: String,
    fragment_id: String,
    day: i64,
    part: i64,
    hashes: Vec<u8>,
}

fn take(store: &Store, profiles: &[String]) -> Result<Vec<u8>, EdgeError> {
    let query = "SELECT profile_id, fragment_id, day, part, hashes FROM dedupe_overflow
                 WHERE profile_id IN (SELECT value FROM json_each(?))";
    let rows = store.db.rows(query, vec![serde_json::to_string(profiles)?.into()])?;
    let read = rows.iter().map(|row| Row {
        profile_id: row.text(0),
        fragment_id: row.text(1),
        day: row.int(2),
        part: row.int(3),
        hashes: row.blob(4),
    });
    pack(&read.collect::<Vec<_>>())
}

fn put(store: &Store, rows: &[u8]) -> Result<(), EdgeError> {
    let rows: Vec<Row> = unpack(rows)?;
    let Some(last) = rows.iter().map(|row| row.part).max() else { return Ok(()) };
    // Parts are numbered within a shard: the next one must not get a number that came along.
    store.set_meta(DEDUPE_PART, store.meta(DEDUPE_PART)?.max(last))?;
    rows.into_iter().try_for_each(|row| store.insert_overflow(row))
}

fn erase(store: &Store, profile: &ErasedProfile<'_>, _: &mut ErasedRows) -> Result<(), EdgeError> {
    let delete = "DELETE FROM dedupe_overflow WHERE profile_id = ?
                  AND fragment_id IN (SELECT value FROM json_each(?))";
    store.db.run(delete, vec![profile.id.into(), serde_json::to_string(profile.fragments)?.into()])
}

impl Store {
    /// Blocks that left the packed row, where any still matter.
    pub(crate) fn overflow(&self, row: &ProfileRow, id: &FragmentId, now: UnixMillis) -> Result<Vec<Block>, EdgeError> {
        if !row.fragments.get(id).is_some_and(|fragment| fragment.messages.has_overflow(now)) {
            return Ok(Vec::new());
        }
        let query = "SELECT day, hashes FROM dedupe_overflow WHERE profile_id = ? AND fragment_id = ? AND day >= ?";
        let since = i64::from(Accepted::oldest_day(now));
        let rows = self.db.rows(query, vec![row.id.as_str().into(), id.as_str().into(), since.into()])?;
        Ok(rows.iter().map(|row| Block { day: row.int(0) as u32, hashes: row.blob(1) }).collect())
    }

    /// Forgets the blocks of a fragment that leaves.
    pub(crate) fn drop_overflow(&self, profile_id: &str, id: &FragmentId) -> Result<(), EdgeError> {
        let delete = "DELETE FROM dedupe_overflow WHERE profile_id = ? AND fragment_id = ?";
        self.db.run(delete, vec![profile_id.into(), id.as_str().into()])
    }

    /// Moves blocks out of a row that holds too many.
    pub(crate) fn spill(&self, row: &mut ProfileRow, id: &FragmentId) -> Result<(), EdgeError> {
        let profile_id = row.id.as_str().to_owned();
        let Some(fragment) = row.fragments.get_mut(id) else { return Ok(()) };
        while let Some(block) = fragment.messages.spill() {
            self.put_overflow(&profile_id, id, block)?;
        }
        Ok(())
    }

    /// Keeps a block outside of its packed row.
    pub(crate) fn put_overflow(&self, profile_id: &str, id: &FragmentId, block: Block) -> Result<(), EdgeError> {
        let part = self.meta(DEDUPE_PART)? + 1;
        self.set_meta(DEDUPE_PART, part)?;
        self.insert_overflow(Row {
            profile_id: profile_id.to_owned(),
            fragment_id: id.as_str().to_owned(),
            day: i64::from(block.day),
            part,
            hashes: block.hashes,
        })
    }

    fn insert_overflow(&self, row: Row) -> Result<(), EdgeError> {
        self.db.run(
            "INSERT INTO dedupe_overflow(profile_id, fragment_id, day, part, bucket, hashes) VALUES(?, ?, ?, ?, ?, ?)",
            vec![
                row.profile_id.as_str().into(),
                row.fragment_id.into(),
                row.day.into(),
                row.part.into(),
                bucket(&row.profile_id).into(),
                row.hashes.into(),
            ],
        )
    }
}
