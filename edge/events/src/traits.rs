//! What is known about a person: the traits of `identify`.

use std::borrow::Cow;
use std::collections::BTreeMap;

use endcap_protocol::repair::{RepairCode, Repairs};
use endcap_protocol::touch::cut;
use endcap_validation::text::normalise_email;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Most traits of one call or fragment.
pub const MAX_TRAITS: usize = 50;
/// Longest trait text, in bytes.
const MAX_TEXT: usize = 512;
/// Longest name of a trait, in bytes.
const MAX_NAME: usize = 64;

/// One trait's value.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Trait {
    /// Text.
    Text(String),
    /// A number.
    Number(f64),
    /// True or false.
    Flag(bool),
}

/// Traits by name.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Traits(pub BTreeMap<String, Trait>);

impl Trait {
    /// A value as a trait; None for nothing. Lists become JSON text, and long texts are cut.
    fn read(name: &str, value: &Value, repairs: &mut Repairs) -> Option<Self> {
        let text = match value {
            Value::Null => return None,
            Value::Bool(flag) => return Some(Self::Flag(*flag)),
            Value::Number(number) => return number.as_f64().map(Self::Number),
            Value::String(text) => Cow::Borrowed(text.as_str()),
            Value::Array(_) | Value::Object(_) => Cow::Owned(value.to_string()),
        };
        Some(Self::Text(repairs.cut(name, &text, MAX_TEXT).to_owned()))
    }

    /// The trait as JSON.
    #[must_use]
    pub fn to_json(&self) -> Value {
        match self {
            Self::Text(text) => Value::from(text.as_str()),
            Self::Number(number) => Value::from(*number),
            Self::Flag(flag) => Value::from(*flag),
        }
    }
}

impl Traits {
    /// Reads the traits of an identify call. Members of an object get its name and a dot in front; `null` is left out, and so
    /// is what is too much. One such trait does not cost the others.
    pub fn read(value: Value, repairs: &mut Repairs) -> Self {
        let mut traits = Self::default();
        let Value::Object(members) = value else { return traits };
        for (name, value) in members {
            match value {
                Value::Object(inner) => {
                    for (member, value) in inner {
                        traits.put(format!("{name}.{member}"), &value, repairs);
                    }
                }
                _ => traits.put(name, &value, repairs),
            }
        }
        traits
    }

    fn put(&mut self, name: String, value: &Value, repairs: &mut Repairs) {
        let Some(read) = Trait::read(&name, value, repairs) else { return };
        let room = self.0.len() < MAX_TRAITS || self.0.contains_key(&name);
        if room && (1..=MAX_NAME).contains(&name.len()) {
            self.0.insert(name, read);
            return;
        }
        let why = if room { "must have a name of 1 to 64 bytes" } else { "comes after the 50 that a call may have" };
        repairs.note(RepairCode::FieldDropped, || (cut(&name, MAX_NAME).to_owned(), format!("{why}: it is left out")));
    }

    /// The e-mail address, trimmed and lower-cased, where it looks like one.
    #[must_use]
    pub fn email(&self) -> Option<String> {
        let Some(Trait::Text(text)) = self.0.get("email") else { return None };
        normalise_email(text)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn of(value: Value) -> (Value, Vec<(RepairCode, String)>) {
        let mut repairs = Repairs::default();
        let traits = Traits::read(value, &mut repairs);
        let members = traits.0.iter().map(|(name, value)| (name.clone(), value.to_json()));
        (Value::Object(members.collect()), repairs.list.into_iter().map(|repair| (repair.code, repair.path)).collect())
    }

    #[test]
    fn objects_are_spread_and_lists_written_out() {
        let given = json!({"firstName": "Ann", "address": {"city": "Graz", "geo": {"lat": 1}}, "tags": ["a", "b"],
            "age": 30, "vip": true, "n": null});
        let kept = json!({"firstName": "Ann", "address.city": "Graz", "address.geo": "{\"lat\":1}", "tags": "[\"a\",\"b\"]",
            "age": 30.0, "vip": true});
        assert_eq!(of(given), (kept, Vec::new()));
    }

    #[test]
    fn what_is_too_much_costs_nothing_else() {
        let mut given = json!({"bio": "x".repeat(600), "a".repeat(70): 1});
        let (kept, repairs) = of(given.clone());
        assert_eq!(kept, json!({"bio": "x".repeat(512)}));
        let wanted = [(RepairCode::FieldDropped, "a".repeat(64)), (RepairCode::FieldCut, "bio".to_owned())];
        assert_eq!(repairs, wanted);
        given = (0..60).map(|n| (format!("t{n:02}"), json!(n))).collect();
        let (kept, repairs) = of(given);
        assert_eq!((kept.as_object().unwrap().len(), repairs.len()), (50, 10));
        assert_eq!(of(json!([1])), (json!({}), Vec::new()));
    }

    #[test]
    fn an_address_is_read_in_any_case() {
        let traits = Traits::read(json!({"email": " Ann@Example.ORG "}), &mut Repairs::default());
        assert_eq!(traits.email().as_deref(), Some("ann@example.org"));
    }

    proptest! {
        #[test]
        fn any_traits_become_some_that_a_profile_keeps(
            names in proptest::collection::vec(".{0,80}", 0..70), text in ".{0,700}", number in any::<f64>(),
        ) {
            let values = [json!(text), json!(number), json!([text]), json!({"a": text, "b": {"c": [number]}})];
            let given: serde_json::Map<_, _> = names.into_iter().zip(values.into_iter().cycle()).collect();
            let traits = Traits::read(given.into(), &mut Repairs::default());
            prop_assert!(traits.0.len() <= MAX_TRAITS);
            for (name, value) in &traits.0 {
                prop_assert!((1..=MAX_NAME).contains(&name.len()));
                prop_assert!(!matches!(value, Trait::Text(text) if text.len() > MAX_TEXT));
            }
        }
    }
}
