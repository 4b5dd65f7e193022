//! Webhook sources and their mappings, in the shop's object.

use endcap_engine::shop::webhooks::SavedWebhook;
use endcap_protocol::{FieldError, SourceId};
use endcap_validation::EngineError;
use endcap_validation::path::segment;
use serde_json::{Value, json};
use worker::{Method, Response};

use super::Shop;
use crate::answer;
use crate::fault::Fault;

/// Most webhook sources of a shop.
const MAX_WEBHOOKS: i64 = 100;

impl Shop {
    /// Routes at and below `/api/webhooks`; `rest` is what follows.
    pub(super) fn webhooks_route(&self, rest: &str, method: &Method, body: &[u8]) -> Result<Response, Fault> {
        if let Some(source) = rest.strip_prefix('/') {
            return self.webhook(&SourceId::parse(&segment(source, "source")?)?, method, body);
        }
        if !rest.is_empty() {
            return Err(EngineError::NotFound("route").into());
        }
        if *method != Method::Get {
            return Err(EngineError::Method("GET").into());
        }
        let views: Vec<Value> = self.webhooks()?.iter().map(SavedWebhook::view).collect();
        answer::json(&json!({"webhooks": views}))
    }

    /// Every webhook source, in order of their names.
    pub(super) fn webhooks(&self) -> Result<Vec<SavedWebhook>, Fault> {
        let rows = self.db.rows("SELECT source, mapping FROM webhook ORDER BY source", Vec::new())?;
        let saved = rows.iter().map(|row| {
            Ok(SavedWebhook { source: SourceId::parse(&row.text(0))?, mapping: serde_json::from_str(&row.text(1))? })
        });
        saved.collect()
    }

    fn webhook(&self, source: &SourceId, method: &Method, body: &[u8]) -> Result<Response, Fault> {
        match method {
            Method::Get => {}
            Method::Put => self.put_webhook(source, body)?,
            Method::Delete => {
                self.saved_webhook(source)?;
                self.change(|| self.db.run("DELETE FROM webhook WHERE source = ?", vec![source.as_str().into()]))?;
                return Ok(answer::empty(204));
            }
            _ => return Err(EngineError::Method("GET, PUT and DELETE").into()),
        }
        answer::json(&self.saved_webhook(source)?.view())
    }

    fn saved_webhook(&self, source: &SourceId) -> Result<SavedWebhook, Fault> {
        let row = self.db.first("SELECT mapping FROM webhook WHERE source = ?", vec![source.as_str().into()])?;
        let row = row.ok_or(EngineError::NotFound("webhook source"))?;
        Ok(SavedWebhook { source: source.clone(), mapping: serde_json::from_str(&row.text(0))? })
    }

    fn put_webhook(&self, source: &SourceId, body: &[u8]) -> Result<(), Fault> {
        let saved = SavedWebhook::read(source.clone(), body)?;
        let count = self.db.first("SELECT count(*) FROM webhook WHERE source <> ?", vec![source.as_str().into()])?;
        if count.is_some_and(|row| row.int(0) >= MAX_WEBHOOKS) {
            return Err(FieldError::new("", "a shop has at most 100 webhook sources; delete one first").into());
        }
        self.change(|| {
            let upsert = "INSERT INTO webhook(source, mapping) VALUES(?, ?)
                 ON CONFLICT(source) DO UPDATE SET mapping = excluded.mapping";
            self.db.run(upsert, vec![source.as_str().into(), saved.mapping.to_string().into()])
        })
    }
}
