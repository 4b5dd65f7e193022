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
mod tools;

use anyhow::{Result, bail};

use crate::project::Project;
use crate::setup::{self, Tools};
use crate::stamp::Inputs;

pub(crate) use edge::files as worker_files;
pub(crate) use integrity::browser_files;
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
