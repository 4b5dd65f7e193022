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

/// A rule: none of the first may depend, however indirectly, on any of the second.
struct Rule {
    packages: &'static [&'static str],
    forbidden: &'static [&'static str],
    reason: &'static str,
}

const RULES: [Rule; 3] = [
    Rule {
        packages: &["endcap-protocol", "endcap-targeting", "endcap-engine"],
        forbidden: &IMPURE,
        reason: "the domain has no JavaScript, clock, randomness or I/O of its own",
    },
    Rule {
        packages: &["endcap-sdk"],
        forbidden: &["endcap-engine", "worker"],
        reason: "nothing of the edge may reach a browser",
    },
    Rule {
        packages: &["endcap-protocol", "endcap-targeting"],
        forbidden: &["endcap-engine"],
        reason: "what both sides share knows neither",
    },
];

/// Dependencies that break a rule.
pub(super) fn broken(project: &Project) -> Result<Vec<String>> {
    let mut broken = Vec::new();
    for rule in &RULES {
        for package in rule.packages {
            let reached = dependencies(project, package)?;
            for forbidden in rule.forbidden.iter().filter(|name| reached.contains(**name)) {
                broken.push(format!("{package} depends on {forbidden}: {}", rule.reason));
            }
        }
    }
    Ok(broken)
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
    fn a_dependency_of_a_dependency_counts() {
        let project = Project::find().unwrap();
        assert!(dependencies(&project, "endcap-sdk").unwrap().contains("proc-macro2"));
    }
}
