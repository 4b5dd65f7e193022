//! `GET {prefix}/x`: from one of a shop's domains to another, as the same visitor.
//!
//! On the domain that the visitor leaves (`to`, `s`), it redirects to the same route on the other domain, with a
//! cross-domain token. There (`t`), it sets the cookies of identity and possession from the token, once, and redirects to the
//! page, whose address shows no token. Who does not show the possession token of the identity is only redirected. The source
//! must list the origin that they lead to.

use endcap_events::ingest::consent::Gpc;
use endcap_events::link::cross_domain::{CrossDomain, Leaving};
use endcap_events::link::destination::Destination;
use endcap_events::link::query::parameter;
use endcap_events::link::token::MAX_TOKEN;
use endcap_events::link::{cross_domain, query};
use endcap_protocol::cookie::{ID_COOKIE, Identity, ROUTE_COOKIE};
use endcap_protocol::{FieldError, bucket_of, uuid};
use endcap_validation::DomainError;
use worker::{Env, Headers, Request, Response, ResponseBuilder};

use super::incoming::Incoming;
use super::link_gone::gone;
use super::rate_limits;
use crate::platform::clock;
use crate::platform::config::Config;
use crate::platform::cookie::{Readers, cookie, lasting, possession_cookie, tokens};
use crate::platform::error::EdgeError;
use crate::rpc::crossing::CrossingArrival;
use crate::rpc::placement::Use;
use crate::rpc::{call, placement, shards};

/// Answers a visitor on their way.
pub(super) async fn serve(incoming: &Incoming<'_>) -> Result<Response, EdgeError> {
    let Incoming { request, config, .. } = incoming;
    rate_limits::admit_reader(request.inner(), config)?;
    let url = incoming.url();
    match parameter(query::of(&url), "t", MAX_TOKEN) {
        Some(token) => arrive(incoming, &url, &token).await,
        None => set_out(request, &url, config),
    }
}

/// The domain that the visitor leaves.
fn set_out(request: &Request, url: &str, config: &Config) -> Result<Response, EdgeError> {
    let (source, destination) = cross_domain::asked(query::of(url))?;
    let origin = query::origin(destination.as_str()).unwrap_or_default().to_owned();
    let listed = config.lists(source.as_str(), &origin);
    if !listed.ok_or_else(|| FieldError::new("s", "is no source of this deployment"))? {
        return Err(DomainError::Forbidden(origin).into());
    }
    let Some(leaving) = leaving(request, url, config)? else { return lead_to(&destination, Vec::new()) };
    let nonce = uuid::v4(clock::random()?);
    let cross_domain = CrossDomain::of(leaving, source, destination, nonce, clock::now());
    match cross_domain.token(&config.keys) {
        Some(token) => found(&format!("{origin}{}/x?t={token}", config.prefix), Vec::new()),
        None => lead_to(&cross_domain.destination, Vec::new()),
    }
}

/// The domain that the visitor goes to.
async fn arrive(incoming: &Incoming<'_>, url: &str, token: &str) -> Result<Response, EdgeError> {
    let Incoming { request, config, env, .. } = incoming;
    let Some(cross_domain) = CrossDomain::of_token(&config.keys, token) else { return gone() };
    let here = query::origin(url).unwrap_or_default();
    let to = query::origin(cross_domain.destination.as_str()).unwrap_or_default();
    // A token counts only on the domain that it was made for, and only while the source lists that domain.
    if to != here || config.lists(cross_domain.source.as_str(), to) != Some(true) {
        return gone();
    }
    let (cookies, now) = (request.headers().get("cookie")?.unwrap_or_default(), clock::now());
    let held = cookie(&cookies, ID_COOKIE).and_then(Identity::parse);
    let is_new = cookie(&cookies, ROUTE_COOKIE).is_none();
    let brought = cross_domain.identity(held.clone(), now).filter(|_| is_new);
    let is_secure = url.starts_with("https:");
    let tokens = tokens(&cookies, is_secure);
    let known = tokens.generation_of(&config.keys, &cross_domain.anonymous);
    let possession = cross_domain.possession(held.as_ref(), now).filter(|_| is_new || held.is_some());
    // A token from the other domain may be older than the one here.
    let possession = possession.filter(|token| known.is_none_or(|known| known < token.generation));
    // Who only looks at the address does not arrive.
    let arrives = *request.inner().method() == *"GET" && !refused(request, config)?;
    let gets = arrives && (brought.is_some() || possession.is_some());
    // The visitor arrives, whatever becomes of who they are.
    if !gets || !admitted(env, &cross_domain).await.unwrap_or(false) {
        return lead_to(&cross_domain.destination, Vec::new());
    }
    let identity = brought.map(|identity| lasting(ID_COOKIE, &identity.to_text(), Readers::Scripts, is_secure));
    let signed = possession.and_then(|token| Some((token.sign(&config.keys)?, token.anonymous_id)));
    let held = signed.map(|(token, id)| tokens.with(&id, &token));
    let possession = held.map(|held| lasting(&possession_cookie(is_secure), &held, Readers::Edge, is_secure));
    lead_to(&cross_domain.destination, identity.into_iter().chain(possession).collect())
}

/// Whether a crossing has not arrived before. The object that has the browser's home says it. A token of a version that gave
/// crossings no names brings the identity, and no possession.
async fn admitted(env: &Env, cross_domain: &CrossDomain) -> Result<bool, EdgeError> {
    if cross_domain.nonce.is_empty() {
        return Ok(true);
    }
    placement::check(env, Use::Write).await?;
    let arrival = CrossingArrival { nonce: cross_domain.nonce.clone(), expires_at: cross_domain.expires_at };
    let bucket = bucket_of(cross_domain.anonymous.as_str());
    Ok(call::ask(&shards::shard(env, bucket)?, &arrival).await?.is_first)
}

/// The visitor who sets out: one who shows the token of the ID that the cookie names. That shows consent as well, because the
/// edge gives a token with consent only.
fn leaving(request: &Request, url: &str, config: &Config) -> Result<Option<Leaving>, EdgeError> {
    let cookies = request.headers().get("cookie")?.unwrap_or_default();
    let Some(identity) = cookie(&cookies, ID_COOKIE).and_then(Identity::parse) else { return Ok(None) };
    let tokens = tokens(&cookies, url.starts_with("https:"));
    let generation = tokens.generation_of(&config.keys, &identity.anonymous);
    let refused = refused(request, config)?;
    Ok(generation.filter(|_| !refused).map(|generation| Leaving { identity, generation }))
}

/// Whether the browser itself refuses to be measured here.
fn refused(request: &Request, config: &Config) -> Result<bool, EdgeError> {
    let private = request.headers().get("sec-gpc")?.is_some_and(|signal| signal.trim() == "1");
    Ok(private && config.gpc == Gpc::Analytics)
}

fn lead_to(destination: &Destination, cookies: Vec<String>) -> Result<Response, EdgeError> {
    found(destination.as_str(), cookies)
}

fn found(location: &str, cookies: Vec<String>) -> Result<Response, EdgeError> {
    let headers = Headers::new();
    headers.set("location", location)?;
    headers.set("cache-control", "no-store, private")?;
    headers.set("x-robots-tag", "noindex, nofollow")?;
    // A referrer would make the shop's other domain a referral, and hide where the visitor first came from.
    headers.set("referrer-policy", "no-referrer")?;
    for cookie in cookies {
        headers.append("set-cookie", &cookie)?;
    }
    Ok(ResponseBuilder::new().with_status(302).with_headers(headers).empty())
}
