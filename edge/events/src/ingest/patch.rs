//! JSON Merge Patch (RFC 7396): what an operator puts right in refused events before they are taken in again.

use serde_json::{Map, Value};

/// Applies a patch: members replace, objects merge, null removes.
pub(super) fn merge(target: &mut Value, patch: &Map<String, Value>) {
    if !target.is_object() {
        *target = Value::Object(Map::new());
    }
    let Value::Object(members) = target else { return };
    for (key, value) in patch {
        match value {
            Value::Null => {
                members.remove(key);
            }
            Value::Object(inner) => merge(members.entry(key.clone()).or_insert(Value::Null), inner),
            other => {
                members.insert(key.clone(), other.clone());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    fn patched(mut target: Value, patch: &Value) -> Value {
        merge(&mut target, patch.as_object().unwrap());
        target
    }

    #[test]
    fn the_examples_of_the_standard_hold() {
        // RFC 7396, appendix A, as far as the patch is an object.
        let cases = [
            (json!({"a": "b"}), json!({"a": "c"}), json!({"a": "c"})),
            (json!({"a": "b"}), json!({"b": "c"}), json!({"a": "b", "b": "c"})),
            (json!({"a": "b"}), json!({"a": null}), json!({})),
            (json!({"a": "b", "b": "c"}), json!({"a": null}), json!({"b": "c"})),
            (json!({"a": ["b"]}), json!({"a": "c"}), json!({"a": "c"})),
            (json!({"a": "c"}), json!({"a": ["b"]}), json!({"a": ["b"]})),
            (json!({"a": {"b": "c"}}), json!({"a": {"b": "d", "c": null}}), json!({"a": {"b": "d"}})),
            (json!({"a": [{"b": "c"}]}), json!({"a": [1]}), json!({"a": [1]})),
            (json!({"e": null}), json!({"a": 1}), json!({"e": null, "a": 1})),
            (json!([1, 2]), json!({"a": "b", "c": null}), json!({"a": "b"})),
            (json!({}), json!({"a": {"bb": {"ccc": null}}}), json!({"a": {"bb": {}}})),
        ];
        for (target, patch, expected) in cases {
            assert_eq!(patched(target.clone(), &patch), expected, "{target} {patch}");
        }
    }

    proptest! {
        #[test]
        fn a_patch_changes_nothing_the_second_time(a in 0..9_u8, b in "[a-c]{1}", c in "[a-c]{1}", gone in any::<bool>()) {
            let patch = json!({b.clone(): {c.clone(): if gone { Value::Null } else { json!(a) }}});
            let once = patched(json!({"a": 1, "b": {"a": 2, "b": 3}}), &patch);
            prop_assert_eq!(patched(once.clone(), &patch), once);
        }
    }
}
