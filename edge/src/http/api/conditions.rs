//! `/api/conditions`: a condition in both of its forms.

use endcap_engine::condition_forms::ConditionAsk;
use endcap_validation::read_json;
use worker::Response;

use super::config_body::config_body;
use crate::http::incoming::Incoming;
use crate::platform::error::EdgeError;
use crate::platform::response;

/// `POST /api/conditions`: reads one form and answers with both.
pub(in crate::http) async fn convert(mut incoming: Incoming<'_>) -> Result<Response, EdgeError> {
    let ask: ConditionAsk = read_json(&config_body(&mut incoming).await?)?;
    response::json(&ask.forms()?)
}
