//! Running other programs and telling the person at the terminal what goes on.

use std::cell::Cell;
use std::ffi::OsStr;
use std::io::ErrorKind;
use std::process::{Command, Stdio};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

/// Prints the name of a step that starts.
pub(crate) fn step(text: &str) {
    eprintln!("\u{25b8} {text}");
}

/// Prints a remark below a step.
pub(crate) fn note(text: &str) {
    eprintln!("  {text}");
}

/// How often a step that takes long says that it still runs.
const STILL: Duration = Duration::from_secs(15);

/// The steps of one command: each says which of how many it is, and how long the command has run.
pub(crate) struct Steps {
    total: u32,
    done: Cell<u32>,
    start: Instant,
}

impl Steps {
    /// A command of so many steps.
    pub(crate) fn of(total: u32) -> Self {
        Self { total, done: Cell::new(0), start: Instant::now() }
    }

    /// Since the command began.
    pub(crate) fn elapsed(&self) -> Duration {
        self.start.elapsed()
    }

    /// Runs a step. One that takes long says now and then that it goes on, and how long it took.
    pub(crate) fn step<T>(&self, name: &str, work: impl FnOnce() -> Result<T>) -> Result<T> {
        self.done.set(self.done.get() + 1);
        eprintln!("\u{25b8} {} of {}, {}: {name}", self.done.get(), self.total, clock(self.elapsed()));
        let begun = Instant::now();
        let (ended, ends) = channel::<()>();
        let result = thread::scope(|scope| {
            scope.spawn(move || {
                while ends.recv_timeout(STILL) == Err(RecvTimeoutError::Timeout) {
                    note(&format!("still {name}, {}", clock(begun.elapsed())));
                }
            });
            let result = work();
            drop(ended);
            result
        });
        if begun.elapsed() >= STILL {
            note(&format!("{name}: {}", clock(begun.elapsed())));
        }
        result
    }
}

/// Minutes and seconds.
pub(crate) fn clock(time: Duration) -> String {
    format!("{}:{:02}", time.as_secs() / 60, time.as_secs() % 60)
}

/// Runs `work` as a part of a step and prints how long it took when that was long enough to notice.
pub(crate) fn timed<T>(text: &str, work: impl FnOnce() -> Result<T>) -> Result<T> {
    let start = Instant::now();
    let result = work()?;
    note(&format!("{text}: {:.1} s", start.elapsed().as_secs_f64()));
    Ok(result)
}

/// Runs a command with its output shown, and fails unless it ends with success.
pub(crate) fn run(command: &mut Command) -> Result<()> {
    let status = command.status().with_context(|| format!("cannot start {}", describe(command)))?;
    if !status.success() {
        bail!("{} ended with {status}", describe(command));
    }
    Ok(())
}

/// Runs a command silently; its output is shown only when it fails.
pub(crate) fn run_quiet(command: &mut Command) -> Result<String> {
    let output =
        command.stdin(Stdio::null()).output().with_context(|| format!("cannot start {}", describe(command)))?;
    if !output.status.success() {
        eprint!("{}", String::from_utf8_lossy(&output.stdout));
        eprint!("{}", String::from_utf8_lossy(&output.stderr));
        bail!("{} ended with {}", describe(command), output.status);
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// The first line that a command prints, or nothing where it is missing or fails.
pub(crate) fn first_line(program: impl AsRef<OsStr>, arguments: &[&str]) -> Option<String> {
    let output = Command::new(program).args(arguments).stdin(Stdio::null()).stderr(Stdio::null()).output().ok()?;
    let text = String::from_utf8_lossy(&output.stdout);
    let line = text.lines().next()?.trim().to_owned();
    (output.status.success() && !line.is_empty()).then_some(line)
}

/// Whether a program is on the path.
pub(crate) fn exists(program: &str) -> bool {
    let probe = Command::new(program)
        .arg("--version")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    !matches!(probe, Err(error) if error.kind() == ErrorKind::NotFound)
}

/// The program's name, for messages.
fn describe(command: &Command) -> String {
    let program = command.get_program().to_string_lossy().into_owned();
    match command.get_args().next() {
        Some(first) => format!("`{program} {} …`", first.to_string_lossy()),
        None => format!("`{program}`"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_shows_minutes_and_seconds() {
        assert_eq!(clock(Duration::from_millis(61_900)), "1:01");
        assert_eq!(clock(Duration::ZERO), "0:00");
    }

    #[test]
    fn a_step_counts_and_hands_its_result_on() {
        let steps = Steps::of(2);
        assert_eq!(steps.step("one", || Ok(1)).unwrap(), 1);
        assert!(steps.step("two", || -> Result<()> { bail!("broken") }).is_err());
        assert_eq!(steps.done.get(), 2);
    }
}
