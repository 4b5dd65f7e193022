//! `tombstone`: the hash of an erased fragment's name. Nothing begins again under it.

use endcap_identity::tombstone;
use endcap_identity::tombstone::{holds_until, still_holds};
use endcap_protocol::{UnixMillis, bucket_of};
use serde::{Deserialize, Serialize};

use super::contract::{Access, Eraser, Erasure, Table, Transfer, Upgrade};
use super::rows::{pack, unpack};
use crate::objects::shard::store::Store;
use crate::platform::error::EdgeError;
use crate::rpc::erasure::ErasedRows;

/// The table.
pub(super) struct TombstoneTable;

impl Table for TombstoneTable {
    fn name(&self) -> &'static str {
        "tombstone"
    }

    fn schema(&self) -> &'static str {
        "CREATE TABLE IF NOT EXISTS tombstone(
           hash TEXT PRIMARY KEY, bucket INTEGER NOT NULL, holds_until INTEGER NOT NULL) WITHOUT ROWID, STRICT"
    }

    fn upgrade(&self) -> Upgrade {
        Upgrade::None
    }

    fn transfer(&self) -> Transfer {
        Transfer::Copied { take, put }
    }

    fn erasure(&self) -> Erasure {
        Erasure::Found(entomb)
    }

    fn access(&self) -> Access {
        Access::NotShown("a hash that says only that somebody was erased")
    }
}

#[derive(Serialize, Deserialize)]
struct Row {
    hash: String,
    bucket: i64,
    holds_until: UnixMillis,
}

fn take(store: &Store) -> Result<Vec<u8>, EdgeError> {
    let rows = store.db.rows("SELECT hash, bucket, holds_until FROM tombstone", Vec::new())?;
    let read = rows.iter().map(|row| Row { hash: row.text(0), bucket: row.int(1), holds_until: row.int(2) });
    pack(&read.collect::<Vec<_>>())
}

fn put(store: &Store, rows: &[u8]) -> Result<(), EdgeError> {
    unpack(rows)?.into_iter().try_for_each(|row| store.put_tombstone(row))
}

/// Writes tombstones. Those of fragments at home elsewhere keep out what is on its way from here.
fn entomb(eraser: &Eraser<'_>, _: &mut ErasedRows) -> Result<(), EdgeError> {
    let store = eraser.store;
    store.db.transaction(|| {
        eraser.step.fragments.iter().try_for_each(|id| {
            store.put_tombstone(Row {
                hash: tombstone(id.as_str(), eraser.pepper),
                bucket: i64::from(bucket_of(id.as_str())),
                holds_until: holds_until(id, eraser.now).unwrap_or_default(),
            })
        })
    })
}

impl Store {
    fn put_tombstone(&self, row: Row) -> Result<(), EdgeError> {
        self.db.run(
            "INSERT INTO tombstone(hash, bucket, holds_until) VALUES(?, ?, ?)
             ON CONFLICT(hash) DO UPDATE SET holds_until = excluded.holds_until",
            vec![row.hash.into(), row.bucket.into(), row.holds_until.into()],
        )
    }

    /// Whether a tombstone stands under a name.
    pub(crate) fn is_entombed(&self, name: &str, pepper: &[u8], now: UnixMillis) -> Result<bool, EdgeError> {
        let query = "SELECT holds_until FROM tombstone WHERE hash = ?";
        let held = self.db.first(query, vec![tombstone(name, pepper).into()])?;
        Ok(held.is_some_and(|row| still_holds(row.int(0), now)))
    }
}
