//! `cargo xtask dev`: builds everything, serves the demo shop with the edge in local workerd,
//! and rebuilds what changes.
//!
//! The build is made for quick edits ([`Variant::Development`]); `--release` serves what would be deployed.
//!
//! Kept between runs in the ignored folder `.endcap/` (another with `--home`): `dev.json`, the
//! local secrets; `state/`, what the Durable Objects stored; `run.json`, which processes run;
//! `seeded`, which catalogue was put.

mod event;
mod process;
pub(crate) mod secrets;
pub(crate) mod seed;
mod watch;

use std::collections::BTreeMap;
use std::fs;
use std::net::TcpListener;
use std::path::PathBuf;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;
use std::time::Instant;

use anyhow::{Context, Result, bail};
use serde_json::{Map, Value, json};

use crate::build::{self, ASSETS, Build, Variant};
use crate::project::Project;
use crate::run::{Steps, clock, note};
use crate::setup;
use event::{Changed, Event};
use process::Server;

/// The port unless `--port` names another.
pub(crate) const PORT: u16 = 8787;

/// Steps after the build: the server, and what it is filled with.
const STEPS: u32 = 2;

/// What the command line asked for.
struct Options {
    port: u16,
    fresh: bool,
    watch: bool,
    variant: Variant,
    home: PathBuf,
    /// Sources besides those that are always there, each with the origins of its pages.
    sources: BTreeMap<String, Vec<String>>,
}

/// `cargo xtask dev`.
pub(crate) fn command(project: &Project, arguments: &[String]) -> Result<()> {
    let options = Options::parse(project, arguments)?;
    let steps = Steps::of(setup::STEPS + build::ALL_STEPS + STEPS);
    let tools = setup::for_build(project, &steps)?;
    let build = Build { project, tools: &tools, variant: options.variant, steps: &steps };
    build::all(&build)?;
    fs::create_dir_all(&options.home)?;
    // `edge/wrangler.toml` names it, and wrangler's reader wants it to be there.
    fs::create_dir_all(project.target(ASSETS))?;
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
        "built": build.target(""),
        "variables": variables(&secrets, &options),
    });
    let (sender, events) = channel();
    let server = steps.step("workerd", || {
        let server = Server::start(&build, &settings, &record, sender.clone())?;
        if events.recv()? != Event::Ready {
            bail!("workerd did not start");
        }
        Ok(server)
    })?;
    let session = Session { build, options: &options, key: text(&secrets, "ENDCAP_API_KEY"), server };
    steps.step("the shop's catalogue and campaigns", || session.seed())?;
    session.run(&events, sender)
}

