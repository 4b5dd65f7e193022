//! The JSON of questions about what a person did.

use endcap_protocol::{Date, FieldError};
use serde_json::{Map, Value, json};

use crate::event_query::{
    EventFact, EventName, EventQuery, EventSelector, EventTime, KnownEvent, LAST_HOUR, MAX_FILTERS, Measure,
    PropertyFilter, PropertyTest, WEEKDAYS, Which,
};
use crate::leaf_json::{Read, TEXT_WAYS, bounded, compared, fail, put_test, span, span_json, test, with_only};
use crate::op::Op;
use crate::text_test::{MAX_NAME, TextTest};

/// Longest name of an event that a shop gave, in bytes.
pub(crate) const MAX_EVENT: usize = 200;
/// The fact that asks for an event by the name that the shop gave it.
pub(crate) const NAMED: &str = "event";
/// Names of what is worked out of a property.
pub(crate) const MEASURES: [&str; 3] = ["sum", "average", "distinct"];

/// Whether a fact asks for events.
pub(crate) fn is_event(name: &str) -> bool {
    name == NAMED || KnownEvent::parse(name).is_some()
}

/// What is worked out of a property, by its name.
pub(crate) fn measure_of(word: &str, property: String) -> Option<Measure> {
    match word {
        "sum" => Some(Measure::Sum(property)),
        "average" => Some(Measure::Average(property)),
        "distinct" => Some(Measure::Distinct(property)),
        _ => None,
    }
}

/// The name of what is worked out of a property; None where it only counts.
pub(crate) fn word_of(measure: &Measure) -> Option<&'static str> {
    match measure {
        Measure::Count => None,
        Measure::Sum(_) => Some("sum"),
        Measure::Average(_) => Some("average"),
        Measure::Distinct(_) => Some("distinct"),
    }
}

/// Reads a leaf about events.
pub(crate) fn read(leaf: &Value) -> Read<EventFact> {
    if let Some(which) = leaf.get("time") {
        with_only(leaf, &["name", "where", "time"], &["within", "before"])?;
        return time(leaf, which);
    }
    with_only(leaf, &["name", "where", "op", "value", "in", "after"], &MEASURES)?;
    let (op, value) = compared(leaf)?;
    let measure = measure(leaf)?;
    let (low, high) = measure.bounds();
    if !(low..=high).contains(&value) {
        return fail("value", format!("must be {low} to {high}"));
    }
    let after = leaf.get("after").map(|after| {
        with_only(after, &["name", "where"], &[])?;
        Ok(EventQuery::of_times(selector(after)?))
    });
    let after = after.transpose().map_err(|error: FieldError| error.under("after"))?;
    let within = leaf.get("in").map(|value| span("in", value)).transpose()?;
    let query = EventQuery::new(selector(leaf)?, measure, value);
    Ok(EventFact::Compared { query, within, after, op, value })
}

fn time(leaf: &Value, which: &Value) -> Read<EventFact> {
    let Some(which) = which.as_str().and_then(Which::parse) else { return fail("time", "must be first or last") };
    let query = EventQuery::of_times(selector(leaf)?);
    match (leaf.get("within"), leaf.get("before")) {
        (Some(value), None) => Ok(EventFact::Within(which, query, span("within", value)?)),
        (None, Some(value)) => Ok(EventFact::Before(which, query, span("before", value)?)),
        _ => fail("", "must have either within or before, as {\"within\": {\"days\": 7}}"),
    }
}

fn measure(leaf: &Value) -> Read<Measure> {
    let word = MEASURES.into_iter().find(|word| leaf.get(word).is_some());
    let Some(word) = word else { return Ok(Measure::Count) };
    if let Some(time) = leaf.get(word).filter(|given| given.is_object() && word == "distinct") {
        with_only(time, &["time"], &[]).map_err(|error| error.under(word))?;
        let time = time_named(time.get("time")).map_err(|error| error.under(word))?;
        return Ok(Measure::Distinct(time.as_str().to_owned()));
    }
    let property = bounded(word, leaf.get(word), MAX_NAME)?;
    if let Some(time) = EventTime::parse(&property) {
        return fail(word, format!("is written {{\"time\": \"{}\"}}, and only of distinct", time.word()));
    }
    Ok(measure_of(word, property).unwrap_or(Measure::Count))
}

fn selector(leaf: &Value) -> Read<EventSelector> {
    let fact = leaf.get("fact").and_then(Value::as_str).unwrap_or_default();
    let name = match (KnownEvent::parse(fact), leaf.get("name")) {
        (Some(known), None) => EventName::Known(known),
        (Some(_), Some(_)) => return fail("name", format!("only stands beside the fact {NAMED}")),
        (None, name) if fact == NAMED => EventName::Named(bounded("name", name, MAX_EVENT)?),
        _ => return fail("fact", format!("must be {NAMED}, or the word of an event, as viewed")),
    };
    let empty = json!([]);
    let Some(list) = leaf.get("where").unwrap_or(&empty).as_array().filter(|list| list.len() <= MAX_FILTERS) else {
        return fail("where", format!("must be a list of at most {MAX_FILTERS} properties"));
    };
    let filters =
        list.iter().enumerate().map(|(n, one)| filter(one).map_err(|error| error.under(&format!("where[{n}]"))));
    Ok(EventSelector { name, filters: filters.collect::<Read<_>>()? })
}

/// Which time of an event is named.
fn time_named(value: Option<&Value>) -> Read<EventTime> {
    let word = value.and_then(Value::as_str).unwrap_or_default();
    let time = EventTime::ALL.iter().find(|time| time.word() == word);
    time.copied().map_or_else(|| fail("time", "must be date, hour or weekday"), Ok)
}

