//! `cargo xtask size`: what a page loads, compressed as it is served, against the budget.

use std::fs;

use anyhow::{Result, bail};
use serde_json::{Value, json};

use crate::build::compress::{brotli, gzip};
use crate::build::{self, ASSETS};
use crate::project::Project;
use crate::setup;

/// Budgets in bytes of brotli: for a page's total, its loader, what it loads when idle, and the service worker.
const PAGE_BUDGET: usize = 30 * 1024;
const LOADER_BUDGET: usize = 3 * 1024;
const CORE_BUDGET: usize = 16 * 1024;
const SERVICE_WORKER_BUDGET: usize = 4 * 1024;

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

/// When the fallback is loaded: instead of the core, so it adds nothing to a page's total.
const INSTEAD: &str = "instead of core";
/// When the service worker is loaded: by no page.
const BACKGROUND: &str = "background";

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
    /// When a page loads it: with the page, when it is idle, instead of the core as WebAssembly where
    /// that is forbidden, in the background, or at the first need.
    fn when(&self) -> &'static str {
        match self.path.as_str() {
            "ec/endcap.js" => "load",
            "ec/core.js" | "ec/core.wasm" => "idle",
            "ec/fallback.js" => INSTEAD,
            "endcap-sw.js" => BACKGROUND,
            _ => "later",
        }
    }

    /// Whether an ordinary page loads it.
    fn is_of_page(&self) -> bool {
        ![INSTEAD, BACKGROUND].contains(&self.when())
    }
}

/// `cargo xtask size [--json]`.
pub(crate) fn command(project: &Project, arguments: &[String]) -> Result<()> {
    let tools = setup::for_build(project)?;
    build::sdk(project, &tools)?;
    check(project, arguments.iter().any(|argument| argument == "--json"))
}

/// Measures what is built, prints it, and fails where a budget is exceeded.
pub(crate) fn check(project: &Project, as_json: bool) -> Result<()> {
    let files = measure(project)?;
    let sum = |keep: &dyn Fn(&File) -> bool| {
        let kept = files.iter().filter(|file| keep(file));
        kept.fold(Bytes::default(), |sum, file| sum.plus(file.bytes))
    };
    let page = sum(&File::is_of_page);
    let loader = sum(&|file| file.when() == "load");
    let core = sum(&|file| file.when() == "idle");
    let service_worker = sum(&|file| file.when() == BACKGROUND);
    if as_json {
        let listed: Vec<Value> = files
            .iter()
            .filter(|file| file.when() != BACKGROUND)
            .map(|file| {
                let Bytes { raw, gzip, brotli } = file.bytes;
                json!({ "path": file.path, "when": file.when(), "raw": raw, "gzip": gzip, "brotli": brotli })
            })
            .collect();
        println!(
            "{:#}",
            json!({
                "page": page.json(),
                "loader": loader.json(),
                "core": core.json(),
                "service_worker": service_worker.json(),
                "files": listed,
                "peers": PEERS.map(|(name, kilobytes, _)| json!({ "name": name, "brotli_kb": kilobytes })),
            })
        );
    } else {
        print_table(&files, &[("loader", loader), ("core", core), ("page", page)]);
        print_peers(page);
    }
    within("page", page, PAGE_BUDGET)?;
    within("loader", loader, LOADER_BUDGET)?;
    within("core", core, CORE_BUDGET)?;
    within("service worker", service_worker, SERVICE_WORKER_BUDGET)
}

/// Every file that the edge serves to browsers.
fn measure(project: &Project) -> Result<Vec<File>> {
    let root = project.target(ASSETS);
    let mut files = Vec::new();
    for file in build::browser_files(project)? {
        files.push(File {
            path: file.strip_prefix(&root)?.to_string_lossy().into_owned(),
            bytes: Bytes::of(&fs::read(&file)?)?,
        });
    }
    Ok(files)
}

/// Prints files and sums for people.
fn print_table(files: &[File], sums: &[(&str, Bytes)]) {
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
