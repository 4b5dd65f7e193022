//! A model of the shop's own: groups with conditions, of which the first that holds counts.
//!
//! Its conditions ask for orders alone. So the group of any day gone by follows from them, as with the models that Endcap knows.

use std::collections::{BTreeMap, BTreeSet};

use endcap_protocol::{FieldError, SegmentId};
use endcap_targeting::Stage;
use endcap_targeting::condition::{Condition, Fact};
use endcap_targeting::condition_json::to_json;
use endcap_targeting::customer_score::GroupModel;
use endcap_targeting::edge_fact::{EdgeFact, PersonTime};
use endcap_targeting::text::print;
use endcap_validation::text::check_text;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::model::CustomerModel;
use crate::condition_forms::read;
use crate::shop::rule_schemas;

/// Most models of a shop's own.
const MAX_MODELS: usize = 10;
/// Most groups of one.
const MAX_GROUPS: usize = 20;
/// Longest name of a group, in bytes.
const MAX_NAME: usize = 30;
/// Longest sentence about a model, in bytes.
const MAX_ABOUT: usize = 200;
/// The group of customers of whom no condition holds.
pub const OTHER: &str = "other";

/// A model of the shop's own.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OwnModel {
    /// What it tells apart, in a sentence.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub about: String,
    /// Its groups, 1 to 20. A customer is in the first whose condition holds; where none does, in the group `other`.
    pub groups: Vec<OwnGroup>,
}

/// A group of such a model.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OwnGroup {
    /// Its name, at most 30 bytes.
    pub group: String,
    /// Who is in it: a condition over orders.
    #[schemars(with = "rule_schemas::ConditionOrText")]
    pub condition: OrderCondition,
}

/// A condition over orders. One that only a newer version can read is kept as it was written, and never holds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(from = "Value", into = "Value")]
pub struct OrderCondition {
    written: Value,
    read: Option<Condition>,
}

impl From<Value> for OrderCondition {
    fn from(written: Value) -> Self {
        let read = read(&written).ok();
        Self { written: read.as_ref().map_or(written, to_json), read }
    }
}

impl From<OrderCondition> for Value {
    fn from(condition: OrderCondition) -> Self {
        condition.written
    }
}

impl OrderCondition {
    /// The condition; None where only a newer version can read it.
    #[must_use]
    pub fn read(&self) -> Option<&Condition> {
        self.read.as_ref()
    }

    fn check(&self) -> Result<(), FieldError> {
        let condition = read(&self.written)?;
        let Some(other) = stranger(&condition) else { return Ok(()) };
        let message = format!(
            "asks for `{}`, of which the past is not known for every day; a model of your own asks for orders, revenue, \
             average_order, highest_order, order_units, first_order_value, last_order_value, first_order, last_order, \
             days_since_last_order, stage and napl. For anything else save a segment",
            print(other)
        );
        Err(FieldError::new("condition", message))
    }
}

/// The first part of a condition that does not follow from orders.
fn stranger(condition: &Condition) -> Option<&Condition> {
    let is_known = match condition {
        Condition::Compare(fact, ..) => matches!(fact, Fact::Orders | Fact::DaysSinceLastOrder),
        Condition::Edge(fact) => match fact {
            EdgeFact::Number { .. } | EdgeFact::Group(GroupModel::Napl, _) => true,
            EdgeFact::Within(time, _) | EdgeFact::Before(time, _) => {
                matches!(time, PersonTime::FirstOrder | PersonTime::LastOrder)
            }
            _ => false,
        },
        Condition::Path(_) | Condition::SomeCategory(_) => false,
        _ => true,
    };
    if is_known { condition.parts().iter().find_map(stranger) } else { Some(condition) }
}

