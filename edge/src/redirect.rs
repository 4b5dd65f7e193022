//! `GET {prefix}/r?t=…`: a link of a message. Leads to where its signed token says, and counts the click.

use endcap_events::link::query;
use endcap_events::link::query::parameter;
use endcap_events::link::reader::Reader;
use endcap_events::link::token::{Click, MAX_TOKEN};
use endcap_validation::Trust;
use worker::{Context, Env, Headers, Request, Response, ResponseBuilder, console_error};

use crate::config::Config;
use crate::deliver::deliver;
use crate::fault::Fault;
use crate::pixel::{Said, reader_request};
use crate::{answer, clock};

/// What a person sees who followed a link that is damaged, or was made by keys that no longer count.
const GONE: &str = include_str!("link_gone.html");

/// Answers a followed link. The person goes on at once; the click is counted while they do.
pub(crate) fn serve(request: &Request, env: &Env, config: &Config, context: &Context) -> Result<Response, Fault> {
    answer::check_read(request)?;
    let url = request.inner().url();
    let token = parameter(query::of(&url), "t", MAX_TOKEN);
    let Some(click) = token.and_then(|token| Click::of_token(&config.keys, &token)) else { return gone() };
    let by = Reader::of_link(reader_request(&Said::of(request)?));
    let (source, event) = (click.message.channel.source()?, click.clicked(by, clock::now())?);
    let env = env.clone();
    context.wait_until(async move {
        if let Err(fault) = deliver(&env, &source, Trust::Fact, vec![event]).await {
            console_error!("click: {fault}");
        }
    });
    let headers = Headers::new();
    headers.set("location", click.destination.as_str())?;
    headers.set("cache-control", "no-store, private")?;
    headers.set("x-robots-tag", "noindex, nofollow")?;
    Ok(ResponseBuilder::new().with_status(302).with_headers(headers).empty())
}

/// A link that leads nowhere.
pub(crate) fn gone() -> Result<Response, Fault> {
    let headers = Headers::new();
    for (name, value) in [
        ("content-type", "text/html; charset=utf-8"),
        ("cache-control", "no-store, private"),
        ("content-security-policy", "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'"),
        ("x-robots-tag", "noindex, nofollow"),
        ("x-content-type-options", "nosniff"),
    ] {
        headers.set(name, value)?;
    }
    Ok(ResponseBuilder::new().with_status(404).with_headers(headers).fixed(GONE.as_bytes().to_vec()))
}
