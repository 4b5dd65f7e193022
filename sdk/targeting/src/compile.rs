//! Compiling a campaign's rules from JSON, at the edge.
//!
//! Role in the flow of one event: none; it runs when a campaign is saved, so that a rule which cannot work is refused
//! with its path then, and the page later gets only what is known to be right.

use endcap_protocol::FieldError;
use serde_json::{Map, Value};

use crate::condition::{Condition, Fact, MAX_CATEGORY, MAX_COUNTED, MAX_DEPTH, MAX_PARTS, MAX_PATTERN, Scope};
use crate::edge_fact_json;
use crate::frequency::{Frequency, REMEMBERED};
use crate::leaf_json;
use crate::program::Program;
use crate::stage::Stage;
use crate::text::print;
use crate::trigger::Trigger;

/// Most page patterns of one list.
const MAX_PATTERNS: usize = 50;

/// A compiled campaign with what debug views say about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Compiled {
    /// The rules.
    pub program: Program,
    /// The condition's leaves in words, in the order of [`crate::Verdict::failed`].
    pub labels: Vec<String>,
}

/// Compiles the `condition`, `trigger`, `frequency` and `pages` members of a campaign.
///
/// # Errors
/// What is wrong, with its path inside the campaign.
pub fn compile(campaign: &Value) -> Result<Compiled, FieldError> {
    let mut labels = Vec::new();
    let condition = match campaign.get("condition") {
        None => Condition::All(Vec::new()),
        Some(value) => condition(value, false, MAX_DEPTH, &mut labels).map_err(|e| e.under("condition"))?,
    };
    let pages = campaign.get("pages");
    let patterns = |key: &str| patterns(pages.and_then(|p| p.get(key)), key).map_err(|e| e.under("pages"));
    let program = Program {
        condition,
        trigger: campaign.get("trigger").map_or(Ok(Trigger::Immediately), trigger)?,
        frequency: campaign.get("frequency").map_or(Ok(Frequency::default()), frequency)?,
        include: patterns("include")?,
        exclude: patterns("exclude")?,
    };
    Ok(Compiled { program, labels })
}

/// The condition that JSON says.
///
/// # Errors
/// What is wrong, with its path inside the condition.
pub fn condition_of(value: &Value) -> Result<Condition, FieldError> {
    condition(value, false, MAX_DEPTH, &mut Vec::new())
}

fn fail<T>(path: &str, message: &str) -> Result<T, FieldError> {
    Err(FieldError::new(path, message))
}

fn condition(value: &Value, bound: bool, depth: usize, labels: &mut Vec<String>) -> Result<Condition, FieldError> {
    let Some(depth) = depth.checked_sub(1) else { return fail("", "is nested too deeply (12 levels at most)") };
    let Some(object) = value.as_object() else { return fail("", "must be an object") };
    if object.contains_key("fact") {
        return leaf(value, bound, labels);
    }
    if object.contains_key("at_least") {
        return at_least(object, bound, depth, labels);
    }
    let (1, Some((key, inner))) = (object.len(), object.iter().next()) else {
        return fail("", "must have exactly one of: all, any, at_least, not, some_category, fact");
    };
    match key.as_str() {
        "all" => Ok(Condition::All(parts(inner, "all", bound, depth, labels)?)),
        "any" => Ok(Condition::Any(parts(inner, "any", bound, depth, labels)?)),
        "not" => {
            let part = condition(inner, bound, depth, labels).map_err(|e| e.under("not"))?;
            Ok(Condition::Not(Box::new(part)))
        }
        "some_category" if bound => fail("some_category", "cannot stand inside another some_category"),
        "some_category" => {
            let part = condition(inner, true, depth, labels).map_err(|e| e.under("some_category"))?;
            Ok(Condition::SomeCategory(Box::new(part)))
        }
        _ => fail(key, "is not known; use all, any, at_least, not, some_category or fact"),
    }
}

