//! `profile`: one packed row for each profile.

use endcap_engine::person_export::{Belongings, FragmentView};
use endcap_identity::FragmentId;
use endcap_profile::ProfileRow;
use endcap_profile::fragment_rows::{self, Wanted};
use endcap_profile::packed_row::{FORMAT_APART, FORMAT_WITH_TAILS};
use endcap_protocol::{AnonymousId, ProfileId};
use endcap_validation::DomainError;
use serde::{Deserialize, Serialize};

use super::contract::{Access, Erasure, ProfileTransfer, Table, Transfer, Upgrade};
use super::rows::{pack, unpack};
use crate::objects::shard::store::{Store, bucket};
use crate::platform::error::EdgeError;
use crate::platform::{clock, db};
use crate::rpc::erasure::EraseStep;
use crate::rpc::person_export::BelongingsAsk;

/// The table.
pub(super) struct ProfileTable;

impl Table for ProfileTable {
    fn name(&self) -> &'static str {
        "profile"
    }

    fn schema(&self) -> &'static str {
        "CREATE TABLE IF NOT EXISTS profile(
           id TEXT PRIMARY KEY, bucket INTEGER NOT NULL, data BLOB NOT NULL) WITHOUT ROWID, STRICT"
    }

    fn upgrade(&self) -> Upgrade {
        Upgrade::None
    }

    fn transfer(&self) -> Transfer {
        Transfer::WithProfile(ProfileTransfer {
            take,
            put,
            delete: "DELETE FROM profile WHERE id IN (SELECT value FROM json_each(?))",
            delete_bucket: None,
        })
    }

    fn erasure(&self) -> Erasure {
        Erasure::PackedRow
    }

    fn access(&self) -> Access {
        Access::Shown(show)
    }
}

#[derive(Serialize, Deserialize)]
struct Row {
    id: String,
    data: Vec<u8>,
}

fn take(store: &Store, profiles: &[String]) -> Result<Vec<u8>, EdgeError> {
    let query = "SELECT id, data FROM profile WHERE id IN (SELECT value FROM json_each(?))";
    let rows = store.db.rows(query, vec![serde_json::to_string(profiles)?.into()])?;
    pack(&rows.iter().map(|row| Row { id: row.text(0), data: row.blob(1) }).collect::<Vec<_>>())
}

fn put(store: &Store, rows: &[u8]) -> Result<(), EdgeError> {
    unpack(rows)?.into_iter().try_for_each(|Row { id, data }| {
        if ProfileRow::has_tails(&data) {
            store.note_tail(&id, clock::now());
        }
        store.put_packed_row(&id, data)
    })
}

fn show(store: &Store, ask: &BelongingsAsk, shown: &mut Belongings) -> Result<(), EdgeError> {
    for id in &ask.fragments {
        let Some(row) = store.load_with(id.as_str(), Wanted::Named(&ask.fragments))? else { continue };
        let theirs = row.fragments.iter().filter(|(id, _)| ask.fragments.contains(*id));
        shown.fragments.extend(theirs.map(|(id, fragment)| FragmentView::new(id, fragment, &row)));
    }
    Ok(())
}

/// The end of a window of profiles in the order of their IDs.
struct Window {
    /// The last ID of it; empty where there is none.
    last: String,
    /// Profiles in it.
    count: u64,
    /// Whether there may be more after it.
    is_full: bool,
}

impl Window {
    /// The profiles that were found in it. Each row begins with an ID.
    fn found(self, rows: &[db::Row]) -> FoundProfiles {
        let ids = rows.iter().map(|row| row.text(0)).collect();
        FoundProfiles { ids, next: self.is_full.then_some(self.last) }
    }
}

/// Profiles that were found in a window, and where to go on.
pub(crate) struct FoundProfiles {
    /// Their IDs.
    pub(crate) ids: Vec<String>,
    /// The ID after which the next window begins; None at the end.
    pub(crate) next: Option<String>,
}

/// Profiles of a share of the buckets.
pub(crate) struct Share {
    /// Profiles of the window, in whatever bucket.
    pub(crate) passed: u64,
    /// Those that were found.
    pub(crate) found: FoundProfiles,
}

