//! The worker: `edge` compiled for speed, bound to JavaScript and bundled with its entry
//! (`edge/entry.js`) to `target/edge/worker.js` and the module that it imports.

use std::fs;
use std::path::PathBuf;

use anyhow::Result;

use super::bindgen::{self, Runs};
use super::sdk::ASSETS;
use super::tools::{compile, esbuild};
use crate::project::Project;
use crate::run::timed;
use crate::setup::Tools;
use crate::stamp::{Inputs, when_changed};

/// The module's file name in the bundle.
const MODULE: &str = "index_bg.wasm";

/// Builds the worker.
pub(crate) fn build(project: &Project, tools: &Tools) -> Result<()> {
    let description = project.target("openapi/openapi.json");
    let wasm = timed("compiling the edge", || {
        let mut cargo = tools.wasm.cargo_small_library(project, "build");
        cargo.env("ENDCAP_OPENAPI", &description);
        compile(project, cargo, "endcap-edge", "worker")
    })?;
    fs::create_dir_all(project.target(ASSETS))?;
    fs::copy(&description, project.target(ASSETS).join("openapi.json"))?;
    let entry = project.path("edge/entry.js");
    let inputs =
        Inputs::default().path(&wasm)?.path(&entry)?.text(include_str!("edge.rs")).text(include_str!("bindgen.rs"));
    when_changed(project, "edge", inputs, &files(project), || {
        timed("binding and bundling the worker", || bundle(project, &wasm))
    })?;
    Ok(())
}

/// The files that are uploaded.
pub(crate) fn files(project: &Project) -> [PathBuf; 2] {
    ["worker.js", MODULE].map(|name| project.target("edge").join(name))
}

/// wasm-bindgen, then esbuild; the module stays a file of its own.
fn bundle(project: &Project, wasm: &std::path::Path) -> Result<()> {
    let bound = project.target("bindgen/edge");
    bindgen::generate(wasm, &bound, "index", Runs::InWorker)?;
    bindgen::shrink(project, &bound.join("index_bg.wasm"))?;
    // Copied beside the bindings, so that the entry's imports resolve for esbuild as they do in
    // the source for a reader.
    fs::copy(project.path("edge/entry.js"), bound.join("entry.js"))?;
    let out = project.target("edge");
    let _ = fs::remove_dir_all(&out);
    fs::create_dir_all(&out)?;
    let script = out.join("worker.js");
    esbuild(
        project,
        &bound.join("entry.js"),
        &script,
        ["--format=esm", "--target=esnext", "--external:./index_bg.wasm", "--external:cloudflare:*"],
    )?;
    // workerd's loader takes a plain import of a module, not yet the source-phase syntax.
    let text = fs::read_to_string(&script)?.replace("import source ", "import ");
    fs::write(&script, text)?;
    fs::copy(bound.join(MODULE), out.join(MODULE))?;
    Ok(())
}
