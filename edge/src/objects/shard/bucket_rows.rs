//! Rows of profiles on their way to another shard, table by table: taken out of the tables, put into those of the other,
//! and deleted.
//!
//! What is carried when, and why nothing is lost on the way, is told in `bucket_transfer.rs`.

use std::collections::{BTreeMap, BTreeSet};

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use endcap_validation::DomainError;
use worker::SqlStorageValue;

use super::store::Store;
use super::table::all::TABLES;
use super::table::contract::Transfer;
use super::table::fragment::FRAGMENTS;
use crate::platform::error::EdgeError;

/// Packed rows by table.
pub(crate) type BucketRows = BTreeMap<String, String>;

impl Store {
    /// Rows of profiles.
    pub(crate) fn take_profiles(&self, profiles: &[String]) -> Result<BucketRows, EdgeError> {
        self.take(|transfer| match transfer {
            Transfer::WithProfile(rows) => Some((rows.take)(self, profiles)),
            Transfer::WithBucket(_) | Transfer::Copied { .. } | Transfer::Stays(_) => None,
        })
    }

    /// Rows of a bucket that go when it is closed.
    pub(crate) fn take_bucket(&self, bucket: u16) -> Result<BucketRows, EdgeError> {
        self.take(|transfer| match transfer {
            Transfer::WithBucket(rows) => Some((rows.take)(self, bucket)),
            Transfer::WithProfile(_) | Transfer::Copied { .. } | Transfer::Stays(_) => None,
        })
    }

    /// Rows that a shard without any data has to know.
    pub(crate) fn take_copied(&self) -> Result<BucketRows, EdgeError> {
        self.take(|transfer| match transfer {
            Transfer::Copied { take, .. } => Some(take(self)),
            Transfer::WithProfile(_) | Transfer::WithBucket(_) | Transfer::Stays(_) => None,
        })
    }

    fn take(&self, packed: impl Fn(&Transfer) -> Option<Result<Vec<u8>, EdgeError>>) -> Result<BucketRows, EdgeError> {
        let mut rows = BucketRows::new();
        for table in TABLES {
            if let Some(bytes) = packed(&table.transfer()) {
                rows.insert(table.name().to_owned(), BASE64.encode(bytes?));
            }
        }
        Ok(rows)
    }

    /// Puts rows in place of what an earlier chunk brought of the same profiles. Rows of a table that this version does
    /// not know are refused: the transfer is tried again, until both shards run the same version.
    pub(crate) fn put_rows(&self, profiles: &[String], rows: &BucketRows) -> Result<(), EdgeError> {
        let named: SqlStorageValue = serde_json::to_string(profiles)?.into();
        self.rows.clear();
        for table in TABLES {
            if let Transfer::WithProfile(rows) = table.transfer() {
                self.db.run(rows.delete, vec![named.clone()])?;
            }
        }
        let wrong = |what: String| DomainError::Internal(format!("rows of {what} cannot be taken in"));
        for (name, text) in rows {
            let table = TABLES.into_iter().find(|table| table.name() == name);
            let transfer = table.ok_or_else(|| wrong(name.clone()))?.transfer();
            let bytes = BASE64.decode(text).map_err(|error| wrong(format!("{name} ({error})")))?;
            match transfer {
                Transfer::WithProfile(rows) => (rows.put)(self, &bytes)?,
                Transfer::WithBucket(rows) => (rows.put)(self, &bytes)?,
                Transfer::Copied { put, .. } => put(self, &bytes)?,
                Transfer::Stays(_) => return Err(wrong(name.clone()).into()),
            }
        }
        // A version that does not know rows of fragments would leave them behind.
        if !rows.contains_key(FRAGMENTS) && self.has_heads(profiles)? {
            return Err(wrong(format!("{profiles:?} without their fragments")).into());
        }
        Ok(())
    }

    /// Deletes rows of profiles that are gone, as far as they do not go with their bucket.
    pub(crate) fn clear_profiles(&self, profiles: &[String]) -> Result<(), EdgeError> {
        let named: SqlStorageValue = serde_json::to_string(profiles)?.into();
        self.rows.clear();
        TABLES.into_iter().try_for_each(|table| match table.transfer() {
            Transfer::WithProfile(rows) if rows.delete_bucket.is_none() => {
                self.db.run(rows.delete, vec![named.clone()])
            }
            _ => Ok(()),
        })
    }

    /// Deletes what lies beside the profiles of a bucket.
    pub(crate) fn clear_bucket(&self, bucket: u16) -> Result<(), EdgeError> {
        TABLES.into_iter().try_for_each(|table| {
            let delete = match table.transfer() {
                Transfer::WithProfile(rows) => rows.delete_bucket,
                Transfer::WithBucket(rows) => Some(rows.delete),
                Transfer::Copied { .. } | Transfer::Stays(_) => None,
            };
            delete.map_or(Ok(()), |delete| self.db.run(delete, vec![i64::from(bucket).into()]))
        })
    }

    /// The profiles that changed while their bucket is copied, if they are more than so many.
    pub(crate) fn take_changed(&self, more_than: usize) -> BTreeSet<String> {
        let mut changed = self.changed.borrow_mut();
        if changed.len() > more_than { std::mem::take(&mut changed) } else { BTreeSet::new() }
    }
}
