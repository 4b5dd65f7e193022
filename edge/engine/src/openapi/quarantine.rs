//! `/api/quarantine`: what was refused.

use endcap_events::ingest::quarantine::{Counts, Listed, Page, ReplayAsk, ReplayReply, Route};
use endcap_events::ingest::rejection::RejectCode;
use serde_json::{Value, json};

use super::{Document, WRONG, with};

/// The list.
pub(super) fn list(doc: &mut Document) -> Value {
    let answer = doc.json::<Page>("One page, and where the next one begins.");
    let operation = doc.operation("listRefused", "Events that were refused", "200", answer, &[WRONG]);
    let parameters = json!([
        {"name": "source", "in": "query", "description": "Only events of this source",
            "schema": {"type": "string", "maxLength": 64}},
        {"name": "code", "in": "query", "description": "Only events that were refused for this reason",
            "schema": doc.schema::<RejectCode>()},
        {"name": "path", "in": "query", "description": "Only events with this wrong field",
            "schema": {"type": "string", "maxLength": 256}},
        {"name": "route", "in": "query", "description": "Only events that came this way",
            "schema": doc.schema::<Route>()},
        {"name": "cursor", "in": "query", "description": "The cursor of the page before",
            "schema": {"type": "string", "maxLength": 40}},
        {"name": "limit", "in": "query", "description": "Events a page",
            "schema": {"type": "integer", "minimum": 1, "maximum": 200, "default": 50}},
    ]);
    json!({"get": with(operation, "parameters", parameters)})
}

/// One event.
pub(super) fn one(doc: &mut Document) -> Value {
    let answer = doc.json::<Listed>("The event.");
    let missing = ("404", "It is not kept, or no longer.");
    json!({
        "parameters": [{"name": "id", "in": "path", "required": true, "description": "Name of the refused event",
            "schema": {"type": "string", "minLength": 1, "maxLength": 40}}],
        "get": doc.operation("getRefused", "One event that was refused", "200", answer, &[WRONG, missing]),
    })
}

/// The counts.
pub(super) fn counts(doc: &mut Document) -> Value {
    let answer = doc.json::<Counts>("The counts of the last 30 days.");
    json!({"get": doc.operation("countRefused", "Refused events by day, source and reason", "200", answer, &[])})
}

/// Taking events in again.
pub(super) fn replay(doc: &mut Document) -> Value {
    let answer = doc.json::<ReplayReply>("What became of them. Up to 50 a request, or those that are named.");
    let large = ("413", "The body is over its bound.");
    let operation = doc.operation("replayRefused", "Take refused events in again", "200", answer, &[WRONG, large]);
    json!({"post": with(operation, "requestBody", doc.body::<ReplayAsk>())})
}
