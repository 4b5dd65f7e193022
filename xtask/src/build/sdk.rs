//! What a page loads: the core (`sdk`, compiled for bytes) and the hand-written TypeScript around
//! it, each precompressed, in `target/edge-assets`, whose layout is that of the public addresses.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Result;

use super::bindgen::{self, Runs};
use super::compress::precompress;
use super::tools::{compile, compiled, esbuild};
use super::variant::{ASSETS, Build};
use super::{glue, shorten};
use crate::project::Project;
use crate::run::timed;
use crate::stamp::{Inputs, when_changed};

/// Compiles the core.
pub(super) fn core(build: &Build<'_>) -> Result<()> {
    let Build { project, tools, .. } = build;
    let cargo = if build.is_development() {
        tools.wasm.cargo(project, "build")
    } else {
        tools.wasm.cargo_smallest(project, "build")
    };
    compile(project, cargo, "endcap-sdk", profile(build)).map(drop)
}

/// The Cargo profile that the core is compiled under.
fn profile(build: &Build<'_>) -> &'static str {
    if build.is_development() { "browser-dev" } else { "browser" }
}

/// What a page loads: the compiled core with its half in JavaScript, its parts, the loader and the service worker.
pub(super) fn page(build: &Build<'_>) -> Result<()> {
    bind(build, &compiled(build.project, "endcap-sdk", profile(build)))?;
    parts(build)?;
    scripts(build)
}

/// `ec/core.js` and `ec/core.wasm`.
fn bind(build: &Build<'_>, wasm: &Path) -> Result<()> {
    let project = build.project;
    let script = build.target(ASSETS).join("ec/core.js");
    let module = build.target(ASSETS).join("ec/core.wasm");
    let inputs = Inputs::default()
        .path(wasm)?
        .path(&project.path("sdk/js"))?
        .path(&project.path("package-lock.json"))?
        .text(include_str!("sdk.rs"))
        .text(include_str!("bindgen.rs"))
        .text(include_str!("glue.rs"))
        .text(include_str!("shorten.rs"));
    let outputs = [script.clone(), module.clone()];
    when_changed(project, &build.stamp("core"), inputs, &outputs, || {
        timed("binding the core", || {
            let bound = build.target("bindgen/sdk");
            bindgen::generate(wasm, &bound, "core", Runs::InPage)?;
            // What wasm-bindgen writes works as it is; it is only larger than it has to be.
            if !build.is_development() {
                glue::of_page(&bound.join("core_bg.wasm"), &bound.join("core.js"))?;
                shorten::names(&bound.join("core_bg.wasm"), &bound.join("core.js"))?;
                bindgen::optimize(project, &bound.join("core_bg.wasm"), &SHRINK)?;
            }
            page_half(project, "entry.js", &bound.join("core.js"), &script)?;
            fs::copy(bound.join("core_bg.wasm"), &module)?;
            precompress(build.variant, &script)?;
            precompress(build.variant, &module)
        })
    })?;
    Ok(())
}

/// What makes the core's module smallest.
const SHRINK: [&str; 6] = ["--flatten", "--rereloop", "--low-memory-unused", "-Oz", "-Oz", "--converge"];

/// What the page does for the core (`sdk/js`), bundled with the core's `bindings`; the files stay where they are. The
/// parts that a page may never need are files of their own.
pub(super) fn page_half(project: &Project, entry: &str, bindings: &Path, out: &Path) -> Result<()> {
    let host = "--alias:endcap-host=./sdk/js/host.js";
    let core = format!("--alias:endcap-core={}", bindings.display());
    let version = concat!("--define:VERSION=\"", env!("CARGO_PKG_VERSION"), "\"");
    let options = [host, &core, version].into_iter().map(str::to_owned).chain(module_options());
    esbuild(project, &project.path("sdk/js").join(entry), out, options)
}

/// The parts that pages fetch on their own, each where something needs it: the source below `sdk/js`, and the file.
pub(super) const PARTS: [(&str, &str); 6] = [
    // How decisions look, and what of it few pages need.
    ("show.js", "ec/show.js"),
    ("banner.js", "ec/banner.js"),
    ("subscribe.js", "ec/subscribe.js"),
    // What is captured without the shop's code.
    ("auto/index.js", "ec/auto.js"),
    ("auto/cross.js", "ec/cross.js"),
    // What is said of mistakes.
    ("problems/index.js", "ec/problems.js"),
];

/// How a module of the page is bundled: the parts stay files of their own.
fn module_options() -> impl Iterator<Item = String> {
    let external = PARTS.map(|(_, file)| file.replace("ec/", "--external:./"));
    ["--format=esm", "--target=es2022"].into_iter().map(str::to_owned).chain(external)
}

/// The files of [`PARTS`].
fn parts(build: &Build<'_>) -> Result<()> {
    let options: Vec<String> = module_options().collect();
    bundle(build, "parts", "what the core fetches later", "sdk/js", &PARTS, &options)
}

/// `ec/endcap.js`, the loader of the script tag, `endcap-sw.js`, the service worker, and `ec/raw.js`, which sends where the core
/// does not run.
fn scripts(build: &Build<'_>) -> Result<()> {
    let made = [("loader.ts", "ec/endcap.js"), ("sw.ts", "endcap-sw.js")];
    let (scripts, module) = (["--format=iife", "--target=es2020"], ["--format=esm", "--target=es2020"]);
    bundle(build, "scripts", "the loader and the service worker", "wasm-pkg/src", &made, &scripts)?;
    bundle(build, "raw", "what sends without the core", "wasm-pkg/src", &[("raw.ts", "ec/raw.js")], &module)
}

/// Bundles files of a folder `below` the root, each by itself, and compresses them. `name` is that of the stamp.
fn bundle(
    build: &Build<'_>,
    name: &str,
    what: &str,
    below: &str,
    made: &[(&str, &str)],
    options: &[impl AsRef<OsStr>],
) -> Result<()> {
    let project = build.project;
    let source = project.path(below);
    let made: Vec<_> = made.iter().map(|(from, to)| (source.join(from), build.target(ASSETS).join(to))).collect();
    let inputs =
        Inputs::default().path(&source)?.path(&project.path("package-lock.json"))?.text(include_str!("sdk.rs"));
    let outputs: Vec<PathBuf> = made.iter().map(|(_, to)| to.clone()).collect();
    when_changed(project, &build.stamp(name), inputs, &outputs, || {
        timed(&format!("bundling {what}"), || {
            for (from, to) in &made {
                esbuild(project, from, to, options)?;
                precompress(build.variant, to)?;
            }
            Ok(())
        })
    })?;
    Ok(())
}
