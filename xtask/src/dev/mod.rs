//! `cargo xtask dev`: builds everything, serves the demo shop with the edge in local workerd,
//! and rebuilds what changes.
//!
//! Kept between runs in the ignored folder `.endcap/` (another with `--home`): `dev.json`, the
//! local secrets; `state/`, what the Durable Objects stored; `run.json`, which processes run;
//! `seeded`, which catalogue was put.

mod event;
mod process;
pub(crate) mod secrets;
pub(crate) mod seed;
mod watch;

use std::fs;
use std::net::TcpListener;
use std::path::PathBuf;
use std::sync::mpsc::{Receiver, Sender, channel};

use anyhow::{Context, Result, bail};
use serde_json::{Map, Value, json};

use crate::build;
use crate::project::Project;
use crate::run::{note, step};
use crate::setup::{self, Tools};
use event::Event;
use process::Server;

/// The port unless `--port` names another.
pub(crate) const PORT: u16 = 8787;

/// What the command line asked for.
struct Options {
    port: u16,
    fresh: bool,
    watch: bool,
    home: PathBuf,
}

/// `cargo xtask dev`.
pub(crate) fn command(project: &Project, arguments: &[String]) -> Result<()> {
    let options = Options::parse(project, arguments)?;
    let tools = setup::for_build(project)?;
    build::all(project, &tools)?;
    fs::create_dir_all(&options.home)?;
    let record = options.home.join("run.json");
    process::end_leftovers(&record)?;
    let state = options.home.join("state");
    if options.fresh {
        let _ = fs::remove_dir_all(&state);
        let _ = fs::remove_file(options.home.join("seeded"));
    }
    check_free(options.port)?;
    let secrets = secrets::kept(&options.home.join("dev.json"))?;
    let settings = json!({
        "port": options.port,
        "state": state,
        "reload": options.watch,
        "variables": variables(&secrets, options.port),
    });
    let (sender, events) = channel();
    step("starting workerd");
    let server = Server::start(project, &settings, &record, sender.clone())?;
    let session = Session { project, tools: &tools, options: &options, key: text(&secrets, "ENDCAP_API_KEY"), server };
    session.run(&events, sender)
}

impl Options {
    /// Reads the command line.
    fn parse(project: &Project, arguments: &[String]) -> Result<Self> {
        let mut options = Self { port: PORT, fresh: false, watch: true, home: project.path(".endcap") };
        let mut rest = arguments.iter();
        while let Some(argument) = rest.next() {
            match argument.as_str() {
                "--fresh" => options.fresh = true,
                "--no-watch" => options.watch = false,
                "--port" => {
                    let port = rest.next().and_then(|port| port.parse().ok());
                    options.port = port.context("--port takes a number from 1 to 65535")?;
                }
                "--home" => {
                    let home = rest.next().context("--home takes a directory")?;
                    options.home = std::path::absolute(home)?;
                }
                other => bail!("unknown option `{other}`; `cargo xtask help` lists them"),
            }
        }
        Ok(options)
    }
}

/// A running server and what it needs to be kept up to date.
struct Session<'a> {
    project: &'a Project,
    tools: &'a Tools,
    options: &'a Options,
    key: String,
    server: Server,
}

impl Session<'_> {
    /// Waits for the server, fills it, says that it is ready, and follows changes until it ends.
    fn run(mut self, events: &Receiver<Event>, sender: Sender<Event>) -> Result<()> {
        if events.recv()? != Event::Ready {
            bail!("workerd did not start");
        }
        self.seed()?;
        // Kept alive for as long as the loop runs.
        let _watcher = match self.options.watch {
            true => Some(watch::start(self.project, sender)?),
            false => None,
        };
        println!("ready http://127.0.0.1:{}", self.options.port);
        loop {
            match watch::settled(events)? {
                Event::Ended => bail!("workerd ended"),
                Event::Ready => self.refresh(),
                Event::Changed => self.rebuild()?,
            }
        }
    }

    /// Rebuilds what changed. A mistake in the sources is shown, and the last good build served.
    fn rebuild(&mut self) -> Result<()> {
        match build::all(self.project, self.tools) {
            Ok(()) if build::fingerprint(self.project)? == self.server.serves => self.refresh(),
            Ok(()) => {
                self.server.serves = build::fingerprint(self.project)?;
                self.server.reload()?;
            }
            Err(error) => eprintln!("error: {error:#}"),
        }
        Ok(())
    }

    /// After a reload, or a change that needs none: the catalogue may be another.
    fn refresh(&self) {
        match self.seed() {
            Ok(()) => note(&format!("up to date: http://127.0.0.1:{}", self.options.port)),
            Err(error) => eprintln!("error: {error:#}"),
        }
    }

    /// Puts the demo's catalogue, campaigns and settings unless that was done with this state.
    fn seed(&self) -> Result<()> {
        let stamp = self.options.home.join("seeded");
        seed::put_changed(self.project, self.options.port, &self.key, &stamp)
    }
}

/// The worker's variables in local development.
fn variables(secrets: &Map<String, Value>, port: u16) -> Map<String, Value> {
    let origins = json!({
        "demo": [format!("http://127.0.0.1:{port}"), format!("http://localhost:{port}")],
    });
    let mut variables = secrets.clone();
    for (name, value) in [
        ("ENDCAP_DEV", "1".to_owned()),
        ("ENDCAP_SNAPSHOT_TTL_MS", "500".to_owned()),
        ("ENDCAP_LEARN_INTERVAL_MS", "1000".to_owned()),
        ("ENDCAP_PUSH_LOOPBACK", "1".to_owned()),
        ("ENDCAP_SOURCES", origins.to_string()),
    ] {
        variables.insert(name.to_owned(), Value::String(value));
    }
    variables
}

/// Fails with one line where something already listens.
fn check_free(port: u16) -> Result<()> {
    TcpListener::bind(("127.0.0.1", port))
        .map(drop)
        .with_context(|| format!("port {port} is taken; choose another with --port"))
}

/// A text among the secrets.
fn text(secrets: &Map<String, Value>, name: &str) -> String {
    let value = secrets.get(name).and_then(Value::as_str);
    value.unwrap_or_default().to_owned()
}
