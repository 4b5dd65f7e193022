//! What administrators decide about who is whom.

use endcap_identity::admin_review::{Conflicts, LinksAsk, LinksReply};
use endcap_identity::resolve::Verdict;
use serde_json::{Value, json};

use super::{Document, LARGE, WRONG, with};

fn decision(doc: &mut Document, id: &str, summary: &str) -> Value {
    let answer = doc.json::<LinksReply>("Where the fragments went.");
    let operation = doc.operation(id, summary, "200", answer, &[WRONG, LARGE]);
    json!({"post": with(operation, "requestBody", doc.body::<LinksAsk>())})
}

/// Dropping links.
pub(super) fn unmerge(doc: &mut Document) -> Value {
    decision(doc, "unmerge", "Drop links, as if nothing had ever been said of them")
}

/// Taking that back.
pub(super) fn restore(doc: &mut Document) -> Value {
    decision(doc, "restoreLinks", "Follow dropped links again")
}

/// Letting links through.
pub(super) fn approve(doc: &mut Document) -> Value {
    decision(doc, "approveLinks", "Follow links that a limit held up")
}

/// What was not followed.
pub(super) fn conflicts(doc: &mut Document) -> Value {
    let answer = doc.json::<Conflicts>("One page, and where the next one begins.");
    let operation = doc.operation("listConflicts", "Links that were not followed", "200", answer, &[WRONG]);
    let parameters = json!([
        {"name": "verdict", "in": "query", "description": "What became of them; `conflict` if not said",
            "schema": doc.schema::<Verdict>()},
        {"name": "cursor", "in": "query", "description": "The cursor of the page before",
            "schema": {"type": "string", "maxLength": 2048}},
        {"name": "limit", "in": "query", "description": "Links a page",
            "schema": {"type": "integer", "minimum": 1, "maximum": 200, "default": 200}},
    ]);
    json!({"get": with(operation, "parameters", parameters)})
}
