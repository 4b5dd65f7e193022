//! `cargo xtask test`: everything that must hold, from formatting to real browsers, in the order
//! in which a mistake is found soonest.

use std::fs;
use std::panic::resume_unwind;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Result, bail};

use crate::build::{self, Build, Variant};
use crate::invariants::packages::pure;
use crate::project::Project;
use crate::run::{Steps, exists, note, run, step};
use crate::setup::{self, Tools, browsers, cargo, samples};
use crate::{bench, docs, fuzz, invariants, size};

/// The crates that only compile for the wasm target in earnest.
const WASM_PACKAGES: [&str; 4] = ["--package", "endcap-sdk", "--package", "endcap-edge"];

/// Folders of Node.js suites, in order: the worker in workerd, attacks on it, the rigs, the package, the book's samples,
/// browsers.
const SUITES: [&str; 6] = ["integration", "attack", "harness", "packaging", SAMPLES, "e2e"];
/// The one that uses `cargo xtask dev` as a newcomer does.
const SAMPLES: &str = "docs";

/// Suites of `tests/integration` about who is whom: they run once more with the identity graph in several parts, and with
/// the fragments of every person of several browsers in rows of their own.
const IN_PARTS: [&str; 11] = [
    "crash.test.mjs",
    "erasure.test.mjs",
    "event_segments.test.mjs",
    "kills.test.mjs",
    "log.test.mjs",
    "people.test.mjs",
    "profiles.test.mjs",
    "segments.test.mjs",
    "push.test.mjs",
    "reshard.test.mjs",
    "timers.test.mjs",
];
/// Variables of that: how many parts, and from how many bytes on fragments lie apart.
const PARTS: [(&str, &str); 2] = [("ENDCAP_TEST_GRAPH_PARTITIONS", "4"), ("ENDCAP_TEST_APART_BYTES", "1")];

/// A file of tests that takes longer, in milliseconds, hangs.
const FILE_LIMIT: &str = "--test-timeout=600000";

/// TypeScript projects that nothing bundles, so that nothing else would check their types.
const TYPED: [&str; 2] = ["demo-site/tsconfig.json", "tests/tsconfig.json"];

/// What became of a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Outcome {
    Passed,
    Failed,
    /// It needs what an earlier step did not bring about.
    Skipped,
}

/// A step, what became of it, and how long it took.
type Row = (String, Outcome, Duration);

/// The steps done so far.
struct Report {
    filters: Vec<String>,
    rows: Vec<Row>,
}

/// A check that needs nothing of what is built.
type Check = fn(&Project) -> Result<()>;
/// Those that run beside the build: one thread links the optimised worker for minutes, and leaves the rest of the machine idle.
const BESIDE: [(&str, Check); 3] = [("unit", unit), ("fuzz targets", fuzz::check), ("book", docs::check)];

/// What `--long` asks for: seeds of the simulation, seconds of fuzzing of each target, and people loaded.
const LONG_SEEDS: &str = "10000";
const LONG_FUZZING: &str = "600";
const LONG_PEOPLE: &str = "100000";

/// `cargo xtask test [filter …]`; `--sim N`: the simulation of linking alone, with N seeds; `--long`: what takes too long for
/// every change.
pub(crate) fn command(project: &Project, arguments: &[String]) -> Result<()> {
    let start = Instant::now();
    if let Some(at) = arguments.iter().position(|argument| argument == "--sim") {
        return simulate(project, arguments.get(at + 1).map(String::as_str));
    }
    if arguments.iter().any(|argument| argument == "--long") {
        return long(project);
    }
    let steps = Steps::of(setup::STEPS + build::ALL_STEPS);
    let tools = setup::for_build(project, &steps)?;
    let mut report = Report { filters: arguments.to_vec(), rows: Vec::new() };
    report.step("format", || run(cargo(project).args(["fmt", "--all", "--check"])));
    report.step("lint", || lint(project));
    report.step("lint wasm", || lint_wasm(project, &tools));
    report.step("invariants", || invariants::check(project));
    report.built(&Build::release(project, &tools, &steps))?;
    report.print(start.elapsed());
    if report.failed() {
        bail!("not everything passed");
    }
    Ok(())
}

impl Report {
    /// Runs a step whose name the filters keep.
    fn step(&mut self, name: &str, work: impl FnOnce() -> Result<()>) {
        if self.wants(name) {
            self.always(name, work);
        }
    }

