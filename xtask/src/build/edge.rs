//! The worker: `edge` compiled for speed, bound to JavaScript and bundled with its entry
//! (`edge/entry.js`) to `edge/worker.js` and the module that it imports.

use std::fs;
use std::panic::resume_unwind;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;

use anyhow::{Context, Result, ensure};

use super::bindgen::{self, Runs};
use super::tools::{compile, esbuild};
use super::variant::{ASSETS, Build, Variant, target};
use crate::project::Project;
use crate::run::{run, timed};
use crate::setup::cargo;
use crate::stamp::{Inputs, when_changed};

/// The profile of what `cargo xtask dev` serves.
pub(super) const DEVELOPMENT_PROFILE: &str = "worker-dev";
/// The module's file name in the bundle.
const MODULE: &str = "index_bg.wasm";

/// Builds the worker.
pub(super) fn build(build: &Build<'_>) -> Result<()> {
    let Build { project, tools, .. } = build;
    let (profile, cargo) = match build.is_development() {
        true => (DEVELOPMENT_PROFILE, tools.wasm.cargo(project, "build")),
        false => ("worker", tools.wasm.cargo_for_worker(project, "build")),
    };
    let (wasm, description) = thread::scope(|scope| {
        // Native, so in another folder: neither waits for the other.
        let description = scope.spawn(|| description(project));
        let wasm = compile(project, cargo, "endcap-edge", profile);
        (wasm, description.join().unwrap_or_else(|panic| resume_unwind(panic)))
    });
    let wasm = wasm?;
    let assets = build.target(ASSETS);
    fs::create_dir_all(&assets)?;
    fs::write(assets.join("openapi.json"), description?)?;
    let entry = project.path("edge/entry.js");
    let inputs =
        Inputs::default().path(&wasm)?.path(&entry)?.text(include_str!("edge.rs")).text(include_str!("bindgen.rs"));
    let outputs = files(project, build.variant);
    when_changed(project, &build.stamp("edge"), inputs, &outputs, || {
        timed("binding and bundling the worker", || bundle(build, &wasm))
    })?;
    Ok(())
}

/// The OpenAPI document, from a program of the engine's. It is compiled natively with the features of the whole workspace,
/// as the unit tests are, so that nothing is compiled a second time for it.
fn description(project: &Project) -> Result<Vec<u8>> {
    let mut compile = cargo(project);
    compile.args(["build", "--quiet", "--workspace", "--example", "openapi", "--target-dir"]);
    run(compile.arg(project.root.join("target")))?;
    let program = project.target("debug/examples/openapi");
    let output = Command::new(&program).output().with_context(|| format!("cannot run {}", program.display()))?;
    ensure!(output.status.success(), "{} failed: {}", program.display(), String::from_utf8_lossy(&output.stderr));
    Ok(output.stdout)
}

/// The files that are uploaded.
pub(crate) fn files(project: &Project, variant: Variant) -> [PathBuf; 2] {
    ["worker.js", MODULE].map(|name| target(project, variant, "edge").join(name))
}

/// wasm-bindgen, then esbuild; the module stays a file of its own.
fn bundle(build: &Build<'_>, wasm: &Path) -> Result<()> {
    let project = build.project;
    let bound = build.target("bindgen/edge");
    bindgen::generate(wasm, &bound, "index", Runs::InWorker)?;
    // Copied beside the bindings, so that the entry's imports resolve for esbuild as they do in
    // the source for a reader.
    fs::copy(project.path("edge/entry.js"), bound.join("entry.js"))?;
    let out = build.target("edge");
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