impl Options {
    /// Reads the command line.
    fn parse(project: &Project, arguments: &[String]) -> Result<Self> {
        let home = project.path(".endcap");
        let (variant, sources) = (Variant::Development, BTreeMap::new());
        let mut options = Self { port: PORT, fresh: false, watch: true, variant, home, sources };
        let mut rest = arguments.iter();
        while let Some(argument) = rest.next() {
            match argument.as_str() {
                "--fresh" => options.fresh = true,
                "--no-watch" => options.watch = false,
                "--release" => options.variant = Variant::Release,
                "--port" => {
                    let port = rest.next().and_then(|port| port.parse().ok());
                    options.port = port.context("--port takes a number from 1 to 65535")?;
                }
                "--source" => {
                    let named = rest.next().and_then(|source| source.split_once('='));
                    let (name, origin) = named.context("--source takes NAME=ORIGIN, as shop=http://localhost:5173")?;
                    check_source(name, origin)?;
                    options.sources.entry(name.to_owned()).or_default().push(origin.to_owned());
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
    build: Build<'a>,
    options: &'a Options,
    key: String,
    server: Server,
}

impl Session<'_> {
    /// Says that the shop is ready, and follows changes until the server ends.
    fn run(mut self, events: &Receiver<Event>, sender: Sender<Event>) -> Result<()> {
        // Kept alive for as long as the loop runs.
        let _watcher = match self.options.watch {
            true => Some(watch::start(self.build.project, sender)?),
            false => None,
        };
        note(&format!("ready after {} on {} cores", clock(self.build.steps.elapsed()), cores()));
        println!("ready http://127.0.0.1:{}", self.options.port);
        let mut edited = Instant::now();
        loop {
            match watch::settled(events)? {
                Event::Ended => bail!("workerd ended"),
                Event::Ready => self.refresh(edited),
                Event::Changed(what) => {
                    edited = Instant::now();
                    self.rebuild(what, edited)?;
                }
            }
        }
    }

    /// Rebuilds what changed. A mistake in the sources is shown, and the last good build served.
    fn rebuild(&mut self, changed: Changed, edited: Instant) -> Result<()> {
        let steps = match changed {
            Changed::Pages => Steps::of(build::PAGE_STEPS),
            Changed::All => Steps::of(build::ALL_STEPS),
        };
        let build = Build { steps: &steps, ..self.build };
        let result = match changed {
            Changed::Pages => build::pages(&build),
            Changed::All => build::all(&build),
        };
        if let Err(error) = result {
            eprintln!("error: {error:#}");
            return Ok(());
        }
        let built = build::fingerprint(&build)?;
        if built == self.server.serves {
            self.refresh(edited);
            return Ok(());
        }
        self.server.serves = built;
        self.server.reload()
    }

    /// After a reload, or a change that needs none: the catalogue may be another.
    fn refresh(&self, edited: Instant) {
        match self.seed() {
            Ok(()) => {
                let took = edited.elapsed().as_secs_f64();
                note(&format!("live {took:.1} s after the edit: http://127.0.0.1:{}", self.options.port));
            }
            Err(error) => eprintln!("error: {error:#}"),
        }
    }

    /// Puts the demo's catalogue, campaigns and settings unless that was done with this state.
    fn seed(&self) -> Result<()> {
        let stamp = self.options.home.join("seeded");
        seed::put_changed(self.build.project, self.options.port, &self.key, &stamp, &[])
    }
}

/// Processors that this machine has for us.
fn cores() -> usize {
    thread::available_parallelism().map_or(1, usize::from)
}

/// The worker's variables in local development.
fn variables(secrets: &Map<String, Value>, options: &Options) -> Map<String, Value> {
    let port = options.port;
    let mut origins = BTreeMap::from([
        ("demo".to_owned(), vec![format!("http://127.0.0.1:{port}"), format!("http://localhost:{port}")]),
        // Pages of one's own, wherever they are served.
        ("shop".to_owned(), vec!["*".to_owned()]),
    ]);
    for (source, more) in &options.sources {
        origins.entry(source.clone()).or_default().extend(more.iter().cloned());
    }
    let origins = json!(origins);
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

/// Refuses a source that no page could name, and an origin that no browser would send.
fn check_source(name: &str, origin: &str) -> Result<()> {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    if !(1..=64).contains(&name.len()) || !name.bytes().all(plain) {
        bail!("--source {name}={origin}: a source is named by letters, digits, - and _");
    }
    let host = origin.strip_prefix("https://").or_else(|| origin.strip_prefix("http://"));
    if origin != "*" && host.is_none_or(|host| host.is_empty() || host.contains(['/', '?', '#'])) {
        bail!(
            "--source {name}={origin}: an origin is scheme, host and port with nothing behind, as http://localhost:5173; or *"
        );
    }
    Ok(())
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sources_are_named_with_the_origins_of_their_pages() {
        for (name, origin) in [("shop", "http://localhost:5173"), ("my_shop-2", "https://shop.example"), ("any", "*")] {
            assert!(check_source(name, origin).is_ok(), "{name}={origin}");
        }
        for (name, origin) in [
            ("", "*"),
            ("a b", "*"),
            ("shop", "localhost:5173"),
            ("shop", "http://localhost:5173/"),
            ("shop", "http://"),
        ] {
            assert!(check_source(name, origin).is_err(), "{name}={origin}");
        }
    }
}
