//! Routes of other vendors' tracking APIs.

use endcap_api::Operation;
use serde_json::{Value, json};

use super::answers::{ErrorBody, NotTaken};
use super::builder::{Builder, plain};
use super::schema::schema_of;

/// The description of one of them.
pub(super) fn describe(doc: &mut Builder, operation: Operation) -> Value {
    let summary = match operation {
        Operation::Track | Operation::TrackShort => "Something somebody did",
        Operation::Identify | Operation::IdentifyShort => "Who somebody is",
        Operation::Page | Operation::PageShort => "A page view",
        Operation::Screen | Operation::ScreenShort => "A screen of an app",
        Operation::Group | Operation::GroupShort => "Which group somebody belongs to",
        Operation::Alias | Operation::AliasShort => "Two names of one person",
        Operation::SendMetrics => return metrics(operation),
        Operation::GetClientSettings => return settings(doc, operation),
        Operation::GetSourceConfig => return source_config(doc, operation),
        _ => "Calls of many people, in the order in which they happened",
    };
    taking(doc, operation, summary)
}

fn metrics(operation: Operation) -> Value {
    json!({"operationId": operation.route().id, "summary": "A client's figures about itself",
        "requestBody": {"content": {"application/json": {"schema": {}}, "text/plain": {"schema": {}}}},
        "responses": {"200": plain("They are not kept.")}})
}

/// The write key as a user name; pages put theirs into the body or the query instead.
fn keys() -> Value {
    json!([{"writeKey": []}, {}])
}

fn query() -> Value {
    json!({"name": "writeKey", "in": "query", "description": "Write key, where no header can be set",
        "schema": {"type": "string", "maxLength": 256}})
}

fn taking(doc: &mut Builder, operation: Operation, summary: &str) -> Value {
    let route = operation.route();
    let mut answers = doc.errors(&[
        ("401", "The write key is missing or unknown."),
        ("403", "The page's origin may not send to this source."),
        ("429", "Too many requests; try again after `Retry-After`."),
        ("503", "Not all was kept; send it again after `Retry-After`."),
    ]);
    answers.insert("200".to_owned(), doc.answer(route.answer, "Taken; what was refused is named."));
    let either = json!({"anyOf": [doc.schema::<NotTaken>(), doc.schema::<ErrorBody>()]});
    let refused = json!({"description": "Nothing of it is good, it is no JSON, or it is over its bound.",
        "content": {"application/json": {"schema": either}}});
    answers.insert("400".to_owned(), refused);
    let text = json!({"schema": {"type": "string"}});
    let body = json!({"required": true, "content": {"application/json": {"schema": schema_of(&mut doc.generator, route.request)}, "text/plain": text}});
    json!({"operationId": route.id, "summary": summary, "security": keys(), "parameters": [query()],
        "requestBody": body, "responses": answers})
}

fn settings(doc: &mut Builder, operation: Operation) -> Value {
    let mut answers = doc.errors(&[("401", "The write key is unknown.")]);
    answers.insert("200".to_owned(), plain("The settings: no destinations, and this host to send to."));
    json!({"operationId": operation.route().id, "summary": "What analytics-next reads before it starts",
        "responses": answers})
}

fn source_config(doc: &mut Builder, operation: Operation) -> Value {
    let mut answers = doc.errors(&[("401", "The write key is missing or unknown.")]);
    answers.insert("200".to_owned(), plain("The source: no destinations."));
    json!({"operationId": operation.route().id, "summary": "What RudderStack's clients read before they start",
        "security": keys(), "parameters": [query()], "responses": answers})
}
