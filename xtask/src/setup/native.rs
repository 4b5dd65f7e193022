//! The compiler that the tool itself was built with.

use std::process::Command;

use crate::project::Project;

/// A command that runs the native toolchain's cargo, not the one that may compile to wasm.
pub(crate) fn cargo(project: &Project) -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(&project.root);
    command
}
