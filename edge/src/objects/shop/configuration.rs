//! What the shop configured: settings and products, and the version that counts their changes.

use endcap_engine::shop::snapshot::{SavedCampaign, WireConfig};
use endcap_engine::shop::{Product, Settings};
use endcap_targeting::compile::condition_of;
use endcap_targeting::decided::asked;
use endcap_validation::DomainError;
use serde_json::json;
use worker::Response;

use super::object::Shop;
use crate::platform::error::EdgeError;
use crate::platform::response;
use crate::rpc::shop::{DeleteProduct, PutProducts, PutSettings};

impl Shop {
    /// A value by its name.
    pub(super) fn meta(&self, key: &str) -> Result<Option<String>, EdgeError> {
        Ok(self.db.first("SELECT value FROM meta WHERE key = ?", vec![key.into()])?.map(|row| row.text(0)))
    }

    /// Sets a value by its name.
    pub(super) fn set_meta(&self, key: &str, value: &str) -> Result<(), EdgeError> {
        let upsert = "INSERT INTO meta(key, value) VALUES(?, ?) ON CONFLICT(key) DO UPDATE SET value = excluded.value";
        self.db.run(upsert, vec![key.into(), value.into()])
    }

    /// Versions start at 1, so that a shard that holds nothing, version 0, always gets an answer.
    pub(super) fn version(&self) -> Result<u64, EdgeError> {
        Ok(self.meta("config_version")?.and_then(|text| text.parse().ok()).unwrap_or(1))
    }

    /// Changes the configuration: all of `work`, and the version, or nothing.
    pub(super) fn change(&self, work: impl FnOnce() -> Result<(), EdgeError>) -> Result<(), EdgeError> {
        let next = self.version()? + 1;
        self.db.transaction(|| {
            work()?;
            self.set_meta("config_version", &next.to_string())
        })
    }

    fn settings(&self) -> Result<Settings, EdgeError> {
        let saved = self.meta("settings")?;
        Ok(saved.map(|text| serde_json::from_str(&text)).transpose()?.unwrap_or_default())
    }

    /// Shows the settings.
    pub(super) fn get_settings(&self) -> Result<Response, EdgeError> {
        response::json(&self.settings()?)
    }

    /// Replaces the settings.
    pub(super) fn put_settings(&self, put: &PutSettings) -> Result<Response, EdgeError> {
        let PutSettings(settings) = put;
        let before = self.settings()?;
        let of_people = |settings: &Settings| (settings.currency.clone(), settings.time_zone.clone());
        let next = if of_people(&before) == of_people(settings) && before.lifecycle == settings.lifecycle {
            None
        } else {
            self.segments_version_after()?
        };
        self.change(|| {
            // Money, days and stages are others now: everybody is held against the segments again.
            next.map_or(Ok(()), |version| self.set_segments_version(version))?;
            self.set_meta("settings", &serde_json::to_string(settings)?)
        })?;
        response::json(settings)
    }

    fn products(&self) -> Result<Vec<Product>, EdgeError> {
        let rows = self.db.rows("SELECT product FROM product ORDER BY position", Vec::new())?;
        rows.iter().map(|row| Ok(serde_json::from_str(&row.text(0))?)).collect()
    }

    /// Shows the catalogue.
    pub(super) fn get_products(&self) -> Result<Response, EdgeError> {
        response::json(&json!({"products": self.products()?}))
    }

    /// Adds products and replaces those that are there.
    pub(super) fn put_products(&self, put: &PutProducts) -> Result<Response, EdgeError> {
        let PutProducts(products) = put;
        self.change(|| {
            products.products.iter().try_for_each(|product| {
                let upsert = "INSERT INTO product(id, product) VALUES(?, ?)
                              ON CONFLICT(id) DO UPDATE SET product = excluded.product";
                let text = serde_json::to_string(product)?;
                self.db.run(upsert, vec![product.id.as_str().into(), text.into()])
            })
        })?;
        response::json(&json!({"saved": products.products.len()}))
    }

    /// Takes a product out of the catalogue.
    pub(super) fn delete_product(&self, delete: &DeleteProduct) -> Result<Response, EdgeError> {
        let id = delete.id.as_str();
        if self.db.first("SELECT 1 FROM product WHERE id = ?", vec![id.into()])?.is_none() {
            return Err(DomainError::NotFound("product").into());
        }
        self.change(|| self.db.run("DELETE FROM product WHERE id = ?", vec![id.into()]))?;
        Ok(response::empty(204))
    }

    /// All of the configuration, with its version.
    pub(super) fn config(&self, version: u64) -> Result<WireConfig, EdgeError> {
        let asks = |saved: &SavedCampaign| {
            let condition = saved.definition.condition.as_ref().and_then(|condition| condition_of(condition).ok());
            condition.is_none_or(|condition| !asked(&condition).is_empty()) && saved.definition.condition.is_some()
        };
        let (later_campaigns, campaigns) = self.campaigns()?.into_iter().partition(asks);
        Ok(WireConfig {
            version,
            settings: self.settings()?,
            campaigns,
            later_campaigns,
            products: self.products()?,
            webhooks: self.webhooks()?,
            segments: self.segments()?,
            segments_version: self.segments_version()?,
            event_queries: self.event_queries()?,
        })
    }
}
