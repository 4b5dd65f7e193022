//! `GET …/dev/profile`: a profile for the demo's drawer, with why each segment holds or not, now or some days later. Only in local
//! development.

use endcap_engine::condition_explained::ExplainAsk;
use endcap_protocol::{DAY_MS, FieldError, ProfileId, bucket_of};
use endcap_validation::read_json;
use serde_json::{Map, Value, json};
use worker::{Env, Response};

use super::api::{profiles, segment_named};
use super::incoming::Incoming;
use crate::platform::error::EdgeError;
use crate::platform::query::Query;
use crate::platform::response;
use crate::rpc::profile::ExplainCondition;
use crate::rpc::shards;

/// Most days later.
const MOST_DAYS: i64 = 3_650;
/// Most segments that are explained.
const MOST_SEGMENTS: usize = 20;

/// The profile of a browser.
pub(super) async fn get(incoming: &Incoming<'_>) -> Result<Response, EdgeError> {
    let (env, url) = (incoming.env, incoming.url());
    let query = Query::of(&url);
    let id = query.get("anonymous_id").unwrap_or_default();
    let days = query.get("days").map_or(Ok(0), |text| text.parse::<i64>());
    let wrong = || FieldError::new("days", format!("must be 0 to {MOST_DAYS}"));
    let days = days.ok().filter(|days| (0..=MOST_DAYS).contains(days)).ok_or_else(wrong)?;
    let later_ms = days * DAY_MS;
    let mut found = profiles::with_claims(profiles::by_anonymous_later(&id, later_ms, env).await?, env).await?;
    if found.status_code() != 200 {
        return Ok(found);
    }
    let mut profile: Map<String, Value> = serde_json::from_str(&found.text().await?)?;
    let id = profile.get("profile_id").and_then(Value::as_str).unwrap_or_default();
    let explained = explained(&ProfileId::parse(id)?, later_ms, env).await?;
    profile.insert("explained".to_owned(), explained);
    response::json(&profile)
}

/// Why each segment holds of somebody, or does not.
async fn explained(profile_id: &ProfileId, later_ms: i64, env: &Env) -> Result<Value, EdgeError> {
    let mut all = Vec::new();
    for saved in segment_named::saved(env).await?.segments.into_iter().take(MOST_SEGMENTS) {
        let ask: ExplainAsk = read_json(json!({"condition": saved.definition.condition}).to_string().as_bytes())?;
        let explain = ExplainCondition { profile_id: profile_id.clone(), ask, later_ms };
        let said = shards::ask_bucket(env, bucket_of(profile_id.as_str()), &explain).await?;
        let condition = said.get("condition").cloned().unwrap_or_default();
        all.push(json!({"id": saved.id, "name": saved.definition.name, "condition": condition}));
    }
    Ok(all.into())
}
