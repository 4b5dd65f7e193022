//! How a property is made from a webhook's body.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

use endcap_protocol::FieldError;
use endcap_protocol::amount;
use endcap_protocol::amount::Reading;
use endcap_protocol::limits::LINES;
use endcap_protocol::repair::{RepairCode, Repairs};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::value::{MapAccessDeserializer, SeqAccessDeserializer};
use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};

use super::pointer::{Path, Pointer};

/// Properties by name, and how each is made.
pub type Properties = BTreeMap<String, Template>;

/// Most properties of one rule or list.
const MAX_PROPERTIES: usize = 60;
/// Deepest nesting of lists.
const MAX_DEPTH: usize = 3;
/// Longest constant, in bytes of JSON.
const MAX_CONST: usize = 1024;
/// Longest number as text.
const MAX_NUMBER: usize = 32;

/// How a property is made.
#[derive(Debug, Clone, PartialEq)]
pub enum Template {
    /// The value at a place, as it is; left out where there is none.
    Path(Path),
    /// Always this.
    Const(Value),
    /// One object for each of a list's objects, of which the first 100 count. Paths of `each` are relative to it.
    List {
        /// The list.
        list: Path,
        /// What is made of each.
        each: Properties,
    },
    /// An amount of money in major units, a number or its text, as a number.
    Money(Path),
}

/// The object forms of a template.
#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Members {
    #[serde(default, rename = "const")]
    constant: Option<Value>,
    #[serde(default)]
    list: Option<Path>,
    #[serde(default)]
    each: Option<Properties>,
    #[serde(default)]
    money: Option<Path>,
}

impl TryFrom<Members> for Template {
    type Error = &'static str;

    fn try_from(members: Members) -> Result<Self, Self::Error> {
        match members {
            Members { constant: Some(value), list: None, each: None, money: None } => Ok(Self::Const(value)),
            Members { constant: None, list: Some(list), each: Some(each), money: None } => {
                Ok(Self::List { list, each })
            }
            Members { constant: None, list: None, each: None, money: Some(path) } => Ok(Self::Money(path)),
            _ => Err("must have exactly one of const, list with each, and money"),
        }
    }
}

struct Reader;

impl<'de> Visitor<'de> for Reader {
    type Value = Template;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON Pointer, a list of them, or an object with const, list and each, or money")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Template, E> {
        let pointer = Pointer::parse(text).map_err(E::custom)?;
        Ok(Template::Path(super::one_or_many::OneOrMany(vec![pointer])))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, items: A) -> Result<Template, A::Error> {
        Path::deserialize(SeqAccessDeserializer::new(items)).map(Template::Path)
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Template, A::Error> {
        let members = Members::deserialize(MapAccessDeserializer::new(map))?;
        members.try_into().map_err(A::Error::custom)
    }
}

impl<'de> Deserialize<'de> for Template {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_any(Reader)
    }
}

impl JsonSchema for Template {
    fn schema_name() -> Cow<'static, str> {
        "PropertyTemplate".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let path = generator.subschema_for::<Path>();
        let each = generator.subschema_for::<Properties>();
        let object = |required: &[&str], properties: Value| {
            serde_json::json!({"type": "object", "required": required, "properties": properties,
                "additionalProperties": false})
        };
        json_schema!({
            "description": "Where a property comes from: a place in the body, a constant, a list, or an amount of money.",
            "anyOf": [
                path,
                object(&["const"], serde_json::json!({"const": true})),
                object(&["list", "each"], serde_json::json!({"list": path, "each": each})),
                object(&["money"], serde_json::json!({"money": path})),
            ],
        })
    }
}

/// Checks properties of a mapping.
///
/// # Errors
/// The one that is over a bound.
pub fn check(properties: &Properties, depth: usize) -> Result<(), FieldError> {
    if properties.len() > MAX_PROPERTIES {
        return Err(FieldError::new("", "must hold at most 60 properties"));
    }
    for (name, template) in properties {
        if name.is_empty() || name.len() > 64 || name.chars().any(char::is_control) {
            return Err(FieldError::new("", "names must have 1 to 64 bytes and no control characters"));
        }
        let error = |message: &str| Err(FieldError::new(name.as_str(), message));
        match template {
            Template::Const(value) if value.to_string().len() > MAX_CONST => {
                return error("must be at most 1024 bytes");
            }
            Template::List { .. } if depth >= MAX_DEPTH => return error("lists nest at most three deep"),
            Template::List { each, .. } => check(each, depth + 1).map_err(|e| e.under("each").under(name))?,
            Template::Path(_) | Template::Const(_) | Template::Money(_) => {}
        }
    }
    Ok(())
}

/// Makes properties from a body. What cannot be made of the body's value is left out.
#[must_use]
pub fn render(properties: &Properties, body: &Value, path: &str, repairs: &mut Repairs) -> Map<String, Value> {
    let mut made = Map::new();
    for (name, template) in properties {
        let value = template.render(body, &format!("{path}.{name}"), repairs);
        made.extend(value.map(|value| (name.clone(), value)));
    }
    made
}

