//! The registry: with which layout data was written, where every bucket is, and moving buckets when a shop wants more or
//! fewer shards, or a shard carries too much.
//!
//! It is the one object that is found without knowing either, and holds nothing of anybody's. A move is recorded before it
//! begins, and ends before another begins; its steps may all run twice (`shard/bucket_transfer.rs`), so the alarm goes on with
//! it after a crash anywhere.

use std::time::Duration;

use endcap_engine::layout::growth::{Growth, Sharding, ShardsStatus};
use endcap_engine::layout::{Layout, Placement};
use endcap_protocol::UnixMillis;
use worker::{Delay, Response};

use super::object::Shop;
use crate::platform::config::config;
use crate::platform::error::EdgeError;
use crate::platform::{clock, response};
use crate::rpc::bucket_transfer::MoveBucket;
use crate::rpc::health::ReportLoad;
use crate::rpc::message::Done;
use crate::rpc::placement::{LayoutAsk, LayoutKnown, Use};
use crate::rpc::shop::PutShards;
use crate::rpc::{call, namespace};

/// How long one run of the alarm moves buckets, in milliseconds.
const RUN_MS: UnixMillis = 20_000;
/// The pause after a move, in milliseconds.
const REST_MS: u64 = 2;
/// The pause between runs, and after a move that failed, in milliseconds.
const PAUSE_MS: UnixMillis = 1_000;

impl Shop {
    fn written(&self) -> Result<Option<Layout>, EdgeError> {
        Ok(self.meta("layout")?.map(|text| serde_json::from_str(&text)).transpose()?)
    }

    /// Where buckets are. If no placement is stored, the number of shards that data was first written with decides.
    fn placement(&self) -> Result<Placement, EdgeError> {
        if let Some(text) = self.meta("placement")? {
            return Ok(serde_json::from_str(&text)?);
        }
        let begun_with = self.written()?.map_or_else(|| config(&self.env).layout.shards, |layout| layout.shards);
        Ok(Placement::new(begun_with))
    }

    fn place(&self, placement: &Placement) -> Result<(), EdgeError> {
        self.set_meta("placement", &serde_json::to_string(placement)?)
    }

    /// Says with which layout data was written and where it is, and remembers the layout that writes first.
    pub(super) fn layout(&self, ask: &LayoutAsk) -> Result<Response, EdgeError> {
        let written = self.written()?;
        if written.is_none() && ask.needed == Use::Write {
            let text = serde_json::to_string(&ask.layout)?;
            self.db.transaction(|| self.set_meta("layout", &text))?;
        }
        response::json(&LayoutKnown { written, placement: self.placement()? })
    }

    /// How far a change of the number of shards has come.
    pub(super) fn get_shards(&self) -> Result<Response, EdgeError> {
        response::json(&self.status(&self.placement()?)?)
    }

    fn status(&self, placement: &Placement) -> Result<ShardsStatus, EdgeError> {
        let config = config(&self.env);
        Ok(ShardsStatus {
            view: placement.view(),
            sharding: config.sharding,
            limits: config.shard_limits,
            last_growth: self.growth()?.last(),
        })
    }

    fn growth(&self) -> Result<Growth, EdgeError> {
        Ok(self.meta("growth")?.map(|text| serde_json::from_str(&text)).transpose()?.unwrap_or_default())
    }

    /// A shard carries more than it should: it may get company.
    pub(super) fn hear_load(&self, report: &ReportLoad) -> Result<Response, EdgeError> {
        let ReportLoad(load) = report;
        let config = config(&self.env);
        let (mut placement, mut growth) = (self.placement()?, self.growth()?);
        let wanted = growth.hear(*load, &config.shard_limits, config.log_ms(), &placement, clock::now());
        if let Some(wanted) = wanted.filter(|_| config.sharding == Sharding::Automatic) {
            placement.want(wanted);
            let growth = serde_json::to_string(&growth)?;
            self.db.transaction(|| {
                self.place(&placement)?;
                self.set_meta("growth", &growth)
            })?;
            drop(self.db.set_alarm(clock::now())?);
            worker::console_log!("{}", serde_json::json!({ "endcap": "growth", "shards": wanted, "cause": load }));
        }
        response::json(&Done {})
    }

    /// Another number of shards: buckets begin to move.
    pub(super) fn put_shards(&self, put: &PutShards) -> Result<Response, EdgeError> {
        let PutShards(wanted) = put;
        let mut placement = self.placement()?;
        placement.want(wanted.shards);
        self.db.transaction(|| self.place(&placement))?;
        drop(self.db.set_alarm(clock::now())?);
        response::json(&self.status(&placement)?)
    }

    /// Moves buckets for a while. The alarm is set again as long as there are more.
    async fn move_buckets(&self) -> Result<(), EdgeError> {
        let until = clock::now() + RUN_MS;
        if self.placement()?.is_settled() {
            return Ok(());
        }
        // It rings when this run is over, or after a crash in the middle of it.
        drop(self.db.set_alarm(clock::now() + PAUSE_MS)?);
        while self.move_bucket().await? {
            // Where all objects share one thread, as in local development, they would leave no time to anybody else.
            Delay::from(Duration::from_millis(REST_MS)).await;
            if clock::now() > until {
                break;
            }
        }
        Ok(())
    }

    /// Moves one bucket. False when all are where they are wanted.
    async fn move_bucket(&self) -> Result<bool, EdgeError> {
        let mut placement = self.placement()?;
        let Some(next) = placement.begin() else { return Ok(false) };
        self.db.transaction(|| self.place(&placement))?;
        let holder = namespace::numbered_shard(&self.env, next.from)?;
        call::ask(&holder, &MoveBucket { order: next }).await?;
        // Another number may be wanted by now.
        let mut placement = self.placement()?;
        placement.end(&next);
        self.db.transaction(|| self.place(&placement))?;
        Ok(true)
    }

    /// The alarm: goes on moving, and tries again what failed; in the object of the models it goes on fitting.
    pub(super) async fn on_alarm(&self) -> Result<(), EdgeError> {
        if let Err(error) = self.move_buckets().await {
            worker::console_error!("moving a bucket: {error}");
            // Where nothing was even begun, no alarm is set yet.
            drop(self.db.set_alarm(clock::now() + PAUSE_MS)?);
        }
        self.go_on_fitting().await
    }
}
