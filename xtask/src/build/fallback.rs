//! The core for pages whose content security policy forbids WebAssembly: `ec/fallback.js`, the same Rust code translated to
//! JavaScript. Pages load it instead of `core.js` and `core.wasm`, never beside them.
//!
//! The crate is compiled once more, without what WebAssembly got after its first version, because binaryen's translator
//! knows only that; what the standard library still uses of it is lowered before.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result};

use super::bindgen::{self, Runs};
use super::compress::precompress;
use super::glue;
use super::sdk::page_half;
use super::tools::compile_into;
use super::variant::{ASSETS, Build};
use crate::run::{run_quiet, timed};
use crate::setup::wasm::LOWERED_DIR;
use crate::stamp::{Inputs, when_changed};

/// The file's address below the edge's root.
pub(super) const FILE: &str = "ec/fallback.js";

/// What the compiled module may still use of later versions, and how it is put in terms of the first.
const LOWER: [&str; 9] = [
    "--enable-bulk-memory",
    "--enable-bulk-memory-opt",
    "--enable-sign-ext",
    "--enable-nontrapping-float-to-int",
    "--enable-mutable-globals",
    "-Oz",
    "--signext-lowering",
    "--llvm-memory-copy-fill-lowering",
    "--llvm-nontrapping-fptoint-lowering",
];

/// What development serves instead: compiling the core once more would double its build.
const MISSING: &str = "throw new Error('`cargo xtask dev` has no core as JavaScript: \
                       `cargo xtask dev --release` builds and serves it');\n";

/// Builds the file.
pub(super) fn build(build: &Build<'_>) -> Result<()> {
    let Build { project, tools, .. } = build;
    let script = build.target(ASSETS).join(FILE);
    if build.is_development() {
        fs::write(&script, MISSING)?;
        return precompress(build.variant, &script);
    }
    let mut inputs = Inputs::default()
        .path(&project.path("sdk"))?
        .path(&project.path("Cargo.toml"))?
        .path(&project.path("Cargo.lock"))?
        .path(&project.path("package-lock.json"))?
        .text(&tools.wasm.describe());
    for source in [
        include_str!("fallback.rs"),
        include_str!("bindgen.rs"),
        include_str!("glue.rs"),
        include_str!("../setup/wasm.rs"),
    ] {
        inputs = inputs.text(source);
    }
    when_changed(project, "fallback", inputs, std::slice::from_ref(&script), || {
        timed("translating the core to JavaScript", || {
            let cargo = tools.wasm.cargo_lowered(project, "build");
            let wasm = compile_into(project, LOWERED_DIR, cargo, "endcap-sdk", "browser")?;
            translate(build, &wasm, &script)
        })
    })?;
    Ok(())
}

/// wasm-bindgen, the translation, and one file of both.
fn translate(build: &Build<'_>, wasm: &Path, script: &Path) -> Result<()> {
    let project = build.project;
    let bound = project.target("bindgen/fallback");
    bindgen::generate(wasm, &bound, "core", Runs::AsScript)?;
    let module = bound.join("core_bg.wasm");
    glue::of_translated(&module, &bound.join("core_bg.js"))?;
    let lowered = bound.join("lowered.wasm");
    let mut optimizer = Command::new(project.node_bin("wasm-opt"));
    run_quiet(optimizer.arg(&module).arg("-o").arg(&lowered).args(LOWER))?;
    let translated = bound.join("core_bg.wasm.js");
    let mut translator = Command::new(project.node_bin("wasm2js"));
    run_quiet(translator.arg(&lowered).arg("-Oz").arg("-o").arg(&translated))?;
    let bindings = bound.join("core.js");
    let text = read(&bindings)?;
    fs::write(&bindings, text.replace("core_bg.wasm\"", "core_bg.wasm.js\""))?;
    page_half(project, "fallback.js", &bindings, script)?;
    precompress(build.variant, script)
}

/// Reads a generated file.
fn read(file: &Path) -> Result<String> {
    fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))
}
