//! `POST /api/links`: the pixel and the links of a message that the shop is about to send.

use endcap_events::link::query;
use endcap_events::link::recipient::Recipient;
use endcap_events::link::request::{LinksRequest, MAX_BODY};
use endcap_protocol::FieldError;
use endcap_validation::read_json;
use worker::{Env, Response};

use super::profiles::only_claimed;
use crate::http::incoming::Incoming;
use crate::platform::error::EdgeError;
use crate::platform::{clock, response};
use crate::rpc::graph;

/// Answers `POST /api/links`. Nothing is stored: the addresses themselves carry what they stand for.
pub(in crate::http) async fn post(mut incoming: Incoming<'_>) -> Result<Response, EdgeError> {
    response::check_media_type(&incoming.request.headers().get("content-type")?.unwrap_or_default())?;
    let body = response::body(&mut incoming.request, MAX_BODY).await?;
    let asked: LinksRequest = read_json(&body)?;
    refuse_claimed(&asked, incoming.env).await?;
    let (url, config) = (incoming.url(), incoming.config);
    let origin = config.link_origin.as_deref().or_else(|| query::origin(&url)).unwrap_or_default();
    response::json(&asked.answer(&format!("{origin}{}", config.prefix), &config.keys, clock::now())?)
}

/// Refuses a recipient whom a browser only claims to be: the address may be somebody else's. One that nobody named yet is good.
async fn refuse_claimed(asked: &LinksRequest, env: &Env) -> Result<(), EdgeError> {
    let under = |error: FieldError| error.under("recipient");
    let recipient = Recipient::parse(&asked.recipient).map_err(under)?;
    let Some(identifier) = recipient.identifier().map_err(under)? else { return Ok(()) };
    if !graph::find(env, &identifier).await?.unproved {
        return Ok(());
    }
    let remedy = "Let your server say whose it is first, by an identify with a key of ENDCAP_SERVER_KEYS";
    Err(under(only_claimed(&identifier, remedy)).into())
}
