//! Evaluation of the co-visit model on public click data, in the product convention: what the session already holds
//! is neither a target nor recommended. Prints HR@20 and MRR@20 (`cargo test --release --test recommendation --
//! --nocapture`) and fails below the figures of Serenade, a published system, measured on the same cut.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::collections::{BTreeMap, BTreeSet};

use endcap_models::recommend::CoVisits;
use endcap_models::recommend::VisitContext;

mod data;

const CUTOFF: usize = 20;

/// Sessions in order of their first click, each session's items in order of time.
fn sessions(text: &str) -> Vec<Vec<&str>> {
    let mut clicks: BTreeMap<&str, Vec<(i64, &str)>> = BTreeMap::new();
    for line in text.lines().skip(1) {
        let mut columns = line.split('\t');
        let (session, item, time) = (columns.next().unwrap(), columns.next().unwrap(), columns.next().unwrap());
        clicks.entry(session).or_default().push((time.parse::<f64>().unwrap() as i64, item));
    }
    let mut sessions: Vec<Vec<(i64, &str)>> = clicks.into_values().collect();
    sessions.iter_mut().for_each(|clicks| clicks.sort_by_key(|(time, _)| *time));
    sessions.sort_by_key(|clicks| clicks.first().copied());
    sessions.into_iter().map(|clicks| clicks.into_iter().map(|(_, item)| item).collect()).collect()
}

fn learned(sessions: &[Vec<&str>]) -> CoVisits {
    let mut model = CoVisits::with_capacity(50_000);
    for session in sessions {
        let mut visit_context = VisitContext::default();
        session.iter().filter_map(|item| visit_context.visit(item)).for_each(|step| model.learn(&step, 0));
    }
    model
}

/// Hit rate and mean reciprocal rank of the next click, over every click whose item is new to its session.
fn measure(model: &CoVisits, sessions: &[Vec<&str>]) -> (f64, f64) {
    let (mut targets, mut hits, mut reciprocal) = (0u32, 0u32, 0.0);
    for session in sessions {
        let (mut visit_context, mut seen) = (VisitContext::default(), BTreeSet::new());
        for &item in session {
            if !seen.is_empty() && !seen.contains(item) {
                targets += 1;
                let context: Vec<&str> = visit_context.items().iter().map(String::as_str).collect();
                let ranked = model.related(&context);
                let shown = ranked.iter().map(|(shown, _)| *shown).filter(|shown| !seen.contains(shown)).take(CUTOFF);
                if let Some(rank) = (1u32..).zip(shown).find_map(|(rank, shown)| (shown == item).then_some(rank)) {
                    hits += 1;
                    reciprocal += 1.0 / f64::from(rank);
                }
            }
            seen.insert(item);
            visit_context.visit(item);
        }
    }
    (f64::from(hits) / f64::from(targets), reciprocal / f64::from(targets))
}

fn evaluate(name: &str, train: &str, test: &str, floor: (f64, f64)) {
    let (Some(train), Some(test)) = (data::read(train), data::read(test)) else { return };
    let model = learned(&sessions(&train));
    let (hit_rate, reciprocal_rank) = measure(&model, &sessions(&test));
    let bytes = postcard::to_allocvec(&model).unwrap().len();
    eprintln!(
        "{name}: HR@{CUTOFF} {hit_rate:.4}, MRR@{CUTOFF} {reciprocal_rank:.4} (product convention), snapshot {bytes} bytes"
    );
    assert!(hit_rate >= floor.0 && reciprocal_rank >= floor.1, "{name} is below {floor:?}");
}

#[test]
fn bol_com_example() {
    evaluate("bol.com", "sessions/serenade_example_train.tsv.gz", "sessions/serenade_example_test.tsv", (0.522, 0.246));
}

#[test]
fn diginetica() {
    evaluate("Diginetica", "sessions/diginetica_train.tsv.gz", "sessions/diginetica_test.tsv.gz", (0.438, 0.137));
}
