//! What administrators decide about who is whom.

use endcap_api::Operation;
use endcap_identity::resolve::Verdict;
use serde_json::{Value, json};

use super::builder::{Builder, LARGE, Text, WRONG, with};

/// The description of an operation on who is whom.
pub(super) fn describe(doc: &mut Builder, operation: Operation) -> Value {
    if operation == Operation::ListConflicts { conflicts(doc) } else { decision(doc, operation) }
}

/// Dropping links, taking that back, and letting links through.
fn decision(doc: &mut Builder, operation: Operation) -> Value {
    let summary = match operation {
        Operation::RestoreLinks => "Follow dropped links again",
        Operation::ApproveLinks => "Follow links that a limit held up",
        _ => "Drop links, as if nothing had ever been said of them",
    };
    let unknown = ("404", "Nobody has what is named, or nothing links them.");
    doc.operation(
        operation,
        &Text { summary, answer: ("200", "Where the fragments went."), errors: &[WRONG, unknown, LARGE] },
    )
}

/// What was not followed.
fn conflicts(doc: &mut Builder) -> Value {
    let text = Text {
        summary: "Links that were not followed",
        answer: ("200", "One page, and where the next one begins."),
        errors: &[WRONG],
    };
    let operation = doc.operation(Operation::ListConflicts, &text);
    let parameters = json!([
        {"name": "verdict", "in": "query", "description": "What became of them; `conflict` if not said",
            "schema": doc.schema::<Verdict>()},
        {"name": "cursor", "in": "query", "description": "The cursor of the page before",
            "schema": {"type": "string", "maxLength": 2048}},
        {"name": "limit", "in": "query", "description": "Links a page",
            "schema": {"type": "integer", "minimum": 1, "maximum": 200, "default": 200}},
    ]);
    with(operation, "parameters", parameters)
}