    /// Runs a step and returns whether it passed. A failure is shown at once and at the end, and
    /// the other steps still run: one run tells all that is wrong.
    fn always(&mut self, name: &str, work: impl FnOnce() -> Result<()>) -> bool {
        let row = measured(name, work);
        let passed = row.1 == Outcome::Passed;
        self.rows.push(row);
        passed
    }

    /// Whether the filters keep a name; without filters everything is kept.
    fn wants(&self, name: &str) -> bool {
        self.filters.is_empty() || self.filters.iter().any(|filter| name.contains(filter))
    }

    /// The steps on what is built, with the build before them if any of them is wanted.
    fn built(&mut self, build: &Build<'_>) -> Result<()> {
        let project = build.project;
        let mut suites = Vec::new();
        for folder in SUITES {
            let files = suite_files(project, folder)?;
            let kept: Vec<PathBuf> = files.into_iter().filter(|file| self.wants(&label(folder, file))).collect();
            suites.push((folder, kept));
        }
        let any = suites.iter().any(|(_, files)| !files.is_empty());
        let samples = suites.iter().any(|(folder, files)| *folder == SAMPLES && !files.is_empty());
        let beside: Vec<(&str, Check)> = BESIDE.into_iter().filter(|(name, _)| self.wants(name)).collect();
        if !any && !["types", "size", "build"].iter().any(|name| self.wants(name)) {
            self.rows.extend(beside.iter().map(|(name, check)| measured(name, || check(project))));
            return Ok(());
        }
        let (ready, rows) = thread::scope(|scope| {
            let rows = scope.spawn(|| -> Vec<Row> {
                if samples {
                    build::compile_ahead(project, build.tools);
                }
                beside.iter().map(|(name, check)| measured(name, || check(project))).collect()
            });
            let ready = self.always("build", || build::all(build));
            (ready, rows.join().unwrap_or_else(|panic| resume_unwind(panic)))
        });
        self.rows.extend(rows);
        if ready {
            self.step("types", || types(project));
            self.step("size", || size::check(project));
            // After the types, which are those of the package that is published.
            if samples {
                self.development(build);
            }
            if any {
                browsers::ensure();
            }
        }
        for (folder, files) in suites.into_iter().filter(|(_, files)| !files.is_empty()) {
            if ready {
                self.always(folder, || suite(project, &files, &[]));
                let parted: Vec<PathBuf> =
                    files.into_iter().filter(|file| IN_PARTS.iter().any(|name| file.ends_with(name))).collect();
                if !parted.is_empty() {
                    self.always("in parts", || suite(project, &parted, &PARTS));
                }
            } else {
                self.rows.push((folder.to_owned(), Outcome::Skipped, Duration::ZERO));
            }
        }
        Ok(())
    }

    /// What `cargo xtask dev` serves, for the suite of the book's samples.
    fn development(&mut self, build: &Build<'_>) {
        samples::ensure();
        let steps = Steps::of(build::ALL_STEPS);
        let development = Build { variant: Variant::Development, steps: &steps, ..*build };
        self.always("build dev", || build::all(&development));
    }

    /// Whether anything failed or could not run. Filters that keep nothing are a mistake too.
    fn failed(&self) -> bool {
        self.rows.is_empty() || self.rows.iter().any(|(_, outcome, _)| *outcome != Outcome::Passed)
    }

    /// The table at the end.
    fn print(&self, total: Duration) {
        eprintln!();
        for (name, outcome, took) in &self.rows {
            let word = match outcome {
                Outcome::Passed => "passed",
                Outcome::Failed => "FAILED",
                Outcome::Skipped => "skipped",
            };
            eprintln!("  {name:14} {word:8} {:7.1} s", took.as_secs_f64());
        }
        eprintln!("  {:14} {:8} {:7.1} s", "total", "", total.as_secs_f64());
    }
}

/// Runs a step. What is wrong is shown at once, and the table at the end says that it failed.
fn measured(name: &str, work: impl FnOnce() -> Result<()>) -> Row {
    step(&format!("test: {name}"));
    let start = Instant::now();
    let result = work();
    if let Err(error) = &result {
        eprintln!("error: {error:#}");
    }
    let outcome = if result.is_ok() { Outcome::Passed } else { Outcome::Failed };
    (name.to_owned(), outcome, start.elapsed())
}

