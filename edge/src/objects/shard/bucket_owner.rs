//! Which shard answers for a bucket. A request cannot be trusted to say.

use std::time::Duration;

use endcap_engine::layout::BucketOwner;
use endcap_validation::DomainError;
use worker::{Delay, Stub};

use super::object::ProfileShard;
use crate::platform::error::EdgeError;
use crate::rpc::namespace::Kind;
use crate::rpc::{namespace, placement};

/// How long a request waits for a bucket that is closed: so many times, so many milliseconds.
const WAITS: usize = 200;
const WAIT_MS: u64 = 20;

impl ProfileShard {
    /// Whether this object holds a bucket.
    pub(super) fn owns(&self, bucket: u16) -> Result<bool, EdgeError> {
        Ok(self.owner(bucket)? == BucketOwner::Here)
    }

    /// Which shard answers for a bucket.
    pub(super) fn owner(&self, bucket: u16) -> Result<BucketOwner, EdgeError> {
        if let Some(owner) = self.store.bucket_owner(bucket) {
            return Ok(owner);
        }
        let placement = placement::placement()?;
        if self.is_number(placement.first_shard_of(bucket))? {
            return Ok(BucketOwner::Here);
        }
        Ok(BucketOwner::At(placement.shard_of(bucket)))
    }

    /// The shard that answers for a bucket, where it is not this one. Waits for one that is just being handed over.
    pub(super) async fn elsewhere(&self, bucket: u16) -> Result<Option<Stub>, EdgeError> {
        for _ in 0..WAITS {
            match self.owner(bucket)? {
                BucketOwner::Here => return Ok(None),
                BucketOwner::At(number) if self.is_number(number)? => break,
                BucketOwner::At(number) => return Ok(Some(namespace::numbered_shard(&self.env, number)?)),
                BucketOwner::Soon => Delay::from(Duration::from_millis(WAIT_MS)).await,
            }
        }
        Err(DomainError::Moving.into())
    }

    /// Whether this object is the shard of a number, which it does not know itself.
    pub(super) fn is_number(&self, number: u16) -> Result<bool, EdgeError> {
        if let Some(known) = self.ours.borrow().get(&number) {
            return Ok(*known);
        }
        let namespace = namespace::namespace(&self.env, Kind::Shard)?;
        let id = namespace.id_from_name(&namespace::shard_name(number))?;
        let is = id.to_string() == self.state.id().to_string();
        self.ours.borrow_mut().insert(number, is);
        Ok(is)
    }
}
