//! A condition in both of its forms, and why it holds of a person.

use endcap_api::Operation;
use endcap_engine::condition_explained::ExplainAsk;
use endcap_engine::condition_forms::ConditionAsk;
use endcap_protocol::{ProfileId, bucket_of};
use endcap_validation::read_json;
use worker::Response;

use super::config_body::config_body;
use super::people::Whose;
use super::profiles;
use crate::http::incoming::Incoming;
use crate::platform::error::EdgeError;
use crate::platform::response;
use crate::rpc::profile::ExplainCondition;
use crate::rpc::shards;

/// What answers an operation on conditions.
pub(in crate::http) async fn answer(operation: Operation, incoming: Incoming<'_>) -> Result<Response, EdgeError> {
    match operation {
        Operation::ExplainCondition => explain(incoming).await,
        _ => convert(incoming).await,
    }
}

/// `POST /api/conditions`: reads one form and answers with both.
async fn convert(mut incoming: Incoming<'_>) -> Result<Response, EdgeError> {
    let ask: ConditionAsk = read_json(&config_body(&mut incoming).await?)?;
    response::json(&ask.forms()?)
}

/// `POST /api/segments/explain?…`: each part of a condition with the value that it saw of a person.
async fn explain(mut incoming: Incoming<'_>) -> Result<Response, EdgeError> {
    let ask = read_json::<ExplainAsk>(&config_body(&mut incoming).await?)?.checked()?;
    let mut found = profiles::find_named(&incoming).await?.found;
    if found.status_code() != 200 {
        return Ok(found);
    }
    let whose: Whose = serde_json::from_str(&found.text().await?)?;
    let profile_id = ProfileId::parse(&whose.profile_id)?;
    let bucket = bucket_of(profile_id.as_str());
    shards::post_to_bucket(incoming.env, bucket, &ExplainCondition { profile_id, ask, later_ms: 0 }).await
}
