//! Properties of an event, borrowed from its text.
//!
//! Most of a batch is properties, and of those only a few are read: what is borrowed need not be copied, and a list is
//! built faster than a map and, at this size, searched as fast.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

use endcap_protocol::Props;
use endcap_protocol::props::OF_A_PRODUCT;
use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::Number;

/// A JSON value.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) enum Properties<'a> {
    /// `null`.
    #[default]
    Null,
    /// True, false, or a number that is none.
    Other,
    /// A number.
    Number(Number),
    /// Text.
    Text(Cow<'a, str>),
    /// A list.
    List(Vec<Self>),
    /// An object's members as they stand; of two with the same name the later counts.
    Members(Vec<(Cow<'a, str>, Self)>),
}

impl Properties<'_> {
    fn get(&self, key: &str) -> Option<&Self> {
        let Self::Members(members) = self else { return None };
        members.iter().rev().find(|(name, _)| name == key).map(|(_, value)| value)
    }
}

impl Props for Properties<'_> {
    fn text(&self, key: &str) -> Option<String> {
        match self.get(key)? {
            Self::Text(text) => Some(text.clone().into_owned()),
            Self::Number(number) => Some(number.to_string()),
            _ => None,
        }
    }

    fn number(&self, key: &str) -> Option<f64> {
        match self.get(key)? {
            Self::Number(number) => number.as_f64(),
            _ => None,
        }
    }

    fn is_other(&self, key: &str) -> bool {
        self.get(key).is_some_and(|value| matches!(value, Self::Other | Self::List(_) | Self::Members(_)))
    }

    fn items(&self, key: &str) -> Vec<Self> {
        match self.get(key) {
            Some(Self::List(items)) => items.clone(),
            Some(one @ Self::Members(members)) => {
                if members.iter().any(|(name, _)| OF_A_PRODUCT.contains(&&**name)) {
                    return vec![one.clone()];
                }
                // In the order of a map, of which the later of two with the same name counts.
                let by_name: BTreeMap<&str, &Self> = members.iter().map(|(name, value)| (&**name, value)).collect();
                by_name.into_values().cloned().collect()
            }
            _ => Vec::new(),
        }
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Properties<'a> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_any(Reader)
    }
}

/// A member's name; `Cow` alone would be copied.
struct Name<'a>(Cow<'a, str>);

impl<'de: 'a, 'a> Deserialize<'de> for Name<'a> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        match from.deserialize_str(Reader)? {
            Properties::Text(text) => Ok(Self(text)),
            _ => Err(serde::de::Error::custom("a name is text")),
        }
    }
}

struct Reader;

impl<'de> Visitor<'de> for Reader {
    type Value = Properties<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(Properties::Null)
    }

    fn visit_bool<E>(self, _: bool) -> Result<Self::Value, E> {
        Ok(Properties::Other)
    }

    fn visit_i64<E>(self, value: i64) -> Result<Self::Value, E> {
        Ok(Properties::Number(value.into()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Self::Value, E> {
        Ok(Properties::Number(value.into()))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Self::Value, E> {
        Ok(Number::from_f64(value).map_or(Properties::Other, Properties::Number))
    }

    fn visit_borrowed_str<E>(self, value: &'de str) -> Result<Self::Value, E> {
        Ok(Properties::Text(Cow::Borrowed(value)))
    }

    fn visit_str<E>(self, value: &str) -> Result<Self::Value, E> {
        Ok(Properties::Text(Cow::Owned(value.to_owned())))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Self::Value, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element()? {
            list.push(item);
        }
        Ok(Properties::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Self::Value, A::Error> {
        let mut members = Vec::with_capacity(8);
        while let Some((Name(name), value)) = entries.next_entry()? {
            members.push((name, value));
        }
        Ok(Properties::Members(members))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::{Value, json};

    fn same(text: &str, keys: &[&str]) {
        let bag: Properties<'_> = serde_json::from_str(text).unwrap();
        let value: Value = serde_json::from_str(text).unwrap();
        for key in keys {
            assert_eq!(bag.text(key), value.text(key), "{key} of {text}");
            assert_eq!(bag.number(key), value.number(key), "{key} of {text}");
            assert_eq!(bag.is_other(key), value.is_other(key), "{key} of {text}");
            let (items, expected) = (bag.items(key), value.items(key));
            assert_eq!(items.len(), expected.len(), "{key} of {text}");
            assert!(items.iter().zip(&expected).all(|(a, b)| a.text("a") == b.text("a")), "{key} of {text}");
        }
    }

    #[test]
    fn reads_like_a_value_that_owns_its_text() {
        let text = r#"{"a":"x\u00e9","b":-1,"c":1.5,"d":"2.5","e":null,"f":true,"a":18446744073709551615,"g\n":"z",
                       "l":[{"a":1},2,{"a":"b","a":"c"},{},{}],"o":{"a":1},"m":{"1":{"a":1},"0":{"a":2},"1":{"a":3}}}"#;
        same(text, &["m", "a", "b", "c", "d", "e", "f", "g\n", "l", "o", "none"]);
        same("[1]", &["a"]);
        same("null", &["a"]);
    }

    #[test]
    fn what_a_value_refuses_is_refused() {
        let deep = format!("{}1{}", "[".repeat(200), "]".repeat(200));
        for text in ["1e999", deep.as_str(), "{\"a\":}"] {
            assert!(
                serde_json::from_str::<Properties<'_>>(text).is_err() && serde_json::from_str::<Value>(text).is_err()
            );
        }
    }

    proptest! {
        #[test]
        fn any_members_read_alike(members in proptest::collection::btree_map(".{0,4}", (any::<f64>(), ".{0,6}"), 0..6)) {
            let object: serde_json::Map<String, Value> =
                members.iter().map(|(k, (n, t))| (k.clone(), json!({"a": t, "n": n}))).collect();
            let keys: Vec<&str> = members.keys().map(String::as_str).collect();
            same(&Value::from(object).to_string(), &keys);
            if let Some((n, t)) = members.values().next() {
                same(&json!({"n": n, "t": t}).to_string(), &["n", "t"]);
            }
        }
    }
}
