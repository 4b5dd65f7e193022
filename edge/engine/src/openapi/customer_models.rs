//! `/api/models` and below.

use endcap_api::Operation;
use serde_json::{Value, json};

use super::builder::{Builder, Text, WRONG, with};
use crate::customer_model::{people, view};

const MISSING: (&str, &str) = ("404", "There is no such model.");

/// The description of an operation on models.
pub(super) fn describe(doc: &mut Builder, operation: Operation) -> Value {
    let (summary, answer) = match operation {
        Operation::GetModel => ("How many customers are in each group of a model, now and by day", "The groups."),
        Operation::GetModelTransitions => {
            ("How many customers moved from which group to which between two dates", "Movements that somebody made.")
        }
        Operation::GetModelRevenue => ("What the customers of each group brought between two dates", "The groups."),
        Operation::GetModelPeople => ("The people of a group, or of a movement between two", "One page."),
        _ => ("The models of customers' life", "The models, with their groups."),
    };
    let errors: &[_] = if operation == Operation::GetModels { &[] } else { &[WRONG, MISSING] };
    let described = doc.operation(operation, &Text { summary, answer: ("200", answer), errors });
    match parameters(operation) {
        Some(parameters) => with(described, "parameters", parameters),
        None => described,
    }
}

fn parameters(operation: Operation) -> Option<Value> {
    let date = |name: &str, description: &str| json!({"name": name, "in": "query", "description": description, "schema": {"type": "string", "format": "date"}});
    let group = |name: &str, description: &str| json!({"name": name, "in": "query", "description": description, "schema": {"type": "string", "maxLength": 30}});
    let from = date("from", "The first day; 30 days before the last where it is left out");
    let to = date("to", "The last day, at its beginning; now where it is left out");
    Some(match operation {
        Operation::GetModel => json!([
            {"name": "days", "in": "query", "description": "Days until today; of rfm at most 31, and not of dciu, which tells of now only", "schema": {"type": "integer",
                "minimum": 1, "maximum": view::MAX_DAYS, "default": view::DEFAULT_DAYS}},
        ]),
        Operation::GetModelTransitions | Operation::GetModelRevenue => json!([from, to]),
        Operation::GetModelPeople => json!([
            from, to,
            group("was", "Their group on the first day; any where it is left out"),
            group("is", "Their group on the last day; any where it is left out"),
            {"name": "cursor", "in": "query", "description": "The cursor of the page before",
                "schema": {"type": "string", "maxLength": 100}},
            {"name": "limit", "in": "query", "description": "People a page", "schema": {"type": "integer", "minimum": 1,
                "maximum": people::MAX_LIMIT, "default": people::DEFAULT_LIMIT}},
        ]),
        _ => return None,
    })
}
