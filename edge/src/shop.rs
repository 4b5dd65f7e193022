//! `Shop`: configuration, catalogue and models of the shop.
//!
//! Role in the flow of one event: none on its way; shards report here what there is to learn, and fetch the snapshot that
//! they decide with.

mod registry;
mod webhooks;

use std::cell::RefCell;

use endcap_engine::shop::campaign::{Campaign, Definition};
use endcap_engine::shop::product::Products;
use endcap_engine::shop::snapshot::{SavedCampaign, WireConfig, WireModel, WireSnapshot};
use endcap_engine::shop::{Product, Settings};
use endcap_models::lifecycle::GapHistogram;
use endcap_models::recommend::Model;
use endcap_profile::Signal;
use endcap_protocol::{CampaignId, FieldError};
use endcap_validation::path::segment;
use endcap_validation::{EngineError, read_json};
use serde::{Deserialize, Serialize};
use serde_json::json;
use worker::{DurableObject, Env, Method, Request, Response, State, durable_object};

use crate::answer;
use crate::db::Db;
use crate::fault::Fault;
use crate::snapshots::Have;
use crate::zone::Zone;

/// Largest body of a configuration request, in bytes.
const MAX_BODY: usize = 8 * 1024 * 1024;
/// Most campaigns of a shop.
const MAX_CAMPAIGNS: i64 = 500;
/// Bytes of one row of the stored model: rows may have 2 MB.
const MODEL_PART: usize = 1024 * 1024;

