//! Who may use the server API.

use endcap_validation::DomainError;
use worker::{Method, Request};

use crate::http::incoming::Incoming;
use crate::platform::error::EdgeError;
use crate::rpc::placement;
use crate::rpc::placement::Use;

/// Lets a request in that has the key, to a deployment whose data is where it is set to be.
pub(in crate::http) async fn admit(incoming: &Incoming<'_>) -> Result<(), EdgeError> {
    authorize(&incoming.request, &incoming.config.api_key)?;
    let reads = matches!(incoming.request.method(), Method::Get | Method::Head);
    placement::check(incoming.env, if reads { Use::Read } else { Use::Write }).await
}

/// Refuses requests without the key. Compares without telling by its time how much was right.
fn authorize(request: &Request, key: &str) -> Result<(), EdgeError> {
    let header = request.headers().get("authorization")?.unwrap_or_default();
    let given = header.strip_prefix("Bearer ").unwrap_or_default();
    let same_length = given.len() == key.len();
    let difference = given.bytes().zip(key.bytes()).fold(0, |sum, (a, b)| sum | (a ^ b));
    if !key.is_empty() && same_length && difference == 0 { Ok(()) } else { Err(DomainError::Unauthorized.into()) }
}
