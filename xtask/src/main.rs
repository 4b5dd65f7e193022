//! The project's own build tool. Every command first makes sure that the machine has what it
//! needs ([`setup`]), so that a fresh clone needs exactly one command to run or to test.
//!
//! Flow: `setup` finds or makes the toolchain → `build` turns the crates into files that a
//! browser and a worker load → `dev` serves them, `test` checks them, `size` and `bench`
//! measure them, `fuzz` looks for what breaks them.

// A build tool prints, waits and measures time; the rules that keep the domain crates pure are
// not about it.
#![allow(clippy::disallowed_methods)]

mod bench;
mod build;
mod dev;
mod docs;
mod eval;
mod fuzz;
mod http;
mod invariants;
mod lists;
mod project;
mod reshard;
mod run;
mod setup;
mod size;
mod stamp;
mod test;

use std::process::ExitCode;

use anyhow::{Result, bail};

use crate::project::Project;

/// What `cargo xtask help` prints.
const HELP: &str = "\
Endcap's build tool. Each command does all the set-up that it needs.

  cargo xtask dev [--port N] [--fresh] [--no-watch] [--release] [--home DIR] [--source NAME=ORIGIN …]
                            build everything and serve the demo shop with the edge (port 8787);
                            --fresh forgets the state of earlier runs, --release serves what would
                            be deployed, --home keeps state and secrets elsewhere than in .endcap,
                            --source adds a source of events and an origin of its pages
  cargo xtask test [FILTER] formatting, lints, unit tests, and every suite on the real parts;
                            FILTER keeps the steps and suites whose name contains it
  cargo xtask test --long   what takes hours: 10,000 seeds, each fuzz target for ten minutes, 100,000
                            people, the guard for speed
  cargo xtask test --sim N  only the simulation of linking, with N seeds (the ordinary run: 200)
  cargo xtask build [sdk|edge|package|demo]
                            everything, or one part with what it depends on; prints the
                            integrity of what pages load
  cargo xtask size [--json] bytes of what a page loads and of the worker, against budgets and
                            peers, and how long the worker's cold start takes
  cargo xtask bench ingest [--json] [--seconds N]
                            events per second of the worker beside a minimal JavaScript one
  cargo xtask bench --check all ratios, briefly; fails where one fell by more than a quarter below the
                            table in docs/src/performance.md
  cargo xtask bench page [--json] [--runs N]
                            main-thread time, layout shift and bytes that a page gets beside
                            two other trackers
  cargo xtask eval score --transactions FILE --split DATE [--json]
  cargo xtask eval stages FILE --at DATE [--json]
  cargo xtask eval purchase FILE [--at DATE …] [--json]
                            how good the models are on a file of orders (CSV: customer_id, date,
                            amount): score and purchase are fitted to what came up to and on DATE, and held
                            against what came after it; stages are those at the beginning of DATE
  cargo xtask bench scores [--customers N]
                            the CPU of fitting scores in the worker
  cargo xtask bench segments [--people N]
                            what a hundred segments cost a batch; N people looked at, previewed, listed
  cargo xtask bench replay [--customers N]
                            a year of a shop's customers through the engine, beside a plain reckoning
  cargo xtask docs          builds the book in docs/ with its search, and checks every link
  cargo xtask fuzz [TARGET ...] [--seconds N]
                            lets the targets in fuzz/ look for inputs that crash a parser, each
                            for N seconds (600)
  cargo xtask bench identity [--profiles N]
                            logins per second, then N people loaded and looked up
  cargo xtask reshard N [--url URL] [--port N]
                            moves profiles to N shards while visitors go on, of the local edge or
                            of a deployment (its key in ENDCAP_API_KEY)
  cargo xtask lists [--from FOLDER]
                            writes the lists of sites and robots that others maintain anew from their
                            sources, or from a folder that holds them
  cargo xtask keys          fresh secrets for a deployment
  cargo xtask setup         only the set-up, printing the versions found";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match dispatch(&arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Runs the command that the arguments name.
fn dispatch(arguments: &[String]) -> Result<()> {
    let (command, rest) = match arguments.split_first() {
        Some((command, rest)) => (command.as_str(), rest),
        None => ("help", arguments),
    };
    let project = Project::find()?;
    match command {
        "setup" => setup::command(&project),
        "build" => build::command(&project, rest),
        "dev" => dev::command(&project, rest),
        "test" => test::command(&project, rest),
        "size" => size::command(&project, rest),
        "keys" => {
            dev::secrets::print();
            Ok(())
        }
        "docs" => docs::command(&project),
        "bench" => bench::command(&project, rest),
        "eval" => eval::command(rest),
        "fuzz" => fuzz::command(&project, rest),
        "lists" => lists::command(&project, rest),
        "reshard" => reshard::command(&project, rest),
        "help" | "--help" | "-h" => {
            println!("{HELP}");
            Ok(())
        }
        other => bail!("unknown command `{other}`; `cargo xtask help` lists them"),
    }
}