/// Checks a shop's own models.
///
/// # Errors
/// What is wrong, below `models`.
pub fn check_all(models: &BTreeMap<String, OwnModel>) -> Result<(), FieldError> {
    if models.len() > MAX_MODELS {
        return Err(FieldError::new("models", format!("are at most {MAX_MODELS}")));
    }
    for (id, model) in models {
        let at = format!("models.{id}");
        if CustomerModel::parse(id).is_some() {
            return Err(FieldError::new(at, "is a model that Endcap knows; choose another name"));
        }
        SegmentId::parse(id).map_err(|error| FieldError { path: at.clone(), ..error })?;
        model.check().map_err(|error| error.under(&at))?;
    }
    Ok(())
}

impl OwnModel {
    fn check(&self) -> Result<(), FieldError> {
        if !self.about.is_empty() {
            check_text("about", &self.about, MAX_ABOUT)?;
        }
        if !(1..=MAX_GROUPS).contains(&self.groups.len()) {
            return Err(FieldError::new("groups", format!("must be 1 to {MAX_GROUPS}")));
        }
        let mut names = BTreeSet::from([OTHER, Stage::Prospect.as_str()]);
        for (number, OwnGroup { group, condition }) in self.groups.iter().enumerate() {
            let at = format!("groups[{number}]");
            check_text("group", group, MAX_NAME).map_err(|error| error.under(&at))?;
            if !names.insert(group) {
                let message = format!("`{group}` is the name of another group; `{OTHER}` and `prospect` are taken too");
                return Err(FieldError::new(format!("{at}.group"), message));
            }
            condition.check().map_err(|error| error.under(&at))?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn checked(models: Value) -> Result<(), String> {
        let models = serde_json::from_value(models).map_err(|error| error.to_string())?;
        check_all(&models).map_err(|error| format!("{}: {}", error.path, error.message))
    }

    fn of(condition: &str) -> Result<(), String> {
        checked(json!({"loyalty": {"groups": [{"group": "a", "condition": condition}]}}))
    }

    #[test]
    fn conditions_over_orders_are_taken_and_others_are_named() {
        for text in [
            "orders >= 2 in 90 days and revenue >= 10000",
            "at_least 2 of (average_order >= 5000, last_order within 30 days, first_order before 300 days ago)",
            "stage in (new, active) or napl = P or days_since_last_order < 10",
        ] {
            assert_eq!(of(text), Ok(()), "{text}");
        }
        for (text, other) in [
            ("orders >= 2 and viewed >= 3", "viewed >= 3"),
            ("not trait(\"city\") = \"Paris\"", "trait(\"city\") = \"Paris\""),
            ("last_seen within 3 days", "last_seen within 3 days"),
            ("stars >= 4", "stars >= 4"),
            ("url_path matches \"/c/*\"", "url_path matches \"/c/*\""),
        ] {
            let error = of(text).unwrap_err();
            assert!(error.starts_with("models.loyalty.groups[0].condition: asks for `"), "{error}");
            assert!(error.contains(&format!("`{other}`")), "{error}");
        }
        assert!(of("orders >").unwrap_err().contains("models.loyalty.groups[0].condition"));
    }

    #[test]
    fn names_are_told_apart() {
        let group = |name: &str| json!({"group": name, "condition": "orders > 1"});
        for (models, path) in [
            (json!({"nasld": {"groups": [group("a")]}}), "models.nasld"),
            (json!({"x": {"groups": []}}), "models.x.groups"),
            (json!({"x": {"groups": [group("a"), group("a")]}}), "models.x.groups[1].group"),
            (json!({"x": {"groups": [group("other")]}}), "models.x.groups[0].group"),
            (json!({"x": {"groups": [group("")]}}), "models.x.groups[0].group"),
        ] {
            assert!(checked(models).unwrap_err().starts_with(path), "{path}");
        }
    }

    #[test]
    fn what_only_a_newer_version_reads_is_kept_as_it_was_written() {
        let newer = json!({"group": "a", "condition": {"fact": "orders_of_tomorrow", "op": ">", "value": 1}});
        let read: OwnGroup = serde_json::from_value(newer.clone()).unwrap();
        assert_eq!((read.condition.read(), serde_json::to_value(&read).unwrap()), (None, newer));
    }
}
