//! CPU time of the whole workerd process, as the system's scheduler counts it.

use std::fs;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};

use super::runtime::Runtime;

/// How long nothing may happen before a request counts as done.
const QUIET: Duration = Duration::from_millis(40);

/// CPU time of the runtime's process.
pub(super) struct Cpu {
    tasks: String,
}

impl Cpu {
    /// That of a runtime.
    pub(super) fn of(runtime: &Runtime) -> Result<Self> {
        let guard = runtime.guard();
        let children = fs::read_to_string(format!("/proc/{guard}/task/{guard}/children"));
        let children = children.context("CPU time is read from /proc, which only Linux has")?;
        let child = children.split_whitespace().next().context("workerd does not run")?;
        Ok(Self { tasks: format!("/proc/{child}/task") })
    }

    /// The share of one core that is used for so long.
    pub(super) fn busy(&self, watched: Duration) -> Result<f64> {
        let (before, begun) = (self.now()?, Instant::now());
        thread::sleep(watched);
        Ok((self.now()? - before).as_secs_f64() / begun.elapsed().as_secs_f64())
    }

    /// The time so far.
    pub(super) fn now(&self) -> Result<Duration> {
        let mut sum = Duration::ZERO;
        for task in fs::read_dir(&self.tasks)? {
            // A thread may end meanwhile.
            let Ok(text) = fs::read_to_string(Path::new(&task?.path()).join("schedstat")) else { continue };
            let nanoseconds = text.split_whitespace().next().and_then(|first| first.parse().ok());
            sum += Duration::from_nanos(nanoseconds.unwrap_or_default());
        }
        Ok(sum)
    }

    /// The time once nothing more is done.
    pub(super) fn settled(&self) -> Result<Duration> {
        let begun = Instant::now();
        let mut last = self.now()?;
        loop {
            thread::sleep(QUIET);
            let now = self.now()?;
            // The process's own clockwork takes a little.
            if now - last < Duration::from_micros(500) || begun.elapsed() > Duration::from_secs(10) {
                return Ok(now);
            }
            last = now;
        }
    }
}
