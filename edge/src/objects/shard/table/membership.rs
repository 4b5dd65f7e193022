//! `membership`: one profile's lifecycle stage.

use endcap_protocol::UnixMillis;
use serde::{Deserialize, Serialize};

use super::contract::{Access, ErasedProfile, Erasure, ProfileTransfer, Table, Transfer, Upgrade};
use super::rows::{pack, unpack};
use crate::objects::shard::store::{Store, bucket};
use crate::platform::error::EdgeError;
use crate::rpc::erasure::ErasedRows;

/// The table.
pub(super) struct MembershipTable;

impl Table for MembershipTable {
    fn name(&self) -> &'static str {
        "membership"
    }

    fn schema(&self) -> &'static str {
        "CREATE TABLE IF NOT EXISTS membership(
           profile_id TEXT PRIMARY KEY, bucket INTEGER NOT NULL, stage TEXT NOT NULL, since INTEGER NOT NULL)
           WITHOUT ROWID, STRICT"
    }

    fn upgrade(&self) -> Upgrade {
        Upgrade::None
    }

    fn transfer(&self) -> Transfer {
        Transfer::WithProfile(ProfileTransfer {
            take,
            put,
            delete: "DELETE FROM membership WHERE profile_id IN (SELECT value FROM json_each(?))",
            delete_bucket: Some("DELETE FROM membership WHERE bucket = ?"),
        })
    }

    fn erasure(&self) -> Erasure {
        Erasure::Beside(erase)
    }

    fn access(&self) -> Access {
        Access::NotShown("the profile itself shows the stage and its history")
    }
}

#[derive(Serialize, Deserialize)]
struct Row {
    profile_id: String,
    stage: String,
    since: UnixMillis,
}

fn take(store: &Store, profiles: &[String]) -> Result<Vec<u8>, EdgeError> {
    let query = "SELECT profile_id, stage, since FROM membership WHERE profile_id IN (SELECT value FROM json_each(?))";
    let rows = store.db.rows(query, vec![serde_json::to_string(profiles)?.into()])?;
    let read = rows.iter().map(|row| Row { profile_id: row.text(0), stage: row.text(1), since: row.int(2) });
    pack(&read.collect::<Vec<_>>())
}

fn put(store: &Store, rows: &[u8]) -> Result<(), EdgeError> {
    unpack::<Row>(rows)?.iter().try_for_each(|row| store.put_membership(&row.profile_id, &row.stage, row.since))
}

fn erase(store: &Store, profile: &ErasedProfile<'_>, _: &mut ErasedRows) -> Result<(), EdgeError> {
    if profile.is_gone { store.drop_membership(profile.id) } else { Ok(()) }
}

impl Store {
    /// Notes a profile's lifecycle stage.
    pub(crate) fn put_membership(&self, profile_id: &str, stage: &str, since: UnixMillis) -> Result<(), EdgeError> {
        self.db.run(
            "INSERT INTO membership(profile_id, bucket, stage, since) VALUES(?, ?, ?, ?)
             ON CONFLICT(profile_id) DO UPDATE SET stage = excluded.stage, since = excluded.since",
            vec![profile_id.into(), bucket(profile_id).into(), stage.into(), since.into()],
        )
    }

    /// Forgets a profile's stage.
    pub(crate) fn drop_membership(&self, profile_id: &str) -> Result<(), EdgeError> {
        self.db.run("DELETE FROM membership WHERE profile_id = ?", vec![profile_id.into()])
    }
}
