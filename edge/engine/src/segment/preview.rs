//! How many people a condition describes, before it is saved: an estimate at once, then the exact number as it comes in.

use endcap_protocol::{FieldError, SegmentId};
use endcap_targeting::condition::Condition;
use endcap_targeting::condition_json::to_json;
use endcap_validation::json::is_default;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::definition::condition;
use super::estimate::{Estimate, estimate};
use crate::shop::rule_schemas;

/// People whom a sample names.
pub const SAMPLE: usize = 5;
/// One of so many buckets is looked at for the estimate.
pub const SHARE: u16 = 32;
/// Least number of people that an estimate rests on.
const LEAST: u64 = 30;

/// Asks how many people a condition describes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PreviewAsk {
    /// The condition.
    #[schemars(with = "rule_schemas::ConditionOrText")]
    condition: Value,
    /// A saved segment: then the answer says who would enter and leave it with this condition.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub segment: Option<SegmentId>,
}

impl PreviewAsk {
    /// The same, checked, with its condition as JSON.
    ///
    /// # Errors
    /// What is wrong with the condition, or with the segment's ID.
    pub fn checked(self) -> Result<Self, FieldError> {
        let named = self.segment.as_ref().map(|id| SegmentId::parse(id.as_str())).transpose();
        let segment = named.map_err(|error| FieldError { path: "segment".to_owned(), ..error })?;
        Ok(Self { condition: to_json(&self.condition()?), segment })
    }

    /// The condition.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn condition(&self) -> Result<Condition, FieldError> {
        condition(&self.condition)
    }
}

/// People as they are counted.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Tally {
    /// People who were held against the condition.
    pub looked_at: u64,
    /// Profiles that could not be read.
    pub unreadable: u64,
    /// People whom it describes.
    pub matching: u64,
    /// Those of them who are not in the segment.
    pub entering: u64,
    /// People in the segment whom it does not describe.
    pub leaving: u64,
    /// Some of each.
    pub sample: PreviewSample,
}

/// Some of the people who were counted, by their profiles.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
pub struct PreviewSample {
    /// People whom the condition describes.
    pub matching: Vec<String>,
    /// Those who would enter the segment.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub entering: Vec<String>,
    /// Those who would leave it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub leaving: Vec<String>,
}

fn note(list: &mut Vec<String>, profile_id: &str) {
    if list.len() < SAMPLE {
        list.push(profile_id.to_owned());
    }
}

impl Tally {
    /// Counts somebody.
    pub fn count(&mut self, profile_id: &str, matches: bool, is_member: bool) {
        self.looked_at += 1;
        if matches {
            self.matching += 1;
            note(&mut self.sample.matching, profile_id);
        }
        match (matches, is_member) {
            (true, false) => {
                self.entering += 1;
                note(&mut self.sample.entering, profile_id);
            }
            (false, true) => {
                self.leaving += 1;
                note(&mut self.sample.leaving, profile_id);
            }
            _ => {}
        }
    }

    /// Adds what was counted elsewhere.
    pub fn add(&mut self, other: Self) {
        self.looked_at += other.looked_at;
        self.unreadable += other.unreadable;
        self.matching += other.matching;
        self.entering += other.entering;
        self.leaving += other.leaving;
        let PreviewSample { matching, entering, leaving } = other.sample;
        for (list, more) in [
            (&mut self.sample.matching, matching),
            (&mut self.sample.entering, entering),
            (&mut self.sample.leaving, leaving),
        ] {
            list.extend(more);
            list.truncate(SAMPLE);
        }
    }
}

/// How far a preview is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum PreviewState {
    /// The numbers are estimates, from a part of the people.
    Estimate,
    /// The numbers are exact as far as people were counted.
    Counting,
    /// The numbers are exact.
    Exact,
    /// The count could not be finished; the last numbers before this line are all there is.
    Failed,
}

/// One line of a preview.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct PreviewLine {
    /// How far it is.
    pub state: PreviewState,
    /// When this was counted, Unix milliseconds.
    pub as_of: i64,
    /// Only of a condition that asks for events: those since then are counted for sure, Unix milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub events_since: Option<i64>,
    /// People who were looked at so far.
    pub looked_at: u64,
    /// All people there are; null while that is not known.
    pub of: Option<u64>,
    /// Profiles that could not be read, and are not among the people.
    #[serde(skip_serializing_if = "is_default")]
    pub unreadable: u64,
    /// People whom the condition describes.
    pub matching: Estimate,
    /// People who would enter the segment; only where one was named.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub entering: Option<Estimate>,
    /// People who would leave it; only where one was named.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub leaving: Option<Estimate>,
    /// Some of them.
    pub sample: PreviewSample,
}

