//! The JSON Schema of what only the edge knows, for the published description of conditions.

use endcap_targeting::condition::Op;
use endcap_targeting::edge_fact::{PersonFlag, PersonNumber, PersonTime, TouchText};
use endcap_targeting::span::{MAX_DAYS, MAX_MINUTES};
use serde_json::{Value, json};

/// A span of time.
fn span(description: &str) -> Value {
    let only = |unit: &str, most: u16| {
        json!({"type": "object", "required": [unit], "additionalProperties": false,
            "properties": {unit: {"type": "integer", "minimum": 1, "maximum": most}}})
    };
    json!({"description": description, "oneOf": [only("days", MAX_DAYS), only("hours", MAX_MINUTES / 60), only("minutes", MAX_MINUTES)]})
}

/// The members that compare a text, one of which there has to be.
fn text_members() -> [(&'static str, Value); 4] {
    let text = json!({"type": "string", "minLength": 1, "maxLength": 512});
    [
        (
            "in",
            json!({"type": "array", "minItems": 1, "maxItems": 50, "items": text, "description": "It is one of these"}),
        ),
        ("contains", text.clone()),
        ("starts_with", text),
        ("set", json!({"enum": [true], "description": "It is there"})),
    ]
}

fn text(description: &str, fact: &Value, more: Value) -> Value {
    let members = text_members();
    let ways: Vec<Value> = members.iter().map(|(name, _)| json!({"required": [name]})).collect();
    let mut properties = more;
    if let Some(properties) = properties.as_object_mut() {
        properties.insert("fact".to_owned(), fact.clone());
        properties.extend(members.map(|(name, schema)| (name.to_owned(), schema)));
    }
    json!({"type": "object", "description": description, "required": ["fact"], "properties": properties, "anyOf": ways})
}

fn enumerated(names: impl Iterator<Item = &'static str>) -> Value {
    json!({"enum": names.collect::<Vec<_>>()})
}

/// Its leaves.
pub(super) fn branches() -> Vec<Value> {
    let numbers = enumerated(PersonNumber::ALL.iter().map(|fact| fact.as_str()));
    let times = enumerated(PersonTime::ALL.iter().map(|fact| fact.as_str()));
    let flags = enumerated(PersonFlag::ALL.iter().map(|fact| fact.as_str()));
    let signs: Vec<&str> = Op::ALL.iter().map(|op| op.as_str()).collect();
    let touches =
        TouchText::ALL.iter().flat_map(|touch| ["first", "last"].map(|which| format!("{which}_{}", touch.as_str())));
    let texts: Vec<String> = touches.chain(["time_zone".to_owned()]).collect();
    let id = |most: u16| json!({"type": "string", "minLength": 1, "maxLength": most});
    let ago = span("So long ago, or longer");
    let lately = span("Less long ago than this");
    vec![
        json!({"type": "object", "description": "Whether the person is in a segment", "required": ["fact", "id"],
            "properties": {"fact": {"enum": ["segment"]}, "id": id(64)}}),
        json!({"type": "object", "description": "A number about orders", "required": ["fact", "op", "value"],
            "properties": {"fact": numbers, "op": {"enum": signs}, "value": {"type": "integer"},
                "in": span("Of orders within this span only")}}),
        json!({"type": "object", "description": "How long ago something was", "required": ["fact"],
            "properties": {"fact": times, "within": lately, "before": ago},
            "oneOf": [{"required": ["within"]}, {"required": ["before"]}]}),
        json!({"type": "object", "description": "Whether it is so", "required": ["fact"], "properties": {"fact": flags}}),
        text("A text about the person", &json!({"enum": texts}), json!({})),
        text("A trait, as text", &json!({"enum": ["trait"]}), json!({"name": id(64)})),
        json!({"type": "object", "description": "Whether something is in the cart", "required": ["fact"],
            "properties": {"fact": {"enum": ["cart_has"]}, "product": id(128), "category": id(128)},
            "oneOf": [{"required": ["product"]}, {"required": ["category"]}]}),
    ]
}