impl Template {
    fn render(&self, body: &Value, path: &str, repairs: &mut Repairs) -> Option<Value> {
        let mut note = |code, message: String| repairs.note(code, || (path.to_owned(), message));
        match self {
            Self::Path(place) => place.find(body).map(|(_, value)| value.clone()),
            Self::Const(value) => Some(value.clone()),
            Self::Money(place) => {
                let (pointer, value) = place.find(body)?;
                let read = amount_of(value);
                if read.is_none() {
                    let message = format!("{} holds no amount of money: it is left out", pointer.as_str());
                    note(RepairCode::AmountDropped, message);
                }
                read
            }
            Self::List { list, each } => {
                let (pointer, value) = list.find(body)?;
                let items = match value {
                    Value::Array(items) => items.iter().collect(),
                    Value::Object(members) if members.values().all(Value::is_object) => members.values().collect(),
                    Value::Object(_) => vec![value],
                    _ => {
                        note(RepairCode::FieldDropped, format!("{} holds no list: it is left out", pointer.as_str()));
                        return None;
                    }
                };
                if items.len() > LINES {
                    let count = items.len();
                    note(
                        RepairCode::FieldCut,
                        format!("{} holds {count} items: the first {LINES} count", pointer.as_str()),
                    );
                }
                let items = items.into_iter().take(LINES).enumerate();
                let made = items.map(|(at, item)| Value::Object(render(each, item, &format!("{path}[{at}]"), repairs)));
                Some(Value::Array(made.collect()))
            }
        }
    }
}

/// A number for a decimal number or the text of one. A text of another form stays as it is, where there is an amount in it: who
/// knows the currency reads it.
fn amount_of(value: &Value) -> Option<Value> {
    match value {
        Value::Number(number) => number.as_f64().map(Value::from),
        Value::String(text) => {
            let text = text.trim();
            let unsigned = text.strip_prefix('-').unwrap_or(text);
            let plain = unsigned.len() <= MAX_NUMBER
                && unsigned.starts_with(|c: char| c.is_ascii_digit())
                && unsigned.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
            // Who knows the currency says whether 1.299 are thousands.
            let read = amount::read(text, 2)?;
            let number = text.parse::<f64>().ok().filter(|_| plain && read.reading != Reading::Ambiguous);
            Some(number.map_or_else(|| Value::from(text), Value::from))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn properties(value: Value) -> Properties {
        serde_json::from_value(value).unwrap()
    }

    fn made(template: Value, body: Value) -> Value {
        Value::Object(render(&properties(json!({"p": template})), &body, "properties", &mut Repairs::default()))
    }

    #[test]
    fn each_form_makes_its_value() {
        let body = json!({"a": 1, "b": null, "price": "12.50", "items": [{"id": 7, "n": "x"}, {"id": 8}]});
        assert_eq!(made(json!("/a"), body.clone()), json!({"p": 1}));
        assert_eq!(made(json!(["/b", "/a"]), body.clone()), json!({"p": 1}));
        assert_eq!(made(json!("/b"), body.clone()), json!({}));
        assert_eq!(made(json!({"const": "web"}), body.clone()), json!({"p": "web"}));
        assert_eq!(made(json!({"money": "/price"}), body.clone()), json!({"p": 12.5}));
        let list = json!({"list": "/items", "each": {"product_id": "/id", "name": "/n"}});
        assert_eq!(made(list, body), json!({"p": [{"product_id": 7, "name": "x"}, {"product_id": 8}]}));
    }

    #[test]
    fn what_cannot_be_made_is_left_out_and_said_with_both_places() {
        let template = properties(json!({"products": {"list": "/items", "each": {"price": {"money": "/price"}}}}));
        let of = |body: Value| {
            let mut repairs = Repairs::default();
            let made = render(&template, &body, "properties", &mut repairs);
            (json!(made), repairs.list.into_iter().map(|repair| (repair.path, repair.message)).collect::<Vec<_>>())
        };
        let (made, repairs) = of(json!({"items": [{"price": 1}, {"price": "free"}]}));
        assert_eq!(made, json!({"products": [{"price": 1.0}, {}]}));
        let at = "properties.products[1].price".to_owned();
        assert_eq!(repairs, [(at, "/price holds no amount of money: it is left out".to_owned())]);
        let (made, repairs) = of(json!({"items": "none"}));
        assert_eq!((made, repairs.len()), (json!({}), 1));
        for items in [json!({"price": 2}), json!({"0": {"price": 2}})] {
            assert_eq!(of(json!({"items": items})).0, json!({"products": [{"price": 2.0}]}));
        }
    }

    #[test]
    fn an_amount_of_another_form_stays_text() {
        for good in ["0", "19.99", "-5.00", "1000000"] {
            assert!(amount_of(&json!(good)).is_some_and(|value| value.is_number()), "{good}");
        }
        for text in ["1.299", "1,50", "1.299,00 €", "€1"] {
            assert_eq!(amount_of(&json!(text)), Some(json!(text)));
        }
        for bad in [json!(""), json!("-"), json!("inf"), json!("NaN"), json!(true), json!({})] {
            assert_eq!(amount_of(&bad), None, "{bad}");
        }
    }

    #[test]
    fn templates_are_one_thing_each_and_bounded() {
        for bad in [
            json!({}),
            json!({"const": 1, "money": "/a"}),
            json!({"list": "/a"}),
            json!(7),
            json!("a"),
            json!([]),
            json!({"path": "/a"}),
        ] {
            assert!(serde_json::from_value::<Template>(bad.clone()).is_err(), "{bad}");
        }
        let deep =
            json!({"a": {"list": "/a", "each": {"b": {"list": "/b", "each": {"c": {"list": "/c", "each": {}}}}}}});
        assert!(check(&properties(deep.clone()), 0).is_ok());
        let deeper = properties(json!({"z": {"list": "/z", "each": deep}}));
        assert_eq!(check(&deeper, 0).unwrap_err().path, "z.each.a.each.b.each.c");
        assert_eq!(check(&properties(json!({"a": {"const": "x".repeat(2000)}})), 0).unwrap_err().path, "a");
    }

    #[test]
    fn a_list_has_at_most_a_hundred_items() {
        let body = json!({"items": vec![json!({"id": 1}); 150]});
        let list = made(json!({"list": "/items", "each": {"product_id": "/id"}}), body);
        assert_eq!(list["p"].as_array().unwrap().len(), 100);
    }
}
