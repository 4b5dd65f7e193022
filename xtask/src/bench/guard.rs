//! `cargo xtask bench --check`: the guard for speed. It runs the benchmarks briefly, and fails where a ratio fell by more than
//! a quarter below the one in the book's table.
//!
//! Every figure is a ratio to something measured in the same run, so that the machine's own speed cancels out. What falls
//! short is measured again: a machine that was busy for a moment is no regression.

use std::fs;

use anyhow::{Context, Result, bail};

use super::batch::Kind;
use super::filled;
use super::ingest::{self, BATCH, SINGLE};
use super::page::Page;
use super::runtime::Runtime;
use crate::build::{self, Build};
use crate::project::Project;
use crate::run::{Steps, note, step};
use crate::setup;

/// The page with the table.
const TABLE: &str = "docs/src/performance.md";
/// The part of the committed ratio that has to be reached.
const LEAST: f64 = 0.75;
/// How often a ratio is measured before it counts as fallen.
const TRIES: u32 = 3;
/// Seconds of each measurement.
const SECONDS: u64 = 4;

/// What is watched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Watched {
    TenEvents,
    OneEvent,
    FirstDevice,
    SecondDevice,
    BesideSegment,
    BesidePostHog,
}

impl Watched {
    const ALL: [Self; 6] = [
        Self::TenEvents,
        Self::OneEvent,
        Self::FirstDevice,
        Self::SecondDevice,
        Self::BesideSegment,
        Self::BesidePostHog,
    ];

    /// Its row of the table.
    fn name(self) -> &'static str {
        match self {
            Self::TenEvents => "ingestion, 10 events a batch, beside the minimal worker",
            Self::OneEvent => "ingestion, 1 event a batch, beside the minimal worker",
            Self::FirstDevice => "logins on a first device, beside the minimal worker's batches",
            Self::SecondDevice => "logins on a second device, beside the minimal worker's batches",
            Self::BesideSegment => "main thread of analytics-next, beside ours",
            Self::BesidePostHog => "main thread of posthog-js, beside ours",
        }
    }

    /// Measures it. Both figures of the page come of one measurement, which takes minutes: the second takes what the first
    /// one left.
    fn measure(self, project: &Project, runtime: &Runtime, page: &mut Option<Page>) -> Result<f64> {
        let mut beside = |other| {
            let measured = match page.take() {
                Some(left) if self == Self::BesidePostHog => left,
                _ => Page::measure(project)?,
            };
            let ratio = measured.ratio(other)?;
            *page = (self == Self::BesideSegment).then_some(measured);
            Ok(ratio)
        };
        match self {
            Self::TenEvents => beside_minimal(runtime, BATCH, Kind::Mixed),
            Self::OneEvent => beside_minimal(runtime, SINGLE, Kind::Mixed),
            Self::FirstDevice => beside_minimal(runtime, SINGLE, Kind::Login { devices: 1 }),
            Self::SecondDevice => beside_minimal(runtime, SINGLE, Kind::Login { devices: 2 }),
            Self::BesideSegment => beside("analytics-next"),
            Self::BesidePostHog => beside("posthog-js"),
        }
    }
}

/// Our events a second with batches of a kind, beside the minimal worker's with everyday batches of the same size.
fn beside_minimal(runtime: &Runtime, size: usize, kind: Kind) -> Result<f64> {
    let (baseline, ours) = ingest::beside_minimal(runtime, size, SECONDS, kind)?;
    Ok(ours.events_per_second() / baseline.events_per_second())
}

/// `cargo xtask bench --check`.
pub(super) fn command(project: &Project) -> Result<()> {
    let text = fs::read_to_string(project.path(TABLE)).with_context(|| format!("cannot read {TABLE}"))?;
    let committed: Vec<(Watched, f64)> =
        Watched::ALL.into_iter().map(|watched| Ok((watched, committed(&text, watched)?))).collect::<Result<_>>()?;
    let steps = Steps::of(setup::STEPS + 3);
    let tools = setup::for_build(project, &steps)?;
    let build = Build::release(project, &tools, &steps);
    build::sdk(&build)?;
    setup::browsers::ensure();
    let runtime = filled::start(&build)?;
    let mut page = None;
    let mut fallen = Vec::new();
    let mut lines = Vec::new();
    for (watched, committed) in committed {
        let measured = best(watched, committed * LEAST, || watched.measure(project, &runtime, &mut page))?;
        lines.push(format!("{:62} {committed:9.2} {measured:9.2}", watched.name()));
        if measured < committed * LEAST {
            fallen.push(watched.name());
        }
    }
    println!("\n{:62} {:>9} {:>9}", "ratio", "committed", "measured");
    lines.iter().for_each(|line| println!("{line}"));
    if fallen.is_empty() {
        return Ok(());
    }
    bail!("more than a quarter below what {TABLE} says: {}", fallen.join("; "))
}

/// The best of a few tries; the first that reaches `least` ends them.
fn best(watched: Watched, least: f64, mut measure: impl FnMut() -> Result<f64>) -> Result<f64> {
    let mut best = f64::MIN;
    for attempt in 1..=TRIES {
        step(watched.name());
        best = best.max(measure()?);
        if best >= least {
            break;
        }
        note(&format!("{best:.2} is below {least:.2}, attempt {attempt} of {TRIES}"));
    }
    Ok(best)
}

/// The ratio that the book's table has for something.
fn committed(text: &str, watched: Watched) -> Result<f64> {
    let row = text.lines().find_map(|line| {
        let mut cells = line.strip_prefix('|')?.split('|').map(str::trim);
        (cells.next()? == watched.name()).then(|| cells.next().and_then(|cell| cell.parse().ok()))
    });
    row.flatten().with_context(|| format!("{TABLE} has no ratio for `{}`", watched.name()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_book_has_a_ratio_for_everything_that_is_watched() {
        let project = Project::find().unwrap();
        let text = fs::read_to_string(project.path(TABLE)).unwrap();
        for watched in Watched::ALL {
            assert!(committed(&text, watched).unwrap() > 0.0);
        }
        assert!(committed("| another | 1.0 |\n", Watched::OneEvent).is_err());
        let broken = format!("| {} | fast |\n", Watched::OneEvent.name());
        assert!(committed(&broken, Watched::OneEvent).is_err());
    }

    #[test]
    fn a_ratio_counts_as_fallen_only_when_every_try_falls_short() {
        let mut figures = [0.1, 0.2, 0.4, 0.9].into_iter();
        let mut measure = || Ok(figures.next().unwrap());
        assert_eq!(best(Watched::OneEvent, 0.3, &mut measure).unwrap(), 0.4);
        let mut figures = [0.1, 0.2, 0.15].into_iter();
        assert_eq!(best(Watched::OneEvent, 0.3, || Ok(figures.next().unwrap())).unwrap(), 0.2);
    }
}