impl PreviewLine {
    /// What a part of the people says of `all` of them. None where it is too small to say anything.
    #[must_use]
    pub fn estimated(tally: &Tally, all: u64, compares: bool, as_of: i64) -> Option<Self> {
        if tally.looked_at < LEAST {
            return None;
        }
        let of = |found| estimate(found, tally.looked_at, all);
        let matching = of(tally.matching)?;
        let (entering, leaving) = (of(tally.entering), of(tally.leaving));
        let line = Self::new(PreviewState::Estimate, tally, as_of);
        let compared = |number: Option<Estimate>| number.filter(|_| compares);
        Some(Self { of: Some(all), matching, entering: compared(entering), leaving: compared(leaving), ..line })
    }

    /// What was counted so far of `all` people.
    #[must_use]
    pub fn counted(state: PreviewState, tally: &Tally, all: Option<u64>, compares: bool, as_of: i64) -> Self {
        let compared = |people: u64| Some(exactly(people)).filter(|_| compares);
        Self {
            of: all,
            entering: compared(tally.entering),
            leaving: compared(tally.leaving),
            ..Self::new(state, tally, as_of)
        }
    }

    fn new(state: PreviewState, tally: &Tally, as_of: i64) -> Self {
        let Tally { looked_at, unreadable, matching, ref sample, .. } = *tally;
        let (sample, matching) = (sample.clone(), exactly(matching));
        Self {
            state,
            as_of,
            events_since: None,
            looked_at,
            of: None,
            unreadable,
            matching,
            entering: None,
            leaving: None,
            sample,
        }
    }
}

fn exactly(people: u64) -> Estimate {
    Estimate { people, low: people, high: people }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn people_are_counted_by_what_would_become_of_them() {
        let mut tally = Tally::default();
        for (id, matches, is_member) in [("a", true, true), ("b", true, false), ("c", false, true), ("d", false, false)]
        {
            tally.count(id, matches, is_member);
        }
        let mut both = tally.clone();
        both.add(tally);
        assert_eq!((both.looked_at, both.matching, both.entering, both.leaving), (8, 4, 2, 2));
        assert_eq!(both.sample.matching, ["a", "b", "a", "b"]);
        (0..9).for_each(|_| both.count("e", true, false));
        assert_eq!((both.sample.matching.len(), both.sample.entering.len()), (SAMPLE, SAMPLE));
    }

    #[test]
    fn lines_say_what_they_rest_on() {
        let mut tally = Tally::default();
        (0..29).for_each(|n| tally.count(&n.to_string(), n % 2 == 0, false));
        assert_eq!(PreviewLine::estimated(&tally, 1_000, true, 5), None);
        tally.count("29", false, true);
        let line = serde_json::to_value(PreviewLine::estimated(&tally, 1_000, false, 5)).unwrap();
        assert_eq!(
            (&line["state"], &line["matching"]["people"], &line["of"]),
            (&json!("estimate"), &json!(500), &json!(1000))
        );
        assert!(line.get("entering").is_none() && line["matching"]["low"].as_u64() < Some(400));
        let line = PreviewLine::counted(PreviewState::Exact, &tally, Some(30), true, 5);
        assert_eq!((line.matching, line.leaving), (exactly(15), Some(exactly(1))));
    }

    #[test]
    fn a_condition_is_checked() {
        let ask = |value| {
            serde_json::from_value::<PreviewAsk>(value).map_err(|e| e.to_string())?.checked().map_err(|e| e.to_string())
        };
        assert!(ask(json!({"condition": "orders >= 1", "segment": "vip"})).is_ok());
        for (wrong, word) in [
            (json!({"condition": "url_path matches \"/x\""}), "url_path"),
            (json!({"condition": "ordrs >= 1"}), "orders"),
            (json!({"condition": "orders >= 1", "segment": ""}), "segment"),
            (json!({"condition": "orders >= 1", "limit": 2}), "limit"),
        ] {
            assert!(ask(wrong).unwrap_err().contains(word), "{word}");
        }
    }
}
