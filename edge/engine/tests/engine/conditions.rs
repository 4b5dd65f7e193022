//! The book's page of conditions names every fact that there is, and its examples are conditions.

use std::path::PathBuf;

use endcap_engine::person_facts::PersonFacts;
use endcap_engine::visit::refresh;
use endcap_protocol::{DAY_MS, Date};
use endcap_targeting::condition::{Condition, Fact};
use endcap_targeting::edge_fact::EdgeFacts;
use endcap_targeting::edge_fact_json::names;
use endcap_targeting::text::{parse, print};
use serde_json::json;

use crate::support::{NOW, after, proved, shop};

fn page() -> String {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../docs/src/conditions.md");
    std::fs::read_to_string(path).unwrap()
}

/// The cells of the page's tables of facts.
fn rows(page: &str) -> Vec<Vec<String>> {
    let tables = page.lines().filter(|line| line.starts_with("| `"));
    tables.map(|line| line.trim_matches('|').split(" | ").map(|cell| cell.trim().to_owned()).collect()).collect()
}

/// What stands between backticks.
fn quoted(cell: &str) -> Vec<String> {
    cell.split('`').skip(1).step_by(2).map(str::to_owned).collect()
}

#[test]
fn the_page_names_every_fact_and_no_other() {
    let page = page();
    let mut named: Vec<String> =
        rows(&page).iter().flat_map(|row| quoted(&row[0])).filter(|name| name != "in").collect();
    named.sort();
    named.dedup();
    let mut facts: Vec<String> = Fact::ALL.map(|fact| fact.as_str().to_owned()).to_vec();
    facts.extend(names());
    facts.extend(["stage", "url_path", "some_category"].map(str::to_owned));
    facts.sort();
    assert_eq!(named, facts);
}

#[test]
fn its_examples_are_conditions_as_they_are_printed() {
    let page = page();
    for row in rows(&page) {
        for example in quoted(&row[1]) {
            let condition = parse(&example).unwrap_or_else(|error| panic!("{example}: {error}"));
            let printed = print(&condition).replace(" = 1", "");
            assert_eq!(printed, example.replace(" = 1", ""), "{example}");
        }
    }
}

#[test]
fn a_trait_that_is_a_date_begins_with_the_shops_day_and_changes_in_that_moment() {
    // NOW lies within 2026-02-03, UTC.
    let day = NOW.div_euclid(DAY_MS);
    let shop = shop(&[], &json!({}));
    let date = |ahead: i64| Date::from_day(day + ahead).to_string();
    let mut row = after(&[proved(
        "p",
        NOW,
        "ann",
        &json!({"past": date(-10), "future": date(2), "word": "soon", "age": 41, "unix": NOW / 1000 - 20}),
    )]);
    let person = refresh(&mut row, &shop, NOW).person;
    let facts = PersonFacts::of(&row, &person, &shop);
    let of = |text: &str| match parse(text).unwrap() {
        Condition::Edge(fact) => fact,
        other => panic!("{other:?}"),
    };
    let begins = |ahead: i64| (day + ahead) * DAY_MS;
    for (text, holds, changes) in [
        ("trait(\"past\") within 11 days", true, Some(begins(1))),
        ("trait(\"past\") within 10 days", false, None),
        ("trait(\"past\") before 10 days ago", true, None),
        ("trait(\"past\") before 11 days ago", false, Some(begins(1))),
        ("trait(\"future\") within 3 days", false, Some(begins(2))),
        ("trait(\"future\") before 3 days ago", false, Some(begins(2))),
        ("trait(\"word\") before 3 days ago", false, None),
        ("trait(\"none\") within 3 days", false, None),
        ("trait(\"age\") before 3 days ago", false, None),
        ("trait(\"unix\") within 1 hours", true, Some(NOW / 1000 * 1000 - 20_000 + 3_600_000)),
    ] {
        let fact = of(text);
        assert_eq!((facts.holds(&fact, NOW), facts.changes(&fact, NOW)), (holds, changes), "{text}");
    }
    let later = begins(2);
    assert!(facts.holds(&of("trait(\"future\") within 3 days"), later));
    assert_eq!(facts.changes(&of("trait(\"future\") within 3 days"), later), Some(begins(5)));
}
