//! `Shop`: configuration, catalogue and models of the shop.
//!
//! Role in the flow of one event: none on its way; shards report here what there is to learn, and fetch the snapshot that
//! they decide with.

use std::cell::{Cell, RefCell};

use endcap_engine::score::customers::Customers;
use endcap_models::lifecycle::GapHistogram;
use endcap_models::recommend::Model;
use endcap_protocol::UnixMillis;
use endcap_validation::DomainError;
use serde::{Deserialize, Serialize};
use worker::{DurableObject, Env, Request, Response, State, durable_object};

use crate::platform::db::Db;
use crate::platform::error::EdgeError;
use crate::platform::response;
use crate::rpc::health::{ReportLoad, ShopHealthAsk};
use crate::rpc::learning::LearningReport;
use crate::rpc::message;
use crate::rpc::message::Message;
use crate::rpc::placement::LayoutAsk;
use crate::rpc::rows::TablesAsk;
use crate::rpc::scores::{FitScores, GetScores, PublishScores};
use crate::rpc::segments::{DeleteSegment, GetSegments, PutSegment};
use crate::rpc::shop::{
    DeleteCampaign, DeleteProduct, DeleteWebhook, GetCampaign, GetCampaigns, GetProducts, GetSettings, GetShards,
    GetWebhook, GetWebhooks, PutCampaign, PutProducts, PutSettings, PutShards, PutWebhook,
};
use crate::rpc::snapshots::SnapshotAsk;

const SCHEMA: &str = "
CREATE TABLE IF NOT EXISTS meta(key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID, STRICT;
CREATE TABLE IF NOT EXISTS campaign(
  id TEXT PRIMARY KEY, version INTEGER NOT NULL, definition TEXT NOT NULL) WITHOUT ROWID, STRICT;
CREATE TABLE IF NOT EXISTS segment(
  id TEXT PRIMARY KEY, version INTEGER NOT NULL, since INTEGER NOT NULL, changed_at INTEGER NOT NULL,
  born INTEGER NOT NULL, definition TEXT NOT NULL) WITHOUT ROWID, STRICT;
CREATE TABLE IF NOT EXISTS product(position INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, product TEXT NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS webhook(source TEXT PRIMARY KEY, mapping TEXT NOT NULL) WITHOUT ROWID, STRICT;
CREATE TABLE IF NOT EXISTS model(part INTEGER PRIMARY KEY, data BLOB NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS learned(shard TEXT PRIMARY KEY, cursor INTEGER NOT NULL) WITHOUT ROWID, STRICT;
CREATE TABLE IF NOT EXISTS score_page(seq INTEGER PRIMARY KEY, data BLOB NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS score_packed(name TEXT PRIMARY KEY, data BLOB NOT NULL) WITHOUT ROWID, STRICT;";

/// What the shop learned, as stored.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct Learned {
    /// Counts the reports that were learned.
    pub(super) version: u64,
    /// What recommends.
    pub(super) model: Model,
    /// Gaps between orders.
    pub(super) gaps: GapHistogram,
}

/// The shop.
#[durable_object]
pub struct Shop {
    pub(super) env: Env,
    pub(super) db: Db,
    pub(super) learned: RefCell<Option<Learned>>,
    /// Customers that a fit under way collected.
    pub(super) collected: RefCell<Option<Customers>>,
    /// When the models were last asked for a fit; 0: not since the object started.
    pub(super) asked_fit: Cell<UnixMillis>,
}

impl DurableObject for Shop {
    fn new(state: State, env: Env) -> Self {
        let db = Db::open(&state.storage(), SCHEMA);
        Self { env, db, learned: RefCell::default(), collected: RefCell::default(), asked_fit: Cell::default() }
    }

    async fn fetch(&self, request: Request) -> worker::Result<Response> {
        response::answer_or_error(self.handle(request).await)
    }

    async fn alarm(&self) -> worker::Result<Response> {
        self.on_alarm().await?;
        Ok(response::empty(200))
    }
}

impl Shop {
    async fn handle(&self, mut request: Request) -> Result<Response, EdgeError> {
        let path = request.path();
        let body = request.bytes().await?;
        match path.as_str() {
            SnapshotAsk::PATH => self.snapshot(&message::read(&body)?),
            TablesAsk::PATH => response::json(&self.db.dump()?),
            LayoutAsk::PATH => self.layout(&message::read(&body)?),
            ShopHealthAsk::PATH => self.health(),
            ReportLoad::PATH => self.hear_load(&message::read(&body)?),
            GetShards::PATH => self.get_shards(),
            PutShards::PATH => self.put_shards(&message::read(&body)?),
            LearningReport::PATH => self.learn_route(&message::read(&body)?).await,
            GetScores::PATH => self.get_scores(&message::read(&body)?).await,
            FitScores::PATH => self.fit_scores(&message::read(&body)?).await,
            PublishScores::PATH => self.publish_scores(&message::read(&body)?),
            GetProducts::PATH => self.get_products(),
            PutProducts::PATH => self.put_products(&message::read(&body)?),
            DeleteProduct::PATH => self.delete_product(&message::read(&body)?),
            GetSettings::PATH => self.get_settings(),
            PutSettings::PATH => self.put_settings(&message::read(&body)?),
            GetCampaigns::PATH => self.get_campaigns(),
            GetCampaign::PATH => self.get_campaign(&message::read(&body)?),
            PutCampaign::PATH => self.put_campaign(&message::read(&body)?),
            DeleteCampaign::PATH => self.delete_campaign(&message::read(&body)?),
            GetSegments::PATH => self.get_segments(),
            PutSegment::PATH => self.put_segment(&message::read(&body)?),
            DeleteSegment::PATH => self.delete_segment(&message::read(&body)?),
            GetWebhooks::PATH => self.get_webhooks(),
            GetWebhook::PATH => self.get_webhook(&message::read(&body)?),
            PutWebhook::PATH => self.put_webhook(&message::read(&body)?),
            DeleteWebhook::PATH => self.delete_webhook(&message::read(&body)?),
            _ => Err(DomainError::Deploying.into()),
        }
    }
}
