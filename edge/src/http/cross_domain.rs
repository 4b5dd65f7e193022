//! `GET {prefix}/x`: from one of a shop's domains to another, as the same visitor.
//!
//! On the domain that the visitor leaves (`to`, `s`), it redirects to the same route on the other domain, with a
//! cross-domain token. There (`t`), it sets the identity cookie from the token and redirects to the page, whose address
//! shows no token. Without an identity to pass on, both only redirect. The source must list the origin that they lead
//! to.

use endcap_events::ingest::consent::Gpc;
use endcap_events::link::cross_domain::CrossDomain;
use endcap_events::link::destination::Destination;
use endcap_events::link::query::parameter;
use endcap_events::link::token::MAX_TOKEN;
use endcap_events::link::{cross_domain, query};
use endcap_identity::Purpose;
use endcap_protocol::FieldError;
use endcap_protocol::cookie::{ID_COOKIE, Identity, MAX_AGE_SECONDS, ROUTE_COOKIE};
use endcap_validation::DomainError;
use worker::{Headers, Request, Response, ResponseBuilder};

use super::incoming::Incoming;
use super::link_gone::gone;
use super::rate_limits;
use crate::platform::clock;
use crate::platform::config::Config;
use crate::platform::cookie::cookie;
use crate::platform::error::EdgeError;

/// Answers a visitor on their way.
pub(super) fn serve(incoming: &Incoming<'_>) -> Result<Response, EdgeError> {
    let Incoming { request, config, .. } = incoming;
    rate_limits::admit_reader(request.inner(), config)?;
    let url = incoming.url();
    match parameter(query::of(&url), "t", MAX_TOKEN) {
        Some(token) => arrive(request, &url, &token, config),
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
    let Some(visitor) = consented(request, config)? else { return lead_to(&destination, None) };
    let cross_domain = CrossDomain::of(visitor, source, destination, clock::now());
    match cross_domain.token(&config.keys) {
        Some(token) => found(&format!("{origin}{}/x?t={token}", config.prefix), None),
        None => lead_to(&cross_domain.destination, None),
    }
}

/// The domain that the visitor goes to.
fn arrive(request: &Request, url: &str, token: &str, config: &Config) -> Result<Response, EdgeError> {
    let Some(cross_domain) = CrossDomain::of_token(&config.keys, token) else { return gone() };
    let here = query::origin(url).unwrap_or_default();
    let to = query::origin(cross_domain.destination.as_str()).unwrap_or_default();
    // A token counts only on the domain that it was made for, and only while the source lists that domain.
    if to != here || config.lists(cross_domain.source.as_str(), to) != Some(true) {
        return gone();
    }
    let cookies = request.headers().get("cookie")?.unwrap_or_default();
    let held = cookie(&cookies, ID_COOKIE).and_then(Identity::parse);
    let brought = cross_domain.identity(held, clock::now()).filter(|_| cookie(&cookies, ROUTE_COOKIE).is_none());
    let brought = if refused(request, config)? { None } else { brought };
    let secure = if url.starts_with("https:") { "; Secure" } else { "" };
    let set = brought.map(|identity| {
        format!("{ID_COOKIE}={}; Path=/; Max-Age={MAX_AGE_SECONDS}; SameSite=Lax{secure}", identity.to_text())
    });
    lead_to(&cross_domain.destination, set)
}

/// The visitor's identity, if they consented. The signed route cookie shows that: the edge sets it with consent only.
fn consented(request: &Request, config: &Config) -> Result<Option<Identity>, EdgeError> {
    let cookies = request.headers().get("cookie")?.unwrap_or_default();
    let route = cookie(&cookies, ROUTE_COOKIE).and_then(|route| config.keys.verify(Purpose::Route, route));
    if route.is_none() || refused(request, config)? {
        return Ok(None);
    }
    Ok(cookie(&cookies, ID_COOKIE).and_then(Identity::parse))
}

/// Whether the browser itself refuses to be measured here.
fn refused(request: &Request, config: &Config) -> Result<bool, EdgeError> {
    let private = request.headers().get("sec-gpc")?.is_some_and(|signal| signal.trim() == "1");
    Ok(private && config.gpc == Gpc::Analytics)
}

fn lead_to(destination: &Destination, cookie: Option<String>) -> Result<Response, EdgeError> {
    found(destination.as_str(), cookie)
}

fn found(location: &str, cookie: Option<String>) -> Result<Response, EdgeError> {
    let headers = Headers::new();
    headers.set("location", location)?;
    headers.set("cache-control", "no-store, private")?;
    headers.set("x-robots-tag", "noindex, nofollow")?;
    // A referrer would make the shop's other domain a referral, and hide where the visitor first came from.
    headers.set("referrer-policy", "no-referrer")?;
    if let Some(cookie) = cookie {
        headers.set("set-cookie", &cookie)?;
    }
    Ok(ResponseBuilder::new().with_status(302).with_headers(headers).empty())
}
