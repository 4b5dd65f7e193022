//! Routes of other vendors' tracking APIs.

use endcap_events::ingest::rejection::Rejection;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::{Document, ErrorBody, ErrorDetail};

/// The answer to calls of which at least one is good or all were dropped for want of consent, or none was sent.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
struct Taken {
    /// True.
    success: bool,
    /// Calls that were refused; all but `no_consent` are kept in quarantine. Left out where there are none.
    #[serde(default)]
    rejected: Vec<Rejection>,
}

/// The answer to calls of which none is good.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
struct NotTaken {
    /// False.
    success: bool,
    /// What is wrong with the first.
    error: ErrorDetail,
    /// What is wrong with each.
    #[serde(default)]
    rejected: Vec<Rejection>,
}

/// Routes that take one call, with the short name that analytics-next uses.
const CALLS: [(&str, &str, &str); 6] = [
    ("track", "t", "Something somebody did"),
    ("identify", "i", "Who somebody is"),
    ("page", "p", "A page view"),
    ("screen", "s", "A screen of an app"),
    ("group", "g", "Which group somebody belongs to"),
    ("alias", "a", "Two names of one person"),
];

/// Routes that take many calls.
const BATCHES: [(&str, &str); 4] = [
    ("/v1/batch", "sendCalls"),
    ("/v1/b", "sendCallsShort"),
    ("/v1/import", "importCalls"),
    ("/beacon/v1/batch", "sendBeacon"),
];

/// All of them, by path.
pub(super) fn routes(doc: &mut Document) -> Map<String, Value> {
    let mut routes = Map::new();
    for (name, short, summary) in CALLS {
        routes.insert(format!("/v1/{name}"), taking(doc, name, summary, call_schema()));
        routes.insert(format!("/v1/{short}"), taking(doc, &format!("{name}Short"), summary, call_schema()));
    }
    for (path, id) in BATCHES {
        routes.insert(
            path.to_owned(),
            taking(doc, id, "Calls of many people, in the order in which they happened", batch_schema()),
        );
    }
    let own = json!({"200": super::plain("They are not kept.")});
    let metrics = json!({"operationId": "sendMetrics", "summary": "A client's figures about itself",
        "requestBody": {"content": {"application/json": {"schema": {}}, "text/plain": {"schema": {}}}}, "responses": own});
    routes.insert("/v1/m".to_owned(), json!({"post": metrics}));
    routes.insert("/v1/projects/{key}/settings".to_owned(), settings(doc));
    routes.insert("/sourceConfig".to_owned(), source_config(doc));
    routes
}

/// The write key as a user name; pages put theirs into the body or the query instead.
fn keys() -> Value {
    json!([{"writeKey": []}, {}])
}

fn query() -> Value {
    json!({"name": "writeKey", "in": "query", "description": "Write key, where no header can be set",
        "schema": {"type": "string", "maxLength": 256}})
}

fn taking(doc: &mut Document, id: &str, summary: &str, schema: Value) -> Value {
    let mut answers = doc.errors(&[
        ("401", "The write key is missing or unknown."),
        ("403", "The page's origin may not send to this source."),
        ("429", "Too many requests; try again after `Retry-After`."),
        ("503", "Not all was kept; send it again after `Retry-After`."),
    ]);
    answers.insert("200".to_owned(), doc.json::<Taken>("Taken; what was refused is named."));
    let either = json!({"anyOf": [doc.schema::<NotTaken>(), doc.schema::<ErrorBody>()]});
    let refused = json!({"description": "Nothing of it is good, it is no JSON, or it is over its bound.",
        "content": {"application/json": {"schema": either}}});
    answers.insert("400".to_owned(), refused);
    let text = json!({"schema": {"type": "string"}});
    let body = json!({"required": true, "content": {"application/json": {"schema": schema}, "text/plain": text}});
    json!({"post": {"operationId": id, "summary": summary, "security": keys(), "parameters": [query()],
        "requestBody": body, "responses": answers}})
}

fn settings(doc: &mut Document) -> Value {
    let mut answers = doc.errors(&[("401", "The write key is unknown.")]);
    answers.insert("200".to_owned(), super::plain("The settings: no destinations, and this host to send to."));
    json!({
        "parameters": [{"name": "key", "in": "path", "required": true, "description": "Write key",
            "schema": {"type": "string", "minLength": 1, "maxLength": 64}}],
        "get": {"operationId": "getClientSettings", "summary": "What analytics-next reads before it starts",
            "responses": answers},
    })
}

fn source_config(doc: &mut Document) -> Value {
    let mut answers = doc.errors(&[("401", "The write key is missing or unknown.")]);
    answers.insert("200".to_owned(), super::plain("The source: no destinations."));
    json!({"get": {"operationId": "getSourceConfig", "summary": "What RudderStack's clients read before they start",
        "security": keys(), "parameters": [query()], "responses": answers}})
}

/// A call by hand: clients send what they like, and most of it is read with forgiveness.
fn call_schema() -> Value {
    let text = |max: u32| json!({"type": "string", "maxLength": max});
    json!({
        "type": "object",
        "description": "A call as Segment's and RudderStack's specs have it; `userId` or `anonymousId` is required",
        "properties": {
            "writeKey": text(256), "messageId": {"type": "string"}, "type": text(16), "event": text(200),
            "name": {"type": "string"}, "userId": text(256), "anonymousId": {"type": "string"},
            "previousId": {"type": "string"}, "groupId": {"type": "string"}, "channel": {"type": "string"},
            "properties": {"type": "object"}, "traits": {"type": "object"}, "context": {"type": "object"},
            "integrations": {"type": "object"}, "timestamp": {"type": "string"}, "sentAt": {"type": "string"},
            "originalTimestamp": {"type": "string"},
        },
    })
}

fn batch_schema() -> Value {
    json!({
        "type": "object",
        "required": ["batch"],
        "properties": {
            "batch": {"type": "array", "maxItems": 2500, "items": call_schema()},
            "sentAt": {"type": "string"}, "writeKey": {"type": "string", "maxLength": 256},
        },
    })
}
