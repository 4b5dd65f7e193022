//! `fragment`: rows of fragments that lie apart from their profile's row (`edge/profile/src/apart.rs`).
//!
//! The digest comes before the packed row, so that who reads only that reads little.

use endcap_identity::FragmentId;
use endcap_profile::digest_cache::DigestCache;
use endcap_profile::fragment_rows::{FragmentRow, FragmentRows, Wanted};
use endcap_protocol::ProfileId;
use serde::{Deserialize, Serialize};
use worker::SqlStorageValue;

use super::contract::{Access, Erasure, ProfileTransfer, Table, Transfer, Upgrade};
use super::rows::{pack, unpack};
use crate::objects::shard::store::{Store, bucket};
use crate::platform::error::EdgeError;
use crate::platform::{clock, db};

/// Its name.
pub(crate) const FRAGMENTS: &str = "fragment";

/// The table.
pub(super) struct FragmentTable;

impl Table for FragmentTable {
    fn name(&self) -> &'static str {
        FRAGMENTS
    }

    fn schema(&self) -> &'static str {
        "CREATE TABLE IF NOT EXISTS fragment(
           profile_id TEXT NOT NULL, fragment_id TEXT NOT NULL, bucket INTEGER NOT NULL, open_browser TEXT NOT NULL,
           has_tail INTEGER NOT NULL, digest BLOB NOT NULL, data BLOB NOT NULL,
           PRIMARY KEY(profile_id, fragment_id)) WITHOUT ROWID, STRICT"
    }

    fn upgrade(&self) -> Upgrade {
        Upgrade::None
    }

    fn transfer(&self) -> Transfer {
        Transfer::WithProfile(ProfileTransfer {
            take,
            put,
            delete: "DELETE FROM fragment WHERE profile_id IN (SELECT value FROM json_each(?))",
            // Also those whose profile a version moved that does not know them.
            delete_bucket: Some("DELETE FROM fragment WHERE bucket = ?"),
        })
    }

    fn erasure(&self) -> Erasure {
        Erasure::PackedRow
    }

    fn access(&self) -> Access {
        Access::NotShown("its fragments are shown with their profile")
    }
}

#[derive(Serialize, Deserialize)]
struct Row {
    profile_id: String,
    fragment_id: String,
    open_browser: String,
    has_tail: bool,
    digest: Vec<u8>,
    data: Vec<u8>,
}

fn take(store: &Store, profiles: &[String]) -> Result<Vec<u8>, EdgeError> {
    let query = "SELECT profile_id, fragment_id, open_browser, has_tail, digest, data FROM fragment
                 WHERE profile_id IN (SELECT value FROM json_each(?))";
    let rows = store.db.rows(query, vec![serde_json::to_string(profiles)?.into()])?;
    let read = rows.iter().map(|row| Row {
        profile_id: row.text(0),
        fragment_id: row.text(1),
        open_browser: row.text(2),
        has_tail: row.int(3) != 0,
        digest: row.blob(4),
        data: row.blob(5),
    });
    pack(&read.collect::<Vec<_>>())
}

fn put(store: &Store, rows: &[u8]) -> Result<(), EdgeError> {
    store.digests.clear();
    unpack(rows)?.into_iter().try_for_each(|row: Row| {
        if row.has_tail {
            store.note_tail(&row.profile_id, clock::now());
        }
        store.insert_fragment(row)
    })
}

/// A fragment's name and packed bytes.
fn named(row: &db::Row) -> Result<(FragmentId, Vec<u8>), EdgeError> {
    Ok((FragmentId::parse(&row.text(0))?, row.blob(1)))
}

impl FragmentRows for Store {
    type Error = EdgeError;

    fn row(&self, profile: &ProfileId) -> Result<Option<Vec<u8>>, EdgeError> {
        if let Some(known) = self.rows.get(profile, self.db.undone()) {
            return Ok(Some(known));
        }
        let row = self.db.first("SELECT data FROM profile WHERE id = ?", vec![profile.as_str().into()])?;
        let data = row.map(|row| row.blob(0));
        if let Some(data) = &data {
            self.rows.keep(profile.as_str(), data, self.db.undone());
        }
        Ok(data)
    }

