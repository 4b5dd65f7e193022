//! One workerd process with some of: the worker, the worker once more with development routes, and
//! the baseline, each on a port of its own.

use std::fs;
use std::net::TcpListener;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use crate::project::Project;

/// The key of the server API, for filling the shop: this runtime is reachable from here only.
pub(super) const API_KEY: &str = "bench";

/// The key of identify proofs.
pub(super) const IDENTITY_SECRET: &str = "bench";
/// The write key of the shop's server.
pub(super) const SERVER_KEY: &str = "bench-server-key-0000-0000-0000";

/// Runs workerd until the standard input ends, so that it ends with this tool even when the tool
/// is killed: workerd itself would go on.
const GUARD: &str = "\"$0\" serve config.capnp & read -r _; kill $!; wait";

/// What a port answers with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Service {
    /// The worker as it is deployed.
    Ours,
    /// The worker with development routes, which tell how many rows it wrote.
    Counting,
    /// The minimal JavaScript worker.
    Baseline,
}

impl Service {
    /// All of them.
    pub(super) const ALL: [Self; 3] = [Self::Ours, Self::Counting, Self::Baseline];

    /// For people and for the configuration.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Ours => "ours",
            Self::Counting => "counting",
            Self::Baseline => "baseline",
        }
    }

    /// Where batches go.
    pub(super) fn path(self) -> &'static str {
        "/ec/e"
    }

    /// Where rows are told.
    pub(super) fn rows_path(self) -> &'static str {
        "/ec/dev/rows"
    }
}

/// The process; it ends when this is dropped.
pub(super) struct Runtime {
    process: Child,
    ports: Vec<(Service, u16)>,
}

impl Runtime {
    /// Starts the services on empty storage, and waits until their ports are open.
    pub(super) fn start(project: &Project, services: &[Service]) -> Result<Self> {
        let runtime = Self::spawn(project, services)?;
        runtime.wait()?;
        Ok(runtime)
    }

    /// Starts the services on empty storage.
    pub(super) fn spawn(project: &Project, services: &[Service]) -> Result<Self> {
        let folder = project.target("bench");
        let _ = fs::remove_dir_all(&folder);
        for service in services {
            fs::create_dir_all(folder.join("state").join(service.name()))?;
        }
        let ports: Vec<(Service, u16)> = services.iter().copied().zip(free_ports()?).collect();
        fs::copy(project.path("xtask/runtime/baseline.mjs"), folder.join("baseline.mjs"))?;
        for file in ["worker.js", "index_bg.wasm"] {
            fs::copy(project.target("edge").join(file), folder.join(file))?;
        }
        fs::write(folder.join("config.capnp"), configuration(&folder.display().to_string(), &ports))?;
        let log = fs::File::create(folder.join("workerd.log"))?;
        let process = Command::new("sh")
            .args(["-c", GUARD])
            .arg(workerd(project))
            .current_dir(&folder)
            .stdin(Stdio::piped())
            // The worker's log, and what workerd says of objects that it has put aside, are nothing that a person has to
            // read, and no part of the figures.
            .stdout(log.try_clone()?)
            .stderr(log)
            .spawn()
            .context("cannot start workerd")?;
        Ok(Self { process, ports })
    }

    /// The port of a service that was started.
    pub(super) fn port(&self, service: Service) -> u16 {
        self.ports.iter().find_map(|(started, port)| (*started == service).then_some(*port)).unwrap_or_default()
    }

    /// The shell that guards workerd.
    pub(super) fn guard(&self) -> u32 {
        self.process.id()
    }

    /// Waits until every port is open.
    fn wait(&self) -> Result<()> {
        let start = Instant::now();
        for (_, port) in &self.ports {
            while std::net::TcpStream::connect(("127.0.0.1", *port)).is_err() {
                if start.elapsed() > Duration::from_secs(20) {
                    bail!("workerd did not start; target/bench/workerd.log says why");
                }
                thread::sleep(Duration::from_millis(20));
            }
        }
        Ok(())
    }
}

impl Drop for Runtime {
    fn drop(&mut self) {
        drop(self.process.stdin.take());
        let _ = self.process.wait();
    }
}