impl Store {
    /// A profile with all its fragments; none of those whose bucket is not here.
    pub(crate) fn load(&self, profile_id: &str) -> Result<Option<ProfileRow>, EdgeError> {
        self.load_with(profile_id, Wanted::All)
    }

    /// A profile with some of its fragments, where they lie apart.
    pub(crate) fn load_with(&self, profile_id: &str, wanted: Wanted<'_>) -> Result<Option<ProfileRow>, EdgeError> {
        // Who is to have one row again has to be read as a whole.
        let wanted = if self.apart_bytes == 0 { Wanted::All } else { wanted };
        match ProfileId::parse(profile_id) {
            Ok(profile) if self.may_read(profile_id) => fragment_rows::load(self, &profile, wanted),
            _ => Ok(None),
        }
    }

    /// A profile with the fragments that a request of a browser may be about.
    pub(crate) fn load_for(
        &self,
        profile: &ProfileId,
        browser: &AnonymousId,
        named: Option<&FragmentId>,
    ) -> Result<Option<ProfileRow>, EdgeError> {
        if self.apart_bytes == 0 || !self.may_read(profile.as_str()) {
            return self.load(profile.as_str());
        }
        fragment_rows::load_for(self, profile, browser, named)
    }

    /// Writes a profile whose bucket is here, as far as it changed since it was read.
    pub(crate) fn save(&self, row: &ProfileRow) -> Result<(), EdgeError> {
        self.may_write(row.id.as_str())?;
        fragment_rows::save(self, row, self.apart_bytes)
    }

    /// Writes a packed row.
    pub(super) fn put_packed_row(&self, id: &str, data: Vec<u8>) -> Result<(), EdgeError> {
        self.rows.keep(id, &data, self.db.undone());
        let written = self.db.run(
            "INSERT INTO profile(id, bucket, data) VALUES(?, ?, ?)
             ON CONFLICT(id) DO UPDATE SET data = excluded.data",
            vec![id.into(), bucket(id).into(), data.into()],
        );
        if written.is_err() {
            self.rows.forget(id);
        }
        written
    }

    /// Whether fragments of some of these profiles lie apart.
    pub(crate) fn has_heads(&self, profiles: &[String]) -> Result<bool, EdgeError> {
        let query =
            "SELECT 1 FROM profile WHERE id IN (SELECT value FROM json_each(?)) AND substr(data, 1, 1) = ? LIMIT 1";
        let bound = vec![serde_json::to_string(profiles)?.into(), vec![FORMAT_APART].into()];
        Ok(self.db.first(query, bound)?.is_some())
    }

    /// Deletes a packed row, and those of fragments that lie apart from it.
    pub(crate) fn drop_row(&self, id: &str) -> Result<(), EdgeError> {
        self.drop_fragments(id)?;
        self.rows.forget(id);
        self.db.run("DELETE FROM profile WHERE id = ?", vec![id.into()])
    }

