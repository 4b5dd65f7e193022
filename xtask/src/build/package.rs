//! The npm package `endcap`, packed as it is published: `target/pack/endcap.tgz`.
//!
//! The package is put together in `target/pack/package`, so that nothing generated lies among the
//! sources.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use super::tools::esbuild;
use super::variant::{ASSETS, Build};
use super::{fallback, integrity, sdk};
use crate::project::Project;
use crate::run::{run_quiet, timed};
use crate::stamp::{Inputs, when_changed};

/// The built files that the package carries as they are, from where the edge serves them.
fn built() -> impl Iterator<Item = &'static str> {
    let others = ["ec/endcap.js", "ec/core.js", "ec/core.wasm", "ec/raw.js", fallback::FILE, "endcap-sw.js"];
    others.into_iter().chain(sdk::PARTS.map(|(_, file)| file))
}

/// The modules that applications import, each with its declarations.
const MODULES: [&str; 2] = ["index", "react"];

/// Packs the package; in development only stages it, without types.
pub(super) fn build(build: &Build<'_>) -> Result<()> {
    let project = build.project;
    let mut inputs = Inputs::default()
        .path(&project.path("wasm-pkg"))?
        .path(&project.path("LICENSE"))?
        .text(include_str!("package.rs"));
    for file in built() {
        inputs = inputs.path(&build.target(ASSETS).join(file))?;
    }
    let staged = staged(build);
    if build.is_development() {
        let outputs = [staged.join("package.json")];
        when_changed(project, &build.stamp("package"), inputs, &outputs, || stage(build, &staged))?;
        return Ok(());
    }
    when_changed(project, &build.stamp("package"), inputs, &[tarball(build)], || {
        timed("packing the npm package", || {
            stage(build, &staged)?;
            types(project, &staged.join("dist"))?;
            pack(build, &staged)
        })
    })?;
    Ok(())
}

/// Where the tarball is.
pub(super) fn tarball(build: &Build<'_>) -> PathBuf {
    build.target("pack/endcap.tgz")
}

/// Where the package is put together.
pub(super) fn staged(build: &Build<'_>) -> PathBuf {
    build.target("pack/package")
}

/// Fills the package's directory.
fn stage(build: &Build<'_>, staged: &Path) -> Result<()> {
    let project = build.project;
    let dist = staged.join("dist");
    let _ = fs::remove_dir_all(build.target("pack"));
    fs::create_dir_all(&dist)?;
    for (from, to) in
        [("wasm-pkg/package.json", "package.json"), ("wasm-pkg/README.md", "README.md"), ("LICENSE", "LICENSE")]
    {
        let from = project.path(from);
        if from.exists() {
            fs::copy(from, staged.join(to))?;
        }
    }
    for file in built() {
        let name = Path::new(file).file_name().context("a file has a name")?;
        fs::copy(build.target(ASSETS).join(file), dist.join(name))?;
    }
    fs::copy(integrity::file(build), dist.join("integrity.json"))?;
    for name in MODULES {
        let entry = project.path(&format!("wasm-pkg/src/{name}.ts"));
        let options = ["--format=esm", "--target=es2020", "--external:react", "--external:./index.js"];
        // With its white space minified, the comments that tell bundlers to leave an import alone are gone.
        let options = options.into_iter().chain(["--minify-whitespace=false"]);
        esbuild(project, &entry, &dist.join(format!("{name}.js")), options)?;
    }
    Ok(())
}

/// Packs what is staged.
fn pack(build: &Build<'_>, staged: &Path) -> Result<()> {
    let packed = build.target("pack");
    let mut npm = Command::new("npm");
    npm.args(["pack", "--ignore-scripts", "--pack-destination"]);
    let printed = run_quiet(npm.arg(&packed).current_dir(staged))?;
    let name = printed.lines().last().context("npm pack named no file")?;
    fs::rename(packed.join(name.trim()), tarball(build))?;
    Ok(())
}

/// Checks the TypeScript sources and writes the declarations that the entry refers to.
fn types(project: &Project, dist: &Path) -> Result<()> {
    let mut tsc = Command::new(project.node_bin("tsc"));
    tsc.current_dir(&project.root)
        .args(["--project", "wasm-pkg/tsconfig.json", "--noEmit", "false"])
        .args(["--declaration", "--emitDeclarationOnly", "--outDir"])
        .arg(dist.join("declarations"));
    run_quiet(&mut tsc)?;
    let mut tsc = Command::new(project.node_bin("tsc"));
    tsc.current_dir(&project.root);
    run_quiet(tsc.args(["--project", "wasm-pkg/tsconfig.worker.json"]))?;
    for name in MODULES.into_iter().chain(["types"]) {
        let name = format!("{name}.d.ts");
        let text = fs::read_to_string(dist.join("declarations").join(&name))
            .with_context(|| format!("no declarations in {name}"))?;
        // Node's own resolution wants the extension that bundlers do without.
        let text = text.replace("from './types'", "from './types.js'");
        fs::write(dist.join(name), text)?;
    }
    Ok(fs::remove_dir_all(dist.join("declarations"))?)
}
