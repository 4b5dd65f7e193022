//! `GET {prefix}/r?t=…`: a link of a message. Leads to where its signed token says, and counts the click.

use endcap_events::link::query;
use endcap_events::link::query::parameter;
use endcap_events::link::reader::Reader;
use endcap_events::link::token::{Click, MAX_TOKEN};
use worker::{Headers, Response, ResponseBuilder};

use super::incoming::Incoming;
use super::link_gone::gone;
use super::reader::ReaderHeaders;
use super::server_delivery::deliver_later;
use crate::platform::clock;
use crate::platform::error::EdgeError;

/// Answers a followed link. The person goes on at once; the click is counted while they do.
pub(super) fn serve(incoming: &Incoming<'_>) -> Result<Response, EdgeError> {
    let Incoming { request, config, .. } = incoming;
    let url = incoming.url();
    let token = parameter(query::of(&url), "t", MAX_TOKEN);
    let Some(click) = token.and_then(|token| Click::of_token(&config.keys, &token)) else { return gone() };
    let by = Reader::of_link(ReaderHeaders::of(request)?.request());
    let now = clock::now();
    deliver_later(incoming, click.message.channel.source()?, click.clicked(by, now)?, now);
    let headers = Headers::new();
    headers.set("location", click.destination.as_str())?;
    headers.set("cache-control", "no-store, private")?;
    headers.set("x-robots-tag", "noindex, nofollow")?;
    Ok(ResponseBuilder::new().with_status(302).with_headers(headers).empty())
}
