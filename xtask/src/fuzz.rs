//! `cargo xtask fuzz`: builds the targets in `fuzz/` for libFuzzer, lets them run, one on each processor, and says
//! what came of it.
//!
//! Every compiler can do that, also a stable one: the coverage that libFuzzer steers by comes from a pass of LLVM
//! (SanitizerCoverage). No sanitizer is built in, because the code under test has no `unsafe`; what is found are panics,
//! overflows, endless loops and memory without bound.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus};
use std::sync::Mutex;
use std::thread;

use anyhow::{Context, Result, bail};

use crate::project::Project;
use crate::run::{exists, first_line, note, run, step, timed};
use crate::setup::cargo;

/// Seconds that each target runs, unless `--seconds` names another number.
const SECONDS: u64 = 600;

/// An input that takes longer, in seconds, or more memory, in MB, counts as a crash.
const TIMEOUT: u64 = 20;
const MEMORY: u64 = 2048;

/// What makes the compiler count coverage the way that libFuzzer reads it, with checks of overflow.
const FLAGS: [&str; 7] = [
    "-Cpasses=sancov-module",
    "-Cllvm-args=-sanitizer-coverage-level=4",
    "-Cllvm-args=-sanitizer-coverage-inline-8bit-counters",
    "-Cllvm-args=-sanitizer-coverage-pc-table",
    "-Cllvm-args=-sanitizer-coverage-trace-compares",
    "-Cdebug-assertions",
    "--cfg=fuzzing",
];

/// Folders of good inputs besides `fuzz/seeds/TARGET`.
const SEEDS: [(&str, &str); 5] = [
    ("stored", "edge/engine/tests/fixtures"),
    ("rules", "edge/engine/tests/fixtures"),
    ("server", "demo-site/seed"),
    ("webhook", "edge/events/src/webhook/fixtures"),
    ("webhook", "edge/events/src/webhook/preset"),
];

/// What is asked for.
#[derive(Debug, PartialEq, Eq)]
struct Asked {
    targets: Vec<String>,
    seconds: u64,
}

/// What libFuzzer printed about a run.
#[derive(Debug, Default, PartialEq, Eq)]
struct Figures {
    /// Inputs tried.
    runs: u64,
    /// Edges of the code that some input reached.
    coverage: u64,
    /// Inputs kept because they reach something that no other does.
    corpus: u64,
}

/// `cargo xtask fuzz [target …] [--seconds N]`.
pub(crate) fn command(project: &Project, arguments: &[String]) -> Result<()> {
    let all = targets(project)?;
    let asked = Asked::read(arguments, &all)?;
    let host = check_tools()?;
    let built = timed("fuzz: build", || build(project, &host))?;
    println!("{:12} {:>12} {:>9} {:>8}  result", "target", "runs", "coverage", "corpus");
    match try_all(project, &built, &asked)? {
        0 => println!("{} targets ran {} s each without a crash", asked.targets.len(), asked.seconds),
        crashed => bail!("{crashed} of {} targets crashed", asked.targets.len()),
    }
    Ok(())
}

impl Asked {
    fn read(arguments: &[String], all: &[String]) -> Result<Self> {
        let (mut targets, mut seconds) = (Vec::new(), SECONDS);
        let mut rest = arguments.iter();
        while let Some(argument) = rest.next() {
            match argument.as_str() {
                "--seconds" => {
                    let number = rest.next().and_then(|text| text.parse().ok());
                    seconds = number.filter(|number| *number > 0).context("--seconds takes a number")?;
                }
                name if all.iter().any(|target| target == name) => targets.push(name.to_owned()),
                other => bail!("`{other}` is no target; there are {}", all.join(", ")),
            }
        }
        if targets.is_empty() {
            targets = all.to_vec();
        }
        Ok(Self { targets, seconds })
    }
}

