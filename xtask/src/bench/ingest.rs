//! `cargo xtask bench ingest`: batches per second of the worker, beside a hand-written minimal JavaScript worker that only
//! stores them, in one workerd process without any proxy.
//!
//! Rows written are counted in a third copy of the worker, the only one with development routes: those add work that a
//! deployment does not do.

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};

use super::batch::Kind;
use super::filled;
use super::load::{self, Load, Measured, by_turns, rounded};
use super::runtime::{Runtime, Service};
use crate::build::Build;
use crate::http::Client;
use crate::project::Project;
use crate::run::{Steps, step};
use crate::setup;

/// Events per batch of the decisive figure, and of the other one.
pub(super) const BATCH: usize = 10;
pub(super) const SINGLE: usize = 1;

/// Seconds that each figure is measured for, unless `--seconds` names another number.
const SECONDS: u64 = 10;

/// Batches from which the rows written are counted.
const COUNTED: usize = 1000;

/// Prices in dollars per million on Workers Paid: requests to a worker, requests to an object,
/// rows written.
const WORKER_REQUEST: f64 = 0.30;
const OBJECT_REQUEST: f64 = 0.15;
const ROW_WRITTEN: f64 = 1.00;

/// `cargo xtask bench ingest [--json] [--seconds N]`, without the first word.
pub(super) fn command(project: &Project, arguments: &[String]) -> Result<()> {
    let (mut seconds, mut as_json) = (SECONDS, false);
    let mut rest = arguments.iter();
    while let Some(argument) = rest.next() {
        match argument.as_str() {
            "--json" => as_json = true,
            "--seconds" => {
                let number = rest.next().and_then(|text| text.parse().ok());
                seconds = number.filter(|number| *number > 0).context("--seconds takes a number")?;
            }
            other => bail!("unknown option `{other}`"),
        }
    }
    let steps = Steps::of(setup::STEPS + 1);
    let tools = setup::for_build(project, &steps)?;
    let build = Build::release(project, &tools, &steps);
    let runtime = filled::start(&build)?;
    if as_json {
        let pair = Pair::measure(&runtime, BATCH, seconds)?;
        println!("{:#}", json!({ "ingest": pair.json() }));
        return Ok(());
    }
    for size in [BATCH, SINGLE] {
        Pair::measure(&runtime, size, seconds)?.print();
    }
    Ok(())
}

/// Both workers' figures at one batch size.
struct Pair {
    size: usize,
    ours: Measured,
    baseline: Measured,
    ours_rows: f64,
    /// The same for batches that also fill the cart, which changes a timer.
    cart_rows: f64,
    baseline_rows: f64,
}

impl Pair {
    /// Measures them by turns, each with the machine for itself.
    fn measure(runtime: &Runtime, size: usize, seconds: u64) -> Result<Self> {
        step(&format!("both workers by turns at {size} events a batch, {seconds} s each"));
        let (baseline, ours) = beside_minimal(runtime, size, seconds, Kind::Mixed)?;
        Ok(Self {
            size,
            ours,
            baseline,
            ours_rows: rows(runtime, Service::Counting, size, Kind::Mixed)?,
            cart_rows: rows(runtime, Service::Counting, size, Kind::Cart)?,
            baseline_rows: rows(runtime, Service::Baseline, size, Kind::Mixed)?,
        })
    }

    /// Ours divided by the baseline's, in events per second.
    fn ratio(&self) -> f64 {
        self.ours.events_per_second() / self.baseline.events_per_second()
    }

    /// As the issue tracker's figures are recorded.
    fn json(&self) -> Value {
        json!({
            "ours": figures(&self.ours, self.ours_rows),
            "baseline": figures(&self.baseline, self.baseline_rows),
            "ratio": rounded(self.ratio(), 3),
        })
    }

    /// For people.
    fn print(&self) {
        println!("\n{} events a batch, {} connections", self.size, load::CONNECTIONS);
        println!("{:10} {:>10} {:>9} {:>9} {:>11}", "", "events/s", "p50 ms", "p99 ms", "rows/batch");
        for (name, measured, rows) in
            [("ours", &self.ours, self.ours_rows), ("baseline", &self.baseline, self.baseline_rows)]
        {
            println!(
                "{name:10} {:10.0} {:9.2} {:9.2} {rows:11.2}",
                measured.events_per_second(),
                measured.percentile(0.50),
                measured.percentile(0.99),
            );
        }
        println!("ratio {:.2}; {:.2} rows for a batch that fills the cart", self.ratio(), self.cart_rows);
        let per_batch = WORKER_REQUEST + OBJECT_REQUEST + ROW_WRITTEN * self.ours_rows;
        println!("${:.2} per million events, without CPU time", per_batch / self.size as f64);
    }
}

/// The minimal worker with everyday batches, and ours with batches of a kind.
pub(super) fn beside_minimal(runtime: &Runtime, size: usize, seconds: u64, kind: Kind) -> Result<(Measured, Measured)> {
    let load = |service: Service, kind: Kind| Load {
        port: runtime.port(service),
        path: service.path(),
        size,
        seconds,
        kind,
        round: 0,
    };
    let [baseline, ours] = by_turns([&load(Service::Baseline, Kind::Mixed), &load(Service::Ours, kind)])?;
    Ok((baseline, ours))
}

/// One worker's figures.
fn figures(measured: &Measured, rows: f64) -> Value {
    json!({
        "events_per_s": rounded(measured.events_per_second(), 0),
        "p50_ms": rounded(measured.percentile(0.50), 2),
        "p99_ms": rounded(measured.percentile(0.99), 2),
        "rows_per_batch": rounded(rows, 2),
    })
}

/// Rows written per batch, counted by the worker itself.
fn rows(runtime: &Runtime, service: Service, size: usize, kind: Kind) -> Result<f64> {
    let mut client = Client::connect(runtime.port(service))?;
    let before = Counted::ask(&mut client, service)?;
    load::send(runtime.port(service), service.path(), size, COUNTED, kind)?;
    let after = Counted::ask(&mut client, service)?;
    Ok((after.rows - before.rows) / (after.batches - before.batches))
}

/// What a worker counts of itself.
pub(super) struct Counted {
    batches: f64,
    /// Rows written.
    pub(super) rows: f64,
}

impl Counted {
    /// The counts so far.
    pub(super) fn ask(client: &mut Client, service: Service) -> Result<Self> {
        let response = client.send_again("GET", service.rows_path(), "", b"")?;
        let sums: Value = serde_json::from_slice(&response.body).context("no row counts")?;
        let number = |name| sums.get(name).and_then(Value::as_f64).context("no row counts");
        Ok(Self { batches: number("batches")?, rows: number("rows_written")? })
    }
}
