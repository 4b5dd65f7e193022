//! A request on its way to what answers it.

use worker::{Context, Env, Request};

use crate::platform::config::Config;

/// A request with what its route says about it.
pub(super) struct Incoming<'a> {
    /// The request.
    pub(super) request: Request,
    /// The deployment's bindings.
    pub(super) env: &'a Env,
    /// The deployment's configuration.
    pub(super) config: &'a Config,
    /// Keeps work going after the answer.
    pub(super) context: &'a Context,
    /// The parameter of the path as it stands there; empty where the path has none.
    pub(super) parameter: &'a str,
    /// The path below which the route was found: the prefix, or nothing.
    pub(super) base: &'a str,
}

impl Incoming<'_> {
    /// The URL.
    pub(super) fn url(&self) -> String {
        self.request.inner().url()
    }
}
