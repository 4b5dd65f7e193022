//! Where things are: the one place that knows the project's directories.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

/// The project's directories, all absolute.
#[derive(Clone, Debug)]
pub(crate) struct Project {
    /// The repository's root.
    pub(crate) root: PathBuf,
}

impl Project {
    /// Finds the root from where this tool was compiled, so that it works from any directory.
    pub(crate) fn find() -> Result<Self> {
        let manifest = Path::new(env!("CARGO_MANIFEST_DIR"));
        let root = manifest.parent().context("xtask lies in no directory")?;
        Ok(Self { root: root.to_path_buf() })
    }

    /// A path below the root.
    pub(crate) fn path(&self, relative: &str) -> PathBuf {
        self.root.join(relative)
    }

    /// A path below `target/`, where everything generated goes.
    pub(crate) fn target(&self, relative: &str) -> PathBuf {
        self.root.join("target").join(relative)
    }

    /// An executable that an npm package brought.
    pub(crate) fn node_bin(&self, name: &str) -> PathBuf {
        self.root.join("node_modules/.bin").join(name)
    }
}
