//! Why a condition holds of a person, for people.

use endcap_protocol::FieldError;
use endcap_targeting::condition::Condition;
use endcap_targeting::condition_json::to_json;
use endcap_targeting::edge_fact::Seen;
use endcap_targeting::explain::Explanation;
use endcap_validation::text::check_text;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::condition_forms::read;
use crate::shop::rule_schemas;

/// Longest path of a page, in bytes.
const MAX_PATH: usize = 2_000;

/// Asks why a condition holds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ExplainAsk {
    /// The condition.
    #[schemars(with = "rule_schemas::ConditionOrText")]
    condition: Value,
    /// Path of the page that is looked at, for conditions about it.
    #[serde(default)]
    path: String,
}

impl ExplainAsk {
    /// The same, checked, with its condition as JSON.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn checked(self) -> Result<Self, FieldError> {
        if !self.path.is_empty() {
            check_text("path", &self.path, MAX_PATH)?;
        }
        Ok(Self { condition: to_json(&read(&self.condition)?), ..self })
    }

    /// The condition.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn condition(&self) -> Result<Condition, FieldError> {
        read(&self.condition)
    }

    /// The path.
    #[must_use]
    pub fn path(&self) -> &str {
        &self.path
    }
}

/// A part of a condition, and what became of it.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct ExplainedPart {
    /// The part as text.
    pub text: String,
    /// Whether it holds.
    pub holds: bool,
    /// The number, stage or path that it compared. Null for a part that joins others, and for a number that there is nothing to
    /// count from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub saw: Option<SeenValue>,
    /// The category that was tried: the latest for which the part holds, else the latest of all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub category: Option<String>,
    /// What it joins.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub parts: Vec<Self>,
}

/// A value that a part compared.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(untagged)]
pub enum SeenValue {
    /// A number.
    Number(i64),
    /// A stage, or a path.
    Text(String),
}

impl From<Explanation> for ExplainedPart {
    fn from(explanation: Explanation) -> Self {
        let Explanation { text, holds, saw, category, parts } = explanation;
        let saw = saw.map(|seen| match seen {
            Seen::Number(number) => SeenValue::Number(number),
            Seen::Text(text) => SeenValue::Text(text),
        });
        Self { text, holds, saw, category, parts: parts.into_iter().map(Self::from).collect() }
    }
}

/// Why a condition holds of a person, or does not.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Explained {
    /// The profile.
    pub profile_id: String,
    /// When it was looked at, Unix milliseconds.
    pub as_of: i64,
    /// The condition and all its parts.
    pub condition: ExplainedPart,
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_condition_is_checked_and_travels_as_json() {
        let ask = |value: Value| serde_json::from_value::<ExplainAsk>(value).unwrap().checked();
        let checked = ask(json!({"condition": "orders = 1", "path": "/c/shoes"})).unwrap();
        assert_eq!(
            serde_json::to_value(&checked).unwrap()["condition"],
            json!({"fact": "orders", "op": "=", "value": 1})
        );
        assert_eq!(checked.path(), "/c/shoes");
        assert!(ask(json!({"condition": "ordrs = 1"})).is_err());
        assert!(ask(json!({"condition": {"fact": "x"}})).is_err());
        assert!(ask(json!({"condition": "orders = 1", "path": "/".repeat(3_000)})).is_err());
    }
}
