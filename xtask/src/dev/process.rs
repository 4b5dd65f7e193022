//! The server process and everything it starts, as one process group that the next run can find
//! and end, whatever happened to this one.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::Sender;
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};

use super::event::Event;
use crate::build::{self, Build};
use crate::run::{first_line, note};

/// A running server.
pub(crate) struct Server {
    /// The fingerprint of the files that it has loaded.
    pub(crate) serves: String,
    child: Child,
    input: ChildStdin,
    record: PathBuf,
}

impl Server {
    /// Starts the server; what it prints arrives as events. `record` is where the next run will
    /// look for it.
    pub(crate) fn start(build: &Build<'_>, settings: &Value, record: &Path, events: Sender<Event>) -> Result<Self> {
        let mut command = Command::new("node");
        command
            .current_dir(&build.project.root)
            .arg("xtask/runtime/serve.mjs")
            .env("WRANGLER_SEND_METRICS", "false")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped());
        own_group(&mut command);
        let mut child = command.spawn().context("cannot start node")?;
        let mut input = child.stdin.take().context("no input to the server")?;
        // Not as an argument: the settings hold secrets, and arguments are public.
        writeln!(input, "{settings}")?;
        let output = child.stdout.take().context("no output of the server")?;
        let running = json!({ "tool": std::process::id(), "server": child.id() });
        fs::write(record, running.to_string())?;
        thread::spawn(move || {
            for line in BufReader::new(output).lines().map_while(Result::ok) {
                if line.starts_with("{\"ready\"") && events.send(Event::Ready).is_err() {
                    return;
                }
            }
            let _ = events.send(Event::Ended);
        });
        Ok(Self { serves: build::fingerprint(build)?, child, input, record: record.to_path_buf() })
    }

    /// Has the server load the built files anew.
    pub(crate) fn reload(&mut self) -> Result<()> {
        self.input.write_all(b"reload\n").context("the server is gone")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        signal("-TERM", self.child.id());
        let _ = self.child.wait();
        signal("-KILL", self.child.id());
        let _ = fs::remove_file(&self.record);
    }
}

/// Ends what an earlier run left behind. Fails where that run is still alive: two servers must
/// not write the same state.
pub(crate) fn end_leftovers(record: &Path) -> Result<()> {
    let Ok(text) = fs::read_to_string(record) else {
        return Ok(());
    };
    let running: Value = serde_json::from_str(&text).unwrap_or_default();
    let id = |name: &str| {
        let value = running.get(name).and_then(Value::as_u64);
        value.and_then(|value| u32::try_from(value).ok())
    };
    if let Some(tool) = id("tool").filter(|tool| runs(*tool, "xtask")) {
        bail!("`cargo xtask dev` already runs with this state (process {tool})");
    }
    if let Some(server) = id("server").filter(|server| group_lives(*server)) {
        note("ending what the last run left behind");
        end_group(server)?;
    }
    fs::remove_file(record).context("cannot forget the last run")
}

/// Ends a process group, kindly first, and waits until it is gone.
fn end_group(leader: u32) -> Result<()> {
    for (kind, attempts) in [("-TERM", 30), ("-KILL", 50)] {
        signal(kind, leader);
        for _ in 0..attempts {
            if !group_lives(leader) {
                return Ok(());
            }
            // There is no event to wait for: these are not our children.
            thread::sleep(Duration::from_millis(100));
        }
    }
    bail!("processes of the last run do not end (group {leader})")
}

/// Whether a process group holds a live process of ours: node or workerd, so that an identifier
/// that the system has given to somebody else since is left alone.
fn group_lives(leader: u32) -> bool {
    let Ok(list) = Command::new("ps").args(["-eo", "pgid=,stat=,args="]).output() else {
        return false;
    };
    String::from_utf8_lossy(&list.stdout).lines().any(|line| {
        let mut columns = line.split_whitespace();
        columns.next() == Some(leader.to_string().as_str())
            && columns.next().is_some_and(|state| !state.starts_with('Z'))
            && (line.contains("serve.mjs") || line.contains("workerd"))
    })
}

/// Whether a process is alive and its program's name contains `name`.
fn runs(process: u32, name: &str) -> bool {
    let process = process.to_string();
    let found = first_line("ps", &["-o", "stat=,args=", "-p", &process]);
    found.is_some_and(|line| !line.starts_with('Z') && line.contains(name))
}

/// Signals every process of a group; that it is gone already is no error.
fn signal(kind: &str, leader: u32) {
    let _ = Command::new("kill").args([kind, "--", &format!("-{leader}")]).stderr(Stdio::null()).status();
}

/// Puts a command's process, and so all that it starts, in a group of its own.
#[cfg(unix)]
fn own_group(command: &mut Command) {
    use std::os::unix::process::CommandExt;
    command.process_group(0);
}

/// Elsewhere the end of the standard input has to do.
#[cfg(not(unix))]
fn own_group(_command: &mut Command) {}
