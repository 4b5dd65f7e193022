//! `/api/profiles/{id}` and below.

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Value, json};

use super::{Document, WRONG, with};
use crate::person_export::{EventPage, Export, PersonGraph};
use crate::profile_view::ProfileView;

/// What was erased.
#[derive(Debug, Serialize, JsonSchema)]
struct Erased {
    /// Whether all is done; if not, it is tried again until it is.
    erased: bool,
    /// Browsers, logins and server records that were the person's.
    fragments: usize,
    /// Stored rows that were taken out, by kind.
    rows: ErasedRows,
}

/// Stored rows that were taken out.
#[derive(Debug, Serialize, JsonSchema)]
struct ErasedRows {
    /// Profiles that held something of the person.
    profiles: u64,
    /// Stored batches of events.
    batches: u64,
    /// Push subscriptions.
    subscriptions: u64,
    /// Timers.
    timers: u64,
    /// Errands: links and messages on their way.
    errands: u64,
    /// Refused events.
    refused: u64,
}

const MISSING: (&str, &str) = ("404", "There is no such profile.");

/// The parameter of the path.
fn id() -> Value {
    json!([{"name": "id", "in": "path", "required": true,
        "description": "Profile ID; one that became part of another stands for that one",
        "schema": {"type": "string", "minLength": 1, "maxLength": 100}}])
}

/// Erasing, with its answer for what takes longer.
pub(super) fn erasure(doc: &mut Document, name: &str, summary: &str) -> Value {
    let done = doc.json::<Erased>("Nothing of the person is left.");
    let later = doc.json::<Erased>("Something has to be tried again, and will be.");
    let mut operation = doc.operation(name, summary, "200", done, &[WRONG, MISSING]);
    if let Some(answers) = operation.get_mut("responses").and_then(Value::as_object_mut) {
        answers.insert("202".to_owned(), later);
    }
    operation
}

/// One profile by its ID.
pub(super) fn profile(doc: &mut Document) -> Value {
    let answer = doc.json::<ProfileView>("The profile.");
    let get = doc.operation("getProfileById", "One profile, by its ID", "200", answer, &[WRONG, MISSING]);
    let delete = erasure(doc, "eraseProfile", "Erase a person everywhere");
    json!({"parameters": id(), "get": get, "delete": delete})
}

/// Erasing by an identifier.
pub(super) fn erasure_named(doc: &mut Document, parameters: Value) -> Value {
    let operation = erasure(doc, "eraseNamedProfile", "Erase a person everywhere, by exactly one identifier");
    with(operation, "parameters", parameters)
}

/// The events.
pub(super) fn events(doc: &mut Document) -> Value {
    let answer = doc.json::<EventPage>("One page, those received last at the front.");
    let get =
        doc.operation("getProfileEvents", "A person's events as they were sent", "200", answer, &[WRONG, MISSING]);
    let parameters = json!([
        {"name": "cursor", "in": "query", "description": "The cursor of the page before",
            "schema": {"type": "string", "maxLength": 60}},
        {"name": "limit", "in": "query", "description": "Events a page",
            "schema": {"type": "integer", "minimum": 1, "maximum": 200, "default": 50}},
    ]);
    json!({"parameters": id(), "get": with(get, "parameters", parameters)})
}

/// Who a person is joined of.
pub(super) fn graph(doc: &mut Document) -> Value {
    let answer = doc.json::<PersonGraph>("What joins the person, by which events.");
    let summary = "Identifiers, fragments and links of a person";
    json!({"parameters": id(), "get": doc.operation("getProfileGraph", summary, "200", answer, &[WRONG, MISSING])})
}

/// All that is stored.
pub(super) fn export(doc: &mut Document) -> Value {
    let answer = doc.json::<Export>("All that is stored; of events as many as fit into 16 MiB.");
    let summary = "All that is stored about a person";
    json!({"parameters": id(), "get": doc.operation("exportProfile", summary, "200", answer, &[WRONG, MISSING])})
}
