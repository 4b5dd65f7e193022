//! Reads JSON of which a part cannot be held: what is nested too deeply, and numbers out of range.

use std::collections::BTreeMap;

use endcap_protocol::repair::{RepairCode, Repairs};
use endcap_protocol::touch::cut;
use serde_json::value::RawValue;
use serde_json::{Map, Value};

use super::repair_surrogates::repair_surrogates;

/// Levels that are looked through for the odd member; what lies deeper is left out whole.
const LEVELS: usize = 8;
/// Longest part of a path that is told, in bytes.
const PART: usize = 64;

/// Where a value stands. It becomes text only where something is told of it.
#[derive(Clone, Copy)]
struct Place<'a> {
    above: Option<&'a Place<'a>>,
    part: Part<'a>,
}

#[derive(Clone, Copy)]
enum Part<'a> {
    Member(&'a str),
    Item(usize),
}

impl Place<'_> {
    fn path(&self) -> String {
        let above = self.above.map(Self::path).unwrap_or_default();
        match self.part {
            Part::Member(name) if above.is_empty() => cut(name, PART).to_owned(),
            Part::Member(name) => format!("{above}.{}", cut(name, PART)),
            Part::Item(at) => format!("{above}[{at}]"),
        }
    }
}

/// The value of a text that is JSON, without the members that cannot be held.
///
/// # Errors
/// When it is no JSON.
pub(crate) fn value_of(text: &str, repairs: &mut Repairs) -> Result<Value, serde_json::Error> {
    let text = &*repair_surrogates(text);
    // Everyday texts are read once.
    let whole = Place { above: None, part: Part::Member("") };
    serde_json::from_str(text).or_else(|_| Ok(read(serde_json::from_str(text)?, whole, LEVELS, repairs)))
}

fn read(raw: &RawValue, place: Place<'_>, levels: usize, repairs: &mut Repairs) -> Value {
    let text = raw.get();
    // Each level is split, and only what is inside the last one is tried as a value: trying each would read all of it once for
    // each level.
    match text.bytes().next() {
        Some(b'{') if levels > 0 => {
            // An object that is read as a map is one whose names can all be held.
            let Ok(members) = serde_json::from_str::<BTreeMap<String, &RawValue>>(text) else {
                return left_out(place, repairs);
            };
            let mut kept = Map::new();
            for (name, raw) in members {
                let inner = Place { above: Some(&place), part: Part::Member(&name) };
                let value = read(raw, inner, levels - 1, repairs);
                kept.insert(name, value);
            }
            Value::Object(kept)
        }
        Some(b'[') if levels > 0 => {
            let Ok(items) = serde_json::from_str::<Vec<&RawValue>>(text) else { return left_out(place, repairs) };
            let inner = |at| Place { above: Some(&place), part: Part::Item(at) };
            let read = |(at, raw): (usize, &RawValue)| read(raw, inner(at), levels - 1, repairs);
            Value::Array(items.into_iter().enumerate().map(read).collect())
        }
        _ => serde_json::from_str(text).unwrap_or_else(|_| left_out(place, repairs)),
    }
}

fn left_out(place: Place<'_>, repairs: &mut Repairs) -> Value {
    repairs.note(RepairCode::FieldDropped, || {
        (place.path(), "is nested too deeply or holds a number out of range: it is left out".to_owned())
    });
    Value::Null
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn of(text: &str) -> (Value, Vec<String>) {
        let mut repairs = Repairs::default();
        let mut event = value_of(&format!("{{\"properties\":{text}}}"), &mut repairs).unwrap();
        let value = event["properties"].take();
        (value, repairs.list.into_iter().map(|repair| repair.path).collect())
    }

    #[test]
    fn only_what_cannot_be_held_is_left_out() {
        let deep = format!("{}1{}", "[".repeat(200), "]".repeat(200));
        let text = format!("{{\"a\":1,\"b\":1e999,\"c\":[1,{{\"d\":-1e999}}],\"deep\":{deep}}}");
        let (value, paths) = of(&text);
        assert_eq!((&value["a"], &value["b"], &value["c"]), (&json!(1), &Value::Null, &json!([1, {"d": null}])));
        assert_eq!(paths.len(), 3);
        assert!(paths.contains(&"properties.b".to_owned()) && paths.contains(&"properties.c[1].d".to_owned()));
    }

    #[test]
    fn many_items_below_a_long_name_cost_no_more_than_they_are() {
        let text = format!("{{\"{}\":[{}1e999]}}", "n".repeat(10_000), "1,".repeat(100_000));
        let (value, paths) = of(&text);
        assert_eq!(value["n".repeat(10_000)].as_array().map(Vec::len), Some(100_001));
        assert_eq!(paths, [format!("properties.{}[100000]", "n".repeat(64))]);
    }

    #[test]
    fn what_can_be_held_stays() {
        assert_eq!(of("{\"a\":[1,\"x\",null]}"), (json!({"a": [1, "x", null]}), Vec::new()));
    }
}
