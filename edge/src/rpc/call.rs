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

/// The text of a message and where it goes.
pub(super) struct Outgoing {
    path: &'static str,
    body: String,
}

impl Outgoing {
    /// A message as text.
    pub(super) fn of<M: Message>(message: &M) -> Result<Self, EdgeError> {
        Ok(Self { path: M::PATH, body: serde_json::to_string(message)? })
    }

    // What follows is not generic: the worker has its code once, and not once for each message.

    /// Sends it to an object, and names the bucket that it is about where there is one.
    pub(super) async fn send(self, stub: &Stub, bucket: Option<u16>) -> Result<Response, EdgeError> {
        let request = request(self.path, self.body)?;
        if let Some(bucket) = bucket {
            request.headers().set(BUCKET_HEADER, &bucket.to_string())?;
        }
        Ok(stub.fetch_with_request(request).await?)
    }

    /// The same, and refuses the answer of an object whose version does not know the message.
    async fn send_known(self, stub: &Stub) -> Result<Response, EdgeError> {
        let mut answer = self.send(stub, None).await?;
        if answer.status_code() != 404 {
            return Ok(answer);
        }
        let text = answer.text().await?;
        if text == DomainError::NotFound("route").to_json() {
            return Err(DomainError::Deploying.into());
        }
        response::raw_json(&text, 404)
    }

    /// Sends it and returns the text of the answer; anything but 200 is an error.
    pub(super) async fn ask(self, stub: &Stub, bucket: Option<u16>) -> Result<String, EdgeError> {
        let path = self.path;
        let mut answer = self.send(stub, bucket).await?;
        let (status, text) = (answer.status_code(), answer.text().await);
        if status == 200 {
            return Ok(text?);
        }
        let code = serde_json::from_str::<Value>(&text.unwrap_or_default()).ok();
        let code = code.and_then(|body| Some(body.pointer("/error/code")?.as_str()?.to_owned()));
        Err(EdgeError::Object { path, status, code: code.unwrap_or_default() })
    }
}

/// Sends a message to an object and returns its answer, whatever the status.
///
/// # Errors
/// [`DomainError::Deploying`] where the object runs a version that does not know the message.
pub(crate) async fn post<M: Message>(stub: &Stub, message: &M) -> Result<Response, EdgeError> {
    Outgoing::of(message)?.send_known(stub).await
}

/// Sends a message to several objects, one after the other, and reads their answers; anything but 200 is an error.
pub(crate) async fn ask_each<M: Message>(stubs: &[Stub], message: &M) -> Result<Vec<M::Reply>, EdgeError> {
    let mut replies = Vec::with_capacity(stubs.len());
    for stub in stubs {
        replies.push(ask(stub, message).await?);
    }
    Ok(replies)
}

/// Sends a message to an object and reads its answer; anything but 200 is an error.
pub(crate) async fn ask<M: Message>(stub: &Stub, message: &M) -> Result<M::Reply, EdgeError> {
    Ok(serde_json::from_str(&Outgoing::of(message)?.ask(stub, None).await?)?)
}
