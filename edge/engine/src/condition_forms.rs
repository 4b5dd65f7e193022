//! The two forms of a condition, JSON and text, and which one is kept: JSON, which every version of the edge reads.

use endcap_protocol::FieldError;
use endcap_targeting::compile::condition_of;
use endcap_targeting::condition::Condition;
use endcap_targeting::condition_json::to_json;
use endcap_targeting::text::{parse, print};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::shop::rule_schemas;

/// A condition in either form.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ConditionAsk {
    /// The condition.
    #[schemars(with = "rule_schemas::ConditionOrText")]
    condition: Value,
}

/// A condition in both forms.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct ConditionForms {
    /// As JSON.
    #[schemars(with = "rule_schemas::Condition")]
    pub condition: Value,
    /// As text.
    pub text: String,
}

impl ConditionAsk {
    /// Both forms of the condition.
    ///
    /// # Errors
    /// What is wrong with it, below `condition`.
    pub fn forms(&self) -> Result<ConditionForms, FieldError> {
        let read = read(&self.condition)?;
        Ok(ConditionForms { condition: to_json(&read), text: print(&read) })
    }
}

/// The JSON of a condition in either form; JSON stays as it was written.
///
/// # Errors
/// What is wrong with a text, and where. JSON is checked when the campaign is compiled.
pub fn as_json(condition: Value) -> Result<Value, FieldError> {
    match &condition {
        Value::String(_) => read(&condition).map(|read| to_json(&read)),
        _ => Ok(condition),
    }
}

/// The condition of either form.
///
/// # Errors
/// What is wrong with it, below `condition`.
pub(crate) fn read(condition: &Value) -> Result<Condition, FieldError> {
    match condition {
        Value::String(text) => parse(text).map_err(|error| FieldError::new("condition", error.to_string())),
        json => condition_of(json).map_err(|error| error.under("condition")),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn forms(condition: &Value) -> Result<ConditionForms, FieldError> {
        serde_json::from_value::<ConditionAsk>(json!({ "condition": condition })).unwrap().forms()
    }

    #[test]
    fn both_forms_are_answered_whichever_was_asked() {
        let json = json!({"all": [{"fact": "orders", "op": ">=", "value": 2}, {"fact": "stage", "in": ["new"]}]});
        let both = ConditionForms { condition: json.clone(), text: "orders >= 2 and stage = new".to_owned() };
        assert_eq!(forms(&json), Ok(both.clone()));
        assert_eq!(forms(&json!("orders>=2 and stage in (new)")), Ok(both));
    }

    #[test]
    fn what_is_wrong_has_its_place_in_either_form() {
        let error = forms(&json!("ordrs >= 2")).unwrap_err().to_string();
        assert!(error.contains("condition") && error.contains("character 1") && error.contains("`orders`"), "{error}");
        let error = forms(&json!({"all": [{"fact": "orders", "op": "?", "value": 2}]})).unwrap_err().to_string();
        assert!(error.contains("condition.all[0].op"), "{error}");
        assert!(forms(&json!(7)).is_err());
    }
}
