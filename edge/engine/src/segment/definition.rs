//! A segment as the shop describes it.

use endcap_protocol::{FieldError, SegmentId, UnixMillis};
use endcap_targeting::condition::Condition;
use endcap_targeting::condition_json::to_json;
use endcap_targeting::next_change::asks_of_time;
use endcap_validation::text::check_text;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::condition_forms::read;
use crate::shop::rule_schemas;

/// Most segments of a shop: each is held against a person at each event.
pub const MAX_SEGMENTS: usize = 250;
/// Longest name, in bytes.
const MAX_NAME: usize = 200;

/// A segment as it is saved.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Definition {
    /// What people call it.
    pub name: String,
    /// Who is in it: a condition over what a person did. A text is kept as the JSON that it says.
    #[schemars(with = "rule_schemas::ConditionOrText")]
    pub condition: Value,
}

impl Definition {
    /// The same, checked, with its condition as JSON.
    ///
    /// # Errors
    /// The field that is wrong.
    pub fn checked(self) -> Result<Self, FieldError> {
        check_text("name", &self.name, MAX_NAME)?;
        Ok(Self { condition: to_json(&condition(&self.condition)?), ..self })
    }
}

/// The condition of a segment, in either form.
///
/// # Errors
/// What is wrong with it, or that it asks about the page that somebody looks at.
pub fn condition(value: &Value) -> Result<Condition, FieldError> {
    let condition = read(value)?;
    if asks_of_page(&condition) {
        let message =
            "asks for url_path, which belongs to a page and not to a person; put that part into a campaign's condition";
        return Err(FieldError::new("condition", message));
    }
    Ok(condition)
}

fn asks_of_page(condition: &Condition) -> bool {
    match condition {
        Condition::All(parts) | Condition::Any(parts) => parts.iter().any(asks_of_page),
        Condition::Not(part) | Condition::SomeCategory(part) => asks_of_page(part),
        Condition::Path(_) => true,
        Condition::Compare(..) | Condition::StageIn(_) => false,
    }
}

/// A saved segment on its way to the shards.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SavedSegment {
    /// Its ID.
    pub id: SegmentId,
    /// Counts up with each change.
    pub version: u32,
    /// Version of the shop's segments since which its condition is what it is.
    pub since: u64,
    /// When that was.
    pub changed_at: UnixMillis,
    /// As it was saved.
    pub definition: Definition,
}

/// A segment that people are held against.
#[derive(Debug, Clone, PartialEq)]
pub struct Segment {
    /// As it was saved.
    pub saved: SavedSegment,
    /// Who is in it. None where a newer version saved what this one cannot read: then everybody stays where they are.
    pub condition: Option<Condition>,
    /// Whether time alone can change it.
    pub is_timed: bool,
}

/// A shop's segments.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Segments {
    /// Counts up with each condition that changes, and each segment that comes or goes; 0 where there never was one.
    pub version: u64,
    /// In order of their IDs.
    pub list: Vec<Segment>,
}

impl Segments {
    /// The segments as they were saved, read.
    #[must_use]
    pub fn read(version: u64, saved: Vec<SavedSegment>) -> Self {
        let read = saved.into_iter().map(|saved| {
            let condition = condition(&saved.definition.condition).ok();
            let is_timed = condition.as_ref().is_some_and(asks_of_time);
            Segment { saved, condition, is_timed }
        });
        let mut list: Vec<_> = read.collect();
        list.sort_by(|one, other| one.saved.id.cmp(&other.saved.id));
        Self { version, list }
    }

    /// A segment by its ID.
    #[must_use]
    pub fn get(&self, id: &SegmentId) -> Option<&Segment> {
        let at = self.list.binary_search_by(|segment| segment.saved.id.cmp(id));
        at.ok().and_then(|at| self.list.get(at))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn checked(value: Value) -> Result<Definition, String> {
        let read: Definition = serde_json::from_value(value).map_err(|error| error.to_string())?;
        read.checked().map_err(|error| error.to_string())
    }

    #[test]
    fn a_text_is_kept_as_json() {
        let made = checked(json!({"name": "Regulars", "condition": "orders >= 2"})).unwrap();
        assert_eq!(made.condition, json!({"fact": "orders", "op": ">=", "value": 2}));
    }

    #[test]
    fn what_is_wrong_is_named() {
        let wrong = |value| checked(value).unwrap_err();
        assert!(wrong(json!({"name": "", "condition": "orders >= 2"})).contains("name"));
        assert!(wrong(json!({"name": "n", "condition": "ordrs >= 2"})).contains("`orders`"));
        let of_page = wrong(json!({"name": "n", "condition": "orders >= 2 and not url_path matches \"/c/*\""}));
        assert!(of_page.contains("condition") && of_page.contains("campaign's condition"), "{of_page}");
        assert!(wrong(json!({"name": "n", "condition": "orders >= 2", "size": 3})).contains("size"));
        assert!(wrong(json!({"name": "n"})).contains("condition"));
    }
}
