//! `/api/quarantine`: what was refused.

use endcap_api::Operation;
use endcap_events::ingest::WarningCode;
use endcap_events::ingest::quarantine::Route;
use endcap_events::ingest::rejection::RejectCode;
use serde_json::{Value, json};

use super::builder::{Builder, LARGE, Text, WRONG, with};

/// The description of one of its operations.
pub(super) fn describe(doc: &mut Builder, operation: Operation) -> Value {
    match operation {
        Operation::CountRefused => counts(doc),
        Operation::ReplayRefused => replay(doc),
        Operation::GetRefused => one(doc),
        _ => list(doc),
    }
}

/// The list.
fn list(doc: &mut Builder) -> Value {
    let text = Text {
        summary: "Events that were refused, and what was repaired",
        answer: ("200", "One page, and where the next one begins."),
        errors: &[WRONG],
    };
    let operation = doc.operation(Operation::ListRefused, &text);
    let parameters = json!([
        {"name": "kind", "in": "query",
            "description": "`refused`: events that were refused. `warning`: what was repaired in events that were kept",
            "schema": {"type": "string", "enum": ["refused", "warning"], "default": "refused"}},
        {"name": "source", "in": "query", "description": "Only events of this source",
            "schema": {"type": "string", "maxLength": 64}},
        {"name": "code", "in": "query", "description": "Only events that were refused for this reason, or only warnings with this code",
            "schema": {"anyOf": [doc.schema::<RejectCode>(), doc.schema::<WarningCode>()]}},
        {"name": "path", "in": "query", "description": "Only events with this wrong field",
            "schema": {"type": "string", "maxLength": 256}},
        {"name": "route", "in": "query", "description": "Only events that came this way",
            "schema": doc.schema::<Route>()},
        {"name": "cursor", "in": "query", "description": "The cursor of the page before",
            "schema": {"type": "string", "maxLength": 40}},
        {"name": "limit", "in": "query", "description": "Events a page",
            "schema": {"type": "integer", "minimum": 1, "maximum": 200, "default": 50}},
    ]);
    with(operation, "parameters", parameters)
}

/// One event.
fn one(doc: &mut Builder) -> Value {
    let text = Text {
        summary: "One event that was refused",
        answer: ("200", "The event."),
        errors: &[WRONG, ("404", "It is not kept, or no longer.")],
    };
    doc.operation(Operation::GetRefused, &text)
}

/// The counts.
fn counts(doc: &mut Builder) -> Value {
    let text = Text {
        summary: "Refused and repaired events by day, source and reason",
        answer: ("200", "The counts of the last 30 days."),
        errors: &[],
    };
    doc.operation(Operation::CountRefused, &text)
}

/// Taking events in again.
fn replay(doc: &mut Builder) -> Value {
    let text = Text {
        summary: "Take refused events in again",
        answer: ("200", "What became of them. Up to 50 a request, or those that are named."),
        errors: &[WRONG, LARGE],
    };
    doc.operation(Operation::ReplayRefused, &text)
}
