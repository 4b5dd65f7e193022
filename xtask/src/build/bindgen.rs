//! wasm-bindgen as a library: its version is locked beside the crate's own in one `Cargo.lock`,
//! and there is no binary to find.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result};
use wasm_bindgen_cli_support::{Bindgen, EncodeInto};

use super::compress::brotli;
use crate::project::Project;
use crate::run::{note, run_quiet};

/// What runs the generated JavaScript.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Runs {
    /// A page: the caller gives the module's address when it starts it.
    InPage,
    /// A page, where the module is imported as if it were JavaScript, which it is to become.
    AsScript,
    /// A worker: the module is imported, and the instance can be replaced after a trap.
    InWorker,
}

/// Writes `{name}.js` and `{name}_bg.wasm` for a compiled module.
pub(crate) fn generate(wasm: &Path, out: &Path, name: &str, runs: Runs) -> Result<()> {
    let _ = fs::remove_dir_all(out);
    let mut bindgen = Bindgen::new();
    bindgen.input_path(wasm).out_name(name).typescript(false);
    match runs {
        Runs::InPage => bindgen
            .web(true)?
            .omit_default_module_path(true)
            .encode_into(EncodeInto::Always)
            .remove_name_section(true)
            .remove_producers_section(true),
        Runs::AsScript => bindgen
            .bundler(true)?
            .encode_into(EncodeInto::Always)
            .remove_name_section(true)
            .remove_producers_section(true),
        Runs::InWorker => bindgen.module(true)?.reset_state_function(true).force_enable_abort_handler(true),
    };
    bindgen.generate(out).with_context(|| format!("wasm-bindgen failed for {}", wasm.display()))
}

/// The features that browsers of the last years and workerd all have. Named one by one, so that a
/// newer optimizer never uses an encoding that they lack.
const FEATURES: [&str; 7] = [
    "--enable-mutable-globals",
    "--enable-sign-ext",
    "--enable-nontrapping-float-to-int",
    "--enable-bulk-memory",
    "--enable-multivalue",
    "--enable-reference-types",
    "--enable-exception-handling",
];

/// Optimizes a module in place with `passes`; keeps the result only when brotli
/// makes it smaller, since fewer raw bytes sometimes compress to more.
pub(crate) fn optimize(project: &Project, wasm: &Path, passes: &[&str]) -> Result<()> {
    let optimized = wasm.with_extension("opt.wasm");
    let mut command = Command::new(project.node_bin("wasm-opt"));
    command.arg(wasm).arg("-o").arg(&optimized).args(FEATURES).args(["--strip-producers", "--strip-target-features"]);
    run_quiet(command.args(passes))?;
    let before = brotli(&fs::read(wasm)?)?.len();
    let after = brotli(&fs::read(&optimized)?)?.len();
    if after < before {
        note(&format!("wasm-opt: {before} to {after} bytes of brotli"));
        fs::rename(&optimized, wasm)?;
    } else {
        note(&format!("wasm-opt kept out: {before} bytes would be {after}"));
        fs::remove_file(&optimized)?;
    }
    Ok(())
}
