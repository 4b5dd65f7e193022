//! Explaining a condition of a person.

use endcap_engine::condition_explained::Explained;
use endcap_engine::person_facts::PersonFacts;
use endcap_engine::segment::definition::names_of;
use endcap_engine::shop::event_queries::queries_of;
use endcap_profile::fragment_rows::Wanted;
use endcap_protocol::FieldError;
use endcap_targeting::PageFacts;
use endcap_targeting::decided::asks_for_texts;
use endcap_targeting::explain::explain;
use endcap_validation::DomainError;
use worker::Response;

use super::object::ProfileShard;
use crate::platform::error::EdgeError;
use crate::platform::{clock, response};
use crate::rpc::profile::ExplainCondition;
use crate::rpc::snapshots;

impl ProfileShard {
    /// A condition and its parts, of a profile as of now. Looking changes nothing.
    pub(super) async fn explain_route(&self, ask: &ExplainCondition) -> Result<Response, EdgeError> {
        let snapshot = snapshots::current(&self.env, clock::now()).await?;
        let now = clock::now().saturating_add(ask.later_ms);
        let condition = ask.ask.condition()?;
        let queries = queries_of(&condition);
        let ids = [ask.profile_id.as_str().to_owned()];
        let elsewhere = self.whole_elsewhere(&ids, &queries, &snapshot).await?;
        let row = self.store.load_with(ask.profile_id.as_str(), Wanted::Named(&[].into()))?;
        let mut row = row.filter(|row| row.has_fragments()).ok_or(DomainError::NotFound("profile"))?;
        if asks_for_texts(&condition) || !queries.is_empty() {
            row.read_more(&self.store, Wanted::All)?;
        }
        let person = self.store.refresh(&mut row, &snapshot, now)?.person;
        let page = PageFacts { path: ask.ask.path(), now };
        if let Some(unknown) = names_of(&condition).iter().find(|id| snapshot.segments.get(id).is_none()) {
            let message = format!("names the segment `{}`, which there is not", unknown.as_str());
            return Err(FieldError::new("condition", message).into());
        }
        self.store.count_whole_past(&mut row, &queries, &elsewhere, &snapshot)?;
        let facts = PersonFacts::of(&row, &person, &snapshot).with_whole_past();
        let explained = explain(&condition, &person.behaviour, &page, &facts);
        response::json(&Explained {
            profile_id: ask.profile_id.as_str().to_owned(),
            as_of: now,
            condition: explained.into(),
        })
    }
}
