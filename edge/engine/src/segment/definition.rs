//! A segment as the shop describes it.

use std::collections::BTreeSet;

use endcap_profile::row_lists::Lists;
use endcap_protocol::{FieldError, SegmentId, UnixMillis};
use endcap_targeting::condition::Condition;
use endcap_targeting::condition_json::to_json;
use endcap_targeting::decided::{asked, asks_for_texts};
use endcap_targeting::edge_fact::EdgeFact;
use endcap_targeting::next_change::asks_of_time;
use endcap_validation::text::check_text;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::condition_forms::read;
use crate::shop::rule_schemas;

/// Most segments of a shop: each is held against a person at each event.
pub const MAX_SEGMENTS: usize = 250;
/// Most segments that ask for each other one after the other.
const MAX_ASKED: usize = 5;
/// Longest name, in bytes.
const MAX_NAME: usize = 200;

/// A segment as it is saved.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Definition {
    /// What people call it.
    pub name: String,
    /// Who is in it: a condition over what a person did. A text is kept as the JSON that it says. Not beside `list`.
    #[serde(default)]
    #[schemars(with = "rule_schemas::ConditionOrText")]
    pub condition: Value,
    /// Whether it is a list: who is in it is said by name, at `POST /api/segments/{id}/list`. It is kept as the condition that somebody
    /// is on the list.
    #[serde(default, skip_serializing)]
    pub list: bool,
}

impl Definition {
    /// The same, checked, with its condition as JSON.
    ///
    /// # Errors
    /// The field that is wrong.
    pub fn checked(self, id: &SegmentId) -> Result<Self, FieldError> {
        check_text("name", &self.name, MAX_NAME)?;
        let condition = match (self.list, self.condition.is_null()) {
            (true, true) => listed(id),
            (true, false) => {
                return Err(FieldError::new(
                    "condition",
                    "does not stand beside \"list\": true; leave one of them out",
                ));
            }
            (false, true) => {
                return Err(FieldError::new(
                    "condition",
                    "is missing: say who is in it, or save a list with \"list\": true",
                ));
            }
            (false, false) => condition(&self.condition)?,
        };
        Ok(Self { condition: to_json(&condition), list: false, ..self })
    }
}

/// Whether a condition is that of the segment's own list.
#[must_use]
pub fn is_list(id: &SegmentId, written: &Value) -> bool {
    condition(written).is_ok_and(|condition| condition == listed(id))
}

/// The condition that a list is kept as.
fn listed(id: &SegmentId) -> Condition {
    Condition::Edge(EdgeFact::Listed(id.clone()))
}

/// The condition of a segment, in either form.
///
/// # Errors
/// What is wrong with it, or that it asks about the page that somebody looks at.
pub fn condition(value: &Value) -> Result<Condition, FieldError> {
    let condition = read(value)?;
    if condition.some(&|part| matches!(part, Condition::Path(_))) {
        let message =
            "asks for url_path, which belongs to a page and not to a person; put that part into a campaign's condition";
        return Err(FieldError::new("condition", message));
    }
    Ok(condition)
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
    /// Version of the shop's segments with which it began.
    pub born: u64,
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
    /// Whether it is a list.
    pub is_list: bool,
    /// Whether time alone can change it.
    pub is_timed: bool,
    /// What it asks about events.
    pub events: Vec<EdgeFact>,
    /// Segments that it asks for.
    pub asks_for: Vec<SegmentId>,
    /// Version of the shop's segments since which it means what it does: it may ask for others.
    pub since: u64,
    /// When that was.
    pub changed_at: UnixMillis,
}

/// A shop's segments.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Segments {
    /// Counts up with each condition that changes, and each segment that comes or goes; 0 where there never was one.
    pub version: u64,
    /// In order of their IDs.
    list: Vec<Segment>,
    /// Their places in an order in which each comes after those that it asks for.
    order: Vec<usize>,
    /// Whether one asks for what a fit of the shop's models changes.
    asks_of_fit: bool,
}

impl Segments {
    /// The segments as they were saved, read.
    #[must_use]
    pub fn read(version: u64, saved: Vec<SavedSegment>) -> Self {
        let read = saved.into_iter().map(|saved| {
            let condition = condition(&saved.definition.condition).ok();
            let is_timed = condition.as_ref().is_some_and(asks_of_time);
            let events = condition.as_ref().map(events_of).unwrap_or_default();
            let is_list = condition.as_ref() == Some(&listed(&saved.id));
            let asks_for = condition.as_ref().map(|condition| others_of(&saved.id, condition)).unwrap_or_default();
            let (since, changed_at) = (saved.since, saved.changed_at);
            Segment { saved, condition, is_list, is_timed, events, asks_for, since, changed_at }
        });
        let mut list: Vec<Segment> = read.collect();
        list.sort_by(|one, other| one.saved.id.cmp(&other.saved.id));
        let asks = |part: &Condition| matches!(part, Condition::Edge(fact) if fact.asks_of_fit());
        let asks_of_fit = list.iter().filter_map(|one| one.condition.as_ref()).any(|condition| condition.some(&asks));
        let mut segments = Self { version, list, order: Vec::new(), asks_of_fit };
        segments.order = segments.places();
        segments.date();
        segments
    }

