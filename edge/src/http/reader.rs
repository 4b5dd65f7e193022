//! The request headers that tell who fetched an image or followed a link.

use endcap_events::link::reader;
use worker::{Method, Request};

use crate::platform::error::EdgeError;

/// What a request says about who made it.
pub(super) struct ReaderHeaders {
    agent: String,
    purpose: String,
    head: bool,
}

impl ReaderHeaders {
    /// Reads a request's headers.
    pub(super) fn of(request: &Request) -> Result<Self, EdgeError> {
        let headers = request.headers();
        let mut purpose = String::new();
        for name in ["sec-purpose", "purpose", "x-purpose"] {
            purpose.push_str(&headers.get(name)?.unwrap_or_default());
        }
        let agent = headers.get("user-agent")?.unwrap_or_default();
        Ok(Self { agent, purpose, head: request.method() == Method::Head })
    }

    /// The same as the domain takes it.
    pub(super) fn request(&self) -> reader::Request<'_> {
        reader::Request { agent: &self.agent, purpose: &self.purpose, head: self.head }
    }
}
