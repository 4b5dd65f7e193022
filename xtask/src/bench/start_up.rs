//! How long a worker takes from nothing to its first answer: time on the clock, and what of it was
//! CPU time. A platform starts a worker often, and limits what it may take.

use std::fs;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Result, bail};

use super::runtime::{Runtime, Service};
use crate::http::Client;
use crate::project::Project;

/// Cold starts that are measured; the median counts.
const RUNS: usize = 10;

/// A start that takes longer has failed.
const PATIENCE: Duration = Duration::from_secs(20);

/// Milliseconds of one tick of the kernel's CPU accounting (`USER_HZ` is 100 on Linux).
const TICK_MS: f64 = 10.0;

/// Medians of cold starts, in milliseconds.
#[derive(Clone, Copy, Debug)]
pub(crate) struct StartUp {
    /// From the process's start to the first answer.
    pub(crate) answer_ms: f64,
    /// CPU time of all threads until then; nothing where the system does not tell.
    pub(crate) cpu_ms: Option<f64>,
}

/// The built worker's and the minimal worker's start-up, in turns. The second is what the runtime takes by itself.
pub(crate) fn measure(project: &Project) -> Result<(StartUp, StartUp)> {
    let (mut ours, mut minimal) = (Vec::new(), Vec::new());
    for _ in 0..RUNS {
        ours.push(once(project, Service::Ours, "/healthz")?);
        minimal.push(once(project, Service::Baseline, Service::Baseline.rows_path())?);
    }
    Ok((medians(&ours), medians(&minimal)))
}

/// One cold start.
fn once(project: &Project, service: Service, path: &str) -> Result<StartUp> {
    let start = Instant::now();
    let runtime = Runtime::spawn(project, &[service])?;
    loop {
        let answer = Client::connect(runtime.port(service)).and_then(|mut client| client.send("GET", path, "", b""));
        match answer {
            Ok(response) if response.status == 200 => break,
            Ok(response) => bail!("the worker answered {} to {path}", response.status),
            Err(_) if start.elapsed() < PATIENCE => thread::sleep(Duration::from_millis(1)),
            Err(error) => return Err(error.context("workerd did not start; target/bench/workerd.log says why")),
        }
    }
    let answer_ms = start.elapsed().as_secs_f64() * 1000.0;
    Ok(StartUp { answer_ms, cpu_ms: cpu_ms(runtime.guard()) })
}

/// CPU time of the process that another one started, by Linux' `/proc` (proc(5)).
fn cpu_ms(parent: u32) -> Option<f64> {
    let children = fs::read_to_string(format!("/proc/{parent}/task/{parent}/children")).ok()?;
    let child = children.split_whitespace().next()?;
    let stat = fs::read_to_string(format!("/proc/{child}/stat")).ok()?;
    // The program's name is in parentheses and may hold spaces; user and system time are fields 14 and 15.
    let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
    let ticks = |field: usize| fields.get(field).and_then(|text| text.parse::<f64>().ok());
    Some((ticks(11)? + ticks(12)?) * TICK_MS)
}

/// The median of each figure.
fn medians(runs: &[StartUp]) -> StartUp {
    let cpu: Vec<f64> = runs.iter().filter_map(|run| run.cpu_ms).collect();
    StartUp {
        answer_ms: median(runs.iter().map(|run| run.answer_ms).collect()).unwrap_or_default(),
        cpu_ms: median(cpu),
    }
}

/// The middle one; of an even number, the mean of the two in the middle.
fn median(mut values: Vec<f64>) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    let upper = values.get(values.len() / 2)?;
    let lower = values.get((values.len() - 1) / 2)?;
    Some((upper + lower) / 2.0)
}

/// What a start costs more than that of the minimal worker; nothing where the system does not tell.
pub(crate) fn own_cpu_ms(ours: StartUp, minimal: StartUp) -> Option<f64> {
    Some(ours.cpu_ms? - minimal.cpu_ms?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_of_an_even_number_lies_between_the_two_in_the_middle() {
        assert_eq!(median(vec![4.0, 1.0, 2.0, 10.0]), Some(3.0));
        assert_eq!(median(vec![3.0, 1.0, 2.0]), Some(2.0));
        assert_eq!(median(Vec::new()), None);
    }
}
