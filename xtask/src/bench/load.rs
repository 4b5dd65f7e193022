//! The load: connections that each send a batch, wait for its answer, and send the next.

use std::collections::BTreeMap;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Result, bail};

use endcap_protocol::bucket_of;

use super::batch::{Batch, Kind, Writer};
use crate::http::Client;

/// Connections at a time.
pub(super) const CONNECTIONS: u64 = 16;

/// Several loads take turns of this length, so that a machine which others slow down now and then does so to all of them.
const TURN: Duration = Duration::from_secs(2);
/// What of a turn is not counted: the answers to the one before still come in.
const SETTLING: Duration = Duration::from_millis(100);
/// Turns of each before counting begins: compilers warm up and objects start.
const WARM_UP: u32 = 2;

/// What the SDK sends besides the body.
const HEADERS: &str = "Content-Type: text/plain\r\nOrigin: http://127.0.0.1\r\nSec-Fetch-Site: same-origin\r\n";

/// One measurement to make.
pub(super) struct Load {
    pub(super) port: u16,
    pub(super) path: &'static str,
    pub(super) size: usize,
    pub(super) seconds: u64,
    pub(super) kind: Kind,
    /// Which visitors send: those of a round have the cookies that they were given in it.
    pub(super) round: u64,
}

/// What came of it.
pub(super) struct Measured {
    /// Each request's time in milliseconds, ascending.
    latencies: Vec<f64>,
    size: usize,
    seconds: f64,
}

impl Load {
    /// Sends for the warm-up and the measured time on all connections at once.
    pub(super) fn run(&self) -> Result<Measured> {
        let [measured] = by_turns([self])?;
        Ok(measured)
    }

    /// Turns in which it is measured.
    fn turns(&self) -> u32 {
        u32::try_from(Duration::from_secs(self.seconds).div_duration_f64(TURN).ceil() as u64).unwrap_or(u32::MAX)
    }
}

/// Sends several loads by turns, each for as long as the first says and on as many connections.
pub(super) fn by_turns<const N: usize>(loads: [&Load; N]) -> Result<[Measured; N]> {
    let start = Instant::now();
    let turns = loads.first().map_or(0, |load| load.turns());
    let each = thread::scope(|scope| {
        let connections: Vec<_> =
            (0..CONNECTIONS).map(|number| scope.spawn(move || connection(&loads, number, start, turns))).collect();
        let joined = connections.into_iter().map(|thread| match thread.join() {
            Ok(result) => result,
            Err(_) => bail!("a connection's thread ended"),
        });
        joined.collect::<Result<Vec<_>>>()
    })?;
    let mut all = [const { Vec::new() }; N];
    for one in each {
        all.iter_mut().zip(one).for_each(|(all, latencies)| all.extend(latencies));
    }
    let mut all = all.into_iter();
    Ok(loads.map(|load| {
        let mut latencies = all.next().unwrap_or_default();
        latencies.sort_by(f64::total_cmp);
        Measured { latencies, size: load.size, seconds: f64::from(turns) * (TURN - SETTLING).as_secs_f64() }
    }))
}

/// One connection of each load; the times of the requests that began and ended while they counted.
fn connection<const N: usize>(loads: &[&Load; N], number: u64, start: Instant, turns: u32) -> Result<[Vec<f64>; N]> {
    let mut latencies = [const { Vec::new() }; N];
    let mut senders = Vec::new();
    for load in loads {
        let writer = Writer::new(load.round * CONNECTIONS + number, load.size, load.kind);
        senders.push((Sender::connect(load.port, load.path)?, writer));
    }
    let mut turn_from = start;
    for turn in 0..WARM_UP + turns {
        for ((sender, writer), latencies) in senders.iter_mut().zip(&mut latencies) {
            let (counted_from, until) = (turn_from + SETTLING, turn_from + TURN);
            turn_from = until;
            while Instant::now() < until {
                let batch = writer.next();
                let sent = Instant::now();
                sender.post(&batch)?;
                let answered = Instant::now();
                if turn >= WARM_UP && sent >= counted_from && answered <= until {
                    latencies.push((answered - sent).as_secs_f64() * 1000.0);
                }
            }
        }
    }
    Ok(latencies)
}

impl Measured {
    /// Times of single requests, in milliseconds.
    pub(super) fn of(mut latencies: Vec<f64>) -> Self {
        latencies.sort_by(f64::total_cmp);
        let seconds = latencies.iter().sum::<f64>() / 1000.0;
        Self { latencies, size: 1, seconds }
    }

    /// Events that were acknowledged per second.
    pub(super) fn events_per_second(&self) -> f64 {
        (self.latencies.len() * self.size) as f64 / self.seconds
    }

    /// The time in milliseconds that this share of the requests stayed within.
    pub(super) fn percentile(&self, share: f64) -> f64 {
        let last = self.latencies.len().saturating_sub(1);
        let index = (last as f64 * share).round() as usize;
        self.latencies.get(index).copied().unwrap_or_default()
    }
}

/// Sends a number of batches one after the other.
pub(super) fn send(port: u16, path: &'static str, size: usize, batches: usize, kind: Kind) -> Result<()> {
    let mut sender = Sender::connect(port, path)?;
    let mut writer = Writer::new(CONNECTIONS, size, kind);
    (0..batches).try_for_each(|_| sender.post(&writer.next()))
}

/// A connection on which visitors send their batches, each with the cookies that it was given.
pub(super) struct Sender {
    client: Client,
    path: &'static str,
    /// By anonymous ID: name and value of each cookie.
    jars: BTreeMap<String, BTreeMap<String, String>>,
}

impl Sender {
    /// Connects to a port.
    pub(super) fn connect(port: u16, path: &'static str) -> Result<Self> {
        Ok(Self { client: Client::connect(port)?, path, jars: BTreeMap::new() })
    }

    /// Sends one batch; anything but acceptance makes the figures worthless.
    pub(super) fn post(&mut self, Batch { anonymous, body }: &Batch) -> Result<()> {
        let jar = self.jars.entry(anonymous.clone()).or_default();
        let cookies: Vec<String> = jar.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let cookies = if cookies.is_empty() { String::new() } else { format!("Cookie: {}\r\n", cookies.join("; ")) };
        let (path, headers) = (format!("{}?b={}", self.path, bucket_of(anonymous)), format!("{HEADERS}{cookies}"));
        let response = self.client.send_again("POST", &path, &headers, body.as_bytes())?;
        let text = response.text();
        if response.status != 200 || text.contains("\"rejected\":[{") || text.contains("\"anonymous_id\"") {
            bail!("a batch was answered {}: {text}", response.status);
        }
        jar.extend(response.cookies);
        Ok(())
    }
}

/// Rounds for printing.
pub(super) fn rounded(value: f64, digits: i32) -> f64 {
    let factor = 10_f64.powi(digits);
    (value * factor).round() / factor
}
