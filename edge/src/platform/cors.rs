//! Which answers pages on other origins may read (Fetch standard, CORS protocol).

use worker::Response;

use super::error::EdgeError;
use super::response;

/// Lets a page of `origin` read the answer to a request with cookies. The caller has checked the origin.
pub(crate) fn allow(response: &Response, origin: &str) -> Result<(), EdgeError> {
    allow_without_cookies(response, origin)?;
    Ok(response.headers().set("access-control-allow-credentials", "true")?)
}

/// The same for a request without cookies.
pub(crate) fn allow_without_cookies(response: &Response, origin: &str) -> Result<(), EdgeError> {
    response.headers().set("access-control-allow-origin", origin)?;
    Ok(response.headers().set("vary", "origin")?)
}

/// Turns a handler's result into the answer. A page can read an error, with the time to wait, where the source that it asked
/// lists its origin ([`EdgeError::Readable`]); nobody else learns that the answer is an error.
pub(crate) fn answer_or_error(result: Result<Response, EdgeError>, origin: Option<&str>) -> worker::Result<Response> {
    let Err(error) = result else { return response::answer_or_error(result) };
    let response = response::error(&error)?;
    if let (EdgeError::Readable(_), Some(origin)) = (&error, origin) {
        response.headers().set("access-control-expose-headers", "retry-after")?;
        allow(&response, origin)?;
    }
    Ok(response)
}