    /// The places in an order in which each comes after those that it asks for.
    fn places(&self) -> Vec<usize> {
        let asked: Vec<Vec<usize>> = (0..self.list.len()).map(|place| self.asked_by(place)).collect();
        // How many segments each asks for one after the other: a saved one has no more.
        let mut depths = vec![0; self.list.len()];
        for _ in 0..self.list.len() {
            let deeper =
                asked.iter().map(|next| next.iter().filter_map(|next| depths.get(*next)).map(|depth| depth + 1));
            let deeper: Vec<usize> = deeper.map(|depths| depths.max().unwrap_or_default()).collect();
            if deeper == depths {
                break;
            }
            depths = deeper;
        }
        let mut places: Vec<usize> = (0..self.list.len()).collect();
        places.sort_by_key(|place| depths.get(*place).copied().unwrap_or_default());
        places
    }

    /// Places of the segments that one asks for.
    fn asked_by(&self, place: usize) -> Vec<usize> {
        let named = self.list.get(place).into_iter().flat_map(|segment| &segment.asks_for);
        named.filter_map(|id| self.place(id).ok()).collect()
    }

    /// Notes since when each means what it does: since it or one that it asks for was changed.
    fn date(&mut self) {
        for place in self.order.clone() {
            let asked = self.asked_by(place);
            let latest =
                asked.into_iter().filter_map(|next| self.list.get(next)).map(|one| (one.since, one.changed_at));
            let latest = latest.max();
            if let (Some(segment), Some((since, changed_at))) = (self.list.get_mut(place), latest) {
                (segment.since, segment.changed_at) = (segment.since.max(since), segment.changed_at.max(changed_at));
            }
        }
    }

    fn place(&self, id: &SegmentId) -> Result<usize, usize> {
        self.list.binary_search_by(|segment| segment.saved.id.cmp(id))
    }

    /// Each segment after those that it asks for.
    pub fn in_order(&self) -> impl Iterator<Item = &Segment> {
        self.order.iter().filter_map(|place| self.list.get(*place))
    }

    /// Their conditions.
    pub fn conditions(&self) -> impl Iterator<Item = &Condition> {
        self.list.iter().filter_map(|segment| segment.condition.as_ref())
    }

    /// Whether one asks for what only whole fragments tell.
    #[must_use]
    pub fn asks_for_texts(&self) -> bool {
        self.conditions().any(asks_for_texts)
    }

    /// Whether a fit of the shop's models can let people into one, or out of it.
    #[must_use]
    pub fn asks_of_fit(&self) -> bool {
        self.asks_of_fit
    }

    /// Whether one is there that only a newer version can read.
    #[must_use]
    pub fn has_unreadable(&self) -> bool {
        self.list.iter().any(|segment| segment.condition.is_none())
    }

    /// Their IDs.
    pub fn ids(&self) -> impl Iterator<Item = &SegmentId> {
        self.list.iter().map(|segment| &segment.saved.id)
    }

