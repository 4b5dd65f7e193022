//! Answers: JSON with the right status, and the headers that every answer carries.

use std::cell::RefCell;
use std::collections::BTreeMap;

use endcap_api::Method as ApiMethod;
use endcap_validation::DomainError;
use js_sys::Uint8Array;
use serde::Serialize;
use worker::web_sys::{Headers as RawHeaders, Response as RawResponse, ResponseInit};
use worker::{Headers, Method, Request, Response, ResponseBuilder, console_error};

use super::config::Config;
use super::error::EdgeError;

/// The methods that routes take.
const KNOWN: [ApiMethod; 4] = [ApiMethod::Get, ApiMethod::Post, ApiMethod::Put, ApiMethod::Delete];

/// JSON with status 200.
pub(crate) fn json<T: Serialize>(value: &T) -> Result<Response, EdgeError> {
    raw_json(&serde_json::to_string(value)?, 200)
}

/// JSON text with a status.
pub(crate) fn raw_json(text: &str, status: u16) -> Result<Response, EdgeError> {
    let headers = Headers::new();
    headers.set("content-type", "application/json")?;
    headers.set("cache-control", "no-store")?;
    let builder = ResponseBuilder::new().with_status(status).with_headers(headers);
    Ok(builder.fixed(text.as_bytes().to_vec()))
}

/// Whether a POST is a visitor's batch, by its address.
pub(crate) fn is_batch(url: &str, config: &Config) -> bool {
    let path = url.split_once("://").and_then(|(_, rest)| rest.split_once('/')).map_or("", |(_, path)| path);
    let path = path.split(['?', '#']).next().unwrap_or_default();
    let prefix = config.prefix.trim_start_matches('/');
    path.strip_prefix(prefix) == Some("/e")
}

/// Origins whose headers are kept.
const ORIGINS: usize = 32;

thread_local! {
    /// The headers of an answer to a batch by the origin that may read it, as JavaScript holds them: each header that is set
    /// by itself costs a call.
    static BATCH_HEADERS: RefCell<BTreeMap<Option<String>, RawHeaders>> = const { RefCell::new(BTreeMap::new()) };
}

fn batch_headers(origin: Option<&str>) -> Result<RawHeaders, EdgeError> {
    let key = origin.map(str::to_owned);
    if let Some(headers) = BATCH_HEADERS.with_borrow(|held| held.get(&key).cloned()) {
        return Ok(headers);
    }
    let headers = RawHeaders::new()?;
    headers.set("content-type", "application/json")?;
    headers.set("cache-control", "no-store")?;
    if let Some(origin) = origin {
        headers.set("access-control-allow-origin", origin)?;
        headers.set("access-control-allow-credentials", "true")?;
        headers.set("vary", "origin")?;
    }
    BATCH_HEADERS.with_borrow_mut(|held| {
        if held.len() >= ORIGINS {
            held.clear();
        }
        held.insert(key, headers.clone());
    });
    Ok(headers)
}

/// The answer to a batch.
pub(crate) fn batch(
    body: &[u8],
    status: u16,
    origin: Option<&str>,
    cookies: &[String],
) -> Result<RawResponse, EdgeError> {
    let init = ResponseInit::new();
    init.set_status(status);
    init.set_headers(batch_headers(origin)?.as_ref());
    let body = Uint8Array::new_from_slice(body);
    let response = RawResponse::new_with_opt_buffer_source_and_init(Some(&body), &init)?;
    if !cookies.is_empty() {
        let headers = response.headers();
        cookies.iter().try_for_each(|cookie| headers.append("set-cookie", cookie))?;
    }
    Ok(response)
}

/// An answer without a body.
pub(crate) fn empty(status: u16) -> Response {
    ResponseBuilder::new().with_status(status).empty()
}

/// The answer to a failed request.
pub(crate) fn error(error: &EdgeError) -> worker::Result<Response> {
    let domain = error.to_domain();
    if matches!(domain, DomainError::Internal(_) | DomainError::Format { .. }) {
        console_error!("{error}");
    }
    let failed = |error: EdgeError| worker::Error::RustError(error.to_string());
    let response = raw_json(&domain.to_json(), domain.status()).map_err(failed)?;
    if let Some(seconds) = domain.retry_after() {
        response.headers().set("retry-after", &seconds.to_string())?;
    }
    if let Some(methods) = domain.allow() {
        response.headers().set("allow", &methods)?;
    }
    Ok(response)
}

/// Turns a handler's result into the answer.
pub(crate) fn answer_or_error(result: Result<Response, EdgeError>) -> worker::Result<Response> {
    result.or_else(|failed| error(&failed))
}

/// Reads a body of at most `limit` bytes. What says in advance that it is longer is not read at all.
pub(crate) async fn body(request: &mut Request, limit: usize) -> Result<Vec<u8>, EdgeError> {
    let too_large = || EdgeError::Domain(DomainError::TooLarge { limit });
    let announced = request.headers().get("content-length")?.and_then(|text| text.parse::<usize>().ok());
    if announced.is_some_and(|length| length > limit) {
        return Err(too_large());
    }
    let body = request.bytes().await?;
    if body.len() > limit { Err(too_large()) } else { Ok(body) }
}

/// Refuses content types that are neither JSON nor plain text (which browsers send without a preflight).
pub(crate) fn check_media_type(given: &str) -> Result<(), EdgeError> {
    let kind = given.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    let right = matches!(kind.as_str(), "application/json" | "text/plain" | "");
    if right { Ok(()) } else { Err(DomainError::MediaType.into()) }
}

/// Refuses methods that this code does not know: the `worker` crate takes an unknown method for GET.
pub(crate) fn check_known_method(request: &Request) -> Result<(), EdgeError> {
    let known = request.inner().method() == request.method().as_ref();
    if known { Ok(()) } else { Err(DomainError::Method(KNOWN.to_vec()).into()) }
}

/// Refuses all but GET and HEAD.
pub(crate) fn check_read(request: &Request) -> Result<(), EdgeError> {
    let reads = matches!(request.method(), Method::Get | Method::Head);
    if reads { Ok(()) } else { Err(DomainError::Method(vec![ApiMethod::Get]).into()) }
}
