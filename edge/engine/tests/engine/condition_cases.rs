//! Every fact of conditions has a case that holds, one that does not, and some at the boundary between the two, in one table. Here
//! they run natively; `tests/integration/condition_cases.test.mjs` asks the worker the same.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use endcap_engine::person_facts::PersonFacts;
use endcap_engine::shop::Snapshot;
use endcap_engine::shop::event_queries::EventQueries;
use endcap_engine::visit::refresh;
use endcap_events::ingest::Batch;
use endcap_events::ingest::sender::{LanguageTag, Place, Sender};
use endcap_events::ingest::user_agent::UserAgent;
use endcap_identity::{IdentityRules, proof};
use endcap_profile::ProfileRow;
use endcap_profile::row_lists::ListedBy;
use endcap_protocol::{SegmentId, UnixMillis};
use endcap_targeting::PageFacts;
use endcap_targeting::condition::Fact;
use endcap_targeting::customer_score::{GroupModel, ScoreNumber};
use endcap_targeting::edge_fact_json::names;
use endcap_targeting::evaluate::evaluate_of;
use endcap_targeting::text::parse;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::support::{BROWSER, NOW, SECRET, applied, batch, first, ingested, shop, stranger, user, with_segments};

/// The table: somebody's events, so many minutes ago, and what holds of them.
#[derive(Deserialize)]
struct Table {
    path: String,
    /// Headers of the requests.
    headers: BTreeMap<String, String>,
    /// Where they come from, as the platform says it.
    place: BTreeMap<String, String>,
    segments: BTreeMap<String, String>,
    /// Those of the segments that are lists which somebody put the person on.
    listed: Vec<String>,
    events: Vec<Value>,
    cases: BTreeMap<String, Case>,
    /// The same once the browser is subscribed to web push.
    subscribed_cases: BTreeMap<String, Case>,
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
    let sender = sender(table);
    for (number, event) in table.events.iter().enumerate() {
        let mut event = event.clone();
        let at: UnixMillis = NOW - event["ago"].as_i64().unwrap() * 60_000;
        event.as_object_mut().unwrap().remove("ago");
        event["message_id"] = json!(format!("m-{number}"));
        event["timestamp"] = json!(at);
        if event["type"] == "identify" {
            event["proof"] = json!(proof::prove(SECRET, &user(event["user_id"].as_str().unwrap())));
        }
        let batch = Batch { sender: sender.clone(), ..ingested(&batch(&[event]), at) };
        let visit = applied(&mut row, &mut { batch }, at, &IdentityRules::default());
        assert_eq!(visit.kept.len(), 1, "{:?}", table.events.get(number));
        shop.event_queries.count(&mut row, &first(BROWSER), number == 0, &visit.kept, at);
        refresh(&mut row, shop, at);
    }
    for list in &table.listed {
        assert!(row.set_listed(
            &SegmentId::parse(list).unwrap(),
            true,
            &shop.segments.lists(),
            &ListedBy::default(),
            NOW
        ));
    }
    row
}

/// What their requests tell of the device.
fn sender(table: &Table) -> Sender {
    let place = |name: &str| table.place[name].as_str();
    Sender {
        agent: UserAgent::parse(&table.headers["User-Agent"]),
        locale: LanguageTag::first_accepted(&table.headers["Accept-Language"]),
        place: Place::new(place("country"), place("regionCode"), place("city")),
    }
}

/// Cases that are not as they say.
fn wrong(cases: &BTreeMap<String, Case>, table: &Table, row: &mut ProfileRow, shop: &Snapshot) -> Vec<String> {
    let person = refresh(row, shop, NOW).person;
    let facts = PersonFacts::of(row, &person, shop);
    let page = PageFacts { path: &table.path, now: NOW };
    let is_so = |(text, holds): &(&str, bool)| {
        let condition = parse(text).unwrap_or_else(|error| panic!("{text}: {error}"));
        evaluate_of(&condition, &person.behaviour, &page, &facts).holds == *holds
    };
    let wrong = cases.values().flat_map(Case::conditions).filter(|case| !is_so(case));
    wrong.map(|(text, holds)| format!("{text}: not {holds}")).collect()
}

#[test]
fn each_case_is_so() {
    let table = table();
    let segments: Vec<(&str, &str)> = table.segments.iter().map(|(id, text)| (id.as_str(), text.as_str())).collect();
    let cases = table.cases.values().flat_map(Case::conditions);
    let conditions: Vec<_> = cases.filter_map(|(text, _)| parse(text).ok()).collect();
    let shop = with_segments(shop(&[], &json!({})), &segments);
    let shop = Snapshot { event_queries: EventQueries::of(1, conditions.iter(), &BTreeMap::new()), ..shop };
    let mut row = person(&table, &shop);
    assert_eq!(wrong(&table.cases, &table, &mut row, &shop), [""; 0]);
    row.set_subscriptions(&first(BROWSER), 1, true, NOW);
    assert_eq!(wrong(&table.subscribed_cases, &table, &mut row, &shop), [""; 0]);
}
