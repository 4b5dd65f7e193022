//! Running other programs and telling the person at the terminal what goes on.

use std::ffi::OsStr;
use std::io::ErrorKind;
use std::process::{Command, Stdio};
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

/// Runs `work` as a named step and prints how long it took when that was long enough to notice.
pub(crate) fn timed<T>(text: &str, work: impl FnOnce() -> Result<T>) -> Result<T> {
    step(text);
    let start = Instant::now();
    let result = work()?;
    let took = start.elapsed();
    if took >= Duration::from_secs(2) {
        note(&format!("{:.1} s", took.as_secs_f64()));
    }
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
