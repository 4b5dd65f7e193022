//! Moving a bucket to another shard while its visitors go on.
//!
//! The registry asks the shard that has the bucket, again and again, until the transfer is done (`shop/registry.rs`).
//! Each try has a name, its session. (1) The other shard notes that the bucket is arriving; from then on it refuses
//! chunks of earlier tries. (2) This shard goes on serving. It copies profiles with their rows in other tables, then
//! those that changed meanwhile, until few are left. (3) It closes the bucket, and requests wait. (4) The other shard
//! takes in the last changes and opens the bucket, in one transaction. (5) This shard notes that the bucket is gone,
//! forwards requests that still come, and deletes its rows. A try that failed begins again at (1), whose answer says
//! whether (4) happened. Each table says itself which of its rows move and which stay where they were written
//! (`table/`).

use std::time::Duration;

use endcap_engine::layout::placement::Move;
use endcap_engine::layout::{BucketOwner, BucketState};
use endcap_validation::DomainError;
use worker::{Delay, Response, Stub};

use super::bucket_rows::BucketRows;
use super::object::ProfileShard;
use super::store::Store;
use super::table::meta::TOMBSTONES_KNOWN;
use crate::platform::error::EdgeError;
use crate::platform::{clock, response};
use crate::rpc::bucket_transfer::{MoveBucket, TransferAccepted, TransferAnnouncement, TransferChunk};
use crate::rpc::message::Done;
use crate::rpc::{call, namespace};

/// Rows of the table of profiles that are looked through at once for those of a bucket.
const WINDOW: i64 = 5_000;
/// Bytes of one chunk, but for its last profile.
const CHUNK: usize = 1024 * 1024;
/// Changed profiles that may be left when the bucket is closed, and how often they are copied before that.
const LEFT: usize = 20;
const ROUNDS: usize = 10;

impl ProfileShard {
    /// Hands a bucket over, and answers when nothing of it is left here.
    pub(super) async fn move_route(&self, ask: &MoveBucket) -> Result<Response, EdgeError> {
        let order = ask.order;
        if !self.store.bucket_state(order.bucket).is_some_and(|state| state.is_taken_by(&order)) {
            self.hand_over(&order).await?;
        }
        self.clear_out(&order).await?;
        response::json(&Done {})
    }

    async fn hand_over(&self, order: &Move) -> Result<(), EdgeError> {
        if matches!(self.owner(order.bucket)?, BucketOwner::At(_)) {
            return Err(DomainError::Internal(format!("bucket {} is not here", order.bucket)).into());
        }
        let session = u64::from_le_bytes(clock::random()?).to_string();
        let to = namespace::numbered_shard(&self.env, order.to)?;
        let announcement = TransferAnnouncement { order: *order, session: session.clone() };
        let accepted = call::ask(&to, &announcement).await?;
        if !accepted.here {
            let transfer = Transfer { store: &self.store, to, order: *order, session };
            transfer.copy(accepted.lacks_tombstones).await?;
            transfer.close().await?;
        }
        let gone = BucketState::Gone { to: order.to, number: order.number };
        self.store.transfer_transaction(|| self.store.set_bucket_state(order.bucket, gone))
    }

    /// Deletes what is left of a bucket that is gone, a bounded part at a time. It may come back meanwhile, if another
    /// request asked for the same and was faster.
    async fn clear_out(&self, order: &Move) -> Result<(), EdgeError> {
        let mut after = String::new();
        loop {
            let found = self.store.profiles_in(order.bucket, &after, WINDOW)?;
            self.store.db.transaction(|| self.store.if_gone(order, || self.store.clear_profiles(&found.ids)))?;
            let Some(next) = found.next else { break };
            after = next;
            Delay::from(Duration::ZERO).await;
        }
        self.store.db.transaction(|| self.store.if_gone(order, || self.store.clear_bucket(order.bucket)))
    }

    /// A bucket is announced.
    pub(super) fn arrive_route(&self, announcement: TransferAnnouncement) -> Result<Response, EdgeError> {
        let TransferAnnouncement { order, session } = announcement;
        let here = self.store.bucket_state(order.bucket).is_some_and(|state| state.is_brought_by(&order));
        if !here {
            if self.owner(order.bucket)? == BucketOwner::Here {
                return Err(DomainError::Internal(format!("bucket {} is here already", order.bucket)).into());
            }
            self.store.transfer_transaction(|| {
                // What an earlier try brought comes again.
                self.store.clear_bucket(order.bucket)?;
                self.store.set_bucket_state(order.bucket, BucketState::Arriving { session })
            })?;
        }
        response::json(&TransferAccepted { here, lacks_tombstones: self.store.meta(TOMBSTONES_KNOWN)? == 0 })
    }

