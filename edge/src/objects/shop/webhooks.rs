//! Webhook sources and their mappings, in the shop's object.

use endcap_engine::shop::webhooks::SavedWebhook;
use endcap_protocol::{FieldError, SourceId};
use endcap_validation::DomainError;
use serde_json::{Value, json};
use worker::Response;

use super::object::Shop;
use crate::platform::error::EdgeError;
use crate::platform::response;
use crate::rpc::shop::{DeleteWebhook, GetWebhook, PutWebhook};

/// Most webhook sources of a shop.
const MAX_WEBHOOKS: i64 = 100;

impl Shop {
    /// Shows all webhook sources.
    pub(super) fn get_webhooks(&self) -> Result<Response, EdgeError> {
        let views: Vec<Value> = self.webhooks()?.iter().map(SavedWebhook::view).collect();
        response::json(&json!({"webhooks": views}))
    }

    /// Shows one webhook source.
    pub(super) fn get_webhook(&self, get: &GetWebhook) -> Result<Response, EdgeError> {
        response::json(&self.saved_webhook(&get.source)?.view())
    }

    /// Adds a webhook source, or replaces its mapping.
    pub(super) fn put_webhook(&self, put: &PutWebhook) -> Result<Response, EdgeError> {
        let PutWebhook(saved) = put;
        let source = saved.source.as_str();
        let count = self.db.first("SELECT count(*) FROM webhook WHERE source <> ?", vec![source.into()])?;
        if count.is_some_and(|row| row.int(0) >= MAX_WEBHOOKS) {
            return Err(FieldError::new("", "a shop has at most 100 webhook sources; delete one first").into());
        }
        self.change(|| {
            let upsert = "INSERT INTO webhook(source, mapping) VALUES(?, ?)
                 ON CONFLICT(source) DO UPDATE SET mapping = excluded.mapping";
            self.db.run(upsert, vec![source.into(), saved.mapping.to_string().into()])
        })?;
        response::json(&self.saved_webhook(&saved.source)?.view())
    }

    /// Deletes a webhook source.
    pub(super) fn delete_webhook(&self, delete: &DeleteWebhook) -> Result<Response, EdgeError> {
        let source = delete.source.as_str();
        self.saved_webhook(&delete.source)?;
        self.change(|| self.db.run("DELETE FROM webhook WHERE source = ?", vec![source.into()]))?;
        Ok(response::empty(204))
    }

    /// Every webhook source, in order of their names.
    pub(super) fn webhooks(&self) -> Result<Vec<SavedWebhook>, EdgeError> {
        let rows = self.db.rows("SELECT source, mapping FROM webhook ORDER BY source", Vec::new())?;
        let saved = rows.iter().map(|row| {
            Ok(SavedWebhook { source: SourceId::parse(&row.text(0))?, mapping: serde_json::from_str(&row.text(1))? })
        });
        saved.collect()
    }

    fn saved_webhook(&self, source: &SourceId) -> Result<SavedWebhook, EdgeError> {
        let row = self.db.first("SELECT mapping FROM webhook WHERE source = ?", vec![source.as_str().into()])?;
        let row = row.ok_or(DomainError::NotFound("webhook source"))?;
        Ok(SavedWebhook { source: source.clone(), mapping: serde_json::from_str(&row.text(0))? })
    }
}
