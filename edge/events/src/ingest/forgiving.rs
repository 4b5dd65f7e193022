//! Reads JSON of which a part cannot be held: what is nested too deeply, and numbers out of range.

use std::collections::BTreeMap;

use endcap_protocol::repair::{RepairCode, Repairs};
use serde_json::value::RawValue;
use serde_json::{Map, Value};

/// Levels that are looked through for the odd member; what lies deeper is left out whole.
const LEVELS: usize = 8;

/// The value of a text that is JSON, without the members that cannot be held.
pub(super) fn value(raw: &RawValue, path: &str, repairs: &mut Repairs) -> Value {
    read(raw, path, LEVELS, repairs)
}

fn read(raw: &RawValue, path: &str, levels: usize, repairs: &mut Repairs) -> Value {
    let text = raw.get();
    if let Ok(value) = serde_json::from_str(text) {
        return value;
    }
    match text.bytes().next() {
        Some(b'{') if levels > 0 => {
            // An object that is read as a map is one whose names can all be held.
            let Ok(members) = serde_json::from_str::<BTreeMap<String, &RawValue>>(text) else {
                return left_out(path, repairs);
            };
            let read = |(name, raw): (String, &RawValue)| {
                let inner = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
                (name, read(raw, &inner, levels - 1, repairs))
            };
            Value::Object(members.into_iter().map(read).collect::<Map<_, _>>())
        }
        Some(b'[') if levels > 0 => {
            let Ok(items) = serde_json::from_str::<Vec<&RawValue>>(text) else { return left_out(path, repairs) };
            let read = |(at, raw): (usize, &RawValue)| read(raw, &format!("{path}[{at}]"), levels - 1, repairs);
            Value::Array(items.into_iter().enumerate().map(read).collect())
        }
        _ => left_out(path, repairs),
    }
}

fn left_out(path: &str, repairs: &mut Repairs) -> Value {
    repairs.note(RepairCode::FieldDropped, || {
        (path.to_owned(), "is nested too deeply or holds a number out of range: it is left out".to_owned())
    });
    Value::Null
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn of(text: &str) -> (Value, Vec<String>) {
        let mut repairs = Repairs::default();
        let raw: Box<RawValue> = serde_json::from_str(text).unwrap();
        let value = value(&raw, "properties", &mut repairs);
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
    fn what_can_be_held_stays() {
        assert_eq!(of("{\"a\":[1,\"x\",null]}"), (json!({"a": [1, "x", null]}), Vec::new()));
    }
}
