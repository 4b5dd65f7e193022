//! Where sources are.

use std::path::{Path, PathBuf};

use anyhow::{Result, ensure};

use crate::project::Project;
use crate::stamp::files_below;

/// Folders with the sources of one crate each.
const CRATES: [&str; 5] = ["sdk/src", "sdk/protocol/src", "sdk/targeting/src", "edge/src", "xtask/src"];

/// Folders of scripts that import each other.
pub(super) const SCRIPTS: [&str; 3] = ["demo-site/src", "sdk/js", "wasm-pkg/src"];

/// The source folders of all crates: those named above, and the pure crates of the edge, which are found.
pub(super) fn crate_folders(project: &Project) -> Result<Vec<PathBuf>> {
    let mut folders: Vec<PathBuf> = CRATES.iter().map(|folder| project.path(folder)).collect();
    for entry in std::fs::read_dir(project.path("edge"))? {
        let folder = entry?.path().join("src");
        if folder.join("lib.rs").exists() {
            folders.push(folder);
        }
    }
    folders.sort();
    folders.dedup();
    Ok(folders)
}

/// Every Rust file below a folder, in order.
pub(super) fn rust_files(folder: &Path) -> Result<Vec<PathBuf>> {
    files(folder, &["rs"])
}

/// Every script below a folder, in order.
pub(super) fn script_files(folder: &Path) -> Result<Vec<PathBuf>> {
    files(folder, &["ts", "tsx", "js", "mjs"])
}

fn files(folder: &Path, kinds: &[&str]) -> Result<Vec<PathBuf>> {
    let mut found = files_below(folder)?;
    found.retain(|path| path.extension().is_some_and(|kind| kinds.iter().any(|one| kind == *one)));
    ensure!(!found.is_empty(), "{} has no sources: is it the right folder?", folder.display());
    Ok(found)
}
