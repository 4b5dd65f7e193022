//! `cargo xtask bench segments`: what a hundred segments cost an everyday batch, beside the same batch without them in the same run; and
//! how long a shop of many people takes to look at all of them, to preview a condition, and to list members.

use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};

use super::api;
use super::batch::{Kind, Writer};
use super::cpu::Cpu;
use super::filled;
use super::ingest::Counted;
use super::load::Sender;
use super::runtime::{Runtime, Service};
use crate::build::Build;
use crate::http::Client;
use crate::project::Project;
use crate::run::{Steps, step};
use crate::setup;

/// The worker that tells how many rows it wrote.
const SERVICE: Service = Service::Counting;
/// Segments.
const SEGMENTS: usize = 100;
/// People, unless `--people` names another number.
const PEOPLE: usize = 100_000;
/// Calls of one request.
const PER_REQUEST: usize = 500;
/// Connections of each measurement, visitors of each, and batches of each visitor: those that warm up and those that count.
const CONNECTIONS: usize = 16;
const VISITORS: usize = 20;
const WARM_UP: usize = 3;
const BATCHES: usize = 10;
/// Measurements with and without segments, by turns; the least of each counts.
const TURNS: u64 = 3;
/// How many times the CPU a batch may cost with a hundred segments, by the issue that set this bound.
const BUDGET: f64 = 1.3;
/// How long everybody may take to be looked at.
const PATIENCE: Duration = Duration::from_secs(600);

/// `cargo xtask bench segments [--people N]`, without the first words.
pub(super) fn command(project: &Project, arguments: &[String]) -> Result<()> {
    let people = match arguments {
        [] => PEOPLE,
        [option, number] if option == "--people" => number.parse().context("--people takes a number")?,
        _ => bail!("usage: cargo xtask bench segments [--people N]"),
    };
    let steps = Steps::of(setup::STEPS + 1);
    let tools = setup::for_build(project, &steps)?;
    let runtime = filled::start(&Build::release(project, &tools, &steps))?;
    let mut bench = Bench { cpu: Cpu::of(&runtime)?, api: Client::connect(runtime.port(SERVICE))?, runtime: &runtime };
    let ratio = bench.batches()?;
    bench.many(people)?;
    if ratio > BUDGET {
        bail!("an everyday batch costs more than {BUDGET} times the CPU with {SEGMENTS} segments");
    }
    Ok(())
}

/// What a batch costs.
#[derive(Clone, Copy)]
struct Cost {
    cpu: f64,
    rows: f64,
}

struct Bench<'a> {
    runtime: &'a Runtime,
    cpu: Cpu,
    api: Client,
}

