//! `holding`: the state of a bucket that moved or moves. What has no row is where the placement says.

use endcap_engine::layout::{BucketOwner, BucketState};
use endcap_protocol::bucket_of;
use endcap_validation::DomainError;

use super::contract::{Access, Erasure, Table, Transfer, Upgrade};
use crate::objects::shard::store::Store;
use crate::platform::db::Row;
use crate::platform::error::EdgeError;

/// The table.
pub(super) struct HoldingTable;

impl Table for HoldingTable {
    fn name(&self) -> &'static str {
        "holding"
    }

    fn schema(&self) -> &'static str {
        "CREATE TABLE IF NOT EXISTS holding(
           bucket INTEGER PRIMARY KEY, state TEXT NOT NULL, body TEXT NOT NULL) STRICT;
         CREATE VIEW IF NOT EXISTS unserved(bucket) AS
           SELECT bucket FROM holding WHERE state IN ('closed', 'gone', 'arriving')"
    }

    fn upgrade(&self) -> Upgrade {
        Upgrade::None
    }

    fn transfer(&self) -> Transfer {
        Transfer::Stays("each shard knows its own side of a transfer")
    }

    fn erasure(&self) -> Erasure {
        Erasure::NothingPersonal("numbers of buckets")
    }

    fn access(&self) -> Access {
        Access::NotShown("numbers of buckets")
    }
}

impl Store {
    /// The state of a bucket that moved or moves.
    pub(crate) fn bucket_state(&self, bucket: u16) -> Option<BucketState> {
        self.bucket_states.borrow().get(&bucket).cloned()
    }

    /// Who answers for a bucket that moved or moves.
    pub(crate) fn bucket_owner(&self, bucket: u16) -> Option<BucketOwner> {
        self.bucket_states.borrow().get(&bucket).map(BucketState::owner)
    }

    /// Whether this shard is giving a bucket away at this moment.
    pub(crate) fn is_leaving(&self) -> bool {
        self.bucket_states.borrow().values().any(BucketState::is_leaving)
    }

    /// Reads the states of buckets.
    pub(crate) fn load_bucket_states(&self) -> Result<(), EdgeError> {
        let rows = self.db.rows("SELECT bucket, body FROM holding", Vec::new())?;
        let read = |row: &Row| Ok((row.int(0) as u16, serde_json::from_str(&row.text(1))?));
        let states: Result<_, EdgeError> = rows.iter().map(read).collect();
        self.bucket_states.replace(states?);
        Ok(())
    }

    /// A transaction that changes states of buckets. The copies in memory change at once, so they are read again from
    /// the table if it fails.
    pub(crate) fn transfer_transaction<T>(&self, work: impl FnOnce() -> Result<T, EdgeError>) -> Result<T, EdgeError> {
        let done = self.db.transaction(work);
        if done.is_err() {
            self.load_bucket_states()?;
        }
        done
    }

    /// Sets the state of a bucket.
    pub(crate) fn set_bucket_state(&self, bucket: u16, state: BucketState) -> Result<(), EdgeError> {
        self.db.run(
            "INSERT INTO holding(bucket, state, body) VALUES(?, ?, ?)
             ON CONFLICT(bucket) DO UPDATE SET state = excluded.state, body = excluded.body",
            vec![i64::from(bucket).into(), state.state().into(), serde_json::to_string(&state)?.into()],
        )?;
        self.bucket_states.borrow_mut().insert(bucket, state);
        Ok(())
    }

    /// Looked at before a profile is written: refuses one whose bucket is not served here, and notes one that is being
    /// copied.
    pub(crate) fn may_write(&self, profile_id: &str) -> Result<(), EdgeError> {
        let states = self.bucket_states.borrow();
        if states.is_empty() {
            return Ok(());
        }
        match states.get(&bucket_of(profile_id)) {
            None | Some(BucketState::Here { .. }) => Ok(()),
            Some(BucketState::Leaving { .. }) => {
                self.changed.borrow_mut().insert(profile_id.to_owned());
                Ok(())
            }
            Some(_) => Err(DomainError::Moving.into()),
        }
    }

    /// Whether the rows of a profile's bucket can be read here.
    pub(crate) fn may_read(&self, profile_id: &str) -> bool {
        let states = self.bucket_states.borrow();
        states.is_empty() || states.get(&bucket_of(profile_id)).is_none_or(BucketState::is_readable)
    }
}