const SCHEMA: &str = "
CREATE TABLE IF NOT EXISTS meta(key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID, STRICT;
CREATE TABLE IF NOT EXISTS campaign(
  id TEXT PRIMARY KEY, version INTEGER NOT NULL, definition TEXT NOT NULL) WITHOUT ROWID, STRICT;
CREATE TABLE IF NOT EXISTS product(position INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, product TEXT NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS webhook(source TEXT PRIMARY KEY, mapping TEXT NOT NULL) WITHOUT ROWID, STRICT;
CREATE TABLE IF NOT EXISTS model(part INTEGER PRIMARY KEY, data BLOB NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS learned(shard TEXT PRIMARY KEY, cursor INTEGER NOT NULL) WITHOUT ROWID, STRICT;";

/// What the shop learned, as stored.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Learned {
    version: u64,
    model: Model,
    gaps: GapHistogram,
}

/// What a shard reports: signals of its log up to a cursor.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Report {
    /// The shard.
    pub(crate) shard: String,
    /// Sequence number of the last log row reported.
    pub(crate) cursor: i64,
    /// The signals.
    pub(crate) signals: Vec<Signal>,
}

/// The shop.
#[durable_object]
pub struct Shop {
    env: Env,
    db: Db,
    learned: RefCell<Option<Learned>>,
}

impl DurableObject for Shop {
    fn new(state: State, env: Env) -> Self {
        Self { env, db: Db::open(&state.storage(), SCHEMA), learned: RefCell::new(None) }
    }

    async fn fetch(&self, request: Request) -> worker::Result<Response> {
        answer::settle(self.handle(request).await)
    }

    async fn alarm(&self) -> worker::Result<Response> {
        self.on_alarm().await.map_err(|fault| worker::Error::RustError(fault.to_string()))?;
        Ok(answer::empty(200))
    }
}

impl Shop {
    async fn handle(&self, mut request: Request) -> Result<Response, Fault> {
        let (path, method) = (request.path(), request.method());
        let body = answer::body(&mut request, MAX_BODY).await?;
        match (path.as_str(), method) {
            ("/snapshot", _) => self.snapshot(&serde_json::from_slice(&body)?),
            ("/tables", _) => answer::json(&self.db.dump()?),
            ("/layout", _) => self.layout(&serde_json::from_slice(&body)?),
            ("/api/shards", method) => self.shards(&method, &body),
            ("/learn", _) => self.learn(&serde_json::from_slice(&body)?),
            ("/api/products", Method::Get) => answer::json(&json!({"products": self.products()?})),
            ("/api/products", Method::Put) => self.put_products(&body),
            ("/api/products", _) => Err(EngineError::Method("GET and PUT").into()),
            ("/api/settings", Method::Get) => answer::json(&self.settings()?),
            ("/api/settings", Method::Put) => self.put_settings(&body),
            ("/api/settings", _) => Err(EngineError::Method("GET and PUT").into()),
            ("/api/campaigns", Method::Get) => {
                let views: Result<Vec<_>, Fault> =
                    self.campaigns()?.iter().map(SavedCampaign::view).map(|v| Ok(v?)).collect();
                answer::json(&json!({"campaigns": views?}))
            }
            ("/api/campaigns", _) => Err(EngineError::Method("GET").into()),
            (path, method) => {
                if let Some(id) = path.strip_prefix("/api/campaigns/") {
                    let id = CampaignId::parse(&segment(id, "campaign_id")?)?;
                    return self.campaign(&id, &method, &body);
                }
                let rest = path.strip_prefix("/api/webhooks").ok_or(EngineError::NotFound("route"))?;
                self.webhooks_route(rest, &method, &body)
            }
        }
    }

    fn meta(&self, key: &str) -> Result<Option<String>, Fault> {
        Ok(self.db.first("SELECT value FROM meta WHERE key = ?", vec![key.into()])?.map(|row| row.text(0)))
    }

    fn set_meta(&self, key: &str, value: &str) -> Result<(), Fault> {
        let upsert = "INSERT INTO meta(key, value) VALUES(?, ?) ON CONFLICT(key) DO UPDATE SET value = excluded.value";
        self.db.run(upsert, vec![key.into(), value.into()])
    }

    /// Versions start at 1, so that a shard that holds nothing, version 0, always gets an answer.
    fn version(&self) -> Result<u64, Fault> {
        Ok(self.meta("config_version")?.and_then(|text| text.parse().ok()).unwrap_or(1))
    }

    /// Changes the configuration: all of `work`, and the version, or nothing.
    fn change(&self, work: impl FnOnce() -> Result<(), Fault>) -> Result<(), Fault> {
        let next = self.version()? + 1;
        self.db.transaction(|| {
            work()?;
            self.set_meta("config_version", &next.to_string())
        })
    }

    fn settings(&self) -> Result<Settings, Fault> {
        let saved = self.meta("settings")?;
        Ok(saved.map(|text| serde_json::from_str(&text)).transpose()?.unwrap_or_default())
    }

    fn put_settings(&self, body: &[u8]) -> Result<Response, Fault> {
        let settings: Settings = read_json(body)?;
        settings.check()?;
        Zone::parse(&settings.time_zone)?;
        self.change(|| self.set_meta("settings", &serde_json::to_string(&settings)?))?;
        answer::json(&settings)
    }

    fn products(&self) -> Result<Vec<Product>, Fault> {
        let rows = self.db.rows("SELECT product FROM product ORDER BY position", Vec::new())?;
        rows.iter().map(|row| Ok(serde_json::from_str(&row.text(0))?)).collect()
    }

    /// Adds products and replaces those that are there.
    fn put_products(&self, body: &[u8]) -> Result<Response, Fault> {
        let products: Products = read_json(body)?;
        products.check()?;
        let count = products.products.len();
        self.change(|| {
            products.products.iter().try_for_each(|product| {
                let upsert = "INSERT INTO product(id, product) VALUES(?, ?)
                              ON CONFLICT(id) DO UPDATE SET product = excluded.product";
                let text = serde_json::to_string(product)?;
                self.db.run(upsert, vec![product.id.as_str().into(), text.into()])
            })
        })?;
        answer::json(&json!({"saved": count}))
    }

    fn campaigns(&self) -> Result<Vec<SavedCampaign>, Fault> {
        let rows = self.db.rows("SELECT id, version, definition FROM campaign ORDER BY id", Vec::new())?;
        let saved = rows.iter().map(|row| {
            let definition = serde_json::from_str(&row.text(2))?;
            Ok(SavedCampaign { id: row.text(0), version: row.int(1) as u32, definition })
        });
        saved.collect()
    }

    fn campaign(&self, id: &CampaignId, method: &Method, body: &[u8]) -> Result<Response, Fault> {
        match method {
            Method::Get => {}
            Method::Put => self.put_campaign(id, body)?,
            Method::Delete => {
                self.saved(id)?;
                self.change(|| self.db.run("DELETE FROM campaign WHERE id = ?", vec![id.as_str().into()]))?;
                return Ok(answer::empty(204));
            }
            _ => return Err(EngineError::Method("GET, PUT and DELETE").into()),
        }
        answer::json(&self.saved(id)?.view()?)
    }

    fn saved(&self, id: &CampaignId) -> Result<SavedCampaign, Fault> {
        let row = self.db.first("SELECT version, definition FROM campaign WHERE id = ?", vec![id.as_str().into()])?;
        let row = row.ok_or(EngineError::NotFound("campaign"))?;
        let definition = serde_json::from_str(&row.text(1))?;
        Ok(SavedCampaign { id: id.as_str().to_owned(), version: row.int(0) as u32, definition })
    }

    fn put_campaign(&self, id: &CampaignId, body: &[u8]) -> Result<(), Fault> {
        let definition: Definition = read_json(body)?;
        let text = serde_json::to_string(&definition)?;
        Campaign::new(id.clone(), 1, definition)?;
        let count = self.db.first("SELECT count(*) FROM campaign WHERE id <> ?", vec![id.as_str().into()])?;
        if count.is_some_and(|row| row.int(0) >= MAX_CAMPAIGNS) {
            return Err(FieldError::new("", "a shop has at most 500 campaigns; delete one first").into());
        }
        self.change(|| {
            let upsert = "INSERT INTO campaign(id, version, definition) VALUES(?, 1, ?)
                 ON CONFLICT(id) DO UPDATE SET definition = excluded.definition, version = version + 1";
            self.db.run(upsert, vec![id.as_str().into(), text.into()])
        })
    }

    fn snapshot(&self, have: &Have) -> Result<Response, Fault> {
        let version = self.version()?;
        let config = if have.config == version { None } else { Some(self.config(version)?) };
        let model = self.with_learned(|learned| {
            if have.model == learned.version {
                return Ok(None);
            }
            let (model, gaps) = (learned.model.clone(), learned.gaps.clone());
            Ok(Some(WireModel { version: learned.version, model, gaps }))
        })?;
        answer::json(&WireSnapshot { config, model })
    }

    fn config(&self, version: u64) -> Result<WireConfig, Fault> {
        Ok(WireConfig {
            version,
            settings: self.settings()?,
            campaigns: self.campaigns()?,
            products: self.products()?,
            webhooks: self.webhooks()?,
        })
    }

    /// Runs `work` on what was learned, which is read from storage the first time.
    fn with_learned<T>(&self, work: impl FnOnce(&mut Learned) -> Result<T, Fault>) -> Result<T, Fault> {
        let mut held = self.learned.try_borrow_mut().map_err(|_| busy())?;
        if held.is_none() {
            *held = Some(self.load()?);
        }
        held.as_mut().map_or_else(|| Err(busy()), work)
    }

    fn load(&self) -> Result<Learned, Fault> {
        let rows = self.db.rows("SELECT data FROM model ORDER BY part", Vec::new())?;
        let bytes: Vec<u8> = rows.iter().flat_map(|row| row.blob(0)).collect();
        if bytes.is_empty() {
            return Ok(Learned { version: 1, ..Learned::default() });
        }
        let (format, rest) = bytes.split_first().ok_or_else(busy)?;
        let unreadable = EngineError::Format { what: "model", format: *format };
        if *format != 1 {
            return Err(unreadable.into());
        }
        postcard::from_bytes(rest).map_err(|_| unreadable.into())
    }

    /// Learns a shard's report. A report that was learned before changes nothing.
    fn learn(&self, report: &Report) -> Result<Response, Fault> {
        self.with_learned(|learned| {
            let shard = report.shard.as_str();
            let row = self.db.first("SELECT cursor FROM learned WHERE shard = ?", vec![shard.into()])?;
            if row.is_some_and(|row| row.int(0) >= report.cursor) {
                return Ok(());
            }
            let Learned { model, gaps, version } = learned;
            report.signals.iter().for_each(|signal| signal.teach(model, gaps));
            *version += 1;
            self.db.transaction(|| self.store(learned, shard, report.cursor))
        })
        // What is in memory may be ahead of what was stored: start again from there.
        .inspect_err(|_| drop(self.learned.take()))?;
        answer::json(&json!({}))
    }

    fn store(&self, learned: &Learned, shard: &str, cursor: i64) -> Result<(), Fault> {
        let bytes = postcard::to_extend(learned, vec![1]).map_err(|e| EngineError::Internal(e.to_string()))?;
        let mut parts = 0_i64;
        for part in bytes.chunks(MODEL_PART) {
            let upsert =
                "INSERT INTO model(part, data) VALUES(?, ?) ON CONFLICT(part) DO UPDATE SET data = excluded.data";
            self.db.run(upsert, vec![parts.into(), part.to_vec().into()])?;
            parts += 1;
        }
        self.db.run("DELETE FROM model WHERE part >= ?", vec![parts.into()])?;
        let upsert = "INSERT INTO learned(shard, cursor) VALUES(?, ?)
                      ON CONFLICT(shard) DO UPDATE SET cursor = excluded.cursor";
        self.db.run(upsert, vec![shard.into(), cursor.into()])
    }
}

fn busy() -> Fault {
    EngineError::Internal("the shop's models are in use".to_owned()).into()
}
