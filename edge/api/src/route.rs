//! One row of the table.

use super::method::Method;
use super::payload::Payload;
use super::role::Role;

/// How a route is reached, and what goes in and out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Route {
    /// The method.
    pub method: Method,
    /// The path. `{name}` is one segment, `{name*}` all that is left; what begins with `/ec/` lies below the deployment's
    /// prefix, which is `/ec` unless it is set.
    pub path: &'static str,
    /// Who may call it.
    pub role: Role,
    /// Its name in the OpenAPI document.
    pub id: &'static str,
    /// What it takes.
    pub request: Payload,
    /// What it answers when all is well.
    pub answer: Payload,
}

impl Route {
    /// The path with parameters as OpenAPI writes them.
    #[must_use]
    pub fn described_path(&self) -> String {
        self.path.replace("*}", "}")
    }
}
