//! What is known about a person: the traits of `identify`.

use std::collections::BTreeMap;

use endcap_protocol::FieldError;
use endcap_validation::text::normalise_email;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Most traits of one call or fragment.
pub const MAX_TRAITS: usize = 50;
/// Longest trait text, in bytes.
pub(crate) const MAX_TEXT: usize = 512;

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
    fn parse(value: &Value) -> Result<Option<Self>, &'static str> {
        match value {
            Value::Null => Ok(None),
            Value::Bool(flag) => Ok(Some(Self::Flag(*flag))),
            Value::Number(number) => Ok(number.as_f64().map(Self::Number)),
            Value::String(text) if text.len() <= MAX_TEXT => Ok(Some(Self::Text(text.clone()))),
            Value::String(_) => Err("must be at most 512 bytes"),
            Value::Array(_) | Value::Object(_) => Err("must be text, a number, true or false"),
        }
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
    /// Parses the traits of an identify call; `null` values are left out.
    ///
    /// # Errors
    /// The trait that cannot be kept.
    pub fn parse(value: &Value) -> Result<Self, FieldError> {
        let Some(object) = value.as_object() else {
            return if value.is_null() { Ok(Self::default()) } else { Err(FieldError::new("", "must be an object")) };
        };
        if object.len() > MAX_TRAITS {
            return Err(FieldError::new("", "must hold at most 50 traits"));
        }
        let mut traits = BTreeMap::new();
        for (name, value) in object {
            if name.is_empty() || name.len() > 64 {
                return Err(FieldError::new("", "trait names must have 1 to 64 bytes"));
            }
            let parsed = Trait::parse(value).map_err(|message| FieldError::new(name.as_str(), message))?;
            traits.extend(parsed.map(|parsed| (name.clone(), parsed)));
        }
        Ok(Self(traits))
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
    use super::*;
    use serde_json::json;

    #[test]
    fn keeps_scalars_and_refuses_the_rest_by_name() {
        let traits = Traits::parse(&json!({"email": " Ann@Example.ORG ", "age": 30, "vip": true, "x": null})).unwrap();
        assert_eq!(traits.email().as_deref(), Some("ann@example.org"));
        assert_eq!(traits.0.len(), 3);
        assert_eq!(Traits::parse(&json!({"a": {}})).unwrap_err().path, "a");
        assert!(Traits::parse(&json!([1])).is_err());
    }
}
