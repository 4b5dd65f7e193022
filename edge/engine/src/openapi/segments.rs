//! `/api/segments` and below.

use endcap_api::Operation;
use serde_json::{Value, json};

use super::builder::{Builder, LARGE, Text, WRONG, with};
use crate::segment::{history, members};

const MISSING: (&str, &str) = ("404", "There is no such segment.");

/// The description of an operation on segments.
pub(super) fn describe(doc: &mut Builder, operation: Operation) -> Value {
    match operation {
        Operation::GetSegment => {
            simple(doc, operation, "One segment, with its size", "The segment.", &[WRONG, MISSING])
        }
        Operation::PutSegment => {
            let saved = "The segment as saved; everybody is being held against it.";
            simple(doc, operation, "Add or replace a segment", saved, &[WRONG, LARGE])
        }
        Operation::DeleteSegment => {
            let text =
                Text { summary: "Delete a segment", answer: ("204", "It was deleted."), errors: &[WRONG, MISSING] };
            doc.operation(operation, &text)
        }
        Operation::GetSegmentMembers => listed(doc, operation),
        Operation::ChangeList => change_list(doc, operation),
        Operation::GetSegmentHistory => by_day(doc, operation),
        Operation::ExportSegment => export(doc, operation),
        Operation::PreviewSegment => preview(doc, operation),
        _ => simple(doc, operation, "All segments, with their sizes", "The segments.", &[]),
    }
}

fn simple(
    doc: &mut Builder,
    operation: Operation,
    summary: &str,
    answer: &str,
    errors: &[(&'static str, &'static str)],
) -> Value {
    doc.operation(operation, &Text { summary, answer: ("200", answer), errors })
}

fn listed(doc: &mut Builder, operation: Operation) -> Value {
    let described = simple(doc, operation, "The people of a segment", "One page.", &[WRONG, MISSING]);
    let parameters = json!([
        {"name": "cursor", "in": "query", "description": "The cursor of the page before",
            "schema": {"type": "string", "maxLength": 100}},
        {"name": "limit", "in": "query", "description": "People a page", "schema": {"type": "integer", "minimum": 1,
            "maximum": members::MAX_LIMIT, "default": members::DEFAULT_LIMIT}},
    ]);
    with(described, "parameters", parameters)
}

fn change_list(doc: &mut Builder, operation: Operation) -> Value {
    let summary = "Put people on a list, or take them off it";
    let described = simple(doc, operation, summary, "What became of them.", &[WRONG, MISSING, LARGE]);
    let parameters = json!([
        {"name": "do", "in": "query", "description": "What is done with the people of a CSV",
            "schema": {"type": "string", "enum": ["add", "remove"], "default": "add"}},
    ]);
    let mut described = with(described, "parameters", parameters);
    if let Some(content) = described.pointer_mut("/requestBody/content").and_then(Value::as_object_mut) {
        content.insert("text/csv".to_owned(), json!({"schema": {"type": "string"}}));
    }
    described
}

fn by_day(doc: &mut Builder, operation: Operation) -> Value {
    let answer = "Each day, the earliest first.";
    let described = simple(doc, operation, "How a segment moved, day by day", answer, &[WRONG, MISSING]);
    let parameters = json!([
        {"name": "days", "in": "query", "description": "Days until today", "schema": {"type": "integer", "minimum": 1,
            "maximum": history::MAX_DAYS, "default": history::DEFAULT_DAYS}},
    ]);
    with(described, "parameters", parameters)
}

fn export(doc: &mut Builder, operation: Operation) -> Value {
    let answer = "A line for each, as a stream.";
    let mut described = simple(doc, operation, "All people of a segment", answer, &[WRONG, MISSING]);
    let text = json!({"schema": {"type": "string"}});
    set_content(&mut described, json!({"text/csv": text, "application/x-ndjson": text}));
    let parameters = json!([
        {"name": "format", "in": "query", "description": "How lines are written",
            "schema": {"type": "string", "enum": ["csv", "ndjson"], "default": "csv"}},
    ]);
    with(described, "parameters", parameters)
}

fn preview(doc: &mut Builder, operation: Operation) -> Value {
    let summary = "How many people a condition describes, or what it would change of a segment";
    let answer = "Lines of JSON as a stream: an estimate, and then the exact number as it comes in. The last line says that \
                  it is exact, or that counting failed.";
    let mut described = simple(doc, operation, summary, answer, &[WRONG, MISSING, LARGE]);
    let line = described.pointer("/responses/200/content/application~1json").cloned();
    set_content(&mut described, json!({"application/x-ndjson": line}));
    described
}

fn set_content(described: &mut Value, content: Value) {
    if let Some(answer) = described.pointer_mut("/responses/200").and_then(Value::as_object_mut) {
        answer.insert("content".to_owned(), content);
    }
}
