//! The book's page of conditions names every fact that there is, and its examples are conditions.

use std::path::PathBuf;

use endcap_targeting::condition::Fact;
use endcap_targeting::edge_fact_json::names;
use endcap_targeting::text::{parse, print};

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
