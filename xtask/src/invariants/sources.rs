//! Where sources are.

use std::path::PathBuf;

use anyhow::Result;

use crate::project::Project;

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
