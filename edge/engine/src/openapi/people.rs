//! `/api/profiles` and below.

use endcap_api::Operation;
use serde_json::{Value, json};

use super::builder::{Builder, Text, WRONG, with};

const MISSING: (&str, &str) = ("404", "There is no such profile.");

/// The identifiers by which a profile is named.
pub(super) fn identifiers() -> Value {
    let parameter = |name: &str, text: &str| json!({"name": name, "in": "query", "description": text, "schema": {"type": "string", "maxLength": 256}});
    json!([
        parameter("anonymous_id", "Anonymous ID of one of the person's browsers"),
        parameter("user_id", "User ID that the shop proved"),
        parameter("email", "E-mail address of the person, in any case"),
        parameter("phone", "Phone number of the person, with country code"),
        parameter("member_no", "Member number"),
        parameter("line_id", "LINE user ID"),
    ])
}

/// Erasing, with its answer for what takes longer.
fn erasure(doc: &mut Builder, operation: Operation, summary: &str) -> Value {
    let done = ("200", "Nothing of the person is left.");
    let mut described = doc.operation(operation, &Text { summary, answer: done, errors: &[WRONG, MISSING] });
    let later = doc.answer(operation.route().answer, "Something has to be tried again, and will be.");
    if let Some(answers) = described.get_mut("responses").and_then(Value::as_object_mut) {
        answers.insert("202".to_owned(), later);
    }
    described
}

/// One profile by an identifier.
pub(super) fn get_named(doc: &mut Builder) -> Value {
    let text = Text {
        summary: "One profile, by exactly one identifier",
        answer: ("200", "The profile."),
        errors: &[WRONG, ("404", "No profile has this identifier.")],
    };
    with(doc.operation(Operation::GetProfile, &text), "parameters", identifiers())
}

/// Erasing by an identifier.
pub(super) fn erase_named(doc: &mut Builder) -> Value {
    let summary = "Erase a person everywhere, by exactly one identifier";
    with(erasure(doc, Operation::EraseNamedProfile, summary), "parameters", identifiers())
}

/// One profile by its ID.
pub(super) fn get(doc: &mut Builder) -> Value {
    by_id(doc, Operation::GetProfileById, "One profile, by its ID", "The profile.")
}

/// Erasing by a profile's ID.
pub(super) fn erase(doc: &mut Builder) -> Value {
    erasure(doc, Operation::EraseProfile, "Erase a person everywhere")
}

/// The events.
pub(super) fn events(doc: &mut Builder) -> Value {
    let summary = "A person's events as they were sent";
    let get = by_id(doc, Operation::GetProfileEvents, summary, "One page, those received last at the front.");
    let parameters = json!([
        {"name": "cursor", "in": "query", "description": "The cursor of the page before",
            "schema": {"type": "string", "maxLength": 60}},
        {"name": "limit", "in": "query", "description": "Events a page",
            "schema": {"type": "integer", "minimum": 1, "maximum": 200, "default": 50}},
    ]);
    with(get, "parameters", parameters)
}

/// How their fragments are joined.
pub(super) fn graph(doc: &mut Builder) -> Value {
    let summary = "Identifiers, fragments and links of a person";
    by_id(doc, Operation::GetProfileGraph, summary, "What joins the person, by which events.")
}

/// All that is stored.
pub(super) fn export(doc: &mut Builder) -> Value {
    let answer = "All that is stored; of events as many as fit into 16 MiB.";
    by_id(doc, Operation::ExportProfile, "All that is stored about a person", answer)
}

fn by_id(doc: &mut Builder, operation: Operation, summary: &str, answer: &str) -> Value {
    doc.operation(operation, &Text { summary, answer: ("200", answer), errors: &[WRONG, MISSING] })
}
