//! What a webhook source's payloads mean: rules that say which of them become which events.
//!
//! Role in the flow of one event: parsed when it is saved, with the path of what is wrong; compiled when a shop's
//! configuration reaches the edge; applied to each [`super::delivery::Delivery`].

use endcap_protocol::FieldError;
use endcap_protocol::limits::NAME_BYTES;
use endcap_validation::text::check_text;
use endcap_validation::{DomainError, read_json};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use super::one_or_many::OneOrMany;
use super::pointer::{Path, Pointer};
use super::preset::Preset;
use super::signature::Scheme;
use super::template;
use super::template::Properties;

/// Largest mapping, in bytes of JSON.
pub const MAX_BODY: usize = 64 * 1024;
/// Most rules of a mapping.
const MAX_RULES: usize = 50;

/// A mapping as it is saved: a ready one by its name, or a scheme and rules.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Definition {
    /// A ready mapping.
    #[serde(default)]
    pub preset: Option<Preset>,
    /// How the sender signs; with a ready mapping, that is known.
    #[serde(default)]
    pub scheme: Option<Scheme>,
    /// Which payloads become which events, at most 50. Every rule that holds makes an event. With a ready mapping, these
    /// are in addition to its rules.
    #[serde(default)]
    pub rules: Vec<RuleDefinition>,
}

/// A rule as it is saved.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RuleDefinition {
    /// When it holds: one condition, or several that all have to. Left out: always.
    #[serde(default)]
    pub when: Option<OneOrMany<ConditionDefinition>>,
    /// What kind of event it makes.
    pub event: EventKind,
    /// The event's name, for `track`.
    #[serde(default)]
    pub name: Option<String>,
    /// What names the message within this source and event name, such as an order's ID. Left out: the delivery does.
    #[serde(default)]
    pub message_id: Option<Path>,
    /// When it happened: ISO 8601 text, or seconds or milliseconds since 1970. Left out or absent: now.
    #[serde(default)]
    pub timestamp: Option<Path>,
    /// The shop's ID of the person. Of this, `email` and `anonymous_id` at least one has to be there.
    #[serde(default)]
    pub user_id: Option<Path>,
    /// The person's e-mail address.
    #[serde(default)]
    pub email: Option<Path>,
    /// The anonymous ID of the person's browser, where the shop passed it on.
    #[serde(default)]
    pub anonymous_id: Option<Path>,
    /// The event's properties, or the person's traits.
    #[serde(default)]
    pub properties: Properties,
}

/// A condition as it is saved: a header or a place in the body, and what has to be there.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ConditionDefinition {
    /// A header's name, in any case.
    #[serde(default)]
    pub header: Option<String>,
    /// A place in the body.
    #[serde(default)]
    pub path: Option<Pointer>,
    /// Text, number, true or false that it has to be, or a list of which it has to be one.
    #[serde(default)]
    pub equals: Option<OneOrMany<Value>>,
    /// Whether there has to be something there, or must not.
    #[serde(default)]
    pub exists: Option<bool>,
}

/// What kind of event a rule makes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum EventKind {
    /// Something that happened.
    Track,
    /// Who somebody is.
    Identify,
}

impl Preset {
    /// The mapping.
    ///
    /// # Errors
    /// Never in what is released: a test reads each.
    pub fn mapping(self) -> Result<Mapping, FieldError> {
        // Read like a shop's own: one copy of the code for both.
        let read = read_json::<Definition>(self.text().as_bytes());
        let definition = read.map_err(|error| FieldError::new("preset", error.to_string()))?;
        Mapping::new(definition).map_err(|error| error.under("preset"))
    }
}

/// A mapping that was checked.
#[derive(Debug, Clone, PartialEq)]
pub struct Mapping {
    /// How the sender signs.
    pub scheme: Scheme,
    /// The rules, in their order.
    pub(super) rules: Vec<Rule>,
}

