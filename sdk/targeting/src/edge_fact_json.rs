//! The JSON of what only the edge knows.

use endcap_protocol::{FieldError, SegmentId};
use serde_json::{Map, Value, json};

use crate::customer_score::{GroupModel, ScoreNumber};
use crate::device::DeviceText;
use crate::edge_fact::{EdgeFact, MAX_AHEAD, PersonFlag, PersonNumber, PersonText, PersonTime, TouchText};
use crate::event_query::KnownEvent;
use crate::event_query_json;
use crate::event_query_json::{NAMED, is_event};
use crate::leaf_json::{Read, TEXT_WAYS, bounded, compared, fail, put_test, span, span_json, test, with_only};
use crate::text_test::{MAX_ID, MAX_NAME, MAX_TEXTS, TextTest};

/// Names of all facts that only the edge knows, in the order of the documentation.
#[must_use]
pub fn names() -> Vec<String> {
    let numbers = PersonNumber::ALL.iter().filter(|fact| **fact != PersonNumber::Orders).map(|fact| fact.as_str());
    let times = PersonTime::ALL.iter().map(|fact| fact.as_str());
    let flags = PersonFlag::ALL.iter().map(|fact| fact.as_str());
    let scores = ScoreNumber::ALL.iter().map(|score| score.as_str());
    let models = GroupModel::ALL.iter().map(|model| model.as_str());
    let plain = ["segment", "listed", "entered", "trait", "anniversary", "cart_has", "time_zone"]
        .into_iter()
        .chain(numbers)
        .chain(times)
        .chain(flags);
    let plain = plain.chain(scores).chain(models);
    let devices = DeviceText::ALL.iter().map(|text| text.as_str());
    let plain = plain.chain(devices);
    let touches =
        TouchText::ALL.iter().flat_map(|touch| ["first", "last"].map(|which| format!("{which}_{}", touch.as_str())));
    let events = KnownEvent::ALL.iter().map(|event| event.as_str()).chain([NAMED]);
    plain.chain(events).map(str::to_owned).chain(touches).collect()
}

/// The text about a person that a name stands for; None for other names, and for traits.
pub(crate) fn text_named(name: &str) -> Option<PersonText> {
    let of = |prefix: &str| name.strip_prefix(prefix).and_then(TouchText::parse);
    match name {
        "time_zone" => Some(PersonText::TimeZone),
        _ => {
            let touched = of("first_").map(PersonText::First).or_else(|| of("last_").map(PersonText::Last));
            touched.or_else(|| DeviceText::parse(name).map(PersonText::Device))
        }
    }
}

/// The name of a text about a person; None for a trait.
pub(crate) fn name_of(text: &PersonText) -> Option<String> {
    match text {
        PersonText::Trait(_) => None,
        PersonText::First(touch) => Some(format!("first_{}", touch.as_str())),
        PersonText::Last(touch) => Some(format!("last_{}", touch.as_str())),
        PersonText::TimeZone => Some("time_zone".to_owned()),
        PersonText::Device(what) => Some(what.as_str().to_owned()),
    }
}

/// Refuses a text that is never equal to what it is compared with.
pub(crate) fn checked(text: &PersonText, test: &TextTest) -> Read<()> {
    let (PersonText::Device(what), TextTest::OneOf(all)) = (text, test) else { return Ok(()) };
    let mistake = |(n, one): (usize, &String)| Some(FieldError::new(format!("in[{n}]"), what.mistake(one)?));
    all.iter().enumerate().find_map(mistake).map_or(Ok(()), Err)
}

/// Reads a leaf whose fact has this name; None where the page knows that fact.
pub(crate) fn read(name: &str, leaf: &Value) -> Option<Read<EdgeFact>> {
    if is_event(name) {
        return Some(event_query_json::read(leaf).map(|fact| EdgeFact::Event(Box::new(fact))));
    }
    let fact = fact_of(name, leaf)?;
    let checked = match name {
        "segment" | "listed" => with_only(leaf, &["id"], &[]),
        "entered" => with_only(leaf, &["id"], &["within", "before"]),
        "anniversary" => with_only(leaf, &["name", "within"], &[]),
        "trait" => with_only(leaf, &["name", "value"], &TRAIT_WAYS),
        "cart_has" => with_only(leaf, &[], &["product", "category"]),
        name if PersonNumber::parse(name).is_some() => with_only(leaf, &["op", "value", "in"], &[]),
        name if ScoreNumber::parse(name).is_some() => with_only(leaf, &["op", "value"], &[]),
        name if GroupModel::parse(name).is_some() => with_only(leaf, &["in"], &[]),
        name if PersonTime::parse(name).is_some() => with_only(leaf, &[], &["within", "before"]),
        name if PersonFlag::parse(name).is_some() => with_only(leaf, &[], &[]),
        _ => with_only(leaf, &[], &TEXT_WAYS),
    };
    Some(checked.and(fact))
}

