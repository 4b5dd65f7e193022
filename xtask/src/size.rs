//! `cargo xtask size`: what a page loads, compressed as it is served, and the worker as it is uploaded, against
//! their budgets.

use std::fs;

use anyhow::{Result, bail};
use serde_json::{Map, Value, json};

use crate::bench::start_up::{self, StartUp};
use crate::build::compress::{brotli, gzip};
use crate::build::{self, ASSETS, Build, Variant};
use crate::project::Project;
use crate::run::{Steps, step};
use crate::setup;

/// Budgets in bytes of brotli: for a page's total, its loader, what it loads when idle, and the service worker.
const PAGE_BUDGET: usize = 28 * 1024;
const LOADER_BUDGET: usize = 3 * 1024 + 256;
const CORE_BUDGET: usize = 17 * 1024 + 256;
const SERVICE_WORKER_BUDGET: usize = 4 * 1024;

/// Budget of the worker in bytes of gzip: what Cloudflare's free plan takes (3 MB).
const WORKER_BUDGET: usize = 3_000_000;
/// CPU time that the worker may add to the runtime's own start, in milliseconds.
const START_UP_BUDGET_MS: f64 = 200.0;

/// What pages load of other vendors, in KB of brotli as the design records it (November 2026).
const PEERS: [(&str, usize, &str); 7] = [
    ("PostHog", 145, "102 and 43 for surveys"),
    ("Braze", 64, ""),
    ("OneSignal", 60, "41 and 19 for its worker"),
    ("Amplitude", 57, "tracks only"),
    ("RudderStack", 46, "tracks only"),
    ("Segment", 27, "tracks only"),
    ("Snowplow", 23, "tracks only"),
];

/// When the service worker is loaded: by no page.
const BACKGROUND: &str = "background";

/// Files that an ordinary page does not load, and when they are loaded.
const APART: [(&str, &str); 7] = [
    ("ec/fallback.js", "instead of core"),
    ("endcap-sw.js", BACKGROUND),
    // Where something is wrong, or in debug mode; where the core does not run.
    ("ec/problems.js", "in case of trouble"),
    ("ec/raw.js", "in case of trouble"),
    // With the first pop-up of a template beyond the basic one.
    ("ec/banner.js", "with a template"),
    // Once the visitor allowed notifications.
    ("ec/subscribe.js", "once allowed"),
    // By a shop that has several domains.
    ("ec/cross.js", "with domains"),
];

/// Bytes of a file or of several, each compressed by itself as it is served.
#[derive(Clone, Copy, Debug, Default)]
struct Bytes {
    raw: usize,
    gzip: usize,
    brotli: usize,
}

impl Bytes {
    /// Measures one file's content.
    fn of(content: &[u8]) -> Result<Self> {
        Ok(Self { raw: content.len(), gzip: gzip(content)?.len(), brotli: brotli(content)?.len() })
    }

    /// The sum of two.
    fn plus(self, other: Self) -> Self {
        Self { raw: self.raw + other.raw, gzip: self.gzip + other.gzip, brotli: self.brotli + other.brotli }
    }

    /// As it is printed.
    fn json(self) -> Value {
        json!({ "raw": self.raw, "gzip": self.gzip, "brotli": self.brotli })
    }
}

/// One file of the browser's.
struct File {
    path: String,
    bytes: Bytes,
}

impl File {
    /// When it is loaded, if not by an ordinary page.
    fn apart(&self) -> Option<&'static str> {
        APART.iter().find(|(path, _)| *path == self.path).map(|(_, when)| *when)
    }

    /// When it is loaded: with the page, when it is idle, at the first need, or apart.
    fn when(&self) -> &'static str {
        self.apart().unwrap_or(match self.path.as_str() {
            "ec/endcap.js" => "load",
            "ec/core.js" | "ec/core.wasm" => "idle",
            _ => "later",
        })
    }

    /// Whether an ordinary page loads it.
    fn is_of_page(&self) -> bool {
        self.apart().is_none()
    }
}

