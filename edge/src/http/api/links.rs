//! `POST /api/links`: the pixel and the links of a message that the shop is about to send.

use endcap_events::link::query;
use endcap_events::link::request::{LinksRequest, MAX_BODY};
use endcap_validation::read_json;
use worker::Response;

use crate::http::incoming::Incoming;
use crate::platform::error::EdgeError;
use crate::platform::{clock, response};

/// Answers `POST /api/links`. Nothing is stored: the addresses themselves carry what they stand for.
pub(in crate::http) async fn post(mut incoming: Incoming<'_>) -> Result<Response, EdgeError> {
    response::check_media_type(&incoming.request.headers().get("content-type")?.unwrap_or_default())?;
    let body = response::body(&mut incoming.request, MAX_BODY).await?;
    let asked: LinksRequest = read_json(&body)?;
    let (url, config) = (incoming.url(), incoming.config);
    let origin = config.link_origin.as_deref().or_else(|| query::origin(&url)).unwrap_or_default();
    response::json(&asked.answer(&format!("{origin}{}", config.prefix), &config.keys, clock::now())?)
}
