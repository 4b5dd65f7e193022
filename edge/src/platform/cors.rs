//! Which answers pages on other origins may read (Fetch standard, CORS protocol).

use worker::Response;

use super::config::Config;
use super::error::EdgeError;
use super::response;

/// Lets a page of an origin, which was checked, read an answer that its cookies went along for.
pub(crate) fn allow(response: &Response, origin: &str) -> Result<(), EdgeError> {
    for (name, value) in
        [("access-control-allow-origin", origin), ("access-control-allow-credentials", "true"), ("vary", "origin")]
    {
        response.headers().set(name, value)?;
    }
    Ok(())
}

/// Turns a handler's result into the answer. Pages of origins that some source names can read a fault, with the time to
/// wait: one that cannot see why it was refused would try again for ever.
pub(crate) fn settle(
    result: Result<Response, EdgeError>,
    origin: Option<&str>,
    config: &Config,
) -> worker::Result<Response> {
    let Err(fault) = result else { return response::settle(result) };
    let response = response::error(&fault)?;
    if let Some(origin) = origin.filter(|origin| config.knows(origin)) {
        response.headers().set("access-control-expose-headers", "retry-after")?;
        allow(&response, origin).map_err(|fault| worker::Error::RustError(fault.to_string()))?;
    }
    Ok(response)
}
