//! Campaigns, in the shop's object.

use endcap_engine::shop::snapshot::SavedCampaign;
use endcap_protocol::{CampaignId, FieldError};
use endcap_validation::DomainError;
use serde_json::json;
use worker::Response;

use super::object::Shop;
use crate::platform::error::EdgeError;
use crate::platform::response;
use crate::rpc::shop::{DeleteCampaign, GetCampaign, PutCampaign};

/// Most campaigns of a shop.
const MAX_CAMPAIGNS: i64 = 500;

impl Shop {
    /// Every campaign, in order of their IDs.
    pub(super) fn campaigns(&self) -> Result<Vec<SavedCampaign>, EdgeError> {
        let rows = self.db.rows("SELECT id, version, definition FROM campaign ORDER BY id", Vec::new())?;
        let saved = rows.iter().map(|row| {
            let definition = serde_json::from_str(&row.text(2))?;
            Ok(SavedCampaign { id: row.text(0), version: row.int(1) as u32, definition })
        });
        saved.collect()
    }

    /// Shows all campaigns.
    pub(super) fn get_campaigns(&self) -> Result<Response, EdgeError> {
        let views: Result<Vec<_>, EdgeError> =
            self.campaigns()?.iter().map(SavedCampaign::view).map(|v| Ok(v?)).collect();
        response::json(&json!({"campaigns": views?}))
    }

    /// Shows one campaign.
    pub(super) fn get_campaign(&self, get: &GetCampaign) -> Result<Response, EdgeError> {
        response::json(&self.saved(&get.id)?.view()?)
    }

    /// Adds a campaign, or replaces it.
    pub(super) fn put_campaign(&self, put: &PutCampaign) -> Result<Response, EdgeError> {
        let id = put.id.as_str();
        let count = self.db.first("SELECT count(*) FROM campaign WHERE id <> ?", vec![id.into()])?;
        if count.is_some_and(|row| row.int(0) >= MAX_CAMPAIGNS) {
            return Err(FieldError::new("", "a shop has at most 500 campaigns; delete one first").into());
        }
        self.check_segments_of(&put.definition)?;
        let text = serde_json::to_string(&put.definition)?;
        let mut after: Vec<SavedCampaign> = self.campaigns()?.into_iter().filter(|saved| saved.id != id).collect();
        after.push(SavedCampaign { id: id.to_owned(), version: 0, definition: put.definition.clone() });
        let next = self.segments_version()? + 1;
        let queries = self.event_queries_of(&self.segments()?, &after, next)?;
        // A question that is new has to be answered of everybody's past.
        let has_news = queries.values().any(|since| *since == next);
        self.change(|| {
            self.set_event_queries(&queries)?;
            if has_news {
                self.set_segments_version(next)?;
            }
            let upsert = "INSERT INTO campaign(id, version, definition) VALUES(?, 1, ?)
                 ON CONFLICT(id) DO UPDATE SET definition = excluded.definition, version = version + 1";
            self.db.run(upsert, vec![id.into(), text.into()])
        })?;
        response::json(&self.saved(&put.id)?.view()?)
    }

    /// Deletes a campaign.
    pub(super) fn delete_campaign(&self, delete: &DeleteCampaign) -> Result<Response, EdgeError> {
        self.saved(&delete.id)?;
        let left: Vec<SavedCampaign> =
            self.campaigns()?.into_iter().filter(|saved| saved.id != delete.id.as_str()).collect();
        let queries = self.event_queries_of(&self.segments()?, &left, self.segments_version()?)?;
        self.change(|| {
            self.set_event_queries(&queries)?;
            self.db.run("DELETE FROM campaign WHERE id = ?", vec![delete.id.as_str().into()])
        })?;
        Ok(response::empty(204))
    }

    fn saved(&self, id: &CampaignId) -> Result<SavedCampaign, EdgeError> {
        let row = self.db.first("SELECT version, definition FROM campaign WHERE id = ?", vec![id.as_str().into()])?;
        let row = row.ok_or(DomainError::NotFound("campaign"))?;
        let definition = serde_json::from_str(&row.text(1))?;
        Ok(SavedCampaign { id: id.as_str().to_owned(), version: row.int(0) as u32, definition })
    }
}