/// Lints the crates that run natively, with their tests.
fn lint(project: &Project) -> Result<()> {
    run(cargo(project)
        .args(["clippy", "--quiet", "--workspace", "--all-targets"])
        .args(["--exclude", "endcap-sdk", "--exclude", "endcap-edge"])
        .args(["--", "-D", "warnings"]))
}

/// Lints the other crates for the target that they are written for.
fn lint_wasm(project: &Project, tools: &Tools) -> Result<()> {
    if !tools.wasm.has_clippy() {
        note("this wasm toolchain has no clippy: only checking that the crates compile");
        let mut check = tools.wasm.cargo(project, "check");
        return run(check.arg("--quiet").args(WASM_PACKAGES));
    }
    let mut clippy = tools.wasm.cargo(project, "clippy");
    clippy.arg("--quiet").args(WASM_PACKAGES);
    run(clippy.args(["--", "-D", "warnings"]))
}

/// Unit and property tests, and the examples of the documentation.
fn unit(project: &Project) -> Result<()> {
    let mut tests = cargo(project);
    match exists("cargo-nextest") {
        true => tests.args(["nextest", "run", "--workspace"]),
        false => tests.args(["test", "--workspace", "--lib", "--bins", "--tests"]),
    };
    run(&mut tests)?;
    let mut examples = cargo(project);
    examples.args(["test", "--quiet", "--doc"]).args(pure().flat_map(|name| ["--package", name]));
    run(&mut examples)
}

/// The simulation of linking, optimized: thousands of seeds take minutes.
fn simulate(project: &Project, seeds: Option<&str>) -> Result<()> {
    let Some(seeds) = seeds.and_then(|text| text.parse::<u64>().ok()) else {
        bail!("--sim wants a number of seeds, such as 10000");
    };
    step(&format!("test: simulation with {seeds} seeds"));
    let start = Instant::now();
    let mut tests = cargo(project);
    tests.args(["test", "--release", "--package", "endcap-engine", "--test", "simulation"]);
    run(tests.env("ENDCAP_SIM_SEEDS", seeds.to_string()))?;
    note(&format!("{seeds} seeds passed in {:.0} s", start.elapsed().as_secs_f64()));
    Ok(())
}

/// What takes hours: run before work on what it touches is called done.
fn long(project: &Project) -> Result<()> {
    simulate(project, Some(LONG_SEEDS))?;
    let text = |words: &[&str]| -> Vec<String> { words.iter().map(|word| (*word).to_owned()).collect() };
    fuzz::command(project, &text(&["--seconds", LONG_FUZZING]))?;
    bench::command(project, &text(&["replay"]))?;
    bench::command(project, &text(&["identity", "--profiles", LONG_PEOPLE]))?;
    bench::command(project, &text(&["--check"]))
}

/// Type checks of the TypeScript and JavaScript that the build only strips or runs.
fn types(project: &Project) -> Result<()> {
    for file in TYPED.iter().filter(|file| project.path(file).exists()) {
        let mut tsc = Command::new(project.node_bin("tsc"));
        run(tsc.current_dir(&project.root).args(["--noEmit", "--project", file]))?;
    }
    Ok(())
}

/// The suites of a folder, in a fixed order.
fn suite_files(project: &Project, folder: &str) -> Result<Vec<PathBuf>> {
    let path = project.path("tests").join(folder);
    if !path.exists() {
        return Ok(Vec::new());
    }
    let mut files = fs::read_dir(path)?.map(|entry| Ok(entry?.path())).collect::<Result<Vec<_>>>()?;
    files.retain(|file| file.to_string_lossy().ends_with(".test.mjs"));
    files.sort();
    Ok(files)
}

/// Runs suites one after the other: they measure, and browsers on few cores disturb each other.
fn suite(project: &Project, files: &[PathBuf], variables: &[(&str, &str)]) -> Result<()> {
    let mut node = Command::new("node");
    node.current_dir(&project.root)
        .args(["--test", "--test-concurrency=1", "--test-reporter=spec", FILE_LIMIT])
        .args(files)
        .env("WRANGLER_SEND_METRICS", "false")
        .envs(variables.iter().copied())
        .envs(browsers::environment());
    run(&mut node)
}

/// What filters are compared with: folder and file name.
fn label(folder: &str, file: &Path) -> String {
    let name = file.file_name().unwrap_or_default().to_string_lossy();
    format!("{folder}/{name}")
}
