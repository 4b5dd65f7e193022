//! What a page loads: the core (`sdk`, compiled for bytes) and the hand-written TypeScript around
//! it, each precompressed, in `target/edge-assets`, whose layout is that of the public addresses.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Result;

use super::bindgen::{self, Runs};
use super::compress::precompress;
use super::tools::{compile, esbuild};
use super::{glue, shorten};
use crate::project::Project;
use crate::run::timed;
use crate::setup::Tools;
use crate::stamp::{Inputs, when_changed};

/// Where the edge finds the files to serve.
pub(crate) const ASSETS: &str = "edge-assets";

/// Builds the core and the scripts.
pub(crate) fn build(project: &Project, tools: &Tools) -> Result<()> {
    let wasm = timed("compiling the browser's core", || {
        compile(project, tools.wasm.cargo_smallest(project, "build"), "endcap-sdk", "browser")
    })?;
    core(project, &wasm)?;
    parts(project)?;
    scripts(project)
}

/// `ec/core.js` and `ec/core.wasm`.
fn core(project: &Project, wasm: &Path) -> Result<()> {
    let script = project.target(ASSETS).join("ec/core.js");
    let module = project.target(ASSETS).join("ec/core.wasm");
    let inputs = Inputs::default()
        .path(wasm)?
        .path(&project.path("sdk/js"))?
        .path(&project.path("package-lock.json"))?
        .text(include_str!("sdk.rs"))
        .text(include_str!("bindgen.rs"))
        .text(include_str!("glue.rs"))
        .text(include_str!("shorten.rs"));
    let outputs = [script.clone(), module.clone()];
    when_changed(project, "core", inputs, &outputs, || {
        timed("binding and shrinking the core", || {
            let bound = project.target("bindgen/sdk");
            bindgen::generate(wasm, &bound, "core", Runs::InPage)?;
            glue::of_page(&bound.join("core_bg.wasm"), &bound.join("core.js"))?;
            shorten::names(&bound.join("core_bg.wasm"), &bound.join("core.js"))?;
            bindgen::optimize(
                project,
                &bound.join("core_bg.wasm"),
                &["--flatten", "--rereloop", "--low-memory-unused", "-Oz", "-Oz", "--converge"],
            )?;
            page_half(project, "entry.js", &bound.join("core.js"), &script)?;
            fs::copy(bound.join("core_bg.wasm"), &module)?;
            precompress(&script)?;
            precompress(&module)
        })
    })?;
    Ok(())
}

/// What the page does for the core (`sdk/js`), bundled with the core's `bindings`; the files stay where they are. The
/// parts that a page may never need are files of their own.
pub(super) fn page_half(project: &Project, entry: &str, bindings: &Path, out: &Path) -> Result<()> {
    let host = "--alias:endcap-host=./sdk/js/host.js";
    let core = format!("--alias:endcap-core={}", bindings.display());
    let version = concat!("--define:VERSION=\"", env!("CARGO_PKG_VERSION"), "\"");
    let parts = ["--external:./show.js", "--external:./auto.js"];
    let options = ["--format=esm", "--target=es2022", host, &core, version, parts[0], parts[1]];
    esbuild(project, &project.path("sdk/js").join(entry), out, options)
}

/// `ec/show.js`, how decisions look, and `ec/auto.js`, what is captured without the shop's code.
fn parts(project: &Project) -> Result<()> {
    let made = [("show.js", "ec/show.js"), ("auto/index.js", "ec/auto.js")];
    bundle(project, "parts", "what the core fetches later", "sdk/js", made, ["--format=esm", "--target=es2022"])
}

/// `ec/endcap.js`, the loader of the script tag, and `endcap-sw.js`, the service worker.
fn scripts(project: &Project) -> Result<()> {
    let made = [("loader.ts", "ec/endcap.js"), ("sw.ts", "endcap-sw.js")];
    bundle(
        project,
        "scripts",
        "the loader and the service worker",
        "wasm-pkg/src",
        made,
        ["--format=iife", "--target=es2020"],
    )
}

/// Bundles files of a folder `below` the root, each by itself, and compresses them. `name` is that of the stamp.
fn bundle(
    project: &Project,
    name: &str,
    what: &str,
    below: &str,
    made: [(&str, &str); 2],
    options: [&str; 2],
) -> Result<()> {
    let source = project.path(below);
    let made = made.map(|(from, to)| (source.join(from), project.target(ASSETS).join(to)));
    let inputs =
        Inputs::default().path(&source)?.path(&project.path("package-lock.json"))?.text(include_str!("sdk.rs"));
    let outputs: Vec<PathBuf> = made.iter().map(|(_, to)| to.clone()).collect();
    when_changed(project, name, inputs, &outputs, || {
        timed(&format!("bundling {what}"), || {
            for (from, to) in &made {
                esbuild(project, from, to, options)?;
                precompress(to)?;
            }
            Ok(())
        })
    })?;
    Ok(())
}
