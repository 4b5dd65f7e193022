//! Every fact of conditions has a case that holds, one that does not, and some at the boundary between the two, in one table. Here
//! they run natively; `tests/integration/condition_cases.test.mjs` asks the worker the same.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use endcap_engine::person_facts::PersonFacts;
use endcap_engine::shop::Snapshot;
use endcap_engine::shop::event_queries::EventQueries;
use endcap_engine::visit::refresh;
use endcap_identity::proof;
use endcap_profile::ProfileRow;
use endcap_protocol::UnixMillis;
use endcap_targeting::PageFacts;
use endcap_targeting::condition::Fact;
use endcap_targeting::customer_score::{GroupModel, ScoreNumber};
use endcap_targeting::edge_fact_json::names;
use endcap_targeting::evaluate::evaluate_of;
use endcap_targeting::text::parse;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::support::{BROWSER, NOW, SECRET, batch, first, receive, shop, stranger, user, with_segments};

/// The table: somebody's events, so many minutes ago, and what holds of them.
#[derive(Deserialize)]
struct Table {
    path: String,
    segments: BTreeMap<String, String>,
    events: Vec<Value>,
    cases: BTreeMap<String, Case>,
}

/// Conditions about one fact.
#[derive(Deserialize)]
struct Case {
    holds: Vec<String>,
    fails: Vec<String>,
    /// Pairs that lie close to each other: what just holds, and what just does not.
    boundary: Vec<[String; 2]>,
}

impl Case {
    /// Each condition, and whether it holds.
    fn conditions(&self) -> impl Iterator<Item = (&str, bool)> {
        let pairs = self.boundary.iter().flat_map(|[holds, fails]| [(holds, true), (fails, false)]);
        let plain = self.holds.iter().map(|text| (text, true)).chain(self.fails.iter().map(|text| (text, false)));
        plain.chain(pairs).map(|(text, holds)| (text.as_str(), holds))
    }
}

fn table() -> Table {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../tests/cases/conditions.json");
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

#[test]
fn every_fact_has_cases_and_each_case_asks_for_its_fact() {
    let table = table();
    let facts: BTreeSet<String> = Fact::ALL
        .iter()
        .map(|fact| fact.as_str().to_owned())
        // Scores and RFM need a shop of many customers: `customer_facts.rs` and `scores.test.mjs` have their cases.
        .chain(
            names().into_iter().filter(|name| ScoreNumber::parse(name).is_none() && name != GroupModel::Rfm.as_str()),
        )
        .chain(["stage", "url_path", "some_category"].map(str::to_owned))
        .collect();
    assert_eq!(table.cases.keys().cloned().collect::<BTreeSet<_>>(), facts);
    for (fact, case) in &table.cases {
        assert!(!case.holds.is_empty() && !case.fails.is_empty() && !case.boundary.is_empty(), "{fact}");
        let asks = |text: &str| {
            let word = |c: char| c.is_ascii_alphanumeric() || c == '_';
            text.split(|c| !word(c)).any(|found| found == fact)
        };
        for text in case.holds.iter().chain(&case.fails) {
            assert!(asks(text), "{fact}: {text}");
        }
    }
}

/// The person of the table, counted as their events came.
fn person(table: &Table, shop: &Snapshot) -> ProfileRow {
    let mut row = stranger();
    for (number, event) in table.events.iter().enumerate() {
        let mut event = event.clone();
        let at: UnixMillis = NOW - event["ago"].as_i64().unwrap() * 60_000;
        event.as_object_mut().unwrap().remove("ago");
        event["message_id"] = json!(format!("m-{number}"));
        event["timestamp"] = json!(at);
        if event["type"] == "identify" {
            event["proof"] = json!(proof::prove(SECRET, &user(event["user_id"].as_str().unwrap())));
        }
        let visit = receive(&mut row, &batch(&[event]), at);
        assert_eq!(visit.kept.len(), 1, "{:?}", table.events.get(number));
        shop.event_queries.count(&mut row, &first(BROWSER), number == 0, &visit.kept, at);
        refresh(&mut row, shop, at);
    }
    row
}

#[test]
fn each_case_is_so() {
    let table = table();
    let segments: Vec<(&str, &str)> = table.segments.iter().map(|(id, text)| (id.as_str(), text.as_str())).collect();
    let conditions: Vec<_> = table
        .cases
        .values()
        .flat_map(Case::conditions)
        .map(|(text, holds)| (text, parse(text).unwrap_or_else(|error| panic!("{text}: {error}")), holds))
        .collect();
    let shop = with_segments(shop(&[], &json!({})), &segments);
    let asked = conditions.iter().map(|(_, condition, _)| condition);
    let shop = Snapshot { event_queries: EventQueries::of(1, asked, &BTreeMap::new()), ..shop };
    let mut row = person(&table, &shop);
    let person = refresh(&mut row, &shop, NOW).person;
    let facts = PersonFacts::of(&row, &person, &shop);
    let page = PageFacts { path: &table.path, now: NOW };
    let wrong: Vec<_> = conditions
        .iter()
        .filter(|(_, condition, holds)| evaluate_of(condition, &person.behaviour, &page, &facts).holds != *holds)
        .map(|(text, _, holds)| format!("{text}: not {holds}"))
        .collect();
    assert_eq!(wrong, [""; 0]);
}