    /// The lists among them, each with the version that it began with.
    #[must_use]
    pub fn lists(&self) -> Lists {
        let lists = self.list.iter().filter(|segment| segment.is_list);
        let born = lists.map(|segment| (segment.saved.id.clone(), segment.saved.born)).collect();
        Lists { version: self.version, born }
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// A segment by its ID.
    #[must_use]
    pub fn get(&self, id: &SegmentId) -> Option<&Segment> {
        self.place(id).ok().and_then(|at| self.list.get(at))
    }
}

/// Checks what a condition asks of other segments, where it belongs to `of`: that they are there, and that none asks for it in turn.
///
/// # Errors
/// What is wrong with it, below `condition`.
pub fn check_asked(wanted: &Condition, of: Option<&SegmentId>, saved: &[SavedSegment]) -> Result<(), FieldError> {
    let mut level = BTreeSet::from_iter(of.map_or_else(|| names_of(wanted), |of| others_of(of, wanted)));
    for _ in 0..MAX_ASKED {
        let mut next = BTreeSet::new();
        for id in level {
            let fail = |message: String| Err(FieldError::new("condition", message));
            if of == Some(&id) {
                return fail(format!("asks for the segment `{}` itself, directly or through others", id.as_str()));
            }
            let Some(found) = saved.iter().find(|saved| saved.id == id) else {
                return fail(format!("names the segment `{}`, which there is not; save that first", id.as_str()));
            };
            let asked = condition(&found.definition.condition).map(|condition| others_of(&id, &condition));
            next.extend(asked.unwrap_or_default());
        }
        level = next;
    }
    if level.is_empty() {
        return Ok(());
    }
    let message = format!("asks for segments that ask for others, more than {MAX_ASKED} one after the other");
    Err(FieldError::new("condition", message))
}

/// The same of every segment that asks for others: one that changes may lie below many.
///
/// # Errors
/// As [`check_asked`], with which segment is concerned.
pub fn check_all_asked(saved: &[SavedSegment]) -> Result<(), FieldError> {
    for one in saved {
        let Ok(wanted) = condition(&one.definition.condition) else { continue };
        check_asked(&wanted, Some(&one.id), saved).map_err(|error| FieldError {
            message: format!("{} (of the segment `{}`)", error.message, one.id.as_str()),
            ..error
        })?;
    }
    Ok(())
}

/// What a condition asks about events.
fn events_of(condition: &Condition) -> Vec<EdgeFact> {
    asked(condition).into_iter().filter(|fact| matches!(fact, EdgeFact::Event(_))).collect()
}

/// The segments that a condition asks for.
#[must_use]
pub fn names_of(condition: &Condition) -> Vec<SegmentId> {
    let named: BTreeSet<SegmentId> = asked(condition).iter().filter_map(|fact| fact.segment().cloned()).collect();
    named.into_iter().collect()
}

/// The segments that the condition of a segment asks for: a list asks for no other.
#[must_use]
pub fn others_of(of: &SegmentId, condition: &Condition) -> Vec<SegmentId> {
    if *condition == listed(of) { Vec::new() } else { names_of(condition) }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn checked(value: Value) -> Result<Definition, String> {
        let read: Definition = serde_json::from_value(value).map_err(|error| error.to_string())?;
        read.checked(&SegmentId::parse("x").unwrap()).map_err(|error| error.to_string())
    }

    #[test]
    fn a_text_is_kept_as_json() {
        let made = checked(json!({"name": "Regulars", "condition": "orders >= 2"})).unwrap();
        assert_eq!(made.condition, json!({"fact": "orders", "op": ">=", "value": 2}));
    }

    #[test]
    fn segments_ask_for_others_that_are_there_and_not_in_a_circle() {
        let saved = |id: &str, condition: &str| SavedSegment {
            id: SegmentId::parse(id).unwrap(),
            version: 1,
            since: 1,
            changed_at: 0,
            born: 1,
            definition: Definition { name: id.to_owned(), condition: json!(condition), list: false },
        };
        let all = [saved("a", "segment(\"b\")"), saved("b", "segment(\"c\") or orders > 1"), saved("c", "orders > 2")];
        let check = |of: &str, text: &str| {
            let of = SegmentId::parse(of).unwrap();
            check_asked(&condition(&json!(text)).unwrap(), Some(&of), &all).map_err(|error| error.to_string())
        };
        assert_eq!(check("d", "segment(\"a\") and segment(\"c\")"), Ok(()));
        assert!(check("d", "segment(\"x\")").unwrap_err().contains("`x`, which there is not"));
        for circle in ["c", "b", "a"] {
            assert!(check(circle, "segment(\"a\")").unwrap_err().contains("itself"), "{circle}");
        }
        let mut below = all.to_vec();
        below.extend((0..4).map(|n| {
            saved(
                &format!("d{n}"),
                if n == 0 { "segment(\"a\")".to_owned() } else { format!("segment(\"d{}\")", n - 1) }.as_str(),
            )
        }));
        assert!(check_all_asked(&below).unwrap_err().to_string().contains("more than 5"), "one may lie below many");
        assert_eq!(check_all_asked(&below[..6]), Ok(()));
        let chain: Vec<_> = (0..9).map(|n| saved(&format!("s{n}"), &format!("segment(\"s{}\")", n + 1))).collect();
        let deep = check_asked(&condition(&json!("segment(\"s0\")")).unwrap(), None, &chain).unwrap_err();
        assert!(deep.to_string().contains("more than 5"), "{deep}");
        let order: Vec<_> =
            Segments::read(1, all.to_vec()).in_order().map(|one| one.saved.id.as_str().to_owned()).collect();
        assert_eq!(order, ["c", "b", "a"]);
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
