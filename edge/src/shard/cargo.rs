//! Rows of profiles on their way to another shard: taken out of the tables, put into those of the other, and deleted.
//!
//! What is carried when, and why nothing is lost on the way, is told in `handover.rs`.

use endcap_protocol::{UnixMillis, bucket_of};
use serde::{Deserialize, Serialize};
use worker::SqlStorageValue;

use super::store::{Store, StoredSubscription};
use crate::fault::Fault;

/// Rows of the table of profiles that are looked through at once for those of a bucket.
const WINDOW: i64 = 5_000;

/// An errand: ID, profile, when it is due, attempts, and what it is.
type ErrandRow = (String, String, UnixMillis, i64, String);

/// Rows, by table.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct Cargo {
    pub(super) profiles: Vec<(String, Vec<u8>)>,
    pub(super) overflow: Vec<OverflowRow>,
    pub(super) timers: Vec<(UnixMillis, String, i64)>,
    pub(super) subscriptions: Vec<(String, StoredSubscription)>,
    pub(super) memberships: Vec<(String, String, UnixMillis)>,
    pub(super) errands: Vec<ErrandRow>,
    pub(super) tombstones: Vec<(String, i64, UnixMillis)>,
}

#[derive(Debug, Serialize, Deserialize)]
pub(super) struct OverflowRow {
    profile_id: String,
    fragment_id: String,
    day: i64,
    part: i64,
    hashes: Vec<u8>,
}

impl Store {
    /// Profiles of a bucket out of the next rows, and where to go on.
    pub(super) fn profiles_in(&self, bucket: u16, after: &str) -> Result<(Vec<String>, Option<String>), Fault> {
        let last = "SELECT max(id), count(*) FROM (SELECT id FROM profile WHERE id > ? ORDER BY id LIMIT ?)";
        let row = self.db.first(last, vec![after.into(), WINDOW.into()])?;
        let (last, count) = row.map_or((String::new(), 0), |row| (row.text(0), row.int(1)));
        let find = "SELECT id FROM profile WHERE id > ? AND id <= ? AND bucket = ?";
        let rows = self.db.rows(find, vec![after.into(), last.as_str().into(), i64::from(bucket).into()])?;
        Ok((rows.iter().map(|row| row.text(0)).collect(), Some(last).filter(|_| count == WINDOW)))
    }

    pub(super) fn size_of(&self, profile_id: &str) -> Result<usize, Fault> {
        let row = self.db.first("SELECT length(data) FROM profile WHERE id = ?", vec![profile_id.into()])?;
        Ok(row.map_or(0, |row| row.int(0).unsigned_abs() as usize))
    }

    /// Profiles with what lies beside them.
    pub(super) fn load_cargo(&self, ids: &[String]) -> Result<Cargo, Fault> {
        let named: SqlStorageValue = serde_json::to_string(ids)?.into();
        let rows = |query| self.db.rows(query, vec![named.clone()]);
        let mut cargo = Cargo::default();
        for row in rows("SELECT id, data FROM profile WHERE id IN (SELECT value FROM json_each(?))")? {
            cargo.profiles.push((row.text(0), row.blob(1)));
        }
        let query = "SELECT profile_id, fragment_id, day, part, hashes FROM dedupe_overflow
                     WHERE profile_id IN (SELECT value FROM json_each(?))";
        for row in rows(query)? {
            let (profile_id, fragment_id) = (row.text(0), row.text(1));
            let (day, part, hashes) = (row.int(2), row.int(3), row.blob(4));
            cargo.overflow.push(OverflowRow { profile_id, fragment_id, day, part, hashes });
        }
        for row in rows("SELECT due, profile_id, kind FROM timer WHERE profile_id IN (SELECT value FROM json_each(?))")?
        {
            cargo.timers.push((row.int(0), row.text(1), row.int(2)));
        }
        let query = "SELECT profile_id, stage, since FROM membership
                     WHERE profile_id IN (SELECT value FROM json_each(?))";
        for row in rows(query)? {
            cargo.memberships.push((row.text(0), row.text(1), row.int(2)));
        }
        for id in ids {
            let stored = self.subscriptions(id)?.into_iter();
            cargo.subscriptions.extend(stored.map(|stored| (id.clone(), stored)));
        }
        Ok(cargo)
    }