fn fact_of(name: &str, leaf: &Value) -> Option<Read<EdgeFact>> {
    if let Some(fact) = PersonNumber::parse(name) {
        let is_edges = fact != PersonNumber::Orders || leaf.get("in").is_some();
        return is_edges.then(|| number(fact, leaf));
    }
    if let Some(fact) = PersonTime::parse(name) {
        return Some(time(fact, leaf));
    }
    if let Some(flag) = PersonFlag::parse(name) {
        return Some(Ok(EdgeFact::Flag(flag)));
    }
    if let Some(fact) = ScoreNumber::parse(name) {
        return Some(compared(leaf).map(|(op, value)| EdgeFact::Score { fact, op, value }));
    }
    if let Some(model) = GroupModel::parse(name) {
        return Some(groups(model, leaf));
    }
    if let Some(text) = text_named(name) {
        return Some(test(leaf).and_then(|test| checked(&text, &test).map(|()| EdgeFact::Text(text, test))));
    }
    match name {
        "segment" => Some(segment(leaf).map(EdgeFact::Segment)),
        "listed" => Some(segment(leaf).map(EdgeFact::Listed)),
        "entered" => Some(entered(leaf)),
        "anniversary" => Some(anniversary(leaf)),
        "trait" => Some(a_trait(leaf)),
        "cart_has" => Some(cart(leaf)),
        _ => None,
    }
}

fn segment(leaf: &Value) -> Read<SegmentId> {
    let id = leaf.get("id").and_then(Value::as_str).unwrap_or_default();
    SegmentId::parse(id).map_err(|error| FieldError { path: "id".to_owned(), ..error })
}

fn entered(leaf: &Value) -> Read<EdgeFact> {
    let id = segment(leaf)?;
    match (leaf.get("within"), leaf.get("before")) {
        (Some(value), None) => Ok(EdgeFact::EnteredWithin(id, span("within", value)?)),
        (None, Some(value)) => Ok(EdgeFact::EnteredBefore(id, span("before", value)?)),
        _ => fail("", "must have either within or before, as {\"within\": {\"days\": 7}}"),
    }
}

fn anniversary(leaf: &Value) -> Read<EdgeFact> {
    let name = bounded("name", leaf.get("name"), MAX_NAME)?;
    let days = leaf.pointer("/within/days").and_then(Value::as_u64).and_then(|days| u16::try_from(days).ok());
    let alone = leaf.get("within").and_then(Value::as_object).is_some_and(|within| within.len() == 1);
    match days.filter(|days| alone && (1..=MAX_AHEAD).contains(days)) {
        Some(days) => Ok(EdgeFact::Anniversary { name, days }),
        None => fail("within", format!("must be {{\"days\": 1 to {MAX_AHEAD}}}")),
    }
}

fn number(fact: PersonNumber, leaf: &Value) -> Read<EdgeFact> {
    let (op, value) = compared(leaf)?;
    let within = leaf.get("in").map(|value| span("in", value)).transpose()?;
    Ok(EdgeFact::Number { fact, within, op, value })
}

fn groups(model: GroupModel, leaf: &Value) -> Read<EdgeFact> {
    let list = leaf.get("in").and_then(Value::as_array).filter(|list| (1..=MAX_TEXTS).contains(&list.len()));
    let Some(list) = list else {
        return fail("in", format!("must be a list of 1 to {MAX_TEXTS} of {}", model.groups().join(", ")));
    };
    let group = |(n, one): (usize, &Value)| {
        let group = one.as_str().and_then(|name| model.group(name));
        group.map_or_else(|| fail(&format!("in[{n}]"), format!("must be {}", model.groups().join(", "))), Ok)
    };
    let all = list.iter().enumerate().map(group).collect::<Read<_>>()?;
    Ok(EdgeFact::Group(model, all))
}

