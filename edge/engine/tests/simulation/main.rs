//! A deterministic simulation of linking: many interleavings of the steps that the edge takes with the engine's functions,
//! with messages lost, doubled and overtaken, and nodes that crash before and after every step.
//!
//! `ENDCAP_SIM_SEEDS` is the number of seeds (200 unless set), `ENDCAP_SIM_SEED` runs one of them. A seed that fails is
//! made small and its steps are printed.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::large_enum_variant,
    clippy::result_large_err,
    reason = "a test ends at the first thing that is not as it should be"
)]

mod check;
mod contest;
mod jobs;
mod ledger;
mod possession;
mod random;
mod run;
mod script;
mod shrink;
mod world;

use check::UNPROVED;
use run::{Setting, faults_of, judge};
use world::Mutation;

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|text| text.parse().unwrap_or_else(|_| panic!("{name} must be a number")))
}

/// Runs the seeds that are asked for.
fn run_seeds(with: &Setting) {
    let seeds = match number("ENDCAP_SIM_SEED") {
        Some(seed) => seed..seed + 1,
        None => 0..number("ENDCAP_SIM_SEEDS").unwrap_or(200),
    };
    for seed in seeds {
        if let Err(failure) = judge(&with.script(seed), seed, faults_of(seed), with) {
            panic!("seed {seed}: {}\nmade small: {}", failure.what, explain(seed, with));
        }
    }
}

fn explain(seed: u64, with: &Setting) -> String {
    let (script, faults, failure) = shrink::shrink(&with.script(seed), seed, faults_of(seed), with);
    let senders: Vec<String> = script
        .senders
        .iter()
        .flat_map(|sender| {
            sender.batches.iter().map(move |batch| format!("{}: {}", sender.name, serde_json::json!(batch)))
        })
        .collect();
    let (what, steps) = (failure.what, failure.steps.join("\n"));
    let tabs = script.tabs;
    format!("{what}\n{faults:?}, tabs: {tabs}\n{}\n{steps}\n{what}", senders.join("\n"))
}

#[test]
fn every_interleaving_gives_the_same_people() {
    run_seeds(&Setting::default());
}

#[test]
fn a_graph_in_parts_gives_the_same_people() {
    run_seeds(&Setting { partitions: 3, ..Setting::default() });
}

#[test]
fn names_are_no_keys() {
    run_seeds(&Setting { contested: true, ..Setting::default() });
}

#[test]
fn names_are_no_keys_with_a_graph_in_parts() {
    run_seeds(&Setting { contested: true, partitions: 3, ..Setting::default() });
}

/// The first seed that finds a mistake with a failure that `counts`.
fn find(with: &Setting, counts: impl Fn(&str) -> bool) {
    let finds = |seed: &u64| {
        let failure = judge(&with.script(*seed), *seed, faults_of(*seed), with).err();
        failure.is_some_and(|failure| counts(&failure.what))
    };
    let found = (0..3000).find(finds);
    println!("{:?}: found by seed {found:?}", with.mutation);
    let seed = found.unwrap_or_else(|| panic!("{:?} was not found", with.mutation));
    // It is the mistake that was found, and no other one.
    let without = Setting { mutation: None, ..with.clone() };
    assert!(judge(&with.script(seed), seed, faults_of(seed), &without).is_ok(), "seed {seed} fails anyway");
}

#[test]
fn mistakes_are_found() {
    let all = [
        Mutation::AbsorbWithoutVersion,
        Mutation::SeatWithoutVersion,
        Mutation::TellForgottenWhenSent,
        Mutation::BringForgottenWhenSent,
        Mutation::BringKeptInMemory,
        Mutation::OrderForgottenWhenSent,
        Mutation::OrderForgottenWhateverItsVersion,
        Mutation::ForwardAcknowledgedAtOnce,
        Mutation::NothingBrought,
        Mutation::CopyLeftBehind,
        Mutation::KnownNotTakenOut,
        Mutation::NothingInherited,
        Mutation::NobodyPointed,
        Mutation::PointForgottenWhenSent,
        Mutation::PointStaysBehind,
        Mutation::EarlierPointCounts,
    ];
    let of_parts = [Mutation::SeatWrittenOverAnother, Mutation::MarkKeptInMemory, Mutation::NothingCopied];
    for (mutation, partitions) in all.map(|one| (one, 1)).into_iter().chain(of_parts.map(|one| (one, 3))) {
        find(&Setting { mutation: Some(mutation), partitions, ..Setting::default() }, |_| true);
    }
}

#[test]
fn mistakes_about_claims_are_found_by_what_they_do_to_proved_people() {
    let all = [
        Mutation::BrowserHeardAsServer,
        Mutation::ProofNotChecked,
        Mutation::ClaimHeardAsFact,
        Mutation::TraitsHeardAsProved,
        Mutation::AnotherBrowserNamed,
        Mutation::ClaimTakesProvedBrowser,
        Mutation::ClaimRoutedToPerson,
        Mutation::ClaimsTrustedEverywhere,
        Mutation::TrustedClaimHeardAsFact,
        Mutation::ClaimJoinsInRow,
        Mutation::ClaimStaysJoined,
    ];
    for (mutation, partitions) in all.into_iter().flat_map(|mutation| [(mutation, 1), (mutation, 3)]) {
        let with = Setting { mutation: Some(mutation), partitions, ..Setting::default() };
        find(&with, |what| what.starts_with(UNPROVED));
    }
}

#[test]
fn mistakes_about_who_has_an_id_are_found_by_what_they_do_to_whose_it_is() {
    let all = [
        Mutation::PossessionNotAsked,
        Mutation::AnyTokenCounts,
        Mutation::ProofKeepsToken,
        Mutation::SameTokenForAll,
        Mutation::StateLeftBehind,
        Mutation::SuccessorBeginsOpen,
        Mutation::StatedIsFact,
        Mutation::AnyWordConfirms,
        Mutation::StatedOfOpenKept,
        Mutation::NamesInherited,
    ];
    for mutation in all {
        let with = Setting { mutation: Some(mutation), contested: true, ..Setting::default() };
        find(&with, |what| what.starts_with(UNPROVED));
    }
    // These lose what is somebody's own, or show it to others.
    let own = [
        (Mutation::LinkJobByMessageAlone, "the graph was not told"),
        (Mutation::LoginBeginsNothing, "apart, though nobody else named"),
        (Mutation::NothingConfirms, "both say"),
        (Mutation::LogoutBeforeLogin, "after Some"),
    ];
    for (mutation, what) in own {
        let with = Setting { mutation: Some(mutation), contested: true, ..Setting::default() };
        find(&with, |failure| failure.contains(what));
    }
}
