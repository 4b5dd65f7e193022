//! Writes a condition as the JSON that [`compile`](crate::compile) reads.

use serde_json::{Value, json};

use crate::condition::{Condition, Scope};
use crate::edge_fact_json;
use crate::stage::Stage;

/// The JSON of a condition.
#[must_use]
pub fn to_json(condition: &Condition) -> Value {
    match condition {
        Condition::All(parts) => json!({"all": parts.iter().map(to_json).collect::<Vec<_>>()}),
        Condition::Any(parts) => json!({"any": parts.iter().map(to_json).collect::<Vec<_>>()}),
        Condition::AtLeast(least, parts) => {
            json!({"at_least": least, "of": parts.iter().map(to_json).collect::<Vec<_>>()})
        }
        Condition::Not(part) => json!({"not": to_json(part)}),
        Condition::SomeCategory(part) => json!({"some_category": to_json(part)}),
        Condition::Compare(fact, scope, op, number) => {
            let mut leaf = json!({"fact": fact.as_str(), "op": op.as_str(), "value": number});
            let category = match scope {
                Scope::All => None,
                Scope::Bound => Some("$"),
                Scope::Named(category) => Some(category.as_str()),
            };
            if let (Some(leaf), Some(category)) = (leaf.as_object_mut(), category) {
                leaf.insert("category".to_owned(), category.into());
            }
            leaf
        }
        Condition::StageIn(bits) => {
            json!({"fact": "stage", "in": Stage::names_of(*bits)})
        }
        Condition::Path(pattern) => json!({"fact": "url_path", "matches": pattern}),
        Condition::Edge(fact) => edge_fact_json::write(fact),
    }
}
