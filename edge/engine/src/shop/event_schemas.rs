//! The JSON Schema of questions about what a person did, for the published description of conditions.

use endcap_targeting::condition::Op;
use endcap_targeting::event_query::{
    EventTime, KnownEvent, LAST_HOUR, MAX_COUNT, MAX_DISTINCT, MAX_FILTERS, WEEKDAYS, Which,
};
use serde_json::{Value, json};

use super::edge_fact_schemas::{id, leaf, span, text_ways};

/// How events are named: the words that they may have, and whether a name stands beside.
struct Naming {
    what: &'static str,
    words: Vec<&'static str>,
    has_name: bool,
}

fn namings() -> [Naming; 2] {
    [
        Naming {
            what: "events with a word of their own",
            words: KnownEvent::ALL.iter().map(|event| event.as_str()).collect(),
            has_name: false,
        },
        Naming { what: "events that the shop named", words: vec!["event"], has_name: true },
    ]
}

/// What a property of an event, or of one of its products, has to be.
fn filters() -> Value {
    let property = || ("property", id(64));
    let signs: Vec<&str> = Op::ALL.iter().map(|op| op.as_str()).collect();
    let number = json!({"type": "object", "description": "A number", "required": ["property", "op", "value"],
        "additionalProperties": false,
        "properties": {"property": id(64), "op": {"enum": signs}, "value": {"type": "integer"}}});
    let time = |time: EventTime, description: &str, value: Value| {
        json!({"type": "object", "description": description, "required": ["time", "op", "value"], "additionalProperties": false,
            "properties": {"time": {"enum": [time.word()]}, "op": {"enum": signs}, "value": value}})
    };
    let date = time(
        EventTime::Date,
        "The day of the event in the shop's time zone",
        json!({"type": "string", "format": "date"}),
    );
    let hours = json!({"type": "integer", "minimum": 0, "maximum": LAST_HOUR});
    let hour = time(EventTime::Hour, "The hour of the event in the shop's time zone", hours);
    let weekday = json!({"type": "object", "description": "The day of the week of the event in the shop's time zone",
        "required": ["time", "in"], "additionalProperties": false, "properties": {"time": {"enum": [EventTime::Weekday.word()]},
            "in": {"type": "array", "minItems": 1, "maxItems": 50, "items": {"enum": WEEKDAYS}}}});
    let texts = text_ways().map(|(what, way, with)| {
        let (name, schema) = property();
        json!({"type": "object", "description": format!("A text that {what}"), "required": [name, way],
            "additionalProperties": false, "properties": {name: schema, way: with}})
    });
    let all: Vec<Value> = [number, date, hour, weekday].into_iter().chain(texts).collect();
    json!({"type": "array", "maxItems": MAX_FILTERS, "items": {"oneOf": all},
        "description": "What the event has to be, or one of its products"})
}

fn put(schema: &mut Value, name: &str, with: Value) {
    if let Some(properties) = schema.get_mut("properties").and_then(Value::as_object_mut) {
        properties.insert(name.to_owned(), with);
    }
}

/// Events by their name and by what they have to be, with these members beside.
fn selected(naming: &Naming, what: &str, members: &[(&str, Value)]) -> Value {
    let name = naming.has_name.then(|| ("name", id(200)));
    let members: Vec<(&str, Value)> = name.into_iter().chain(members.iter().cloned()).collect();
    let mut schema = leaf(&format!("{what} {}", naming.what), &naming.words, &members);
    put(&mut schema, "where", filters());
    schema
}

/// What is worked out of a property instead of how many there are.
const MEASURES: [(&str, &str); 3] =
    [("sum", "The sum"), ("average", "The average"), ("distinct", "How many different values")];

/// How many, or what is worked out of a property.
fn compared(naming: &Naming, measure: Option<(&str, &str)>) -> Value {
    let signs: Vec<&str> = Op::ALL.iter().map(|op| op.as_str()).collect();
    let value = json!({"type": "integer",
        "description": format!("A count is compared with 0 to {MAX_COUNT}, distinct values with 0 to {MAX_DISTINCT}")});
    let property = |description: &str| json!({"type": "string", "minLength": 1, "maxLength": 64, "description": format!("{description} of this property")});
    let times: Vec<&str> = EventTime::ALL.iter().map(|time| time.word()).collect();
    let time = json!({"type": "object", "description": "The time of the event, in the shop's time zone", "required": ["time"],
        "additionalProperties": false, "properties": {"time": {"enum": times}}});
    let measured = measure.map(|(name, description)| {
        let property = property(description);
        (name, if name == "distinct" { json!({"oneOf": [property, time]}) } else { property })
    });
    let members: Vec<(&str, Value)> =
        [("op", json!({"enum": signs})), ("value", value)].into_iter().chain(measured).collect();
    let what = measure.map_or("How often", |(_, description)| description);
    let mut schema = selected(naming, &format!("{what}, of"), &members);
    put(&mut schema, "in", span("Of those within this span only"));
    let after = namings().map(|other| selected(&other, "The latest of", &[]));
    put(&mut schema, "after", json!({"description": "Of those after the latest of these only", "oneOf": after}));
    schema
}

/// Its leaves.
pub(super) fn branches() -> Vec<Value> {
    let which: Vec<&str> = Which::ALL.iter().map(|which| which.as_str()).collect();
    let time = || ("time", json!({"enum": which}));
    let all = namings().map(|naming| {
        let lately = [time(), ("within", span("Less long ago than this"))];
        let long_ago = [time(), ("before", span("So long ago, or longer"))];
        let measured = MEASURES.map(|measure| compared(&naming, Some(measure)));
        let timed = [
            selected(&naming, "When the first or last was, of", &lately),
            selected(&naming, "When the first or last was, long ago, of", &long_ago),
        ];
        [compared(&naming, None)].into_iter().chain(measured).chain(timed).collect::<Vec<_>>()
    });
    all.into_iter().flatten().collect()
}
