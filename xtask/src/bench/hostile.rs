//! `cargo xtask bench hostile`: what the most expensive requests cost that anybody may send without a key, and what others
//! notice of them.
//!
//! CPU time is that of the whole workerd process, as the system's scheduler counts it, until nothing more is done for the
//! request. What others notice is how long everyday batches take while such requests come one after the other, beside how
//! long they take without, in the same run.

use std::io::Write as _;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use endcap_protocol::bucket_of;
use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::{Value, json};

use super::api;
use super::batch::{Kind, now_ms};
use super::cpu::Cpu;
use super::filled;
use super::load::{Load, Measured};
use super::runtime::{Runtime, Service};
use crate::build::Build;
use crate::http::{Client, Response};
use crate::project::Project;
use crate::run::{Steps, note, step};
use crate::setup;

/// Requests of each family.
const REPEATS: usize = 20;
/// Seconds for which everyday batches are measured beside a family.
const SECONDS: u64 = 6;
/// The pause between two hostile requests while others are measured: one address may send 50 a second, unless the deployment
/// says otherwise.
const PACE: Duration = Duration::from_millis(20);
/// How long the runtime is watched before each request, for what it does by itself.
const IDLE: Duration = Duration::from_millis(600);
/// How often what others notice is measured before it counts.
const TRIES: usize = 3;
/// What a median may cost in CPU time, and how many times longer others may wait, by the issue that set these bounds.
const CPU_BUDGET_MS: f64 = 50.0;
const P99_BUDGET: f64 = 3.0;
/// What pages send besides the body.
const PAGE: &str = "Content-Type: text/plain\r\nOrigin: http://127.0.0.1\r\nSec-Fetch-Site: same-origin\r\n";

/// One hostile request.
struct Hostile {
    path: String,
    headers: String,
    body: Vec<u8>,
}

