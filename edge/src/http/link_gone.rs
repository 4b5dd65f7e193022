//! What a person sees who followed a link that is damaged, or was made by keys that no longer count.

use worker::{Headers, Response, ResponseBuilder};

use crate::platform::error::EdgeError;

const PAGE: &str = include_str!("link_gone.html");

/// A link that leads nowhere.
pub(super) fn gone() -> Result<Response, EdgeError> {
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
    Ok(ResponseBuilder::new().with_status(404).with_headers(headers).fixed(PAGE.as_bytes().to_vec()))
}