    pub(super) fn errands_in(&self, bucket: u16) -> Result<Vec<ErrandRow>, Fault> {
        let query = "SELECT id, profile_id, due, attempts, body FROM outbox WHERE bucket = ?";
        let rows = self.db.rows(query, vec![i64::from(bucket).into()])?;
        Ok(rows.iter().map(|row| (row.text(0), row.text(1), row.int(2), row.int(3), row.text(4))).collect())
    }

    pub(super) fn tombstones(&self) -> Result<Vec<(String, i64, UnixMillis)>, Fault> {
        let rows = self.db.rows("SELECT hash, bucket, holds_until FROM tombstone", Vec::new())?;
        Ok(rows.iter().map(|row| (row.text(0), row.int(1), row.int(2))).collect())
    }

    /// Puts rows in place of what an earlier shipment brought of the same profiles.
    pub(super) fn unload(&self, cargo: &Cargo) -> Result<(), Fault> {
        let ids: Vec<&str> = cargo.profiles.iter().map(|(id, _)| id.as_str()).collect();
        let named = serde_json::to_string(&ids)?;
        for delete in [
            "DELETE FROM dedupe_overflow WHERE profile_id IN (SELECT value FROM json_each(?))",
            "DELETE FROM timer WHERE profile_id IN (SELECT value FROM json_each(?))",
            "DELETE FROM subscription WHERE profile_id IN (SELECT value FROM json_each(?))",
            "DELETE FROM membership WHERE profile_id IN (SELECT value FROM json_each(?))",
        ] {
            self.db.run(delete, vec![named.as_str().into()])?;
        }
        cargo.profiles.iter().try_for_each(|(id, data)| self.put_row(id, data.clone()))?;
        let mut part = self.meta("dedupe_part")?;
        for row in &cargo.overflow {
            part = part.max(row.part);
            self.db.run(
                "INSERT INTO dedupe_overflow(profile_id, fragment_id, day, part, bucket, hashes)
                 VALUES(?, ?, ?, ?, ?, ?)",
                vec![
                    row.profile_id.as_str().into(),
                    row.fragment_id.as_str().into(),
                    row.day.into(),
                    row.part.into(),
                    i64::from(bucket_of(&row.profile_id)).into(),
                    row.hashes.clone().into(),
                ],
            )?;
        }
        if !cargo.overflow.is_empty() {
            // Parts are numbered within a shard: the next one must not get a number that came along.
            self.set_meta("dedupe_part", part)?;
        }
        cargo.timers.iter().try_for_each(|(due, id, kind)| self.put_timer(*due, id, *kind))?;
        cargo.subscriptions.iter().try_for_each(|(id, stored)| self.put_subscription(id, stored))?;
        cargo.memberships.iter().try_for_each(|(id, stage, since)| self.put_membership(id, stage, *since))?;
        cargo.tombstones.iter().try_for_each(|(hash, bucket, until)| self.put_tombstone(hash, *bucket, *until))
    }

    pub(super) fn clear_profiles(&self, ids: &[String]) -> Result<(), Fault> {
        let named = serde_json::to_string(ids)?;
        for delete in [
            "DELETE FROM dedupe_overflow WHERE profile_id IN (SELECT value FROM json_each(?))",
            "DELETE FROM profile WHERE id IN (SELECT value FROM json_each(?))",
        ] {
            self.db.run(delete, vec![named.as_str().into()])?;
        }
        Ok(())
    }

    /// Deletes what lies beside the profiles of a bucket.
    pub(super) fn clear_bucket(&self, bucket: u16) -> Result<(), Fault> {
        for delete in [
            "DELETE FROM timer WHERE bucket = ?",
            "DELETE FROM subscription WHERE bucket = ?",
            "DELETE FROM membership WHERE bucket = ?",
            "DELETE FROM outbox WHERE bucket = ?",
        ] {
            self.db.run(delete, vec![i64::from(bucket).into()])?;
        }
        Ok(())
    }
}
