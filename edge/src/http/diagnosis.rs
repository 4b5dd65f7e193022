//! `GET {prefix}/diagnosis?source=NAME`: why batches of the page that asks would be refused.
//!
//! A refusal is hidden from pages on origins that the source does not list, and so is its reason. The developer of such a page
//! reads it here: whether there is such a source, and whether it lists the page's origin. Both can be tried with a batch as well,
//! so nothing becomes known that was not.

use endcap_events::link::query;
use serde_json::{Value, json};
use worker::Response;

use super::incoming::Incoming;
use super::rate_limits;
use crate::platform::error::EdgeError;
use crate::platform::response;

/// Longest name of a source.
const SOURCE: usize = 64;

/// Answers a page of any origin.
pub(super) fn serve(incoming: &Incoming<'_>) -> Result<Response, EdgeError> {
    rate_limits::admit_reader(incoming.request.inner(), incoming.config).map_err(EdgeError::readable)?;
    let source = query::parameter(query::of(&incoming.url()), "source", SOURCE).unwrap_or_default();
    let origin = incoming.request.headers().get("origin")?;
    let answer = match incoming.config.admits(&source, origin.as_deref()) {
        Ok(()) => json!({"error": Value::Null}).to_string(),
        Err(error) => error.to_json(),
    };
    let response = response::raw_json(&answer, 200)?;
    response.headers().set("access-control-allow-origin", "*")?;
    response.headers().set("cross-origin-resource-policy", "cross-origin")?;
    Ok(response)
}