/// `cargo xtask size [--json]`.
pub(crate) fn command(project: &Project, arguments: &[String]) -> Result<()> {
    let steps = Steps::of(setup::STEPS + 3);
    let tools = setup::for_build(project, &steps)?;
    let build = Build::release(project, &tools, &steps);
    build::sdk(&build)?;
    build::edge(&build)?;
    let sizes = Sizes::measure(project)?;
    let start = ColdStart::measure(project)?;
    if arguments.iter().any(|argument| argument == "--json") {
        let mut figures = sizes.json();
        figures.insert("start_up".to_owned(), start.json());
        println!("{:#}", Value::Object(figures));
    } else {
        sizes.print();
        start.print();
    }
    sizes.within_budgets()?;
    start.within_budget()
}

/// Measures the bytes of what is built, prints them, and fails where a budget is exceeded.
pub(crate) fn check(project: &Project) -> Result<()> {
    let sizes = Sizes::measure(project)?;
    sizes.print();
    sizes.within_budgets()
}

/// All that is measured in bytes.
struct Sizes {
    files: Vec<File>,
    worker: Uploaded,
}

/// Bytes of the worker, as the platform counts them. Nobody downloads it, so brotli says nothing of it.
#[derive(Clone, Copy, Debug)]
struct Uploaded {
    raw: usize,
    gzip: usize,
}

impl Sizes {
    /// Reads and compresses what is built.
    fn measure(project: &Project) -> Result<Self> {
        let mut worker = Uploaded { raw: 0, gzip: 0 };
        for file in build::worker_files(project, Variant::Release) {
            let content = fs::read(file)?;
            worker.raw += content.len();
            worker.gzip += gzip(&content)?.len();
        }
        Ok(Self { files: measure(project)?, worker })
    }

    /// The sum of the files that `keep` keeps.
    fn sum(&self, keep: impl Fn(&File) -> bool) -> Bytes {
        let kept = self.files.iter().filter(|file| keep(file));
        kept.fold(Bytes::default(), |sum, file| sum.plus(file.bytes))
    }

    /// What an ordinary page loads in all.
    fn page(&self) -> Bytes {
        self.sum(File::is_of_page)
    }

    /// What is loaded at one moment.
    fn when(&self, when: &str) -> Bytes {
        self.sum(|file| file.when() == when)
    }

    /// As it is printed for programs.
    fn json(&self) -> Map<String, Value> {
        let listed = self.files.iter().filter(|file| file.when() != BACKGROUND).map(|file| {
            let Bytes { raw, gzip, brotli } = file.bytes;
            json!({ "path": file.path, "when": file.when(), "raw": raw, "gzip": gzip, "brotli": brotli })
        });
        let parts = [
            ("page", self.page().json()),
            ("loader", self.when("load").json()),
            ("core", self.when("idle").json()),
            ("service_worker", self.when(BACKGROUND).json()),
            ("worker", json!({ "raw": self.worker.raw, "gzip": self.worker.gzip })),
            ("files", listed.collect()),
            ("peers", json!(PEERS.map(|(name, kilobytes, _)| json!({ "name": name, "brotli_kb": kilobytes })))),
        ];
        parts.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
    }

    /// For people.
    fn print(&self) {
        let sums = [("loader", self.when("load")), ("core", self.when("idle")), ("page", self.page())];
        print_table(&self.files, &sums, self.worker);
        print_peers(self.page());
    }

    /// Fails with one line where a budget is exceeded.
    fn within_budgets(&self) -> Result<()> {
        within("page", self.page(), PAGE_BUDGET)?;
        within("loader", self.when("load"), LOADER_BUDGET)?;
        within("core", self.when("idle"), CORE_BUDGET)?;
        within("service worker", self.when(BACKGROUND), SERVICE_WORKER_BUDGET)?;
        if self.worker.gzip > WORKER_BUDGET {
            bail!("worker: {} bytes of gzip exceed the budget of {WORKER_BUDGET}", self.worker.gzip);
        }
        Ok(())
    }
}