fn time(fact: PersonTime, leaf: &Value) -> Read<EdgeFact> {
    match (leaf.get("within"), leaf.get("before")) {
        (Some(value), None) => Ok(EdgeFact::Within(fact, span("within", value)?)),
        (None, Some(value)) => Ok(EdgeFact::Before(fact, span("before", value)?)),
        _ => fail("", "must have either within or before, as {\"within\": {\"days\": 7}}"),
    }
}

/// The members by which a trait is compared: as text, as number, or as a moment.
const TRAIT_WAYS: [&str; 7] = ["in", "contains", "starts_with", "set", "op", "within", "before"];

fn a_trait(leaf: &Value) -> Read<EdgeFact> {
    let name = bounded("name", leaf.get("name"), MAX_NAME)?;
    if leaf.get("op").is_some() {
        return compared(leaf).map(|(op, value)| EdgeFact::TraitNumber { name, op, value });
    }
    if leaf.get("value").is_some() {
        return fail(
            "value",
            "goes with op, as {\"op\": \">=\", \"value\": 18}; a text is compared by in, contains or starts_with",
        );
    }
    if let Some(value) = leaf.get("within") {
        return Ok(EdgeFact::TraitWithin(name, span("within", value)?));
    }
    if let Some(value) = leaf.get("before") {
        return Ok(EdgeFact::TraitBefore(name, span("before", value)?));
    }
    Ok(EdgeFact::Text(PersonText::Trait(name), test(leaf)?))
}

fn cart(leaf: &Value) -> Read<EdgeFact> {
    match (leaf.get("product"), leaf.get("category")) {
        (Some(id), None) => bounded("product", Some(id), MAX_ID).map(EdgeFact::CartProduct),
        (None, Some(id)) => bounded("category", Some(id), MAX_ID).map(EdgeFact::CartCategory),
        _ => fail("", "must have either product or category"),
    }
}

/// The JSON of such a leaf.
pub(crate) fn write(fact: &EdgeFact) -> Value {
    let mut leaf = Map::new();
    let mut put = |name: &str, value: Value| drop(leaf.insert(name.to_owned(), value));
    match fact {
        EdgeFact::Segment(id) => return json!({"fact": "segment", "id": id.as_str()}),
        EdgeFact::TraitNumber { name, op, value } => {
            return json!({"fact": "trait", "name": name, "op": op.as_str(), "value": value});
        }
        EdgeFact::TraitWithin(name, span) => return json!({"fact": "trait", "name": name, "within": span_json(*span)}),
        EdgeFact::TraitBefore(name, span) => return json!({"fact": "trait", "name": name, "before": span_json(*span)}),
        EdgeFact::Listed(id) => return json!({"fact": "listed", "id": id.as_str()}),
        EdgeFact::EnteredWithin(id, span) => {
            return json!({"fact": "entered", "id": id.as_str(), "within": span_json(*span)});
        }
        EdgeFact::EnteredBefore(id, span) => {
            return json!({"fact": "entered", "id": id.as_str(), "before": span_json(*span)});
        }
        EdgeFact::Anniversary { name, days } => {
            return json!({"fact": "anniversary", "name": name, "within": {"days": days}});
        }
        EdgeFact::Number { fact, within, op, value } => {
            put("fact", json!(fact.as_str()));
            put("op", json!(op.as_str()));
            put("value", json!(value));
            within.iter().for_each(|span| put("in", span_json(*span)));
        }
        EdgeFact::Within(fact, span) => {
            put("fact", json!(fact.as_str()));
            put("within", span_json(*span));
        }
        EdgeFact::Before(fact, span) => {
            put("fact", json!(fact.as_str()));
            put("before", span_json(*span));
        }
        EdgeFact::Text(text, test) => {
            match text {
                PersonText::Trait(name) => {
                    put("fact", json!("trait"));
                    put("name", json!(name));
                }
                text => put("fact", json!(name_of(text))),
            }
            put_test(&mut leaf, test);
        }
        EdgeFact::Event(fact) => return event_query_json::write(fact),
        EdgeFact::Flag(flag) => put("fact", json!(flag.as_str())),
        EdgeFact::Score { fact, op, value } => {
            return json!({"fact": fact.as_str(), "op": op.as_str(), "value": value});
        }
        EdgeFact::Group(model, groups) => return json!({"fact": model.as_str(), "in": groups}),
        EdgeFact::CartProduct(id) => return json!({"fact": "cart_has", "product": id}),
        EdgeFact::CartCategory(id) => return json!({"fact": "cart_has", "category": id}),
    }
    Value::Object(leaf)
}
