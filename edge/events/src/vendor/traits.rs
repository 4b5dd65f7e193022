//! Traits as other clients send them, as those that a profile keeps.

use endcap_protocol::touch::cut;
use serde_json::{Map, Value};

use crate::traits::{MAX_TEXT, MAX_TRAITS};

/// Longest name of a trait, in bytes.
const MAX_NAME: usize = 64;

/// Traits that are text, numbers, true or false: members of an object get its name and a dot in front, lists become
/// JSON text. Cuts long texts and leaves out surplus traits, because one such trait must not cost the whole identify.
pub(super) fn plain(given: Map<String, Value>) -> Map<String, Value> {
    let mut plain = Map::new();
    for (name, value) in given {
        if let Value::Object(members) = value {
            for (member, value) in members {
                put(&mut plain, format!("{name}.{member}"), value);
            }
        } else {
            put(&mut plain, name, value);
        }
    }
    plain
}

fn put(plain: &mut Map<String, Value>, name: String, value: Value) {
    let value = match value {
        Value::String(text) => cut(&text, MAX_TEXT).into(),
        Value::Array(_) | Value::Object(_) => cut(&value.to_string(), MAX_TEXT).into(),
        Value::Null | Value::Bool(_) | Value::Number(_) => value,
    };
    let room = plain.len() < MAX_TRAITS || plain.contains_key(&name);
    if room && (1..=MAX_NAME).contains(&name.len()) {
        plain.insert(name, value);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;
    use crate::Traits;

    fn of(value: &Value) -> Value {
        plain(value.as_object().unwrap().clone()).into()
    }

    #[test]
    fn objects_are_spread_and_lists_written_out() {
        let given =
            json!({"firstName": "Ann", "address": {"city": "Graz", "geo": {"lat": 1}}, "tags": ["a", "b"], "n": null});
        let kept = json!({"firstName": "Ann", "address.city": "Graz", "address.geo": "{\"lat\":1}", "tags": "[\"a\",\"b\"]", "n": null});
        assert_eq!(of(&given), kept);
    }

    proptest! {
        #[test]
        fn any_traits_become_some_that_a_profile_keeps(
            names in proptest::collection::vec(".{0,80}", 0..70), text in ".{0,700}", number in any::<f64>(),
        ) {
            let values = [json!(text), json!(number), json!([text]), json!({"a": text, "b": {"c": [number]}})];
            let given: Map<_, _> = names.into_iter().zip(values.into_iter().cycle()).collect();
            prop_assert!(Traits::parse(&of(&given.into())).is_ok());
        }
    }
}