    /// Part of a bucket arrives.
    pub(super) async fn take_route(&self, chunk: &TransferChunk) -> Result<Response, EdgeError> {
        let order = chunk.order;
        let due = self.store.transfer_transaction(|| {
            let state = self.store.bucket_state(order.bucket);
            if chunk.last && state.as_ref().is_some_and(|state| state.is_brought_by(&order)) {
                return Ok(None);
            }
            if !state.is_some_and(|state| state.is_of(&chunk.session)) {
                return Err(DomainError::Moving.into());
            }
            self.store.put_rows(&chunk.profiles, &chunk.rows)?;
            if !chunk.last {
                return Ok(None);
            }
            self.store.set_meta(TOMBSTONES_KNOWN, 1)?;
            self.store.set_bucket_state(order.bucket, BucketState::Here { number: order.number })?;
            self.store.refill()?;
            self.next_due(clock::now())
        })?;
        self.arm_at(due).await?;
        response::json(&Done {})
    }
}

impl Store {
    /// Runs `work` if the bucket that this move took away has not come back.
    fn if_gone(&self, order: &Move, work: impl FnOnce() -> Result<(), EdgeError>) -> Result<(), EdgeError> {
        let gone = self.bucket_state(order.bucket).is_some_and(|state| state.is_taken_by(order));
        if gone { work() } else { Ok(()) }
    }
}

/// One try to hand a bucket over.
struct Transfer<'a> {
    store: &'a Store,
    to: Stub,
    order: Move,
    session: String,
}

impl Transfer<'_> {
    /// Copies the bucket while it is served.
    async fn copy(&self, with_tombstones: bool) -> Result<(), EdgeError> {
        let bucket = self.order.bucket;
        self.store.changed.borrow_mut().clear();
        let leaving = BucketState::Leaving { session: self.session.clone() };
        self.store.transfer_transaction(|| self.store.set_bucket_state(bucket, leaving))?;
        if with_tombstones {
            self.send(Vec::new(), self.store.take_copied()?, false).await?;
        }
        let mut after = String::new();
        loop {
            let found = self.store.profiles_in(bucket, &after, WINDOW)?;
            self.send_profiles(found.ids).await?;
            let Some(next) = found.next else { break };
            after = next;
        }
        for _ in 0..ROUNDS {
            let changed = self.store.take_changed(LEFT);
            if changed.is_empty() {
                break;
            }
            self.send_profiles(changed).await?;
        }
        Ok(())
    }

    /// Closes the bucket, and has the other shard open it.
    async fn close(&self) -> Result<(), EdgeError> {
        let bucket = self.order.bucket;
        let (profiles, rows) = self.store.transfer_transaction(|| {
            self.check()?;
            let profiles: Vec<String> = self.store.take_changed(0).into_iter().collect();
            let mut rows = self.store.take_profiles(&profiles)?;
            rows.extend(self.store.take_bucket(bucket)?);
            self.store.set_bucket_state(bucket, BucketState::Closed { session: self.session.clone() })?;
            Ok((profiles, rows))
        })?;
        self.send(profiles, rows, true).await
    }

    /// A later try took over: it copies again what this one did.
    fn check(&self) -> Result<(), EdgeError> {
        let ours = self.store.bucket_state(self.order.bucket).is_some_and(|state| state.is_of(&self.session));
        if ours { Ok(()) } else { Err(DomainError::Moving.into()) }
    }

    async fn send_profiles(&self, ids: impl IntoIterator<Item = String>) -> Result<(), EdgeError> {
        let (mut held, mut bytes) = (Vec::new(), 0);
        for id in ids {
            bytes += self.store.size_of(&id)?;
            held.push(id);
            if bytes > CHUNK {
                let profiles = std::mem::take(&mut held);
                let rows = self.store.take_profiles(&profiles)?;
                self.send(profiles, rows, false).await?;
                bytes = 0;
            }
        }
        if held.is_empty() {
            return Ok(());
        }
        let rows = self.store.take_profiles(&held)?;
        self.send(held, rows, false).await
    }

    async fn send(&self, profiles: Vec<String>, rows: BucketRows, last: bool) -> Result<(), EdgeError> {
        let (order, session) = (self.order, self.session.clone());
        call::ask(&self.to, &TransferChunk { order, session, rows, profiles, last }).await?;
        if last { Ok(()) } else { self.check() }
    }
}
