//! `cargo xtask bench scores`: the CPU that a fit of the scores takes in the worker, and how much of it is collecting the
//! customers.

use std::thread;
use std::time::{Duration, Instant, SystemTime};

use anyhow::{Context, Result, bail};
use endcap_models::lifecycle::DAY_MS;
use serde_json::{Value, json};

use super::api;
use super::cpu::Cpu;
use super::filled;
use super::runtime::{Runtime, Service};
use crate::build::Build;
use crate::eval::name_of;
use crate::http::Client;
use crate::project::Project;
use crate::run::{Steps, step};
use crate::setup;

/// Customers, unless `--customers` names another number.
const CUSTOMERS: u64 = 10_000;
/// CPU of a fit to 10,000 customers, in seconds, by the issue that set this bound.
const BUDGET: f64 = 2.0;
/// Orders of one request.
const PER_REQUEST: usize = 500;
/// Days over which orders lie, and the longest rhythm of a customer.
const DAYS: u64 = 300;
const LONGEST: u64 = 60;
/// How long a fit may take.
const PATIENCE: Duration = Duration::from_secs(300);

/// `cargo xtask bench scores [--customers N]`, without the first words.
pub(super) fn command(project: &Project, arguments: &[String]) -> Result<()> {
    let customers = match arguments {
        [] => CUSTOMERS,
        [option, number] if option == "--customers" => number.parse().context("--customers takes a number")?,
        _ => bail!("usage: cargo xtask bench scores [--customers N]"),
    };
    let steps = Steps::of(setup::STEPS + 1);
    let tools = setup::for_build(project, &steps)?;
    let runtime = filled::start(&Build::release(project, &tools, &steps))?;
    let mut bench = Bench { cpu: Cpu::of(&runtime)?, api: Client::connect(runtime.port(Service::Ours))? };
    step(&format!("{customers} customers"));
    let orders = bench.load(&runtime, customers)?;
    step(&format!("a fit to {orders} orders"));
    let (collecting, fitting) = bench.fit()?;
    println!("\n{:32} {:>8} {:>10}", "", "CPU s", "of 2 s");
    for (name, seconds) in [("collecting customers", collecting), ("fitting", fitting)] {
        println!("{name:32} {seconds:8.2} {:10.2}", seconds / BUDGET);
    }
    println!("{:32} {:8.3}", "collecting one customer, ms", collecting * 1000.0 / customers as f64);
    if customers <= CUSTOMERS && fitting > BUDGET {
        bail!("fitting took more than {BUDGET} s of CPU");
    }
    Ok(())
}

struct Bench {
    cpu: Cpu,
    api: Client,
}

impl Bench {
    /// Loads customers with rhythms of their own, and returns how many orders they have.
    fn load(&mut self, runtime: &Runtime, customers: u64) -> Result<usize> {
        let mut client = Client::connect(runtime.port(Service::Ours))?;
        let today = SystemTime::UNIX_EPOCH.elapsed()?.as_millis() as i64 / DAY_MS;
        let orders: Vec<Value> = (0..customers).flat_map(|customer| orders_of(customer, today)).collect();
        for part in orders.chunks(PER_REQUEST) {
            api::import(&mut client, &json!({ "batch": part }).to_string())?;
        }
        Ok(orders.len())
    }

    /// CPU seconds until all customers were collected, and from then on.
    fn fit(&mut self) -> Result<(f64, f64)> {
        let begun = self.cpu.settled()?;
        let asked = Instant::now();
        self.ask("POST", "/api/scores/fit")?;
        let mut collected = begun;
        loop {
            let scores = self.ask("GET", "/api/scores")?;
            let phase = scores.pointer("/fit/phase").and_then(Value::as_str);
            match phase {
                Some("collecting") => collected = self.cpu.now()?,
                None if scores.get("fitted_at").is_some_and(Value::is_i64) => break,
                _ => {}
            }
            if asked.elapsed() > PATIENCE {
                bail!("the fit did not end: {scores}");
            }
            // Asking costs CPU too.
            thread::sleep(Duration::from_millis(20));
        }
        let ended = self.cpu.settled()?;
        Ok(((collected - begun).as_secs_f64(), (ended - collected).as_secs_f64()))
    }

    fn ask(&mut self, method: &str, path: &str) -> Result<Value> {
        api::ask(&mut self.api, method, path, "{}")
    }
}

/// A customer's orders as calls: from one to some twenty, at a rhythm of their own.
fn orders_of(customer: u64, today: i64) -> Vec<Value> {
    let mixed = |salt: u64| (customer + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15).rotate_left(17 * salt as u32) >> 33;
    let rhythm = 5 + mixed(1) % LONGEST;
    let last = mixed(2) % DAYS;
    let count = 1 + (DAYS - last) / rhythm * (mixed(3) % 4) / 4;
    let order = |n: u64| {
        let day = today - (last + n * rhythm + mixed(4 + n) % 4 + 1) as i64;
        json!({
            "type": "track",
            "event": "Order Completed",
            "userId": format!("customer-{customer}"),
            "messageId": format!("order-{customer}-{n}"),
            "timestamp": format!("{}T12:00:00Z", name_of(day)),
            "properties": {"order_id": format!("{customer}-{n}"), "currency": "EUR", "revenue": (1000 + mixed(5 + n) % 9000) as f64 / 100.0},
        })
    };
    (0..count).map(order).collect()
}
