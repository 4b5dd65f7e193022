//! Dependencies between crates, checked on the graph that cargo resolves.

use std::collections::BTreeSet;

use anyhow::{Result, bail};

use crate::project::Project;
use crate::run::run_quiet;
use crate::setup::cargo;
use crate::setup::wasm::TARGET;

/// What the crates that hold the domain must not reach: JavaScript, random sources, the platform.
const IMPURE: [&str; 11] = [
    "chrono",
    "getrandom",
    "gloo-events",
    "gloo-timers",
    "js-sys",
    "rand",
    "tokio",
    "wasm-bindgen",
    "wasm-bindgen-futures",
    "web-sys",
    "worker",
];

/// The pure crates of the edge, each with those that it may know besides the shared crates of `sdk`.
const DOORS: [(&str, &[&str]); 8] = [
    ("endcap-api", &[]),
    ("endcap-validation", &["endcap-api"]),
    ("endcap-models", &[]),
    ("endcap-push", &[]),
    ("endcap-identity", &["endcap-api", "endcap-validation"]),
    ("endcap-events", &["endcap-api", "endcap-identity", "endcap-validation"]),
    (
        "endcap-profile",
        &["endcap-api", "endcap-events", "endcap-identity", "endcap-models", "endcap-push", "endcap-validation"],
    ),
    (
        "endcap-engine",
        &[
            "endcap-api",
            "endcap-events",
            "endcap-identity",
            "endcap-models",
            "endcap-profile",
            "endcap-push",
            "endcap-validation",
        ],
    ),
];

/// What both sides of the product share: it ships to every page.
const SHARED: [&str; 2] = ["endcap-protocol", "endcap-targeting"];

/// The crates that have no platform: every one of the edge but the worker, and what they share with pages.
pub(crate) fn pure() -> impl Iterator<Item = &'static str> {
    SHARED.into_iter().chain(DOORS.into_iter().map(|(package, _)| package))
}

/// Dependencies that go against the doors.
pub(super) fn broken(project: &Project) -> Result<Vec<String>> {
    let mut broken = unknown(&crates_of_the_edge(project)?);
    for package in SHARED {
        broken.extend(against(package, &SHARED, &dependencies(project, package)?));
    }
    for (package, known) in DOORS {
        let allowed = [&SHARED, known].concat();
        broken.extend(against(package, &allowed, &dependencies(project, package)?));
    }
    // The browser's core touches JavaScript, and nothing of the edge reaches it.
    let sdk = dependencies(project, "endcap-sdk")?;
    let edges = sdk.iter().filter(|name| *name == "worker" || DOORS.iter().any(|(package, _)| name == package));
    broken.extend(edges.map(|name| format!("endcap-sdk depends on {name}: nothing of the edge may reach a browser")));
    Ok(broken)
}

/// The names of the crates in folders of `edge`.
fn crates_of_the_edge(project: &Project) -> Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in std::fs::read_dir(project.path("edge"))? {
        let entry = entry?;
        if entry.path().join("Cargo.toml").exists() {
            names.push(format!("endcap-{}", entry.file_name().to_string_lossy()));
        }
    }
    Ok(names)
}

/// Crates that nobody gave doors.
fn unknown(found: &[String]) -> Vec<String> {
    let missing = found.iter().filter(|name| DOORS.iter().all(|(package, _)| name != package));
    missing.map(|name| format!("{name} has no doors: say in DOORS which crates it may know")).collect()
}

/// What a pure package reaches of what it must not: the platform, and other crates of ours than those allowed.
fn against(package: &str, allowed: &[&str], reached: &BTreeSet<String>) -> Vec<String> {
    let mut broken = Vec::new();
    for name in reached.iter().map(String::as_str) {
        if IMPURE.contains(&name) {
            broken.push(format!(
                "{package} depends on {name}: the domain has no JavaScript, clock, randomness or I/O of its own"
            ));
        } else if name.starts_with("endcap-") && name != package && !allowed.contains(&name) {
            broken.push(format!("{package} depends on {name}: that door opens the other way"));
        }
    }
    broken
}

/// Everything that a package is built with, as resolved for it alone: the whole workspace's graph
/// would count features that only another crate or a test turns on.
fn dependencies(project: &Project, package: &str) -> Result<BTreeSet<String>> {
    let mut command = cargo(project);
    command.args(["tree", "--package", package, "--edges", "normal,build", "--target", TARGET]);
    let text = run_quiet(command.args(["--prefix", "none", "--format", "{p}"]))?;
    let names = names(&text);
    if !names.contains(package) {
        bail!("cargo tree does not list {package} itself");
    }
    Ok(names)
}

/// The first word of each line: the package's name.
fn names(tree: &str) -> BTreeSet<String> {
    tree.lines().filter_map(|line| line.split_whitespace().next()).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_without_versions_and_places() {
        let tree = "endcap-sdk v0.1.0 (/somewhere/sdk)\njs-sys v0.3.1\njs-sys v0.3.1 (*)\n";
        let names: Vec<String> = names(tree).into_iter().collect();
        assert_eq!(names, ["endcap-sdk", "js-sys"]);
    }

    #[test]
    fn a_dependency_against_the_doors_is_named() {
        let reached = ["endcap-models", "endcap-profile", "endcap-protocol", "js-sys"].map(str::to_owned).into();
        let broken = against("endcap-models", &SHARED, &reached);
        assert_eq!(broken.len(), 2);
        assert!(broken[0].starts_with("endcap-models depends on endcap-profile"), "{broken:?}");
        assert!(broken[1].starts_with("endcap-models depends on js-sys"), "{broken:?}");
    }

    #[test]
    fn a_crate_without_doors_is_named() {
        let found = ["endcap-engine", "endcap-console"].map(str::to_owned);
        assert_eq!(unknown(&found), ["endcap-console has no doors: say in DOORS which crates it may know"]);
    }

    #[test]
    fn a_dependency_of_a_dependency_counts() {
        let project = Project::find().unwrap();
        assert!(dependencies(&project, "endcap-sdk").unwrap().contains("proc-macro2"));
    }
}
