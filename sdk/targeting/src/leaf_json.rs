//! What leaves of conditions have in common as JSON: texts, spans and comparisons.

use endcap_protocol::FieldError;
use serde_json::{Map, Value, json};

use crate::op::Op;
use crate::span::{MAX_DAYS, MAX_MINUTES, Span};
use crate::text_test::{MAX_TEXT, MAX_TEXTS, TextTest};

pub(crate) type Read<T> = Result<T, FieldError>;

pub(crate) fn fail<T>(path: &str, message: impl Into<String>) -> Read<T> {
    Err(FieldError::new(path, message.into()))
}

/// Refuses a leaf with a member that does not belong to it, or with several ways to compare: it would mean something else than it says.
pub(crate) fn with_only(leaf: &Value, members: &[&str], ways: &[&str]) -> Read<()> {
    let given = || leaf.as_object().into_iter().flat_map(Map::keys).map(String::as_str);
    let known = |name: &&str| *name == "fact" || members.contains(name) || ways.contains(name);
    if let Some(other) = given().find(|name| !known(name)) {
        return fail(other, "does not apply to this fact");
    }
    let several = given().filter(|name| ways.contains(name)).nth(1);
    several.map_or(Ok(()), |second| fail(second, format!("cannot stand beside another of: {}", ways.join(", "))))
}

/// The members by which a text is compared.
pub(crate) const TEXT_WAYS: [&str; 4] = ["in", "contains", "starts_with", "set"];

/// What a leaf compares a number with, and how.
pub(crate) fn compared(leaf: &Value) -> Read<(Op, i64)> {
    let Some(op) = leaf.get("op").and_then(Value::as_str).and_then(Op::parse) else {
        return fail("op", "must be =, !=, >, >=, < or <=");
    };
    let Some(value) = leaf.get("value").and_then(Value::as_i64) else { return fail("value", "must be a whole number") };
    Ok((op, value))
}

/// Reads a span of time.
pub(crate) fn span(path: &str, value: &Value) -> Read<Span> {
    let object = value.as_object().filter(|object| object.len() == 1);
    let entry = object.and_then(|object| object.iter().next());
    let read = entry.and_then(|(unit, count)| Span::of(count.as_i64()?, unit));
    let units =
        format!("must be {{\"days\": 1 to {MAX_DAYS}}}, {{\"hours\": 1 to 47}} or {{\"minutes\": 1 to {MAX_MINUTES}}}");
    read.map_or_else(|| fail(path, units), Ok)
}

/// Reads a text of at most so many bytes.
pub(crate) fn bounded(path: &str, value: Option<&Value>, most: usize) -> Read<String> {
    let text = value.and_then(Value::as_str).filter(|text| (1..=most).contains(&text.len()));
    text.map_or_else(|| fail(path, format!("must be a text of 1 to {most} bytes")), |text| Ok(text.to_owned()))
}

/// Reads how a leaf compares a text.
pub(crate) fn test(leaf: &Value) -> Read<TextTest> {
    if let Some(all) = leaf.get("in") {
        let Some(all) = all.as_array().filter(|all| (1..=MAX_TEXTS).contains(&all.len())) else {
            return fail("in", format!("must be a list of 1 to {MAX_TEXTS} texts"));
        };
        let texts = all.iter().enumerate().map(|(n, one)| bounded(&format!("in[{n}]"), Some(one), MAX_TEXT));
        return Ok(TextTest::OneOf(texts.collect::<Read<_>>()?));
    }
    if let Some(part) = leaf.get("contains") {
        return Ok(TextTest::Contains(bounded("contains", Some(part), MAX_TEXT)?));
    }
    if let Some(start) = leaf.get("starts_with") {
        return Ok(TextTest::StartsWith(bounded("starts_with", Some(start), MAX_TEXT)?));
    }
    match leaf.get("set") {
        Some(Value::Bool(true)) => Ok(TextTest::Set),
        _ => fail("", "must have one of: in, contains, starts_with, \"set\": true"),
    }
}

/// Puts the test of a text into a leaf.
pub(crate) fn put_test(leaf: &mut Map<String, Value>, test: &TextTest) {
    let (way, value) = match test {
        TextTest::OneOf(all) => ("in", json!(all)),
        TextTest::Contains(part) => ("contains", json!(part)),
        TextTest::StartsWith(start) => ("starts_with", json!(start)),
        TextTest::Set => ("set", json!(true)),
    };
    leaf.insert(way.to_owned(), value);
}

/// The JSON of a span.
pub(crate) fn span_json(span: Span) -> Value {
    let (count, unit) = span.parts();
    json!({ unit: count })
}
