//! Where in a webhook's body a value stands: JSON Pointer (RFC 6901).

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer};
use serde_json::Value;

use super::one_or_many::OneOrMany;

/// A JSON Pointer, such as `/customer/id` or `/line_items/0/price`; `""` is the whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pointer(String);

/// Places to look in, in this order.
pub type Path = OneOrMany<Pointer>;

impl Pointer {
    /// Longest pointer, in bytes.
    pub const MAX: usize = 256;

    /// Parses a pointer.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        let escapes = text.split('~').skip(1).all(|rest| rest.starts_with(['0', '1']));
        if text.len() > Self::MAX {
            Err("must be at most 256 bytes")
        } else if !(text.is_empty() || text.starts_with('/')) {
            Err("must be a JSON Pointer: start with /")
        } else if escapes {
            Ok(Self(text.to_owned()))
        } else {
            Err("must be a JSON Pointer: ~ is written ~0 and / within a name ~1")
        }
    }

    /// The pointer as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The value that it points to; `null` counts as nothing.
    #[must_use]
    pub fn find<'a>(&self, value: &'a Value) -> Option<&'a Value> {
        value.pointer(&self.0).filter(|found| !found.is_null())
    }
}

impl Path {
    /// The first place that has a value.
    #[must_use]
    pub fn find<'a>(&self, value: &'a Value) -> Option<(&Pointer, &'a Value)> {
        self.0.iter().find_map(|pointer| Some((pointer, pointer.find(value)?)))
    }

    /// The first place that has an identifier: text or a number. Empty text and 0 are how shops write that there is none.
    #[must_use]
    pub fn identifier(&self, value: &Value) -> Option<String> {
        self.0.iter().find_map(|pointer| match pointer.find(value)? {
            Value::String(text) => Some(text.trim()).filter(|text| !text.is_empty()).map(str::to_owned),
            Value::Number(number) => Some(number.to_string()).filter(|text| text != "0"),
            _ => None,
        })
    }

    /// The places as one text, for messages.
    #[must_use]
    pub fn names(&self) -> String {
        let names: Vec<&str> = self.0.iter().map(Pointer::as_str).collect();
        names.join(" or ")
    }
}

impl<'de> Deserialize<'de> for Pointer {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = String::deserialize(from)?;
        Self::parse(&text).map_err(serde::de::Error::custom)
    }
}

impl JsonSchema for Pointer {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Pointer".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string", "maxLength": Self::MAX, "pattern": "^(/([^~]|~[01])*)?$",
            "description": "JSON Pointer (RFC 6901) into the webhook's body",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    fn path(value: Value) -> Path {
        serde_json::from_value(value).unwrap()
    }

    #[test]
    fn the_examples_of_the_rfc_are_found() {
        // RFC 6901 §5.
        let document = json!({"foo": ["bar", "baz"], "": 0, "a/b": 1, "c%d": 2, "e^f": 3, "g|h": 4, "i\\j": 5,
            "k\"l": 6, " ": 7, "m~n": 8});
        let cases = [("/foo/0", json!("bar")), ("/", json!(0)), ("/a~1b", json!(1)), ("/m~0n", json!(8))];
        for (pointer, expected) in cases {
            assert_eq!(Pointer::parse(pointer).unwrap().find(&document), Some(&expected), "{pointer}");
        }
        assert_eq!(Pointer::parse("").unwrap().find(&document), Some(&document));
        for absent in ["/foo/2", "/foo/-", "/foo/01", "/nothing"] {
            assert_eq!(Pointer::parse(absent).unwrap().find(&document), None, "{absent}");
        }
    }

    #[test]
    fn malformed_pointers_are_refused() {
        for bad in ["a", "a/b", "/~", "/~2", "/a~", &format!("/{}", "a".repeat(256))] {
            assert!(Pointer::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn the_first_place_with_a_value_counts() {
        let body = json!({"a": null, "b": 7, "zero": 0, "blank": " ", "id": 9_007_199_254_740_993_u64});
        let (pointer, value) = path(json!(["/a", "/b"])).find(&body).map(|(p, v)| (p.as_str().to_owned(), v)).unwrap();
        assert_eq!((pointer.as_str(), value), ("/b", &json!(7)));
        assert_eq!(path(json!(["/zero", "/blank", "/id"])).identifier(&body).as_deref(), Some("9007199254740993"));
        assert_eq!(path(json!("/zero")).identifier(&body), None);
    }

    proptest! {
        #[test]
        fn any_pointer_is_refused_or_followed(text in "[/~01a-c]{0,12}") {
            if let Ok(pointer) = Pointer::parse(&text) {
                let _ = pointer.find(&json!({"a": [{"b": 1}], "": {"c": 2}}));
            }
        }
    }
}
