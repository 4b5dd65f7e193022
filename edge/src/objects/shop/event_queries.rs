//! Which questions about events the shop's segments and campaigns ask, and since which version of its segments.

use std::collections::BTreeMap;

use endcap_engine::segment::{SavedSegment, Segments};
use endcap_engine::shop::event_queries::EventQueries;
use endcap_engine::shop::snapshot::SavedCampaign;
use endcap_targeting::compile::condition_of;

use super::object::Shop;
use crate::platform::error::EdgeError;

/// Name of those versions.
const SINCE: &str = "event_queries_since";

impl Shop {
    /// Since which version of the segments each question is asked, by its key.
    pub(super) fn event_queries(&self) -> Result<BTreeMap<u64, u64>, EdgeError> {
        Ok(self.meta(SINCE)?.map(|text| serde_json::from_str(&text)).transpose()?.unwrap_or_default())
    }

    /// The same once these are the segments and campaigns, of which what is new is asked since a version.
    pub(super) fn event_queries_of(
        &self,
        segments: &[SavedSegment],
        campaigns: &[SavedCampaign],
        version: u64,
    ) -> Result<BTreeMap<u64, u64>, EdgeError> {
        let segments = Segments::read(version, segments.to_vec());
        let of_campaigns = campaigns.iter().filter_map(|saved| condition_of(saved.definition.condition.as_ref()?).ok());
        let of_campaigns: Vec<_> = of_campaigns.collect();
        let asked = segments.conditions().chain(&of_campaigns);
        Ok(EventQueries::of(version, asked, &self.event_queries()?).checked()?)
    }

    /// Notes them.
    pub(super) fn set_event_queries(&self, since: &BTreeMap<u64, u64>) -> Result<(), EdgeError> {
        if *since == self.event_queries()? {
            return Ok(());
        }
        self.set_meta(SINCE, &serde_json::to_string(since)?)
    }
}
