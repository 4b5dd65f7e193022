//! Answers to preflights (Fetch standard, CORS protocol).

use endcap_api::Role;
use endcap_validation::DomainError;
use worker::Response;

use super::incoming::Incoming;
use crate::platform::error::EdgeError;
use crate::platform::{cors, response};

/// Headers that the vendors' clients set, and that a page's preflight therefore asks for.
const VENDOR_HEADERS: &str = "authorization, content-type, anonymousid, sentat, x-retry-count, rsa-recovered, \
                              rsa-retry-attempt, rsa-since-last-attempt, rsa-since-first-attempt, rsa-retry-reason";

/// The answer at a path whose routes have this role; None where they are not for pages.
pub(super) fn answer(role: Role, incoming: &Incoming<'_>) -> Option<Result<Response, EdgeError>> {
    match role {
        Role::Page => Some(of_page(incoming)),
        Role::WriteKey => Some(of_vendor(incoming)),
        Role::Anybody | Role::Visitor | Role::Signature | Role::Operator => None,
    }
}

/// Any origin that some source lists, or any at all where a source takes pages of any origin. Which source it may send to is
/// checked with the batch.
fn of_page(incoming: &Incoming<'_>) -> Result<Response, EdgeError> {
    let origin = incoming.request.headers().get("origin")?.unwrap_or_default();
    if !incoming.config.names(&origin) && !incoming.config.has_open_source() {
        return Err(DomainError::Forbidden(origin).into());
    }
    let response = response::empty(204);
    cors::allow(&response, &origin)?;
    allow(&response, "POST", "content-type")?;
    Ok(response)
}

/// A vendor's preflight names no source: which one a page may send to is checked with what it sends.
fn of_vendor(incoming: &Incoming<'_>) -> Result<Response, EdgeError> {
    let response = response::empty(204);
    let origin = incoming.request.headers().get("origin")?.unwrap_or_default();
    if incoming.config.names(&origin) {
        cors::allow_without_cookies(&response, &origin)?;
    } else if incoming.config.has_open_source() {
        response.headers().set("access-control-allow-origin", "*")?;
    }
    allow(&response, "GET, POST", VENDOR_HEADERS)?;
    Ok(response)
}

fn allow(response: &Response, methods: &str, headers: &str) -> Result<(), EdgeError> {
    for (name, value) in [
        ("access-control-allow-methods", methods),
        ("access-control-allow-headers", headers),
        ("access-control-max-age", "86400"),
    ] {
        response.headers().set(name, value)?;
    }
    Ok(())
}