fn at_least(
    object: &Map<String, Value>,
    bound: bool,
    depth: usize,
    labels: &mut Vec<String>,
) -> Result<Condition, FieldError> {
    if let Some(other) = object.keys().find(|key| !["at_least", "of"].contains(&key.as_str())) {
        return fail(other, "does not stand beside at_least; use at_least and of");
    }
    // What a page gets in its place is one level deeper.
    let Some(depth) = depth.checked_sub(1) else { return fail("", "is nested too deeply (12 levels at most)") };
    let parts = parts(object.get("of").unwrap_or(&Value::Null), "of", bound, depth, labels)?;
    if !(2..=MAX_COUNTED).contains(&parts.len()) {
        return fail("of", &format!("must be a list of 2 to {MAX_COUNTED} conditions"));
    }
    let least = object.get("at_least").and_then(Value::as_u64).and_then(|least| usize::try_from(least).ok());
    match least.filter(|least| (1..=parts.len()).contains(least)) {
        Some(least) => Ok(Condition::AtLeast(least, parts)),
        None => fail("at_least", "must be a number of 1 to as many as there are conditions"),
    }
}

fn parts(
    value: &Value,
    key: &str,
    bound: bool,
    depth: usize,
    labels: &mut Vec<String>,
) -> Result<Vec<Condition>, FieldError> {
    let Some(list) = value.as_array().filter(|list| list.len() <= MAX_PARTS) else {
        return fail(key, "must be a list of at most 50 conditions");
    };
    let part = |(i, item)| condition(item, bound, depth, labels).map_err(|e| e.under(&format!("{key}[{i}]")));
    list.iter().enumerate().map(part).collect()
}

fn leaf(value: &Value, bound: bool, labels: &mut Vec<String>) -> Result<Condition, FieldError> {
    let name = value.get("fact").and_then(Value::as_str).unwrap_or_default();
    if let Some(fact) = edge_fact_json::read(name, value) {
        let condition = Condition::Edge(fact?);
        labels.push(print(&condition));
        return Ok(condition);
    }
    let (condition, label) = match name {
        "stage" => stages(value)?,
        "url_path" => path(value)?,
        _ => comparison(name, value, bound)?,
    };
    labels.push(label);
    Ok(condition)
}

fn stages(value: &Value) -> Result<(Condition, String), FieldError> {
    let Some(list) = value.get("in").and_then(Value::as_array).filter(|list| !list.is_empty()) else {
        return fail("in", "must be a list of stages");
    };
    let mut bits = 0;
    let mut names = Vec::new();
    for (i, item) in list.iter().enumerate() {
        let Some(stage) = item.as_str().and_then(Stage::parse) else {
            return fail(&format!("in[{i}]"), "must be prospect, new, active, sleep, lost or deep");
        };
        bits |= 1 << stage.code();
        names.push(stage.as_str());
    }
    Ok((Condition::StageIn(bits), format!("stage is {}", names.join(" or "))))
}

fn path(value: &Value) -> Result<(Condition, String), FieldError> {
    let Some(pattern) = value.get("matches").and_then(Value::as_str).filter(|p| (1..=MAX_PATTERN).contains(&p.len()))
    else {
        return fail("matches", "must be a path pattern of 1 to 200 bytes, as /c/*");
    };
    Ok((Condition::Path(pattern.to_owned()), format!("path matches {pattern}")))
}

fn comparison(name: &str, value: &Value, bound: bool) -> Result<(Condition, String), FieldError> {
    let Some(fact) = Fact::ALL.into_iter().find(|known| known.as_str() == name) else {
        let known = Fact::ALL.map(Fact::as_str).join(", ");
        let others = edge_fact_json::names().join(", ");
        return fail("fact", &format!("is not known; use stage, url_path, {known}, {others}"));
    };
    let (op, number) = leaf_json::compared(value)?;
    if value.get("in").is_some() {
        return fail("in", "does not apply to this fact: only orders are counted within a span");
    }
    let scope = scope(fact, value, bound)?;
    let of = match &scope {
        Scope::All => String::new(),
        Scope::Bound => " in the category".to_owned(),
        Scope::Named(category) => format!(" in {category}"),
    };
    Ok((Condition::Compare(fact, scope, op, number), format!("{name}{of} {} {number}", op.as_str())))
}