/// Names of all targets, in order.
fn targets(project: &Project) -> Result<Vec<String>> {
    let files = fs::read_dir(project.path("fuzz/fuzz_targets"))?.map(|entry| Ok(entry?.path()));
    let files = files.collect::<Result<Vec<PathBuf>>>()?;
    let stems = files.iter().filter(|file| file.extension().is_some_and(|kind| kind == "rs"));
    let mut names: Vec<String> = stems.filter_map(|file| Some(file.file_stem()?.to_str()?.to_owned())).collect();
    names.sort();
    Ok(names)
}

/// Fails with one line where a tool is missing; else the compiler's name for this machine.
fn check_tools() -> Result<String> {
    let compiler = std::env::var("CXX").unwrap_or_else(|_| "c++".to_owned());
    if !exists(&compiler) {
        bail!("`{compiler}` is missing: libFuzzer needs a C++ compiler; install g++ or clang, or name one by CXX");
    }
    let rustc = std::env::var("RUSTC").unwrap_or_else(|_| "rustc".to_owned());
    let host = first_line(rustc, &["--print", "host-tuple"]);
    host.context("`rustc` is missing: install Rust from https://rustup.rs")
}

/// Compiles every target without building it: that needs no C++ compiler, because nothing is linked.
pub(crate) fn check(project: &Project) -> Result<()> {
    let mut command = cargo(project);
    command
        .args(["check", "--quiet", "--locked", "--bins", "--manifest-path"])
        .arg(project.path("fuzz/Cargo.toml"))
        .arg("--target-dir")
        .arg(project.target(""))
        // Names a library that nobody looks for, instead of compiling libFuzzer.
        .env("CUSTOM_LIBFUZZER_PATH", project.target("fuzz/libFuzzer.a"));
    run(&mut command)
}

/// Builds every target; returns the folder of the binaries. The target is named so that nothing of the build itself, such
/// as macros, is instrumented.
fn build(project: &Project, host: &str) -> Result<PathBuf> {
    let folder = project.target("fuzz/build");
    let mut command = cargo(project);
    command
        .current_dir(project.path("fuzz"))
        .args(["build", "--release", "--quiet", "--locked", "--bins", "--target", host, "--target-dir"])
        .arg(&folder)
        .env("RUSTFLAGS", FLAGS.join(" "));
    run(&mut command)?;
    Ok(folder.join(host).join("release"))
}

/// Runs the targets, one on each processor, and returns how many crashed.
fn try_all(project: &Project, built: &Path, asked: &Asked) -> Result<usize> {
    let rest = Mutex::new(asked.targets.iter());
    let next = || rest.lock().ok().and_then(|mut rest| rest.next());
    let work = || -> Result<usize> {
        let mut crashed = 0;
        while let Some(target) = next() {
            crashed += usize::from(!try_target(project, built, target, asked.seconds)?);
        }
        Ok(crashed)
    };
    let at_once = thread::available_parallelism().map_or(1, usize::from);
    thread::scope(|scope| {
        let workers: Vec<_> = (0..at_once).map(|_| scope.spawn(work)).collect();
        let ended =
            workers.into_iter().map(|worker| worker.join().unwrap_or_else(|_| bail!("a run of a target panicked")));
        ended.sum()
    })
}

/// Runs one target and prints its line; false when it crashed.
fn try_target(project: &Project, built: &Path, target: &str, seconds: u64) -> Result<bool> {
    step(&format!("fuzz: {target}, {seconds} s"));
    let below = |folder: &str| project.target("fuzz").join(folder);
    let (corpus, artifacts) = (below("corpus").join(target), below("artifacts").join(target));
    let log = below("log").join(format!("{target}.txt"));
    fs::create_dir_all(&corpus)?;
    fs::create_dir_all(&artifacts)?;
    fs::create_dir_all(below("log"))?;
    let mut command = Command::new(built.join(target));
    command
        .args([format!("-max_total_time={seconds}"), format!("-timeout={TIMEOUT}"), format!("-rss_limit_mb={MEMORY}")])
        .arg("-print_final_stats=1")
        .arg(format!("-artifact_prefix={}/", artifacts.display()))
        .arg(&corpus)
        .args(seeds(project, target))
        .stderr(File::create(&log)?);
    let status = command.status().with_context(|| format!("cannot start the target {target}"))?;
    let text = String::from_utf8_lossy(&fs::read(&log)?).into_owned();
    let Figures { runs, coverage, corpus } = figures(&text);
    let word = if status.success() { "clean" } else { "CRASHED" };
    println!("{target:12} {runs:12} {coverage:9} {corpus:8}  {word}");
    if !status.success() {
        explain(built, target, status, &text, &log);
    }
    Ok(status.success())
}

