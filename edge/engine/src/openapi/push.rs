//! Routes of web push: what the page and its service worker send.

use endcap_api::Operation;
use serde_json::{Value, json};

use super::builder::{Builder, LARGE, METHOD, WRONG, with};

const OFTEN: (&str, &str) = ("429", "The client sent more than it may; try again after `Retry-After`.");
const FAILED: (&str, &str) = ("503", "Nothing was kept; try again after `Retry-After`.");

/// A request body of JSON, which pages send as plain text: that needs no preflight.
fn either(mut body: Value) -> Value {
    if let Some(content) = body.get_mut("content").and_then(Value::as_object_mut) {
        content.insert("text/plain".to_owned(), json!({"schema": {"type": "string"}}));
    }
    body
}

/// The description of an operation of web push.
pub(super) fn describe(doc: &mut Builder, operation: Operation) -> Value {
    match operation {
        Operation::Subscribe => subscription(doc),
        _ => report(doc),
    }
}

/// Subscriptions.
fn subscription(doc: &mut Builder) -> Value {
    let route = Operation::Subscribe.route();
    let mut answers = doc.errors(&[
        WRONG,
        ("403", "The page's origin may not send to this source."),
        METHOD,
        LARGE,
        ("415", "The body is neither JSON nor plain text."),
        OFTEN,
        FAILED,
    ]);
    answers.insert("200".to_owned(), doc.answer(route.answer, "The change was made."));
    let bucket = json!([{"name": "b", "in": "query", "description": "Bucket of the anonymous ID, a routing hint",
        "schema": {"type": "integer", "minimum": 0, "maximum": 1023}}]);
    let summary = "Subscribe a browser to web push, or end it";
    let post = json!({"operationId": route.id, "summary": summary, "parameters": bucket, "responses": answers});
    with(post, "requestBody", either(doc.body(route.request)))
}

/// Reports.
fn report(doc: &mut Builder) -> Value {
    let route = Operation::ReportNotification.route();
    let missing = ("404", "The reference is damaged, or of keys that no longer count.");
    let mut answers = doc.errors(&[WRONG, missing, METHOD, LARGE, OFTEN, FAILED]);
    answers.insert("204".to_owned(), doc.answer(route.answer, "It was noted."));
    let summary = "A notification was shown, clicked or closed";
    let post = json!({"operationId": route.id, "summary": summary, "responses": answers});
    with(post, "requestBody", either(doc.body(route.request)))
}
