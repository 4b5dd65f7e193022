//! A browser's request, besides its body.

use endcap_protocol::cookie::{ID_COOKIE, ROUTE_COOKIE};
use worker::Response;
use worker::web_sys::Request as RawRequest;

use crate::platform::cookie::cookie;
use crate::platform::cors;
use crate::platform::error::EdgeError;

/// What a browser's request says besides its body.
pub(super) struct Visitor {
    /// The page's origin.
    pub(super) origin: Option<String>,
    /// The route cookie.
    pub(super) route: Option<String>,
    /// The identity cookie.
    pub(super) identity: Option<String>,
    /// Whether it came encrypted.
    pub(super) secure: bool,
}

impl Visitor {
    /// Reads a request.
    pub(super) fn of(request: &RawRequest) -> Result<Self, EdgeError> {
        let headers = request.headers();
        let cookies = headers.get("cookie")?.unwrap_or_default();
        Ok(Self {
            origin: headers.get("origin")?,
            route: cookie(&cookies, ROUTE_COOKIE).map(str::to_owned),
            identity: cookie(&cookies, ID_COOKIE).map(str::to_owned),
            secure: request.url().starts_with("https://"),
        })
    }
}

/// Lets a page on another origin, which was checked, read the answer.
pub(super) fn allow_origin(response: &Response, visitor: &Visitor) -> Result<(), EdgeError> {
    visitor.origin.as_deref().map_or(Ok(()), |origin| cors::allow(response, origin))
}
