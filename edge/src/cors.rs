//! Which answers pages on other origins may read (Fetch standard, CORS protocol).

use worker::Response;

use crate::answer;
use crate::config::Config;
use crate::fault::Fault;

/// Lets a page of an origin, which was checked, read an answer that its cookies went along for.
pub(crate) fn allow(response: &Response, origin: &str) -> Result<(), Fault> {
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
    result: Result<Response, Fault>,
    origin: Option<&str>,
    config: &Config,
) -> worker::Result<Response> {
    let Err(fault) = result else { return answer::settle(result) };
    let response = answer::fault(&fault)?;
    if let Some(origin) = origin.filter(|origin| config.knows(origin)) {
        response.headers().set("access-control-expose-headers", "retry-after")?;
        allow(&response, origin).map_err(|fault| worker::Error::RustError(fault.to_string()))?;
    }
    Ok(response)
}
