//! `cargo xtask bench page`: what a tracker costs a page in main-thread time, blocking time, layout shift and bytes, ours
//! beside two others, in real Chromium at a quarter of this machine's speed.
//!
//! The measuring is `tests/harness/pageBench.mjs`: it needs a browser's own protocol.

use std::process::Command;

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};

use super::load::rounded;
use crate::build::{self, Build};
use crate::project::Project;
use crate::run::{Steps, run_quiet, step};
use crate::setup;
use crate::setup::browsers;

/// Cold loads of each page, unless `--runs` names another number.
const RUNS: u32 = 9;
/// Fewer loads make no median worth printing.
const FEWEST: u32 = 7;

/// The page without any tracker, and the one with ours.
const ALONE: &str = "none";
const OURS: &str = "endcap";

/// One tracker's figures, without those of the page itself.
struct Added {
    name: String,
    task_ms: f64,
    script_ms: f64,
    blocking_ms: f64,
    kilobytes: f64,
    /// Sum of the page's layout shifts; the page alone has none.
    shift: f64,
}

/// `cargo xtask bench page [--json] [--runs N]`, without the first word.
pub(super) fn command(project: &Project, arguments: &[String]) -> Result<()> {
    let (mut runs, mut as_json) = (RUNS, false);
    let mut rest = arguments.iter();
    while let Some(argument) = rest.next() {
        match argument.as_str() {
            "--json" => as_json = true,
            "--runs" => {
                let number = rest.next().and_then(|text| text.parse().ok());
                runs = number
                    .filter(|number| *number >= FEWEST)
                    .with_context(|| format!("--runs takes a number of at least {FEWEST}"))?;
            }
            other => bail!("unknown option `{other}`"),
        }
    }
    let steps = Steps::of(setup::STEPS + 3);
    let tools = setup::for_build(project, &steps)?;
    let build = Build::release(project, &tools, &steps);
    build::sdk(&build)?;
    build::edge(&build)?;
    browsers::ensure();
    step(&format!("{runs} cold loads of each page"));
    let measured = measure(project, runs)?;
    let added = added(&measured)?;
    if as_json {
        println!("{:#}", json!({ "page": measured, "added": added.iter().map(Added::json).collect::<Vec<_>>() }));
    } else {
        print(&measured, &added);
    }
    Ok(())
}

/// What trackers add to a page, measured briefly.
pub(super) struct Page(Vec<Added>);

impl Page {
    /// The fewest loads that make a median.
    pub(super) fn measure(project: &Project) -> Result<Self> {
        Ok(Self(added(&measure(project, FEWEST)?)?))
    }

    /// What another tracker takes of the main thread, beside what ours takes.
    pub(super) fn ratio(&self, other: &str) -> Result<f64> {
        let of = |name: &str| self.0.iter().find(|one| one.name == name).map(|one| one.task_ms);
        Ok(of(other).with_context(|| format!("{other} was not measured"))?
            / of(OURS).context("ours was not measured")?)
    }
}

/// Runs the driver, which prints the medians.
fn measure(project: &Project, runs: u32) -> Result<Value> {
    let mut node = Command::new("node");
    node.current_dir(&project.root).arg("tests/harness/pageBench.mjs").arg(runs.to_string());
    let printed = run_quiet(node.env("WRANGLER_SEND_METRICS", "false").envs(browsers::environment()))?;
    serde_json::from_str(printed.lines().last().unwrap_or_default()).context("the driver printed no figures")
}

/// Each tracker's figures less those of the page alone, ours first.
fn added(measured: &Value) -> Result<Vec<Added>> {
    let pages = measured.get("pages").and_then(Value::as_object).context("no figures of pages")?;
    let number = |page: &str, name: &str| {
        let figures = pages.get(page).with_context(|| format!("no figures of {page}"))?;
        figures.get(name).and_then(Value::as_f64).with_context(|| format!("{page} has no {name}"))
    };
    let mut added = Vec::new();
    for name in pages.keys().filter(|name| *name != ALONE) {
        let more = |figure: &str| Ok::<_, anyhow::Error>(number(name, figure)? - number(ALONE, figure)?);
        added.push(Added {
            name: name.clone(),
            task_ms: more("task_ms")?,
            script_ms: more("script_ms")?,
            blocking_ms: more("blocking_ms")?,
            kilobytes: more("bytes")? / 1024.0,
            shift: number(name, "shift")?,
        });
    }
    added.sort_by_key(|one| one.name != OURS);
    Ok(added)
}

impl Added {
    /// As figures are recorded.
    fn json(&self) -> Value {
        json!({
            "name": self.name,
            "main_thread_ms": rounded(self.task_ms, 1),
            "script_ms": rounded(self.script_ms, 1),
            "blocking_ms": rounded(self.blocking_ms, 1),
            "layout_shift": self.shift,
            "kilobytes": rounded(self.kilobytes, 1),
        })
    }
}

/// For people: what each tracker adds to the page, and how much that is of ours.
fn print(measured: &Value, added: &[Added]) {
    let number = |name| measured.get(name).and_then(Value::as_u64).unwrap_or_default();
    println!("\nadded to a page, CPU slowed {} times, median of {} cold loads", number("throttle"), number("runs"));
    println!(
        "{:16} {:>14} {:>6} {:>10} {:>12} {:>12} {:>8} {:>6}",
        "", "main thread ms", "ratio", "script ms", "blocking ms", "layout shift", "KB", "ratio"
    );
    let Some(ours) = added.first() else { return };
    for one in added {
        println!(
            "{:16} {:14.0} {:6.2} {:10.0} {:12.0} {:12.3} {:8.1} {:6.2}",
            one.name,
            one.task_ms,
            one.task_ms / ours.task_ms,
            one.script_ms,
            one.blocking_ms,
            one.shift,
            one.kilobytes,
            one.kilobytes / ours.kilobytes,
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_tracker_adds_is_without_the_page_and_ours_is_first() {
        let figures =
            |task: f64| json!({ "task_ms": task, "script_ms": 1, "blocking_ms": 0, "shift": 0, "bytes": 2048 });
        let measured = json!({ "pages": { "another": figures(90.0), "endcap": figures(60.0), "none": figures(50.0) } });
        let added = added(&measured).unwrap();
        assert_eq!(added.iter().map(|one| one.name.as_str()).collect::<Vec<_>>(), ["endcap", "another"]);
        assert_eq!(added[0].task_ms, 10.0);
        assert_eq!(added[0].kilobytes, 0.0);
    }

    #[test]
    fn a_page_that_was_not_measured_is_an_error() {
        assert!(added(&json!({ "pages": { "endcap": {} } })).is_err());
    }
}