impl Bench<'_> {
    /// Everyday batches with and without segments by turns. Returns how many times the CPU those with them take at most.
    fn batches(&mut self) -> Result<f64> {
        println!("\n{:24} {:>12} {:>12} {:>7} {:>10}", "everyday batches", "CPU ms", "with 100", "times", "rows more");
        let mut worst = 0.0_f64;
        for size in [1, 10] {
            let (mut without, mut with) = (Vec::new(), Vec::new());
            for turn in 0..TURNS {
                self.segments(0)?;
                without.push(self.cost(size, turn * 2)?);
                self.segments(SEGMENTS)?;
                with.push(self.cost(size, turn * 2 + 1)?);
            }
            let least = |costs: &[Cost], of: fn(&Cost) -> f64| costs.iter().map(of).fold(f64::MAX, f64::min);
            let (before, after) = (least(&without, |cost| cost.cpu), least(&with, |cost| cost.cpu));
            let rows = least(&with, |cost| cost.rows) - least(&without, |cost| cost.rows);
            let name = format!("of {size} events");
            println!("{name:24} {before:12.3} {after:12.3} {:7.2} {rows:10.2}", after / before);
            worst = worst.max(after / before);
        }
        Ok(worst)
    }

    /// Has the shop so many segments, and everybody held against them.
    fn segments(&mut self, count: usize) -> Result<()> {
        let held = self.ask("GET", "/api/segments", "")?;
        let held = held.get("segments").and_then(Value::as_array).map_or(0, Vec::len);
        for n in count..held {
            self.ask("DELETE", &format!("/api/segments/s-{n}"), "")?;
        }
        for n in held..count {
            let definition = json!({"name": format!("s-{n}"), "condition": condition(n)});
            self.ask("PUT", &format!("/api/segments/s-{n}"), &definition.to_string())?;
        }
        self.filled().map(drop)
    }

    /// Waits until everybody was held against all segments.
    fn filled(&mut self) -> Result<Value> {
        let begun = Instant::now();
        loop {
            let all = self.ask("GET", "/api/segments", "")?;
            let list = all.get("segments").and_then(Value::as_array).context("no segments")?;
            if list.iter().all(|one| one.get("filling").is_none_or(Value::is_null)) {
                return Ok(all);
            }
            if begun.elapsed() > PATIENCE {
                bail!("people were not looked at in time: {all}");
            }
            thread::sleep(Duration::from_millis(50));
        }
    }

    /// What a batch costs of visitors who sent some before. They come at the same time, so that what the runtime does between two
    /// batches does not count.
    fn cost(&mut self, size: usize, turn: u64) -> Result<Cost> {
        let port = self.runtime.port(SERVICE);
        let mut connections =
            (0..CONNECTIONS).map(|n| Connection::open(port, size, turn, n)).collect::<Result<Vec<_>>>()?;
        at_once(&mut connections, WARM_UP)?;
        let (rows, begun) = (self.rows()?, self.cpu.settled()?);
        at_once(&mut connections, BATCHES)?;
        let sent = f64::from(u32::try_from(connections.len() * VISITORS * BATCHES)?);
        let cpu = (self.cpu.settled()? - begun).as_secs_f64() * 1000.0 / sent;
        Ok(Cost { cpu, rows: (self.rows()? - rows) / sent })
    }

    /// A shop of many people.
    fn many(&mut self, people: usize) -> Result<()> {
        step(&format!("{people} people"));
        // Known by the time that all these people are there.
        let groups = json!([{"group": "regular", "condition": "orders >= 2 and last_order within 60 days"},
            {"group": "asleep", "condition": "stage in (lost, deep) or revenue = 0 in 300 days"}]);
        let settings = json!({"models": {"own": {"groups": groups}}});
        self.ask("PUT", "/api/settings", &settings.to_string())?;
        let calls: Vec<Value> = (0..people).map(order).collect();
        for part in calls.chunks(PER_REQUEST) {
            api::import(&mut self.api, &json!({ "batch": part }).to_string())?;
        }
        let begun = (Instant::now(), self.cpu.now()?);
        let definition = json!({"name": "Many", "condition": "days_since_last_order >= 100 and orders = 1"});
        self.ask("PUT", "/api/segments/s-0", &definition.to_string())?;
        let all = self.filled()?;
        let (wall, cpu) = (begun.0.elapsed(), self.cpu.now()? - begun.1);
        let size = all.pointer("/segments/0/size").and_then(Value::as_u64).unwrap_or_default();
        println!("\n{:52} {:>9} {:>12}", format!("{people} people and {SEGMENTS} segments"), "s", "µs of CPU each");
        let each = |cpu: Duration| cpu.as_secs_f64() * 1e6 / people as f64;
        println!("{:52} {:9.2} {:12.1}", format!("all are looked at ({size} in it)"), wall.as_secs_f64(), each(cpu));
        self.preview(people)?;
        let begun = Instant::now();
        self.ask("GET", "/api/segments/s-0/members?limit=200", "")?;
        println!("{:52} {:9.3}", "a page of 200 members", begun.elapsed().as_secs_f64());
        self.models(people)
    }

    /// What it takes to put everybody into the groups of the models.
    fn models(&mut self, people: usize) -> Result<()> {
        let known = ["nasld?days=90", "nasld/transitions", "rfm/transitions", "nes/transitions", "dciu"];
        for path in known.into_iter().chain(["own?days=90", "own/transitions"]) {
            let (begun, cpu) = (Instant::now(), self.cpu.now()?);
            let found = self.ask("GET", &format!("/api/models/{path}"), "")?;
            let (wall, cpu) = (begun.elapsed().as_secs_f64(), self.cpu.now()? - cpu);
            let customers = found.get("customers").and_then(Value::as_u64);
            if customers != u64::try_from(people).ok() {
                bail!("/api/models/{path} counted {customers:?} customers of {people}");
            }
            println!(
                "{:52} {wall:9.2} {:12.1}",
                format!("/api/models/{path}"),
                cpu.as_secs_f64() * 1e6 / people as f64
            );
        }
        Ok(())
    }

    fn preview(&mut self, people: usize) -> Result<()> {
        let (begun, cpu) = (Instant::now(), self.cpu.now()?);
        let ask = json!({"condition": "days_since_last_order < 50", "segment": "s-0"});
        let headers =
            format!("Authorization: Bearer {}\r\nContent-Type: application/json\r\n", super::runtime::API_KEY);
        let answer = self.api.send_again("POST", "/api/segments/preview", &headers, ask.to_string().as_bytes())?;
        let text = answer.text();
        let lines: Vec<Value> = text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
        let (first, last) = (lines.first().context("no line")?, lines.last().context("no line")?);
        let number = |line: &Value, path: &str| line.pointer(path).and_then(Value::as_i64).unwrap_or_default();
        let after = |line: &Value| number(line, "/as_of") - number(first, "/as_of");
        let cpu = (self.cpu.now()? - cpu).as_secs_f64() * 1e6 / people as f64;
        println!("{:52} {:9.2} {cpu:12.1}", "a preview, until it is exact", begun.elapsed().as_secs_f64());
        let estimate = begun.elapsed().as_secs_f64() - after(last) as f64 / 1000.0;
        println!("{:52} {estimate:9.2}", "its estimate");
        let [low, high] = ["/matching/low", "/matching/high"].map(|path| number(first, path));
        println!("  estimated {low} to {high}, exactly {}", number(last, "/matching/people"));
        Ok(())
    }

    fn ask(&mut self, method: &str, path: &str, body: &str) -> Result<Value> {
        api::ask(&mut self.api, method, path, body)
    }

    fn rows(&mut self) -> Result<f64> {
        Ok(Counted::ask(&mut self.api, SERVICE)?.rows)
    }
}