fn scope(fact: Fact, value: &Value, bound: bool) -> Result<Scope, FieldError> {
    match value.get("category") {
        None => Ok(Scope::All),
        Some(_) if !fact.takes_category() => fail("category", "does not apply to this fact"),
        Some(Value::String(name)) if name == "$" && bound => Ok(Scope::Bound),
        Some(Value::String(name)) if name == "$" => fail("category", "\"$\" needs an enclosing some_category"),
        Some(Value::String(name)) if (1..=MAX_CATEGORY).contains(&name.len()) => Ok(Scope::Named(name.clone())),
        Some(_) => fail("category", "must be a category ID of 1 to 128 bytes, or \"$\""),
    }
}

fn whole(value: &Value, path: &str, max: u32) -> Result<u32, FieldError> {
    let number = value.as_u64().and_then(|n| u32::try_from(n).ok()).filter(|n| (1..=max).contains(n));
    number.ok_or_else(|| FieldError::new(path, format!("must be a whole number from 1 to {max}")))
}

/// Compiles a trigger.
///
/// # Errors
/// What is wrong, with its path from `trigger`.
pub fn trigger(value: &Value) -> Result<Trigger, FieldError> {
    let entry = value.as_object().filter(|object| object.len() == 1).and_then(|object| object.iter().next());
    match entry.map(|(key, inner)| (key.as_str(), inner)) {
        Some(("immediately", Value::Bool(true))) => Ok(Trigger::Immediately),
        Some(("exit_intent", Value::Bool(true))) => Ok(Trigger::ExitIntent),
        Some(("dwell_seconds", number)) => Ok(Trigger::Dwell(whole(number, "trigger.dwell_seconds", 3600)?)),
        Some(("scroll_percent", number)) => Ok(Trigger::Scroll(whole(number, "trigger.scroll_percent", 100)?)),
        _ => fail(
            "trigger",
            "must be one of {\"immediately\":true}, {\"dwell_seconds\":n}, {\"scroll_percent\":n}, {\"exit_intent\":true}",
        ),
    }
}

fn frequency(value: &Value) -> Result<Frequency, FieldError> {
    let Some(object) = value.as_object() else { return fail("frequency", "must be an object") };
    let cap = REMEMBERED as u32;
    let per_session = object.get("per_session").map(|v| whole(v, "frequency.per_session", 100)).transpose()?;
    let per_days = match object.get("per_days") {
        None => None,
        Some(per_days) => {
            let part = |key: &str, max| {
                whole(per_days.get(key).unwrap_or(&Value::Null), &format!("frequency.per_days.{key}"), max)
            };
            Some((part("count", cap)?, part("days", 365)?))
        }
    };
    Ok(Frequency { per_session, per_days })
}

fn patterns(value: Option<&Value>, key: &str) -> Result<Vec<String>, FieldError> {
    let Some(value) = value else { return Ok(Vec::new()) };
    let Some(list) = value.as_array().filter(|list| list.len() <= MAX_PATTERNS) else {
        return fail(key, "must be a list of at most 50 path patterns");
    };
    let one = |(i, item): (usize, &Value)| {
        let pattern = item.as_str().filter(|p| (1..=200).contains(&p.len()));
        pattern
            .map(str::to_owned)
            .ok_or_else(|| FieldError::new(format!("{key}[{i}]"), "must be a path pattern of 1 to 200 bytes, as /c/*"))
    };
    list.iter().enumerate().map(one).collect()
}
