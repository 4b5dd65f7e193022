//! From crates and TypeScript to the files that a browser and a worker load:
//!
//! ```text
//! sdk/   ─ cargo ─ wasm-bindgen ─ wasm-opt ─┐
//! sdk/   ─ cargo ─ wasm-bindgen ─ wasm2js ──┤
//! wasm-pkg/src ─────── esbuild ─────────────┼─ target/edge-assets   what the edge serves
//!                                           └─ target/pack          the npm package
//! edge/  ─ cargo ─ wasm-bindgen ─ esbuild ──── target/edge          the worker
//! demo-site/ + package ─ its own build ─────── target/dev/site      the demo shop
//! ```
//!
//! Each step leaves a stamp, so a build repeats only what changed.

pub(crate) mod bindgen;
pub(crate) mod compress;
mod demo;
mod edge;
mod fallback;
mod glue;
mod integrity;
mod package;
mod sdk;
mod shorten;

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Result, bail};

use crate::project::Project;
use crate::run::{run, run_quiet};
use crate::setup::{self, Tools};
use crate::stamp::{Inputs, files_below};

pub(crate) use sdk::ASSETS;

/// `cargo xtask build [part]`.
pub(crate) fn command(project: &Project, arguments: &[String]) -> Result<()> {
    let tools = setup::for_build(project)?;
    match arguments.first().map(String::as_str) {
        Some("worker") => return edge(project, &tools),
        None => all(project, &tools)?,
        Some("edge") => {
            // A deployment needs the files that the worker serves too.
            sdk(project, &tools)?;
            edge(project, &tools)?;
        }
        Some("sdk") => sdk(project, &tools)?,
        Some("package") => {
            sdk(project, &tools)?;
            package::build(project)?;
        }
        Some("demo") => {
            sdk(project, &tools)?;
            package::build(project)?;
            demo::build(project)?;
        }
        Some(other) => bail!("unknown part `{other}`; sdk, edge, worker, package and demo exist"),
    }
    integrity::print(project)
}

/// Everything, in the order in which the parts need each other.
pub(crate) fn all(project: &Project, tools: &Tools) -> Result<()> {
    sdk(project, tools)?;
    edge(project, tools)?;
    package::build(project)?;
    demo::build(project)
}

/// Changes when anything that is served changes.
pub(crate) fn fingerprint(project: &Project) -> Result<String> {
    let mut built = Inputs::default();
    for folder in ["edge", ASSETS, demo::SITE] {
        built = built.path(&project.target(folder))?;
    }
    Ok(built.finish())
}

/// Every file that the edge serves to browsers, without the compressed copies.
pub(crate) fn browser_files(project: &Project) -> Result<Vec<PathBuf>> {
    let mut files = files_below(&project.target(ASSETS))?;
    files.retain(|file| file.extension().is_some_and(|extension| extension == "js" || extension == "wasm"));
    Ok(files)
}

/// The browser's files.
pub(crate) fn sdk(project: &Project, tools: &Tools) -> Result<()> {
    sdk::build(project, tools)?;
    fallback::build(project, tools)?;
    integrity::write(project)
}

/// The worker.
pub(crate) fn edge(project: &Project, tools: &Tools) -> Result<()> {
    edge::build(project, tools)
}

/// Compiles a crate to wasm under a Cargo profile, with a cargo command of the wasm toolchain's,
/// and returns the file.
fn compile(project: &Project, cargo: Command, package: &str, profile: &str) -> Result<PathBuf> {
    compile_into(project, "wasm", cargo, package, profile)
}

/// Like [`compile`], for a command that puts what it makes into another folder below `target/`.
fn compile_into(project: &Project, folder: &str, mut cargo: Command, package: &str, profile: &str) -> Result<PathBuf> {
    run(cargo.args(["--profile", profile, "--package", package]))?;
    let name = package.replace('-', "_");
    Ok(project.target(&format!("{folder}/{}/{profile}/{name}.wasm", setup::wasm::TARGET)))
}

/// Bundles with esbuild; the arguments follow the entry points.
fn esbuild<I, S>(project: &Project, entry: &Path, out: &Path, arguments: I) -> Result<()>
where
    I: IntoIterator<Item = S>,
    S: AsRef<OsStr>,
{
    let mut command = Command::new(esbuild_binary(project));
    command
        .current_dir(&project.root)
        .arg(entry)
        .args(["--bundle", "--minify", "--legal-comments=none"])
        .arg("--log-level=warning")
        .arg(format!("--outfile={}", out.display()))
        .args(arguments);
    run_quiet(&mut command).map(drop)
}

/// The native binary, without the Node.js program that would only start it; that program where
/// the platform's package has another name than expected.
fn esbuild_binary(project: &Project) -> PathBuf {
    let os = match std::env::consts::OS {
        "macos" => "darwin",
        other => other,
    };
    let architecture = match std::env::consts::ARCH {
        "x86_64" => "x64",
        "aarch64" => "arm64",
        other => other,
    };
    let native = project.path(&format!("node_modules/@esbuild/{os}-{architecture}/bin/esbuild"));
    if native.exists() { native } else { project.node_bin("esbuild") }
}
