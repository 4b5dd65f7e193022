//! Compiler and bundler, as every part of the build calls them.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Result;

use crate::project::Project;
use crate::run::{run, run_quiet};
use crate::setup;

/// Compiles a crate to wasm under a Cargo profile, with a cargo command of the wasm toolchain's,
/// and returns the file.
pub(super) fn compile(project: &Project, cargo: Command, package: &str, profile: &str) -> Result<PathBuf> {
    compile_into(project, "wasm", cargo, package, profile)
}

/// Like [`compile`], for a command that puts what it makes into another folder below `target/`.
pub(super) fn compile_into(
    project: &Project,
    folder: &str,
    mut cargo: Command,
    package: &str,
    profile: &str,
) -> Result<PathBuf> {
    run(cargo.args(["--profile", profile, "--package", package]))?;
    Ok(compiled_in(project, folder, package, profile))
}

/// Where [`compile`] puts a crate's module.
pub(super) fn compiled(project: &Project, package: &str, profile: &str) -> PathBuf {
    compiled_in(project, "wasm", package, profile)
}

/// The same, in another folder below `target/`.
fn compiled_in(project: &Project, folder: &str, package: &str, profile: &str) -> PathBuf {
    let name = package.replace('-', "_");
    project.target(&format!("{folder}/{}/{profile}/{name}.wasm", setup::wasm::TARGET))
}

/// Bundles with esbuild; the arguments follow the entry points.
pub(super) fn esbuild<I, S>(project: &Project, entry: &Path, out: &Path, arguments: I) -> Result<()>
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