/// The native binary: the program that npm links would only start it, and outlive being killed.
fn workerd(project: &Project) -> PathBuf {
    let os = match std::env::consts::OS {
        "macos" => "darwin",
        other => other,
    };
    let bits = match std::env::consts::ARCH {
        "aarch64" => "arm64",
        _ => "64",
    };
    project.path(&format!("node_modules/@cloudflare/workerd-{os}-{bits}/bin/workerd"))
}

/// Three ports on which nothing listens.
fn free_ports() -> Result<[u16; 3]> {
    let bind = || TcpListener::bind(("127.0.0.1", 0));
    // All are held at once, so that they differ.
    let held = [bind()?, bind()?, bind()?];
    let mut ports = [0; 3];
    for (port, listener) in ports.iter_mut().zip(&held) {
        *port = listener.local_addr()?.port();
    }
    Ok(ports)
}

/// The configuration in workerd's own format (`workerd.capnp`).
fn configuration(folder: &str, ports: &[(Service, u16)]) -> String {
    let mut services = String::new();
    let mut sockets = String::new();
    let mut workers = String::new();
    for (service, port) in ports {
        let name = service.name();
        services.push_str(&format!(
            "(name = \"{name}\", worker = .{name}),\n\
             (name = \"{name}-disk\", disk = (path = \"{folder}/state/{name}\", writable = true)),\n"
        ));
        sockets.push_str(&format!(
            "(name = \"{name}\", address = \"127.0.0.1:{port}\", http = (), service = \"{name}\"),\n"
        ));
        workers.push_str(&match service {
            Service::Baseline => baseline(),
            Service::Ours => worker(name, ""),
            Service::Counting => worker(name, "(name = \"ENDCAP_DEV\", text = \"1\"),"),
        });
    }
    format!(
        "using Workerd = import \"/workerd/workerd.capnp\";\n\
         const config :Workerd.Config = (services = [\n{services}],\nsockets = [\n{sockets}]);\n{workers}"
    )
}

/// A copy of the worker.
fn worker(name: &str, more: &str) -> String {
    let objects = [("PROFILE_SHARD", "ProfileShard"), ("SHOP", "Shop"), ("IDENTITY_GRAPH", "IdentityGraph")];
    let bindings: String = objects
        .iter()
        .map(|(binding, class)| format!("(name = \"{binding}\", durableObjectNamespace = \"{class}\"),\n"))
        .collect();
    let namespaces: String = objects
        .iter()
        .map(|(_, class)| format!("(className = \"{class}\", uniqueKey = \"{name}-{class}\", enableSql = true),\n"))
        .collect();
    format!(
        "const {name} :Workerd.Worker = (
  modules = [
    (name = \"worker.js\", esModule = embed \"worker.js\"),
    (name = \"index_bg.wasm\", wasm = embed \"index_bg.wasm\"),
  ],
  compatibilityDate = \"2026-04-01\",
  bindings = [
    {bindings}{more}
    (name = \"ENDCAP_API_KEY\", text = \"{API_KEY}\"),
    (name = \"ENDCAP_IDENTITY_SECRET\", text = \"{IDENTITY_SECRET}\"),
    (name = \"ENDCAP_SERVER_KEYS\", text = \"{{\\\"{SERVER_KEY}\\\":\\\"demo\\\"}}\"),
    (name = \"ENDCAP_SIGNING_KEYS\", text = \"k1:YmVuY2htYXJrLWtleS1iZW5jaG1hcmsta2V5LTAwMDE\"),
    (name = \"ENDCAP_SHARDS\", text = \"16\"),
    (name = \"ENDCAP_SOURCES\", text = \"{{\\\"demo\\\":[\\\"*\\\"]}}\"),
  ],
  durableObjectNamespaces = [{namespaces}],
  durableObjectStorage = (localDisk = \"{name}-disk\"),
);
"
    )
}

/// The minimal worker.
fn baseline() -> String {
    "const baseline :Workerd.Worker = (
  modules = [(name = \"baseline.mjs\", esModule = embed \"baseline.mjs\")],
  compatibilityDate = \"2026-04-01\",
  bindings = [(name = \"STORE\", durableObjectNamespace = \"Store\")],
  durableObjectNamespaces = [(className = \"Store\", uniqueKey = \"store\", enableSql = true)],
  durableObjectStorage = (localDisk = \"baseline-disk\"),
);
"
    .to_owned()
}