/// A rule that was checked.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Rule {
    pub(super) when: Vec<Condition>,
    /// The event's name; None for identify.
    pub(super) name: Option<String>,
    pub(super) message_id: Option<Path>,
    pub(super) timestamp: Option<Path>,
    pub(super) user_id: Option<Path>,
    pub(super) email: Option<Path>,
    pub(super) anonymous_id: Option<Path>,
    pub(super) properties: Properties,
}

/// Where a condition looks.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Place {
    /// A header, in lower case.
    Header(String),
    Body(Pointer),
}

/// What a condition wants.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Wanted {
    OneOf(Vec<Value>),
    Present(bool),
}

#[derive(Debug, Clone, PartialEq)]
pub(super) struct Condition {
    pub(super) place: Place,
    pub(super) wanted: Wanted,
}

impl Mapping {
    /// Reads and checks a mapping.
    ///
    /// # Errors
    /// What is wrong, with its path.
    pub fn read(body: &[u8]) -> Result<Self, DomainError> {
        if body.len() > MAX_BODY {
            return Err(DomainError::TooLarge { limit: MAX_BODY });
        }
        Ok(Self::new(read_json(body)?)?)
    }

    /// Checks a mapping.
    ///
    /// # Errors
    /// What is wrong, with its path.
    pub fn new(definition: Definition) -> Result<Self, FieldError> {
        let ready = definition.preset.map(Preset::mapping).transpose()?;
        let scheme = match (&ready, definition.scheme) {
            (Some(ready), None) => ready.scheme,
            (Some(ready), Some(scheme)) if scheme == ready.scheme => scheme,
            (Some(_), Some(_)) => return Err(FieldError::new("scheme", "must be that of the preset, or left out")),
            (None, Some(scheme)) => scheme,
            (None, None) => return Err(FieldError::new("scheme", "is required where there is no preset")),
        };
        if definition.rules.len() > MAX_RULES {
            return Err(FieldError::new("rules", "must hold at most 50 rules"));
        }
        if ready.is_none() && definition.rules.is_empty() {
            return Err(FieldError::new("rules", "must hold a rule"));
        }
        let own = definition.rules.into_iter().enumerate();
        let own = own.map(|(at, rule)| Rule::new(rule).map_err(|e| e.under(&format!("rules[{at}]"))));
        let mut rules = ready.map(|ready| ready.rules).unwrap_or_default();
        rules.extend(own.collect::<Result<Vec<_>, _>>()?);
        Ok(Self { scheme, rules })
    }
}

impl Rule {
    fn new(rule: RuleDefinition) -> Result<Self, FieldError> {
        if rule.user_id.is_none() && rule.email.is_none() && rule.anonymous_id.is_none() {
            return Err(FieldError::new("user_id", "or email or anonymous_id is required"));
        }
        template::check(&rule.properties, 0).map_err(|e| e.under("properties"))?;
        let when = rule.when.map_or_else(Vec::new, |when| when.0).into_iter().enumerate();
        let when = when.map(|(at, one)| Condition::new(one).map_err(|e| e.under(&format!("when[{at}]"))));
        Ok(Self {
            when: when.collect::<Result<_, _>>()?,
            name: name(rule.event, rule.name)?,
            message_id: rule.message_id,
            timestamp: rule.timestamp,
            user_id: rule.user_id,
            email: rule.email,
            anonymous_id: rule.anonymous_id,
            properties: rule.properties,
        })
    }
}

fn name(event: EventKind, name: Option<String>) -> Result<Option<String>, FieldError> {
    match (event, name) {
        (EventKind::Track, Some(name)) => check_text("name", &name, NAME_BYTES).map(|()| Some(name)),
        (EventKind::Track, None) => Err(FieldError::new("name", "is required")),
        (EventKind::Identify, Some(_)) => Err(FieldError::new("name", "is only for track")),
        (EventKind::Identify, None) => Ok(None),
    }
}