    /// Bytes of a packed row, and of fragments that lie apart from it.
    pub(crate) fn size_of(&self, id: &str) -> Result<usize, EdgeError> {
        let query = "SELECT length(data) + (SELECT ifnull(sum(length(data) + length(digest)), 0) FROM fragment
                     WHERE profile_id = profile.id) FROM profile WHERE id = ?";
        let row = self.db.first(query, vec![id.into()])?;
        Ok(row.map_or(0, |row| row.int(0).unsigned_abs() as usize))
    }

    /// Profiles of a window.
    pub(crate) fn profiles_after(&self, after: &str, limit: i64) -> Result<FoundProfiles, EdgeError> {
        let window = self.window(after, limit)?;
        let query = "SELECT id FROM profile WHERE id > ? AND id <= ?";
        let rows = self.db.rows(query, vec![after.into(), window.last.as_str().into()])?;
        Ok(window.found(&rows))
    }

    /// Profiles of a window that lie in one of so many buckets.
    pub(crate) fn profiles_of_share(&self, after: &str, limit: i64, share: u16) -> Result<Share, EdgeError> {
        let window = self.window(after, limit)?;
        let query = "SELECT id FROM profile WHERE id > ? AND id <= ? AND bucket % ? = 0";
        let bound = vec![after.into(), window.last.as_str().into(), i64::from(share).into()];
        let rows = self.db.rows(query, bound)?;
        Ok(Share { passed: window.count, found: window.found(&rows) })
    }

    /// Profiles of a window that have events which wait for the log.
    pub(crate) fn with_tails(&self, after: &str, limit: i64) -> Result<FoundProfiles, EdgeError> {
        let window = self.window(after, limit)?;
        let query = "SELECT id FROM profile WHERE id > ? AND id <= ? AND (substr(data, 1, 1) = ?
                     OR (substr(data, 1, 1) = ?
                         AND EXISTS (SELECT 1 FROM fragment WHERE profile_id = profile.id AND has_tail = 1)))";
        let formats = [vec![FORMAT_WITH_TAILS].into(), vec![FORMAT_APART].into()];
        let bound = [after.into(), window.last.as_str().into()].into_iter().chain(formats).collect();
        let rows = self.db.rows(query, bound)?;
        Ok(window.found(&rows))
    }

    /// Where a window of so many profiles ends.
    fn window(&self, after: &str, limit: i64) -> Result<Window, EdgeError> {
        let query = "SELECT max(id), count(*) FROM (SELECT id FROM profile WHERE id > ? ORDER BY id LIMIT ?)";
        let row = self.db.first(query, vec![after.into(), limit.into()])?;
        Ok(row.map_or(Window { last: String::new(), count: 0, is_full: false }, |row| Window {
            last: row.text(0),
            count: row.int(1).unsigned_abs(),
            is_full: row.int(1) == limit,
        }))
    }

    /// Counts the next `limit` profiles after one. Returns how many, and the ID after which to go on, where there may be
    /// more.
    pub(crate) fn count_profiles(&self, after: &str, limit: i64) -> Result<(u64, Option<String>), EdgeError> {
        let window = self.window(after, limit)?;
        Ok((window.count, window.is_full.then_some(window.last)))
    }

    /// Profiles of a bucket out of the next `limit`.
    pub(crate) fn profiles_in(&self, bucket: u16, after: &str, limit: i64) -> Result<FoundProfiles, EdgeError> {
        let window = self.window(after, limit)?;
        let find = "SELECT id FROM profile WHERE id > ? AND id <= ? AND bucket = ?";
        let rows = self.db.rows(find, vec![after.into(), window.last.as_str().into(), i64::from(bucket).into()])?;
        Ok(window.found(&rows))
    }

    /// Profiles that mention a fragment of the person out of the next `limit`. Packed rows hold texts as they are.
    pub(crate) fn mentioning(&self, step: &EraseStep, limit: i64) -> Result<FoundProfiles, EdgeError> {
        let window = self.window(&step.after, limit)?;
        let find = "SELECT id FROM profile WHERE id > ? AND id <= ?
                    AND EXISTS (SELECT 1 FROM json_each(?) WHERE instr(data, CAST(value AS BLOB)) > 0
                      OR EXISTS (SELECT 1 FROM fragment WHERE profile_id = profile.id AND fragment_id = value))";
        let fragments = serde_json::to_string(&step.fragments)?;
        let rows =
            self.db.rows(find, vec![step.after.as_str().into(), window.last.as_str().into(), fragments.into()])?;
        Ok(window.found(&rows))
    }

    /// Writes the format byte of a packed row, for tests of what a newer version leaves. Returns what it was.
    pub(crate) fn set_row_format(&self, id: &str, format: u8) -> Result<u8, EdgeError> {
        let row = self.db.first("SELECT data FROM profile WHERE id = ?", vec![id.into()])?;
        let mut data = row.map(|row| row.blob(0)).unwrap_or_default();
        let byte = data.first_mut().ok_or(DomainError::NotFound("profile"))?;
        let before = std::mem::replace(byte, format);
        self.put_packed_row(id, data)?;
        Ok(before)
    }
}