/// How the worker starts, beside the minimal one.
struct ColdStart {
    ours: StartUp,
    minimal: StartUp,
}

impl ColdStart {
    /// Starts both, in turns.
    fn measure(project: &Project) -> Result<Self> {
        step("cold starts of the worker and of a minimal one");
        let (ours, minimal) = start_up::measure(project)?;
        Ok(Self { ours, minimal })
    }

    /// CPU time that is the worker's own.
    fn own_cpu_ms(&self) -> Option<f64> {
        start_up::own_cpu_ms(self.ours, self.minimal)
    }

    /// As it is printed for programs.
    fn json(&self) -> Value {
        let figures = |start: StartUp| json!({ "answer_ms": start.answer_ms, "cpu_ms": start.cpu_ms });
        json!({ "worker": figures(self.ours), "minimal": figures(self.minimal), "own_cpu_ms": self.own_cpu_ms() })
    }

    /// For people.
    fn print(&self) {
        println!("\n{:24} {:>12} {:>8}", "cold start", "answer ms", "CPU ms");
        for (name, start) in [("worker", self.ours), ("minimal worker", self.minimal)] {
            let cpu = start.cpu_ms.map_or("unknown".to_owned(), |cpu| format!("{cpu:.0}"));
            println!("{name:24} {:12.0} {cpu:>8}", start.answer_ms);
        }
        if let Some(own) = self.own_cpu_ms() {
            println!("{:24} {:12.0} {own:8.0}", "= own", self.ours.answer_ms - self.minimal.answer_ms);
        }
    }

    /// Fails where the start takes too much.
    fn within_budget(&self) -> Result<()> {
        match self.own_cpu_ms() {
            Some(own) if own > START_UP_BUDGET_MS => {
                bail!("the worker's start: {own:.0} ms of CPU exceed the budget of {START_UP_BUDGET_MS}")
            }
            _ => Ok(()),
        }
    }
}

/// Every file that the edge serves to browsers.
fn measure(project: &Project) -> Result<Vec<File>> {
    let root = project.target(ASSETS);
    let mut files = Vec::new();
    for file in build::browser_files(project, Variant::Release)? {
        files.push(File {
            path: file.strip_prefix(&root)?.to_string_lossy().into_owned(),
            bytes: Bytes::of(&fs::read(&file)?)?,
        });
    }
    Ok(files)
}

/// Prints files and sums for people.
fn print_table(files: &[File], sums: &[(&str, Bytes)], worker: Uploaded) {
    println!("{:16} {:15} {:>8} {:>8} {:>8}", "", "when", "raw", "gzip", "brotli");
    let row = |name: &str, when: &str, bytes: Bytes| {
        let Bytes { raw, gzip, brotli } = bytes;
        println!("{name:16} {when:15} {raw:8} {gzip:8} {brotli:8}");
    };
    for file in files {
        row(&file.path, file.when(), file.bytes);
    }
    for (name, bytes) in sums {
        row(&format!("= {name}"), "", *bytes);
    }
    println!("{:16} {:15} {:8} {:8}", "worker", "at the edge", worker.raw, worker.gzip);
}

/// Prints a page's total beside those of other vendors.
fn print_peers(page: Bytes) {
    println!("\n{:16} {:>8} {:>6}", "", "KB", "ratio");
    let ours = page.brotli as f64 / 1024.0;
    println!("{:16} {ours:8.1} {:6.1}  tracks, decides, shows, asks about push", "Endcap", 1.0);
    for (name, kilobytes, note) in PEERS {
        println!("{}", format!("{name:16} {kilobytes:8} {:6.1}  {note}", kilobytes as f64 / ours).trim_end());
    }
}

/// Fails with one line where a budget is exceeded.
fn within(name: &str, bytes: Bytes, budget: usize) -> Result<()> {
    if bytes.brotli > budget {
        bail!("{name}: {} bytes of brotli exceed the budget of {budget}", bytes.brotli);
    }
    Ok(())
}