/// Folders of inputs that a target begins with.
fn seeds(project: &Project, target: &str) -> Vec<PathBuf> {
    let shared = SEEDS.iter().filter(|(name, _)| *name == target).map(|(_, folder)| project.path(folder));
    let own = project.path("fuzz/seeds").join(target);
    std::iter::once(own).chain(shared).filter(|folder| folder.is_dir()).collect()
}

/// The figures out of what libFuzzer printed.
fn figures(log: &str) -> Figures {
    let number = |text: &str| text.trim().split('/').next().and_then(|digits| digits.parse().ok());
    let after = |line: &str, name: &str| {
        let value = line.split_once(name)?.1.trim_start();
        number(value.split_whitespace().next()?)
    };
    let last = |name: &str| log.lines().rev().find_map(|line| after(line, name)).unwrap_or_default();
    Figures { runs: last("stat::number_of_executed_units:"), coverage: last(" cov: "), corpus: last(" corp: ") }
}

/// Says what made a target crash, and how to see it again.
fn explain(built: &Path, target: &str, status: ExitStatus, text: &str, log: &Path) {
    note(&format!("{target} ended with {status}; all that it said is in {}", log.display()));
    for line in text.lines().filter(|line| line.contains("panicked at") || line.contains("ERROR: libFuzzer")) {
        note(line);
    }
    let artifact = text.lines().find_map(|line| line.split_once("Test unit written to ")).map(|(_, path)| path);
    if let Some(artifact) = artifact {
        note(&format!("to see it again: {} {artifact}", built.join(target).display()));
        note("what found it becomes a case in the crate's tests");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<String> {
        text.split_whitespace().map(str::to_owned).collect()
    }

    #[test]
    fn targets_and_seconds_are_read() {
        let all = words("ingest link");
        let read = |text| Asked::read(&words(text), &all);
        assert_eq!(read("").unwrap(), Asked { targets: all.clone(), seconds: 600 });
        assert_eq!(read("link --seconds 5").unwrap(), Asked { targets: words("link"), seconds: 5 });
        for wrong in ["nothing", "--seconds", "--seconds 0", "--seconds x", "--jobs 2"] {
            assert!(read(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn figures_are_those_of_the_end() {
        let log = "#2 INITED cov: 10 ft: 11 corp: 1/1b exec/s: 0\n\
                   #94 NEW    cov: 2739 ft: 5382 corp: 1270/66Kb lim: 181 exec/s: 41889 rss: 31Mb\n\
                   Done 94 runs in 1 second(s)\nstat::number_of_executed_units: 94\n";
        assert_eq!(figures(log), Figures { runs: 94, coverage: 2739, corpus: 1270 });
        assert_eq!(figures("killed"), Figures::default());
    }

    #[test]
    fn every_target_is_built_and_every_seed_has_its_target() {
        let project = Project::find().unwrap();
        let manifest = fs::read_to_string(project.path("fuzz/Cargo.toml")).unwrap();
        let all = targets(&project).unwrap();
        for target in &all {
            assert!(manifest.contains(&format!("path = \"fuzz_targets/{target}.rs\"")), "{target}");
        }
        let own = fs::read_dir(project.path("fuzz/seeds")).unwrap().map(|entry| entry.unwrap().file_name());
        let own = own.map(|name| name.to_string_lossy().into_owned());
        for target in own.chain(SEEDS.map(|(target, _)| target.to_owned())) {
            assert!(all.contains(&target), "{target}");
            assert!(!seeds(&project, &target).is_empty(), "{target}");
        }
    }
}