    fn fragments(&self, profile: &ProfileId, wanted: Wanted<'_>) -> Result<Vec<(FragmentId, Vec<u8>)>, EdgeError> {
        let (query, value): (&'static str, Option<SqlStorageValue>) = match wanted {
            Wanted::All => ("SELECT fragment_id, data FROM fragment WHERE profile_id = ?", None),
            Wanted::Named(names) => (
                "SELECT fragment_id, data FROM fragment WHERE profile_id = ?
                 AND fragment_id IN (SELECT value FROM json_each(?))",
                Some(serde_json::to_string(names)?.into()),
            ),
            Wanted::OpenOf(browser) => (
                "SELECT fragment_id, data FROM fragment WHERE profile_id = ? AND open_browser = ?",
                Some(browser.as_str().into()),
            ),
            Wanted::WithTails => ("SELECT fragment_id, data FROM fragment WHERE profile_id = ? AND has_tail = 1", None),
            Wanted::Mentioning(text) => (
                "SELECT fragment_id, data FROM fragment WHERE profile_id = ? AND instr(data, CAST(? AS BLOB)) > 0",
                Some(text.into()),
            ),
        };
        let bound = std::iter::once(profile.as_str().into()).chain(value).collect();
        self.db.rows(query, bound)?.iter().map(named).collect()
    }

    fn digests(&self, profile: &ProfileId) -> Result<Vec<Vec<u8>>, EdgeError> {
        let query = "SELECT digest FROM fragment WHERE profile_id = ? AND length(digest) > 0";
        Ok(self.db.rows(query, vec![profile.as_str().into()])?.iter().map(|row| row.blob(0)).collect())
    }

    fn cache(&self) -> &DigestCache {
        &self.digests
    }

    fn put_row(&self, profile: &ProfileId, data: Vec<u8>) -> Result<(), EdgeError> {
        self.put_packed_row(profile.as_str(), data)
    }

    fn put_fragment(&self, profile: &ProfileId, row: FragmentRow) -> Result<(), EdgeError> {
        let FragmentRow { id, open_browser, has_tail, digest, data } = row;
        let (profile_id, fragment_id) = (profile.as_str().to_owned(), id.as_str().to_owned());
        self.insert_fragment(Row { profile_id, fragment_id, open_browser, has_tail, digest, data })
    }

    fn drop_fragment(&self, profile: &ProfileId, id: &FragmentId) -> Result<(), EdgeError> {
        let delete = "DELETE FROM fragment WHERE profile_id = ? AND fragment_id = ?";
        self.db.run(delete, vec![profile.as_str().into(), id.as_str().into()])
    }
}

impl Store {
    fn insert_fragment(&self, row: Row) -> Result<(), EdgeError> {
        let bucket = bucket(&row.profile_id);
        self.db.run(
            "INSERT INTO fragment(profile_id, fragment_id, bucket, open_browser, has_tail, digest, data)
             VALUES(?, ?, ?, ?, ?, ?, ?)
             ON CONFLICT(profile_id, fragment_id) DO UPDATE SET open_browser = excluded.open_browser,
               has_tail = excluded.has_tail, digest = excluded.digest, data = excluded.data",
            vec![
                row.profile_id.into(),
                row.fragment_id.into(),
                bucket.into(),
                row.open_browser.into(),
                i64::from(row.has_tail).into(),
                row.digest.into(),
                row.data.into(),
            ],
        )
    }

    /// Deletes the rows of all fragments of a profile.
    pub(super) fn drop_fragments(&self, profile_id: &str) -> Result<(), EdgeError> {
        self.digests.clear();
        self.db.run("DELETE FROM fragment WHERE profile_id = ?", vec![profile_id.into()])
    }
}
