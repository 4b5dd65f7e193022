//! Looking at everybody again once the shop's models were fitted anew, where a segment asks for scores.

use std::time::Duration;

use endcap_engine::shop::Snapshot;
use worker::{Delay, Response};

use super::object::ProfileShard;
use super::store::Store;
use super::table::meta::FIT_LOOKED_AT;
use crate::platform::error::EdgeError;
use crate::platform::{clock, response};
use crate::rpc::fit_published::FitPublished;
use crate::rpc::message::Done;
use crate::rpc::snapshots;

/// How often the newer snapshot is asked for, and the pause between, in milliseconds: it may have been asked for a moment ago.
const TRIES: usize = 3;
const PAUSE_MS: u64 = 1_000;

impl ProfileShard {
    /// Takes note of a new fit. A shard that cannot learn of it now does with the next visit.
    pub(super) async fn fit_published_route(&self, published: &FitPublished) -> Result<Response, EdgeError> {
        for again in 0..TRIES {
            if again > 0 {
                Delay::from(Duration::from_millis(PAUSE_MS)).await;
            }
            let snapshot = snapshots::newer(&self.env, clock::now()).await?;
            if snapshot.scores.fitted_at >= published.fitted_at {
                if self.store.db.transaction(|| self.store.look_by_fit(&snapshot))? {
                    self.arm_at(Some(clock::now())).await?;
                }
                break;
            }
        }
        response::json(&Done {})
    }
}

impl Store {
    /// Has everybody looked at again where the models are newer than those by which they were. Whether that is so.
    pub(super) fn look_by_fit(&self, snapshot: &Snapshot) -> Result<bool, EdgeError> {
        let fitted_at = snapshot.scores.fitted_at;
        if !snapshot.segments.asks_of_fit() || fitted_at <= self.fit_looked_at.get() {
            return Ok(false);
        }
        // Only what is stored is remembered: this transaction may yet fail.
        self.fit_looked_at.set(self.meta(FIT_LOOKED_AT)?);
        if fitted_at <= self.fit_looked_at.get() {
            return Ok(false);
        }
        self.set_meta(FIT_LOOKED_AT, fitted_at)?;
        self.look_once_more()?;
        Ok(true)
    }
}
