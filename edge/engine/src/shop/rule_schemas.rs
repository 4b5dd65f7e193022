//! Schemas of a campaign's rules, for the API's description. The rules are read as JSON values by `endcap_targeting::compile`,
//! which says what is wrong with its path; these say what it takes.

use std::borrow::Cow;

use endcap_targeting::Stage;
use endcap_targeting::condition::{Fact, MAX_COUNTED, Op};
use endcap_targeting::text::MAX_TEXT;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde_json::{Value, json};

use super::{edge_fact_schemas, event_schemas};

/// To whom: a condition over behaviour and page.
pub(crate) struct Condition;

/// The same as JSON or as text.
pub(crate) struct ConditionOrText;

/// When: a trigger in the page.
pub(super) struct Trigger;

/// How often.
pub(super) struct Frequency;

/// Where: path patterns.
pub(super) struct Pages;

/// An object with one member of this name, and no other.
fn only(name: &str, value: &Value) -> Value {
    json!({"type": "object", "required": [name], "additionalProperties": false, "properties": {name: value}})
}

/// A comparison of one of these facts; `members` come beside.
fn comparison(description: &str, facts: &[&str], members: &Value) -> Value {
    let signs: Vec<&str> = Op::ALL.iter().map(|op| op.as_str()).collect();
    let mut properties = json!({"fact": {"enum": facts}, "op": {"enum": signs}, "value": {"type": "integer"}});
    if let (Some(all), Some(more)) = (properties.as_object_mut(), members.as_object()) {
        all.extend(more.clone());
    }
    json!({"type": "object", "description": description, "required": ["fact", "op", "value"],
        "properties": properties})
}

impl JsonSchema for Condition {
    fn schema_name() -> Cow<'static, str> {
        "Condition".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let part = json!(generator.subschema_for::<Self>());
        let parts = json!({"type": "array", "maxItems": 50, "items": part});
        // Orders may have a span beside them.
        let pages = Fact::ALL.into_iter().filter(|fact| *fact != Fact::Orders);
        let (of_category, plain): (Vec<Fact>, Vec<Fact>) = pages.partition(|fact| fact.takes_category());
        let names = |facts: &[Fact]| facts.iter().map(|fact| fact.as_str()).collect::<Vec<_>>();
        let stages: Vec<&str> = Stage::ALL.iter().map(|stage| stage.as_str()).collect();
        let category = json!({"type": "string", "minLength": 1, "maxLength": 128,
            "description": "In this category only; `$` is the one that the enclosing `some_category` tries"});
        let pattern = json!({"type": "string", "minLength": 1, "maxLength": 200});
        let mut schema = json_schema!({
            "description": "A condition; nested at most 12 levels deep",
            "oneOf": [
                only("all", &parts),
                only("any", &parts),
                {"type": "object", "description": "So many of the parts", "required": ["at_least", "of"], "additionalProperties": false,
                    "properties": {"at_least": {"type": "integer", "minimum": 1, "maximum": MAX_COUNTED},
                        "of": {"type": "array", "minItems": 2, "maxItems": MAX_COUNTED, "items": part}}},
                only("not", &part),
                only("some_category", &part),
                comparison("A number, in one category or all", &names(&of_category), &json!({"category": category})),
                comparison("A number", &names(&plain), &json!({})),
                {"type": "object", "description": "The lifecycle stage", "required": ["fact", "in"],
                    "properties": {"fact": {"enum": ["stage"]}, "in": {"type": "array", "minItems": 1, "items": {"enum": stages}}}},
                {"type": "object", "description": "The page's path", "required": ["fact", "matches"],
                    "properties": {"fact": {"enum": ["url_path"]}, "matches": pattern}},
            ],
        });
        if let Some(branches) = schema.get_mut("oneOf").and_then(Value::as_array_mut) {
            branches.extend(edge_fact_schemas::branches());
            branches.extend(event_schemas::branches());
        }
        schema
    }
}

impl JsonSchema for ConditionOrText {
    fn schema_name() -> Cow<'static, str> {
        "ConditionOrText".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let json = json!(generator.subschema_for::<Condition>());
        json_schema!({
            "description": "A condition, as JSON or as text",
            "oneOf": [
                json,
                {"type": "string", "minLength": 1, "maxLength": MAX_TEXT,
                    "description": "The text form, as `orders >= 2 and stage in (new, active)`"},
            ],
        })
    }
}

impl JsonSchema for Trigger {
    fn schema_name() -> Cow<'static, str> {
        "Trigger".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let up_to = |max: u32| json!({"type": "integer", "minimum": 1, "maximum": max});
        json_schema!({"description": "When it opens", "oneOf": [
            only("immediately", &json!({"enum": [true]})),
            only("dwell_seconds", &up_to(3600)),
            only("scroll_percent", &up_to(100)),
            only("exit_intent", &json!({"enum": [true]})),
        ]})
    }
}

impl JsonSchema for Frequency {
    fn schema_name() -> Cow<'static, str> {
        "Frequency".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let up_to = |max: usize| json!({"type": "integer", "minimum": 1, "maximum": max});
        let days = json!({"type": "object", "required": ["count", "days"],
            "properties": {"count": up_to(endcap_targeting::frequency::REMEMBERED), "days": up_to(365)}});
        json_schema!({"type": "object", "description": "How often one visitor may see it",
            "properties": {"per_session": up_to(100), "per_days": days}})
    }
}

impl JsonSchema for Pages {
    fn schema_name() -> Cow<'static, str> {
        "Pages".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let patterns =
            json!({"type": "array", "maxItems": 50, "items": {"type": "string", "minLength": 1, "maxLength": 200}});
        json_schema!({"type": "object", "description": "Path patterns such as `/c/*`",
            "properties": {"include": patterns, "exclude": patterns}})
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_fact_stands_in_one_branch_of_the_condition() {
        let schema = json!(SchemaGenerator::default().into_root_schema_for::<Condition>());
        let branches = schema["oneOf"].as_array().unwrap();
        let named = |name: &str| {
            let lists = |branch: &&Value| {
                branch["properties"]["fact"]["enum"].as_array().is_some_and(|all| all.contains(&json!(name)))
            };
            branches.iter().filter(lists).count()
        };
        for fact in Fact::ALL {
            assert_eq!(named(fact.as_str()), 1, "{}", fact.as_str());
        }
        for fact in endcap_targeting::edge_fact_json::names() {
            assert!(named(&fact) >= 1, "{fact}");
        }
        assert_eq!((named("stage"), named("url_path"), branches.len()), (1, 1, 57));
    }
}
