//! `POST /api/links`: the pixel and the links of a message that the shop is about to send.

use endcap_events::link::query;
use endcap_events::link::request::{LinksRequest, MAX_BODY};
use endcap_validation::read_json;
use worker::{Method, Request, Response};

use crate::config::Config;
use crate::fault::Fault;
use crate::{answer, clock};

/// Answers `POST /api/links`. Nothing is stored: the addresses themselves carry what they stand for.
pub(super) async fn post(mut request: Request, config: &Config) -> Result<Response, Fault> {
    answer::check_method(&request, Method::Post, "POST")?;
    answer::check_media_type(&request.headers().get("content-type")?.unwrap_or_default())?;
    let body = answer::body(&mut request, MAX_BODY).await?;
    let asked: LinksRequest = read_json(&body)?;
    let url = request.inner().url();
    let origin = config.link_origin.as_deref().or_else(|| query::origin(&url)).unwrap_or_default();
    answer::json(&asked.answer(&format!("{origin}{}", config.prefix), &config.keys, clock::now())?)
}