/// Visitors who send their batches one after the other.
struct Connection {
    sender: Sender,
    writer: Writer,
    names: Vec<String>,
}

impl Connection {
    fn open(port: u16, size: usize, turn: u64, number: usize) -> Result<Self> {
        let name = |n: usize| format!("{n:08x}-5e95-4ab1-8e57-{turn:02x}{number:02x}cafe{size:04x}");
        Ok(Self {
            sender: Sender::connect(port, SERVICE.path())?,
            writer: Writer::new(turn * 1000 + (number * 20 + size) as u64, size, Kind::Mixed),
            names: (0..VISITORS).map(name).collect(),
        })
    }

    fn send(&mut self, rounds: usize) -> Result<()> {
        for _ in 0..rounds {
            for (n, name) in self.names.iter().enumerate() {
                self.sender.post(&self.writer.of(name.clone(), n as u64))?;
            }
        }
        Ok(())
    }
}

/// Sends so many batches of each visitor on all connections at a time.
fn at_once(connections: &mut [Connection], rounds: usize) -> Result<()> {
    thread::scope(|scope| {
        let all: Vec<_> = connections.iter_mut().map(|one| scope.spawn(move || one.send(rounds))).collect();
        all.into_iter().try_for_each(|one| one.join().unwrap_or_else(|_| bail!("a connection's thread ended")))
    })
}

/// Conditions of every kind, none of which an everyday batch brings to hold.
fn condition(n: usize) -> String {
    match n % 7 {
        0 => format!("orders >= {} and days_since_last_order < {}", 1 + n % 7, 30 + n),
        1 => {
            format!("products_viewed(category = \"jackets\") >= {} and units_bought(category = \"jackets\") > 0", 3 + n)
        }
        2 => format!("cart_value > {} or stage in (sleep, lost)", 1_000_000 * (n + 1)),
        3 => format!("some_category(products_viewed(category = $) >= {} and units_bought(category = $) >= 1)", 2 + n),
        4 => format!("sessions > {} and not consent_marketing", 5 + n),
        // Both ask of each event of a batch: the first keeps what it counts, the second looks at a property.
        5 => format!("viewed >= {} in {} days", 500 + n, 7 + n),
        _ => {
            format!("viewed(category = \"jackets-{n}\", price >= {n}) >= 2 in 14 days or page_viewed(path = \"/{n}\")")
        }
    }
}

/// A customer's only order, some days ago.
fn order(customer: usize) -> Value {
    let today = super::batch::now_ms() / 86_400_000;
    let day = i64::try_from(today).unwrap_or_default() - 1 - i64::try_from(customer % 200).unwrap_or_default();
    json!({
        "type": "track",
        "event": "Order Completed",
        "userId": format!("person-{customer}"),
        "messageId": format!("bought-{customer}"),
        "timestamp": format!("{}T12:00:00Z", crate::eval::name_of(day)),
        "properties": {"order_id": format!("p-{customer}"), "currency": "EUR", "revenue": 20 + customer % 90},
    })
}
