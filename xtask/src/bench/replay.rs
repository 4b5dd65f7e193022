//! `cargo xtask bench replay`: a year of a shop through the engine, natively, held against a plain reckoning of its customers' stages.

use std::time::Instant;

use anyhow::{Context, Result, bail};

use crate::project::Project;
use crate::run::{note, run_quiet, step};
use crate::setup::cargo;

/// Customers, unless `--customers` names another number.
const CUSTOMERS: u64 = 50_000;
/// How long the year of so many may take, in seconds.
const BUDGET: f64 = 60.0;
/// The test that lives the year.
const TEST: &str = "replay::a_year_of_a_shop_has_the_stages_of_a_plain_reckoning";

/// `cargo xtask bench replay [--customers N]`, without the first words.
pub(super) fn command(project: &Project, arguments: &[String]) -> Result<()> {
    let customers = match arguments {
        [] => CUSTOMERS,
        [option, number] if option == "--customers" => number.parse().context("--customers takes a number")?,
        _ => bail!("usage: cargo xtask bench replay [--customers N]"),
    };
    step(&format!("a year of {customers} customers"));
    let test = |more: &[&str]| {
        let mut test = cargo(project);
        test.args(["test", "--release", "--package", "endcap-engine", "--test", "engine"]).args(more);
        test.env("ENDCAP_TEST_CUSTOMERS", customers.to_string());
        run_quiet(&mut test)
    };
    test(&["--no-run"])?;
    let begun = Instant::now();
    let said = test(&["--", "--exact", TEST, "--nocapture"])?;
    let seconds = begun.elapsed().as_secs_f64();
    note(said.lines().find(|line| line.starts_with("replay: ")).context("the year was not lived")?);
    println!("\n{:32} {:>8} {:>10}", "", "s", "of 60 s");
    println!("{:32} {seconds:8.1} {:10.2}", "the year", seconds / BUDGET);
    if customers <= CUSTOMERS && seconds > BUDGET {
        bail!("the year took more than {BUDGET} s");
    }
    Ok(())
}