/// A family of requests: its name, and its request of a number, each of which is another.
type Family = (&'static str, fn(usize) -> Hostile);

const FAMILIES: [Family; 11] = [
    ("500 logins of 500 people", many_people),
    ("500 orders of 8 lines", many_events),
    ("16 events, 100 levels deep, 31 KB each", deep_properties),
    ("15 calls of 31 KB, 8 levels above a number out of range", unheld_numbers),
    ("25 identifies of 50 long traits", large_identify),
    ("500 events that are all wrong", all_wrong),
    ("half a megabyte that is no JSON at its end", no_json),
    ("2,500 calls of 2,500 people, gzip, another vendor's client", gzip_people),
    ("2,500 aliases of 2,500 people, gzip, another vendor's client", gzip_aliases),
    ("a browser that 80 people had, without its cookies", long_chain),
    ("8 slots and 490 deep campaigns", all_campaigns),
];

/// `cargo xtask bench hostile`.
pub(super) fn command(project: &Project) -> Result<()> {
    let steps = Steps::of(setup::STEPS + 1);
    let tools = setup::for_build(project, &steps)?;
    let build = Build::release(project, &tools, &steps);
    let runtime = filled::start(&build)?;
    let cpu = Cpu::of(&runtime)?;
    let mut rounds = 0..;
    let mut lines = Vec::new();
    for (name, request) in FAMILIES {
        step(name);
        match name {
            "a browser that 80 people had, without its cookies" => begin_chain(&runtime)?,
            "8 slots and 490 deep campaigns" => put_campaigns(&runtime)?,
            _ => {}
        }
        let line = measure(&runtime, &cpu, &mut rounds, (name, request))?;
        note(&format!("{:.1} ms of CPU, {:.2} times the p99", line.median, line.p99));
        lines.push(line);
    }
    println!(
        "\n{:60} {:>12} {:>12} {:>7} {:>10} {:>9}",
        "20 requests each", "CPU ms, p50", "CPU ms, max", "idle %", "answer KB", "p99, times"
    );
    for Line { name, median, most, idle, answer, p99 } in &lines {
        println!("{name:60} {median:12.1} {most:12.1} {idle:7.1} {:10.1} {p99:9.2}", *answer as f64 / 1024.0);
    }
    println!(
        "p99: that of 16 connections with everyday batches of 10 events, beside the same without, just before and after"
    );
    let over: Vec<_> = lines.iter().filter(|line| line.median >= CPU_BUDGET_MS || line.p99 >= P99_BUDGET).collect();
    match over.as_slice() {
        [] => Ok(()),
        over => bail!("over budget: {}", over.iter().map(|line| line.name).collect::<Vec<_>>().join("; ")),
    }
}

/// What a family costs.
struct Line {
    name: &'static str,
    median: f64,
    most: f64,
    /// CPU that was used between the requests, in percent of one core.
    idle: f64,
    /// Bytes of the largest answer.
    answer: usize,
    /// How many times longer everyday batches take, at the 99th percentile.
    p99: f64,
}

fn measure(
    runtime: &Runtime,
    cpu: &Cpu,
    rounds: &mut impl Iterator<Item = u64>,
    (name, request): Family,
) -> Result<Line> {
    let mut client = Client::connect(runtime.port(Service::Ours))?;
    let (mut costs, mut idle, mut answer) = (Vec::new(), Vec::new(), 0);
    for number in 0..REPEATS {
        let hostile = request(number);
        cpu.settled()?;
        // What runs by itself, as alarms after the load of the family before, is not the request's.
        let busy = cpu.busy(IDLE)?;
        let (before, begun) = (cpu.now()?, Instant::now());
        let response = post(&mut client, &hostile)?;
        if response.status == 500 {
            bail!("{name}: {} {}", response.status, response.text());
        }
        answer = answer.max(response.body.len());
        let spent = (cpu.settled()? - before).as_secs_f64();
        costs.push((spent - busy * begun.elapsed().as_secs_f64()).max(0.0) * 1000.0);
        idle.push(busy * 100.0);
    }
    costs.sort_by(f64::total_cmp);
    idle.sort_by(f64::total_cmp);
    let mut p99 = f64::MAX;
    // A machine that was busy for a moment is no attack.
    for _ in 0..TRIES {
        let (Some(before), Some(attacked), Some(after)) = (rounds.next(), rounds.next(), rounds.next()) else { break };
        let before = honest(runtime, before)?.percentile(0.99);
        let attacked = beside(runtime, request, attacked)?.percentile(0.99);
        let calm = f64::midpoint(before, honest(runtime, after)?.percentile(0.99));
        p99 = p99.min(attacked / calm);
        if p99 < P99_BUDGET {
            break;
        }
    }
    let at = |index: usize| costs.get(index).copied().unwrap_or_default();
    let idle = idle.get(REPEATS / 2).copied().unwrap_or_default();
    Ok(Line { name, median: at(REPEATS / 2), most: at(REPEATS - 1), idle, answer, p99 })
}

fn post(client: &mut Client, hostile: &Hostile) -> Result<Response> {
    client.send_again("POST", &hostile.path, &hostile.headers, &hostile.body)
}

/// Everyday batches.
fn honest(runtime: &Runtime, round: u64) -> Result<Measured> {
    let (port, path) = (runtime.port(Service::Ours), Service::Ours.path());
    Load { port, path, size: 10, seconds: SECONDS, kind: Kind::Mixed, round }.run()
}

/// Everyday batches while a family's requests come one after the other.
fn beside(runtime: &Runtime, request: fn(usize) -> Hostile, round: u64) -> Result<Measured> {
    let (port, done) = (runtime.port(Service::Ours), AtomicBool::new(false));
    thread::scope(|scope| {
        scope.spawn(|| {
            let Ok(mut client) = Client::connect(port) else { return };
            for number in 1000.. {
                // A request that is refused for a moment is part of the attack.
                if done.load(Ordering::Relaxed) || post(&mut client, &request(number)).is_err() {
                    return;
                }
                thread::sleep(PACE);
            }
        });
        let measured = honest(runtime, round);
        done.store(true, Ordering::Relaxed);
        measured
    })
}

/// A batch of a browser, by its name.
fn batch(anonymous: &str, events: Vec<Value>, ask: Value) -> Hostile {
    let body = json!({
        "source": "demo", "sent_at": now(), "anonymous_id": anonymous, "events": events, "ask": ask,
        "consent": {"analytics": true, "personalization": true, "marketing": true},
    });
    let path = format!("{}?b={}", Service::Ours.path(), bucket_of(anonymous));
    Hostile { path, headers: PAGE.to_owned(), body: body.to_string().into_bytes() }
}

fn now() -> u64 {
    u64::try_from(now_ms()).unwrap_or_default()
}

/// A name that no other request has.
fn name(kind: &str, number: usize) -> String {
    format!("{kind}-{number}-{:x}", now_ms())
}

fn event(kind: &str, id: &str, more: Value) -> Value {
    let mut event = json!({"message_id": id, "type": kind, "timestamp": now(), "session_id": "s"});
    if let (Some(event), Value::Object(more)) = (event.as_object_mut(), more) {
        event.extend(more);
    }
    event
}

fn many_people(number: usize) -> Hostile {
    let browser = name("people", number);
    let login =
        |n: usize| event("identify", &format!("{browser}-{n}"), json!({"user_id": format!("{browser}-user-{n}")}));
    batch(&browser, (0..500).map(login).collect(), Value::Null)
}

fn many_events(number: usize) -> Hostile {
    let browser = name("events", number);
    let order = |n: usize| {
        let line = |m: usize| json!({"product_id": format!("p-{n}-{m}"), "category": format!("c-{m}"), "price": 9.5, "quantity": 2});
        let properties = json!({"order_id": format!("{browser}-{n}"), "currency": "EUR", "products": (0..8).map(line).collect::<Vec<_>>()});
        event("track", &format!("{browser}-{n}"), json!({"name": "Order Completed", "properties": properties}))
    };
    batch(
        &browser,
        (0..500).map(order).collect(),
        json!({"slots": [{"name": "home", "limit": 4}], "url": "http://127.0.0.1/"}),
    )
}

fn deep_properties(number: usize) -> Hostile {
    let browser = name("deep", number);
    let deep = |n: usize| {
        let text = "\u{1f600}\\\"".repeat(2400);
        let nested = (0..100).fold(json!({"text": text}), |inner, level| json!({format!("l{level}"): [inner]}));
        event(
            "track",
            &format!("{browser}-{n}"),
            json!({"name": "Product Viewed", "properties": {"product_id": "p", "more": nested}}),
        )
    };
    batch(&browser, (0..16).map(deep).collect(), Value::Null)
}

/// Each level is read again for the one that cannot be held, which stands at the end of the innermost.
fn unheld_numbers(number: usize) -> Hostile {
    let mark = name("unheld", number);
    let call = |n: usize| {
        let members: String = (0..1500).map(|m| format!("\"member-{m}\":[{m}],")).collect();
        let inner = format!("{{{members}\"out\":1e999}}");
        let nested = (0..7).fold(inner, |inner, level| format!("{{\"l{level}\":{inner}}}"));
        format!(
            r#"{{"type":"track","event":"X","messageId":"{mark}-{n}","anonymousId":"{mark}","properties":{nested}}}"#
        )
    };
    let calls = (0..15).map(call).collect::<Vec<_>>().join(",");
    let body = format!(r#"{{"writeKey":"demo","batch":[{calls}]}}"#).into_bytes();
    Hostile { path: "/v1/batch".to_owned(), headers: "Content-Type: application/json\r\n".to_owned(), body }
}

fn large_identify(number: usize) -> Hostile {
    let browser = name("traits", number);
    let identify = |n: usize| {
        let traits: serde_json::Map<String, Value> =
            (0..50).map(|m| (format!("a-trait-with-a-name-{m}"), json!("x".repeat(350)))).collect();
        event("identify", &format!("{browser}-{n}"), json!({"user_id": browser, "traits": traits}))
    };
    batch(&browser, (0..25).map(identify).collect(), Value::Null)
}

fn all_wrong(number: usize) -> Hostile {
    let browser = name("wrong", number);
    let wrong = |n: usize| {
        let properties = json!({"product_id": format!("p-{n}"), "quantity": -1, "text": "y".repeat(600)});
        event("track", &format!("{browser}-{n}"), json!({"name": "Product Added", "properties": properties}))
    };
    batch(&browser, (0..500).map(wrong).collect(), Value::Null)
}

fn no_json(number: usize) -> Hostile {
    let mut hostile = many_events(number);
    hostile.body.pop();
    hostile.body.push(b'!');
    hostile
}

fn gzip_people(number: usize) -> Hostile {
    let mark = name("vendor", number);
    gzip(
        |n| json!({"type": "track", "event": "X", "messageId": format!("{mark}-{n}"), "anonymousId": format!("{mark}-b{n}")}),
    )
}

fn gzip_aliases(number: usize) -> Hostile {
    let mark = name("alias", number);
    let user = |n: usize| format!("{mark}-user-{n}");
    gzip(|n| json!({"type": "alias", "messageId": format!("{mark}-{n}"), "userId": user(n), "previousId": user(n + 1)}))
}

/// A request of another vendor's client with 2,500 calls.
fn gzip(call: impl Fn(usize) -> Value) -> Hostile {
    let body = json!({"writeKey": "demo", "batch": (0..2500).map(call).collect::<Vec<_>>()}).to_string();
    let mut packed = GzEncoder::new(Vec::new(), Compression::best());
    // Writing to memory cannot fail.
    let _ = packed.write_all(body.as_bytes());
    let headers = "Content-Type: application/json\r\nContent-Encoding: gzip\r\n".to_owned();
    Hostile { path: "/v1/batch".to_owned(), headers, body: packed.finish().unwrap_or_default() }
}

/// The browser that many people had.
const CHAIN: &str = "a-browser-that-many-people-had";

/// Has them log in, four with each request, by the cookies that it is given.
fn begin_chain(runtime: &Runtime) -> Result<()> {
    let mut client = Client::connect(runtime.port(Service::Ours))?;
    let mut cookies = std::collections::BTreeMap::new();
    for number in 0..20 {
        let login = |n: usize| {
            event("identify", &name("chain", 10 * number + n), json!({"user_id": name("chain-user", 10 * number + n)}))
        };
        let mut hostile = batch(CHAIN, (0..4).map(login).collect(), Value::Null);
        let jar: Vec<String> = cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        hostile.headers.push_str(&format!("Cookie: {}\r\n", jar.join("; ")));
        let response = post(&mut client, &hostile)?;
        if response.status != 200 {
            bail!("a login was answered {}: {}", response.status, response.text());
        }
        cookies.extend(response.cookies);
    }
    // For so long a request without the newest token may have been under way, and is asked to come again.
    thread::sleep(Duration::from_secs(41));
    Ok(())
}

fn long_chain(number: usize) -> Hostile {
    batch(CHAIN, vec![event("track", &name("walk", number), json!({"name": "X"}))], json!({"slots": []}))
}

/// Campaigns beside those of the demo shop: together they are nearly as many as a shop may have.
const CAMPAIGNS: usize = 490;

/// As many campaigns as a shop may have, as deep as they may be.
fn put_campaigns(runtime: &Runtime) -> Result<()> {
    for service in [Service::Ours] {
        let mut client = Client::connect(runtime.port(service))?;
        let leaf = |n: usize| json!({"fact": "products_viewed", "category": format!("category-{n}"), "op": ">=", "value": 100 + n});
        let leaves: Vec<Value> = (0..50).map(leaf).collect();
        let deep = (0..5).fold(json!({"all": leaves}), |inner, _| json!({"any": [{"not": inner}, {"all": leaves}]}));
        for number in 0..CAMPAIGNS {
            let campaign = json!({"name": "deep", "type": "popup", "condition": deep, "content": {"title": "t", "body": "x".repeat(900)}});
            api::ask(&mut client, "PUT", &format!("/api/campaigns/deep-{number}"), &campaign.to_string())?;
        }
    }
    // Shards cache what the shop configured for half a minute.
    thread::sleep(Duration::from_secs(31));
    Ok(())
}

fn all_campaigns(number: usize) -> Hostile {
    let browser = name("campaigns", number);
    let slots: Vec<Value> = (0..8).map(|n| json!({"name": format!("slot-{n}"), "limit": 24})).collect();
    let view = |n: usize| {
        let properties = json!({"product_id": format!("p-{n}"), "category": format!("category-{n}"), "price": 1});
        event("track", &format!("{browser}-{n}"), json!({"name": "Product Viewed", "properties": properties}))
    };
    batch(&browser, (0..24).map(view).collect(), json!({"slots": slots, "url": "http://127.0.0.1/"}))
}