fn time_filter(value: &Value) -> Read<PropertyFilter> {
    let time = time_named(value.get("time"))?;
    let test = match time {
        EventTime::Date => {
            with_only(value, &["time", "op", "value"], &[])?;
            let Some(op) = value.get("op").and_then(Value::as_str).and_then(Op::parse) else {
                return fail("op", "must be =, !=, >, >=, < or <=");
            };
            let date = value.get("value").and_then(Value::as_str).and_then(Date::parse);
            let Some(date) = date else { return fail("value", "must be a date, as \"2026-11-29\"") };
            PropertyTest::Date(op, date)
        }
        EventTime::Hour => {
            with_only(value, &["time", "op", "value"], &[])?;
            let (op, hour) = compared(value)?;
            if !(0..=LAST_HOUR).contains(&hour) {
                return fail("value", format!("must be 0 to {LAST_HOUR}"));
            }
            PropertyTest::Number(op, hour)
        }
        EventTime::Weekday => {
            with_only(value, &["time", "in"], &[])?;
            let TextTest::OneOf(given) = test(value)? else { return fail("in", "must be a list of weekdays") };
            match weekdays(&given) {
                Ok(all) => PropertyTest::Text(TextTest::OneOf(all)),
                Err(place) => return fail(&format!("in[{place}]"), format!("must be {}", WEEKDAYS.join(", "))),
            }
        }
    };
    Ok(PropertyFilter { property: time.as_str().to_owned(), test })
}

/// Days of the week in small letters, or the place of the first that is none.
pub(crate) fn weekdays(given: &[String]) -> Result<Vec<String>, usize> {
    let known = |(place, name): (usize, &String)| {
        let found = WEEKDAYS.iter().find(|known| known.eq_ignore_ascii_case(name));
        found.map(|known| (*known).to_owned()).ok_or(place)
    };
    given.iter().enumerate().map(known).collect()
}

fn filter(value: &Value) -> Read<PropertyFilter> {
    if value.get("time").is_some() {
        return time_filter(value);
    }
    let property = bounded("property", value.get("property"), MAX_NAME)?;
    if let Some(time) = EventTime::parse(&property) {
        return fail("property", format!("is written {{\"time\": \"{}\"}} in its place", time.word()));
    }
    if value.get("op").is_some() {
        with_only(value, &["property", "op", "value"], &[])?;
        let (op, number) = compared(value)?;
        return Ok(PropertyFilter { property, test: PropertyTest::Number(op, number) });
    }
    with_only(value, &["property"], &TEXT_WAYS)?;
    Ok(PropertyFilter { property, test: PropertyTest::Text(test(value)?) })
}

/// The JSON of such a leaf.
pub(crate) fn write(fact: &EventFact) -> Value {
    match fact {
        EventFact::Compared { query, within, after, op, value } => {
            let mut leaf = measured(query.selector(), query.measure());
            leaf.insert("op".to_owned(), json!(op.as_str()));
            leaf.insert("value".to_owned(), json!(value));
            within.iter().for_each(|span| drop(leaf.insert("in".to_owned(), span_json(*span))));
            after.iter().for_each(|after| drop(leaf.insert("after".to_owned(), selected(after.selector()).into())));
            leaf.into()
        }
        EventFact::Within(which, query, span) => timed(*which, query, ("within", span_json(*span))),
        EventFact::Before(which, query, span) => timed(*which, query, ("before", span_json(*span))),
    }
}

fn timed(which: Which, query: &EventQuery, (name, span): (&str, Value)) -> Value {
    let mut leaf = selected(query.selector());
    leaf.insert("time".to_owned(), json!(which.as_str()));
    leaf.insert(name.to_owned(), span);
    leaf.into()
}

fn measured(selector: &EventSelector, measure: &Measure) -> Map<String, Value> {
    let mut leaf = selected(selector);
    if let (Some(word), Some(property)) = (word_of(measure), measure.property()) {
        let time = EventTime::parse(property).map(|time| json!({"time": time.word()}));
        leaf.insert(word.to_owned(), time.unwrap_or_else(|| json!(property)));
    }
    leaf
}

fn selected(selector: &EventSelector) -> Map<String, Value> {
    let mut leaf = Map::new();
    match &selector.name {
        EventName::Known(known) => drop(leaf.insert("fact".to_owned(), json!(known.as_str()))),
        EventName::Named(name) => {
            leaf.insert("fact".to_owned(), json!(NAMED));
            leaf.insert("name".to_owned(), json!(name));
        }
    }
    if !selector.filters.is_empty() {
        let filters: Vec<Value> = selector.filters.iter().map(written).collect();
        leaf.insert("where".to_owned(), json!(filters));
    }
    leaf
}

fn written(filter: &PropertyFilter) -> Value {
    let mut leaf = Map::new();
    match EventTime::parse(&filter.property) {
        Some(time) => leaf.insert("time".to_owned(), json!(time.word())),
        None => leaf.insert("property".to_owned(), json!(filter.property)),
    };
    match &filter.test {
        PropertyTest::Text(test) => put_test(&mut leaf, test),
        PropertyTest::Number(op, value) => {
            leaf.insert("op".to_owned(), json!(op.as_str()));
            leaf.insert("value".to_owned(), json!(value));
        }
        PropertyTest::Date(op, date) => {
            leaf.insert("op".to_owned(), json!(op.as_str()));
            leaf.insert("value".to_owned(), json!(date.to_string()));
        }
    }
    leaf.into()
}
