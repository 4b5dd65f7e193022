//! Stamps: a step that is done leaves the fingerprint of its inputs in `target/stamps/`, so that
//! the next run can tell in milliseconds that there is nothing to do.

use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::project::Project;

/// The fingerprint of a step's inputs while it is collected.
#[derive(Default)]
pub(crate) struct Inputs {
    hasher: DefaultHasher,
}

impl Inputs {
    /// Adds a text, for example a version or a set of options.
    pub(crate) fn text(mut self, text: &str) -> Self {
        text.hash(&mut self.hasher);
        self
    }

    /// Adds a file's content, or every file below a directory. What does not exist counts as
    /// absent, so that its appearing later is a change.
    pub(crate) fn path(mut self, path: &Path) -> Result<Self> {
        for file in files_below(path)? {
            file.hash(&mut self.hasher);
            fs::read(&file).with_context(|| format!("cannot read {}", file.display()))?.hash(&mut self.hasher);
        }
        Ok(self)
    }

    /// Ends the collection: a text that changes when any input does.
    pub(crate) fn finish(self) -> String {
        format!("{:016x}", self.hasher.finish())
    }
}

/// Runs `work` unless it already ran with the same inputs and all its outputs are still there.
/// Returns whether it ran.
pub(crate) fn when_changed(
    project: &Project,
    name: &str,
    inputs: Inputs,
    outputs: &[PathBuf],
    work: impl FnOnce() -> Result<()>,
) -> Result<bool> {
    let stamp = project.target("stamps").join(name);
    let fingerprint = inputs.finish();
    let same = fs::read_to_string(&stamp).is_ok_and(|old| old == fingerprint);
    if same && outputs.iter().all(|path| path.exists()) {
        return Ok(false);
    }
    let _ = fs::remove_file(&stamp);
    work()?;
    fs::create_dir_all(project.target("stamps"))?;
    fs::write(&stamp, fingerprint)?;
    Ok(true)
}

/// Every file at or below a path in a fixed order; installed packages are not followed.
pub(crate) fn files_below(path: &Path) -> Result<Vec<PathBuf>> {
    if path.is_file() {
        return Ok(vec![path.to_path_buf()]);
    }
    if !path.is_dir() || path.file_name().is_some_and(|name| name == "node_modules") {
        return Ok(Vec::new());
    }
    let mut entries = fs::read_dir(path)?.map(|entry| Ok(entry?.path())).collect::<Result<Vec<_>>>()?;
    entries.sort();
    let mut files = Vec::new();
    for entry in entries {
        files.extend(files_below(&entry)?);
    }
    Ok(files)
}
