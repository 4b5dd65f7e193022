//! From crates and TypeScript to the files that a browser and a worker load:
//!
//! ```text
//! sdk/   ─ cargo ─ wasm-bindgen ─ wasm-opt ─┐
//! sdk/   ─ cargo ─ wasm-bindgen ─ wasm2js ──┤
//! wasm-pkg/src ─────── esbuild ─────────────┼─ target/edge-assets   what the edge serves
//!                                           └─ target/pack          the npm package
//! edge/  ─ cargo ─ wasm-bindgen ─ esbuild ──── target/edge          the worker
//! demo-site/ + package ─ its own build ─────── target/site          the demo shop
//! ```
//!
//! Each step leaves a stamp, so a build repeats only what changed. `cargo xtask dev` makes the same below `target/dev`,
//! compiled in a hurry ([`Variant::Development`]).

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
mod variant;

use anyhow::{Result, bail};

use crate::project::Project;
use crate::run::{Steps, run_quiet};
use crate::setup::{self, Tools};
use crate::stamp::Inputs;

pub(crate) use edge::files as worker_files;
pub(crate) use integrity::browser_files;
pub(crate) use variant::{ASSETS, Build, SITE, Variant};

/// Steps of [`all`].
pub(crate) const ALL_STEPS: u32 = PAGE_STEPS + 2;
/// Steps of [`pages`].
pub(crate) const PAGE_STEPS: u32 = 3;

/// Everything, in the order in which the parts need each other.
pub(crate) fn all(build: &Build<'_>) -> Result<()> {
    build.steps.step("the browser's core", || sdk::core(build))?;
    build.steps.step("the worker", || edge::build(build))?;
    pages(build)
}

/// What follows from TypeScript, JavaScript and the demo shop alone: the core and the worker are as they were.
pub(crate) fn pages(build: &Build<'_>) -> Result<()> {
    build.steps.step("what pages load", || page_files(build))?;
    build.steps.step("the npm package", || package::build(build))?;
    build.steps.step("the demo shop", || demo::build(build))
}

/// What the page loads around the core.
fn page_files(build: &Build<'_>) -> Result<()> {
    sdk::page(build)?;
    fallback::build(build)?;
    integrity::write(build)
}

/// The browser's files.
pub(crate) fn sdk(build: &Build<'_>) -> Result<()> {
    build.steps.step("the browser's core", || sdk::core(build))?;
    build.steps.step("what pages load", || page_files(build))
}

/// Compiles the worker that `cargo xtask dev` serves, quietly. What is wrong with it, the build itself will say.
pub(crate) fn compile_ahead(project: &Project, tools: &Tools) {
    let mut cargo = tools.wasm.cargo(project, "build");
    let _ = run_quiet(cargo.args(["--quiet", "--profile", edge::DEVELOPMENT_PROFILE, "--package", "endcap-edge"]));
}

/// The worker.
pub(crate) fn edge(build: &Build<'_>) -> Result<()> {
    build.steps.step("the worker", || edge::build(build))
}

/// Changes when anything that is served changes.
pub(crate) fn fingerprint(build: &Build<'_>) -> Result<String> {
    let mut built = Inputs::default();
    for folder in ["edge", ASSETS, SITE] {
        built = built.path(&build.target(folder))?;
    }
    Ok(built.finish())
}

/// `cargo xtask build [part]`.
pub(crate) fn command(project: &Project, arguments: &[String]) -> Result<()> {
    let part = arguments.first().map(String::as_str);
    let count = match part {
        None => ALL_STEPS,
        Some("worker") => 1,
        Some("sdk") => 2,
        Some("edge" | "package") => 3,
        Some("demo") => 4,
        Some(other) => bail!("unknown part `{other}`; sdk, edge, worker, package and demo exist"),
    };
    let steps = Steps::of(setup::STEPS + count);
    let tools = setup::for_build(project, &steps)?;
    let build = Build::release(project, &tools, &steps);
    match part {
        Some("worker") => return edge(&build),
        None => all(&build)?,
        Some(part) => {
            // A deployment needs the files that the worker serves too.
            sdk(&build)?;
            match part {
                "edge" => edge(&build)?,
                "package" => steps.step("the npm package", || package::build(&build))?,
                "demo" => {
                    steps.step("the npm package", || package::build(&build))?;
                    steps.step("the demo shop", || demo::build(&build))?;
                }
                _ => {}
            }
        }
    }
    integrity::print(&build)
}
