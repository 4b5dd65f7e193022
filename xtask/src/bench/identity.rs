//! `cargo xtask bench identity`: logins per second beside everyday batches and the minimal worker,
//! then many people loaded through the server API: bytes per profile, and how long finding one of
//! them takes.

use std::path::Path;
use std::thread;
use std::time::Instant;

use anyhow::{Context, Result, bail};

use super::api;
use super::batch::Kind;
use super::filled;
use super::load::{CONNECTIONS, Load, Measured};
use super::runtime::{API_KEY, Runtime, Service};
use crate::build::Build;
use crate::http::Client;
use crate::project::Project;
use crate::run::{Steps, step};
use crate::setup;

/// People that are loaded, unless `--profiles` names another number. Each has three identifiers.
const PROFILES: u64 = 100_000;
/// Identifiers of each.
const IDENTIFIERS: u64 = 3;
/// People of one request: what fits into one (500 KiB), and requests at once.
const PER_REQUEST: u64 = 2_000;
const LOADERS: u64 = 4;
/// Lookups that are timed.
const LOOKUPS: u64 = 2_000;
/// Seconds that each figure is measured for.
const SECONDS: u64 = 10;

/// `cargo xtask bench identity [--profiles N]`, without the first words.
pub(super) fn command(project: &Project, arguments: &[String]) -> Result<()> {
    let profiles = match arguments {
        [] => PROFILES,
        [option, number] if option == "--profiles" => number.parse().context("--profiles takes a number")?,
        _ => bail!("usage: cargo xtask bench identity [--profiles N]"),
    };
    let steps = Steps::of(setup::STEPS + 1);
    let tools = setup::for_build(project, &steps)?;
    let build = Build::release(project, &tools, &steps);
    let runtime = filled::start(&build)?;
    requests(&runtime)?;
    people(&runtime, &project.target("bench/state/ours"), profiles)
}

/// Logins and everyday batches of one event.
fn requests(runtime: &Runtime) -> Result<()> {
    let measure = |service: Service, kind: Kind| {
        step(&format!("{} {}, {SECONDS} s", service.name(), kind.name()));
        Load { port: runtime.port(service), path: service.path(), size: 1, seconds: SECONDS, kind, round: 0 }.run()
    };
    let baseline = measure(Service::Baseline, Kind::Mixed)?;
    let figures = [
        ("everyday batches", measure(Service::Ours, Kind::Mixed)?),
        ("logins, a first device", measure(Service::Ours, Kind::Login { devices: 1 })?),
        ("logins, a second device", measure(Service::Ours, Kind::Login { devices: 2 })?),
    ];
    println!("\none event a request, {CONNECTIONS} connections");
    println!("{:26} {:>10} {:>9} {:>9} {:>7}", "", "requests/s", "p50 ms", "p99 ms", "ratio");
    let print = |name: &str, measured: &Measured| {
        let ratio = measured.events_per_second() / baseline.events_per_second();
        println!(
            "{name:26} {:10.0} {:9.2} {:9.2} {ratio:7.2}",
            measured.events_per_second(),
            measured.percentile(0.50),
            measured.percentile(0.99),
        );
    };
    print("minimal worker, batches", &baseline);
    figures.iter().for_each(|(name, measured)| print(name, measured));
    Ok(())
}

/// Loads people, and looks some of them up.
fn people(runtime: &Runtime, state: &Path, profiles: u64) -> Result<()> {
    step(&format!("loading {profiles} people with {IDENTIFIERS} identifiers each"));
    let before = sizes(state)?;
    let start = Instant::now();
    let each = |loader: u64| -> Result<()> {
        let mut client = Client::connect(runtime.port(Service::Ours))?;
        let mut first = loader * PER_REQUEST;
        while first < profiles {
            load(&mut client, first, (first + PER_REQUEST).min(profiles))?;
            first += LOADERS * PER_REQUEST;
        }
        Ok(())
    };
    thread::scope(|scope| {
        let running: Vec<_> = (0..LOADERS).map(|loader| scope.spawn(move || each(loader))).collect();
        let joined = running.into_iter().map(|thread| thread.join().unwrap_or_else(|_| bail!("a thread ended")));
        joined.collect::<Result<Vec<()>>>()
    })?;
    let seconds = start.elapsed().as_secs_f64();
    let after = sizes(state)?;
    let latencies = lookups(runtime, profiles)?;
    let per_profile = |(before, after): (u64, u64)| after.saturating_sub(before) as f64 / profiles as f64;
    let (shards, graph) = (per_profile((before.0, after.0)), per_profile((before.1, after.1)));
    println!(
        "\n{profiles} profiles, {} identifiers: {:.0} a second",
        profiles * IDENTIFIERS,
        profiles as f64 / seconds
    );
    println!("{shards:.0} bytes a profile, {graph:.0} bytes of the identity graph a profile");
    println!(
        "finding a profile by one of its identifiers: p50 {:.2} ms, p99 {:.2} ms",
        latencies.percentile(0.50),
        latencies.percentile(0.99)
    );
    Ok(())
}

/// People from `first` up to `end`, as a server's import sends them.
fn load(client: &mut Client, first: u64, end: u64) -> Result<()> {
    let call = |n: u64| {
        format!(
            "{{\"type\":\"identify\",\"messageId\":\"load-{n}\",\"userId\":\"u-{n}\",\
             \"traits\":{{\"email\":\"p{n}@shop.example\",\"phone\":\"{}\"}}}}",
            phone(n)
        )
    };
    let calls: Vec<String> = (first..end).map(call).collect();
    let body = format!("{{\"batch\":[{}]}}", calls.join(","));
    api::import(client, &body)
}

/// Austrian mobile numbers, of which there are enough.
fn phone(n: u64) -> String {
    format!("+43660{:07}", 1_000_000 + n)
}

fn lookups(runtime: &Runtime, profiles: u64) -> Result<Measured> {
    let mut client = Client::connect(runtime.port(Service::Ours))?;
    let headers = format!("Authorization: Bearer {API_KEY}\r\n");
    let mut latencies = Vec::new();
    for lookup in 0..LOOKUPS {
        let n = lookup.wrapping_mul(2_654_435_761) % profiles;
        let by = match lookup % IDENTIFIERS {
            0 => format!("user_id=u-{n}"),
            1 => format!("email=p{n}%40shop.example"),
            _ => format!("phone=%2B{}", phone(n).trim_start_matches('+')),
        };
        let start = Instant::now();
        let response = client.send_again("GET", &format!("/api/profiles?{by}"), &headers, b"")?;
        latencies.push(start.elapsed().as_secs_f64() * 1000.0);
        if response.status != 200 {
            bail!("{by} was answered {}", response.status);
        }
    }
    Ok(Measured::of(latencies))
}

/// Bytes on disk of the shards and of the graph.
fn sizes(state: &Path) -> Result<(u64, u64)> {
    let of = |class: &str| -> Result<u64> {
        let folder = state.join(format!("ours-{class}"));
        let Ok(files) = std::fs::read_dir(&folder) else { return Ok(0) };
        files.map(|file| Ok(file?.metadata()?.len())).sum()
    };
    Ok((of("ProfileShard")?, of("IdentityGraph")?))
}
