//! Requests to servers of others.

use js_sys::Uint8Array;
use wasm_bindgen::JsValue;
use worker::{Fetch, Headers, Method, Request, RequestInit, RequestRedirect};

use super::error::EdgeError;

/// What another server answered.
pub(crate) struct Answer {
    /// The status; redirects are not followed, so 3xx is one too.
    pub(crate) status: u16,
    /// The header `Retry-After`.
    pub(crate) retry_after: Option<String>,
    /// The body as text; empty where it is none.
    pub(crate) body: String,
}

/// Posts bytes. Redirects are not followed: they would lead past the check of where we send to. None when nobody answers.
pub(crate) async fn post<'a>(
    url: &str,
    headers: impl IntoIterator<Item = (&'a str, &'a str)>,
    body: &[u8],
) -> Result<Option<Answer>, EdgeError> {
    let set = Headers::new();
    for (name, value) in headers {
        set.set(name, value)?;
    }
    let mut init = RequestInit::new();
    init.with_method(Method::Post).with_headers(set).with_body(Some(JsValue::from(Uint8Array::from(body))));
    init.with_redirect(RequestRedirect::Manual);
    let request = Request::new_with_init(url, &init)?;
    let Ok(mut response) = Fetch::Request(request).send().await else { return Ok(None) };
    let retry_after = response.headers().get("retry-after")?;
    let body = response.text().await.unwrap_or_default();
    Ok(Some(Answer { status: response.status_code(), retry_after, body }))
}