impl Condition {
    fn new(condition: ConditionDefinition) -> Result<Self, FieldError> {
        let place = match (condition.header, condition.path) {
            (Some(header), None) => {
                let token = |b: u8| b.is_ascii_alphanumeric() || b"-_.".contains(&b);
                if !(1..=64).contains(&header.len()) || !header.bytes().all(token) {
                    return Err(FieldError::new("header", "must be a header's name of 1 to 64 bytes"));
                }
                Place::Header(header.to_ascii_lowercase())
            }
            (None, Some(pointer)) => Place::Body(pointer),
            _ => return Err(FieldError::new("", "must have exactly one of header and path")),
        };
        let wanted = match (condition.equals, condition.exists) {
            (Some(values), None) => Wanted::OneOf(scalars(values.0)?),
            (None, Some(present)) => Wanted::Present(present),
            _ => return Err(FieldError::new("", "must have exactly one of equals and exists")),
        };
        Ok(Self { place, wanted })
    }
}

fn scalars(values: Vec<Value>) -> Result<Vec<Value>, FieldError> {
    let scalar = |value: &Value| value.is_string() || value.is_number() || value.is_boolean();
    let right = values.iter().all(|value| scalar(value) && value.to_string().len() <= 256);
    let message = "must be text of at most 250 bytes, a number, true or false, or a list of such";
    if right { Ok(values) } else { Err(FieldError::new("equals", message)) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn wrong(definition: Value) -> String {
        match Mapping::read(definition.to_string().as_bytes()) {
            Err(DomainError::Field(error)) => error.path,
            other => panic!("{other:?}"),
        }
    }

    fn with_rule(rule: Value) -> Value {
        let mut whole = json!({"event": "track", "name": "n", "user_id": "/id"});
        whole.as_object_mut().unwrap().extend(rule.as_object().unwrap().clone());
        json!({"scheme": "endcap", "rules": [{"event": "identify", "email": "/e"}, whole]})
    }

    #[test]
    fn says_where_a_mapping_is_wrong() {
        let cases = [
            (json!({}), "scheme"),
            (json!({"scheme": "endcap"}), "rules"),
            (json!({"scheme": "md5"}), "scheme"),
            (json!({"preset": "magento"}), "preset"),
            (json!({"preset": "shopify", "scheme": "endcap"}), "scheme"),
            (json!({"preset": "shopify", "rules": [{"event": "identify"}]}), "rules[0].user_id"),
            (json!({"scheme": "endcap", "rule": []}), "rule"),
            (with_rule(json!({"event": "page"})), "rules[1].event"),
            (with_rule(json!({"name": ""})), "rules[1].name"),
            (with_rule(json!({"event": "identify"})), "rules[1].name"),
            (with_rule(json!({"user_id": "id"})), "rules[1].user_id"),
            (with_rule(json!({"user_id": ["/a", "b"]})), "rules[1].user_id[1]"),
            (with_rule(json!({"message_id": 7})), "rules[1].message_id"),
            (with_rule(json!({"when": {"equals": 1}})), "rules[1].when[0]"),
            (with_rule(json!({"when": [{"path": "/a", "exists": true}, {"path": "/a"}]})), "rules[1].when[1]"),
            (with_rule(json!({"when": {"header": "a b", "equals": 1}})), "rules[1].when[0].header"),
            (with_rule(json!({"when": {"path": "/a", "equals": {}}})), "rules[1].when[0].equals"),
            (with_rule(json!({"properties": {"a": {"money": "x"}}})), "rules[1].properties.a.money"),
            (with_rule(json!({"properties": {"a": {"const": 1, "money": "/x"}}})), "rules[1].properties.a"),
            (with_rule(json!({"properties": {"": "/x"}})), "rules[1].properties"),
        ];
        for (definition, path) in cases {
            assert_eq!(wrong(definition.clone()), path, "{definition}");
        }
    }

    #[test]
    fn a_preset_needs_nothing_else_and_takes_rules_in_addition() {
        let ready = Mapping::read(br#"{"preset":"shopify"}"#).unwrap();
        let more = Mapping::read(
            br#"{"preset":"shopify","rules":[{"event":"track","name":"Cart Created","email":"/email"}]}"#,
        );
        assert_eq!(more.unwrap().rules.len(), ready.rules.len() + 1);
        assert_eq!(ready.scheme, Scheme::Shopify);
    }
}
