//! npm packages, exactly as the committed lock file names them.

use std::fs;
use std::process::Command;

use anyhow::{Context, Result};

use crate::project::Project;
use crate::run::{run_quiet, timed};
use crate::stamp::{Inputs, when_changed};

/// Runs `npm ci` when the lock file changed since the last time.
///
/// Install scripts are not run: every tool used here ships its binary inside its package, and a
/// package that fetches more at install time would escape the lock file.
pub(crate) fn ensure(project: &Project) -> Result<()> {
    let inputs = Inputs::default().path(&project.path("package.json"))?.path(&project.path("package-lock.json"))?;
    let outputs = [project.path("node_modules/.package-lock.json")];
    when_changed(project, "npm", inputs, &outputs, || {
        timed("installing npm packages", || {
            let mut npm = Command::new("npm");
            npm.args(["ci", "--ignore-scripts", "--no-audit", "--no-fund"]);
            run_quiet(npm.current_dir(&project.root)).map(drop)
        })
    })?;
    Ok(())
}

/// The version of an installed package.
pub(crate) fn installed(project: &Project, package: &str) -> Result<String> {
    let path = project.path(&format!("node_modules/{package}/package.json"));
    let text = fs::read_to_string(&path).with_context(|| format!("{package} is not installed"))?;
    let manifest: serde_json::Value = serde_json::from_str(&text)?;
    let version = manifest.get("version").and_then(|value| value.as_str());
    Ok(version.unwrap_or("unknown").to_owned())
}
