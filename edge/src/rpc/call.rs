//! Calling Durable Objects.

use endcap_validation::DomainError;
use serde_json::Value;
use wasm_bindgen::JsValue;
use worker::{Method, Request, RequestInit, Response, Stub};

use super::message::Message;
use crate::platform::error::EdgeError;
use crate::platform::response;

/// Names the bucket that a request between our objects is about, so that a shard that gave it away can hand it on.
pub(crate) const BUCKET_HEADER: &str = "x-endcap-bucket";

/// A request to one of our objects. The host names nothing; it only has to be one.
pub(crate) fn request(path: &str, body: String) -> Result<Request, EdgeError> {
    let mut init = RequestInit::new();
    init.with_method(Method::Post).with_body(Some(JsValue::from(body)));
    Ok(Request::new_with_init(&format!("https://object.internal{path}"), &init)?)
}

/// The request that carries a message.
pub(super) fn request_of<M: Message>(message: &M) -> Result<Request, EdgeError> {
    request(M::PATH, serde_json::to_string(message)?)
}

/// Sends a message to an object and returns its answer, whatever the status.
///
/// # Errors
/// [`DomainError::Deploying`] where the object runs a version that does not know the message.
pub(crate) async fn post<M: Message>(stub: &Stub, message: &M) -> Result<Response, EdgeError> {
    let mut answer = stub.fetch_with_request(request_of(message)?).await?;
    if answer.status_code() != 404 {
        return Ok(answer);
    }
    let text = answer.text().await?;
    if text == DomainError::NotFound("route").to_json() {
        return Err(DomainError::Deploying.into());
    }
    response::raw_json(&text, 404)
}

/// Sends a message to an object and reads its answer; anything but 200 is an error.
pub(crate) async fn ask<M: Message>(stub: &Stub, message: &M) -> Result<M::Reply, EdgeError> {
    read::<M>(post(stub, message).await?).await
}

/// Reads the answer to a message.
pub(super) async fn read<M: Message>(mut response: Response) -> Result<M::Reply, EdgeError> {
    let status = response.status_code();
    if status == 200 {
        return Ok(serde_json::from_str(&response.text().await?)?);
    }
    let code = serde_json::from_str::<Value>(&response.text().await.unwrap_or_default()).ok();
    let code = code.and_then(|body| Some(body.pointer("/error/code")?.as_str()?.to_owned()));
    Err(EdgeError::Object { path: M::PATH, status, code: code.unwrap_or_default() })
}
