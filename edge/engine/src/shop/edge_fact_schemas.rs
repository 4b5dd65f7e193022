//! The JSON Schema of what only the edge knows, for the published description of conditions.

use endcap_targeting::condition::Op;
use endcap_targeting::customer_score::{GroupModel, ScoreNumber};
use endcap_targeting::device::DeviceText;
use endcap_targeting::edge_fact::{MAX_AHEAD, PersonFlag, PersonNumber, PersonTime, TouchText};
use endcap_targeting::span::{MAX_DAYS, MAX_MINUTES};
use serde_json::{Map, Value, json};

/// A span of time.
pub(super) fn span(description: &str) -> Value {
    let only = |unit: &str, most: u16| {
        json!({"type": "object", "required": [unit], "additionalProperties": false,
            "properties": {unit: {"type": "integer", "minimum": 1, "maximum": most}}})
    };
    json!({"description": description, "oneOf": [only("days", MAX_DAYS), only("hours", MAX_MINUTES / 60), only("minutes", MAX_MINUTES)]})
}

/// A leaf whose fact is one of these, with exactly these members beside.
pub(super) fn leaf(description: &str, facts: &[&str], members: &[(&str, Value)]) -> Value {
    let required: Vec<&str> = ["fact"].into_iter().chain(members.iter().map(|(name, _)| *name)).collect();
    let fact = [("fact".to_owned(), json!({"enum": facts}))];
    let beside = members.iter().map(|(name, schema)| ((*name).to_owned(), schema.clone()));
    let properties: Map<String, Value> = fact.into_iter().chain(beside).collect();
    json!({"type": "object", "description": description, "required": required, "additionalProperties": false,
        "properties": properties})
}

/// The ways to compare a text, each with what it is compared with.
pub(super) fn text_ways() -> [(&'static str, &'static str, Value); 4] {
    let text = json!({"type": "string", "minLength": 1, "maxLength": 512});
    [
        ("is one of these", "in", json!({"type": "array", "minItems": 1, "maxItems": 50, "items": text})),
        ("holds this somewhere", "contains", text.clone()),
        ("begins with this", "starts_with", text),
        ("is there", "set", json!({"enum": [true]})),
    ]
}

/// A name.
pub(super) fn id(most: u16) -> Value {
    json!({"type": "string", "minLength": 1, "maxLength": most})
}

/// Days ahead of an anniversary.
fn days_ahead() -> Value {
    json!({"type": "object", "required": ["days"], "additionalProperties": false,
        "properties": {"days": {"type": "integer", "minimum": 1, "maximum": MAX_AHEAD}}})
}

/// The leaves of a text about devices whose words are a list of our own.
fn device_branches(fact: DeviceText) -> Option<impl Iterator<Item = Value>> {
    let words = json!({"type": "array", "minItems": 1, "maxItems": 50, "items": {"enum": fact.words()?}});
    Some(text_ways().into_iter().map(move |(what, way, with)| {
        let with = if way == "in" { words.clone() } else { with };
        leaf(&format!("A text about the device {what}"), &[fact.as_str()], &[(way, with)])
    }))
}

/// The leaves of a trait that is compared as a number, or as a moment.
fn trait_branches(signs: &[&str]) -> [Value; 3] {
    let compared = [("name", id(64)), ("op", json!({"enum": signs})), ("value", json!({"type": "integer"}))];
    let dated = |way: &str, what: &str| {
        leaf("A trait that is a date or a moment", &["trait"], &[("name", id(64)), (way, span(what))])
    };
    [
        leaf("A trait that is a number", &["trait"], &compared),
        dated("within", "Less long ago than this"),
        dated("before", "So long ago, or longer"),
    ]
}

/// Its leaves.
pub(super) fn branches() -> Vec<Value> {
    let numbers: Vec<&str> = PersonNumber::ALL.iter().map(|fact| fact.as_str()).collect();
    let times: Vec<&str> = PersonTime::ALL.iter().map(|fact| fact.as_str()).collect();
    let flags: Vec<&str> = PersonFlag::ALL.iter().map(|fact| fact.as_str()).collect();
    let touches =
        TouchText::ALL.iter().flat_map(|touch| ["first", "last"].map(|which| format!("{which}_{}", touch.as_str())));
    let devices = DeviceText::ALL.iter().filter(|fact| fact.words().is_none()).map(|fact| fact.as_str().to_owned());
    let texts: Vec<String> = touches.chain(["time_zone".to_owned()]).chain(devices).collect();
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    let signs: Vec<&str> = Op::ALL.iter().map(|op| op.as_str()).collect();
    let compared = [("op", json!({"enum": signs})), ("value", json!({"type": "integer"}))];
    let mut number = leaf("A number about orders", &numbers, &compared);
    if let Some(properties) = number.get_mut("properties").and_then(Value::as_object_mut) {
        properties.insert("in".to_owned(), span("Of orders within this span only"));
    }
    let mut all = vec![
        number,
        leaf(
            "Whether the person is in a segment, or somebody put them on it",
            &["segment", "listed"],
            &[("id", id(64))],
        ),
        leaf(
            "Since when the person is in a segment",
            &["entered"],
            &[("id", id(64)), ("within", span("Less long than this"))],
        ),
        leaf(
            "Since when the person is in a segment",
            &["entered"],
            &[("id", id(64)), ("before", span("So long, or longer"))],
        ),
        leaf(
            "Whether the day and month of a trait that is a date come soon",
            &["anniversary"],
            &[("name", id(64)), ("within", days_ahead())],
        ),
        leaf("Whether it is so", &flags, &[]),
        leaf("Whether something was lately", &times, &[("within", span("Less long ago than this"))]),
        leaf("Whether something was long ago", &times, &[("before", span("So long ago, or longer"))]),
        leaf("Whether a product is in the cart", &["cart_has"], &[("product", id(128))]),
        leaf("Whether something of a category is in the cart", &["cart_has"], &[("category", id(128))]),
    ];
    all.extend(trait_branches(&signs));
    let scores: Vec<&str> = ScoreNumber::ALL.iter().map(|score| score.as_str()).collect();
    all.push(leaf("A score, as of the latest fit", &scores, &compared));
    for model in GroupModel::ALL {
        let groups = json!({"type": "array", "minItems": 1, "maxItems": 50, "items": {"enum": model.groups()}});
        all.push(leaf("The group of a model", &[model.as_str()], &[("in", groups)]));
    }
    all.extend(DeviceText::ALL.iter().filter_map(|fact| device_branches(*fact)).flatten());
    for (what, way, with) in text_ways() {
        all.push(leaf(&format!("A text about the person {what}"), &texts, &[(way, with.clone())]));
        all.push(leaf(&format!("A trait, as text, {what}"), &["trait"], &[("name", id(64)), (way, with)]));
    }
    all
}
