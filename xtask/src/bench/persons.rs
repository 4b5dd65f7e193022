//! `cargo xtask bench persons`: what an everyday batch costs of a person of many browsers, and of a browser of many events,
//! beside that of a visitor who was never seen, in the same run.

use std::time::Instant;

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};

use super::api;
use super::batch::{Kind, Writer, login_as};
use super::cpu::Cpu;
use super::filled;
use super::ingest::Counted;
use super::load::{Measured, Sender};
use super::runtime::{Runtime, Service};
use crate::build::Build;
use crate::http::Client;
use crate::project::Project;
use crate::run::{Steps, step};
use crate::setup;

/// The worker that tells how many rows it wrote.
const SERVICE: Service = Service::Counting;
/// Events of an everyday batch, and batches of each browser before anything is measured.
const SIZE: usize = 10;
const BEFORE: usize = 10;
/// Batches that are measured.
const MEASURED: usize = 200;
/// Events of a batch where many have to be there first.
const LARGE: usize = 500;
/// How many times a new visitor's CPU a batch may take, by the issue that set this bound.
const CPU_BUDGET: f64 = 3.0;

/// Who sends the batches that are measured.
#[derive(Clone, Copy)]
enum Who {
    /// Visitors who were never seen.
    Strangers,
    /// One browser of a person of so many.
    OneOf(usize),
    /// All of them by turns: who comes has rested.
    AllOf(usize),
    /// A browser that sent so many events.
    After(usize),
}

/// Strangers first, of whom none counts: everything warms up.
const CASES: [Who; 12] = [
    Who::Strangers,
    Who::Strangers,
    Who::OneOf(1),
    Who::OneOf(5),
    Who::AllOf(5),
    Who::OneOf(50),
    Who::AllOf(50),
    Who::OneOf(500),
    Who::AllOf(500),
    Who::After(10),
    Who::After(1_000),
    Who::After(100_000),
];

impl Who {
    fn name(self) -> String {
        match self {
            Self::Strangers => "new visitors".to_owned(),
            Self::OneOf(1) => "a person of 1 browser".to_owned(),
            Self::OneOf(count) => format!("a person of {count} browsers, one of which comes"),
            Self::AllOf(count) => format!("a person of {count} browsers, which come by turns"),
            Self::After(events) => format!("a browser of {events} events"),
        }
    }

    fn browsers(self) -> usize {
        match self {
            Self::Strangers => MEASURED,
            Self::OneOf(count) | Self::AllOf(count) => count,
            Self::After(_) => 1,
        }
    }

    /// Whose a batch is.
    fn sender(self, batch: usize) -> usize {
        match self {
            Self::OneOf(_) | Self::After(_) => 0,
            Self::Strangers | Self::AllOf(_) => batch % self.browsers(),
        }
    }
}

/// What a batch costs.
struct Line {
    who: Who,
    /// Bytes stored for the person before, with the log.
    stored: f64,
    rows: f64,
    cpu: f64,
    times: Measured,
}

/// `cargo xtask bench persons`.
pub(super) fn command(project: &Project) -> Result<()> {
    let steps = Steps::of(setup::STEPS + 1);
    let tools = setup::for_build(project, &steps)?;
    let build = Build::release(project, &tools, &steps);
    let runtime = filled::start(&build)?;
    let mut bench = Bench { cpu: Cpu::of(&runtime)?, api: Client::connect(runtime.port(SERVICE))?, runtime: &runtime };
    let settings = json!({"identity": {"merges_per_hour": 10_000, "fragments_per_person": 1000}});
    bench.ask("PUT", "/api/settings", &settings.to_string())?;
    let mut lines = Vec::new();
    for (number, who) in CASES.into_iter().enumerate() {
        step(&who.name());
        lines.push(bench.measure(number, who)?);
    }
    print(lines.get(1..).unwrap_or_default())
}

fn print(lines: &[Line]) -> Result<()> {
    let stranger = lines.first().map_or(f64::MAX, |line| line.cpu);
    println!(
        "\n{:52} {:>10} {:>6} {:>8} {:>7} {:>7} {:>7}",
        "batches of 10 events, one after the other", "stored KB", "rows", "CPU ms", "times", "p50 ms", "p99 ms"
    );
    for Line { who, stored, rows, cpu, times } in lines {
        let (p50, p99) = (times.percentile(0.50), times.percentile(0.99));
        let (name, stored, ratio) = (who.name(), stored / 1024.0, cpu / stranger);
        println!("{name:52} {stored:10.0} {rows:6.2} {cpu:8.2} {ratio:7.2} {p50:7.2} {p99:7.2}");
    }
    println!("times: CPU beside that of new visitors");
    let over: Vec<String> =
        lines.iter().filter(|line| line.cpu / stranger > CPU_BUDGET).map(|line| line.who.name()).collect();
    match over.as_slice() {
        [] => Ok(()),
        over => bail!("more than {CPU_BUDGET} times the CPU of a new visitor: {}", over.join("; ")),
    }
}

struct Bench<'a> {
    runtime: &'a Runtime,
    cpu: Cpu,
    api: Client,
}

impl Bench<'_> {
    fn measure(&mut self, number: usize, who: Who) -> Result<Line> {
        let mut sender = Sender::connect(self.runtime.port(SERVICE), SERVICE.path())?;
        let mut writer = Writer::new(number as u64, SIZE, Kind::Mixed);
        let before = self.stored()?;
        let browser = |n: usize| format!("{n:08x}-9e50-4ab1-8e57-{number:04x}cafe0000");
        match who {
            Who::Strangers => {}
            Who::OneOf(count) | Who::AllOf(count) => {
                for n in 0..count {
                    (0..BEFORE).try_for_each(|_| sender.post(&writer.of(browser(n), n as u64)))?;
                    sender.post(&login_as(browser(n), &format!("person-{number}")))?;
                }
            }
            Who::After(events) => {
                let mut large = Writer::new(number as u64 + 1000, events.min(LARGE), Kind::Mixed);
                (0..events.div_ceil(LARGE)).try_for_each(|_| sender.post(&large.of(browser(0), 0)))?;
            }
        }
        let mut send = |batch: usize| {
            let whose = who.sender(batch);
            sender.post(&writer.of(browser(whose), whose as u64))
        };
        if !matches!(who, Who::Strangers) {
            // What rested comes to life.
            (0..SIZE).try_for_each(&mut send)?;
        }
        let stored = self.stored()? - before;
        let (rows, begun) = (self.rows()?, self.cpu.settled()?);
        let mut times = Vec::new();
        for batch in 0..MEASURED {
            let sent = Instant::now();
            send(batch)?;
            times.push(sent.elapsed().as_secs_f64() * 1000.0);
        }
        let cpu = (self.cpu.settled()? - begun).as_secs_f64() * 1000.0 / MEASURED as f64;
        let rows = (self.rows()? - rows) / MEASURED as f64;
        Ok(Line { who, stored, rows, cpu, times: Measured::of(times) })
    }

    fn ask(&mut self, method: &str, path: &str, body: &str) -> Result<Value> {
        api::ask(&mut self.api, method, path, body)
    }

    /// Rows written so far.
    fn rows(&mut self) -> Result<f64> {
        Ok(Counted::ask(&mut self.api, SERVICE)?.rows)
    }

    /// Bytes that all shards hold.
    fn stored(&mut self) -> Result<f64> {
        let health = self.ask("GET", "/api/health", "")?;
        let shards = health.get("shards").and_then(Value::as_array).context("no shards")?;
        Ok(shards.iter().filter_map(|shard| shard.get("bytes").and_then(Value::as_f64)).sum())
    }
}
