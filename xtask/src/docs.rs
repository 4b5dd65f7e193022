//! `cargo xtask docs`: the book in `docs/`, built by mdBook with search, and every link checked.
//!
//! The builder (`xtask/book`) is a workspace of its own: its dependencies are compiled only for this.

use anyhow::Result;

use crate::project::Project;
use crate::run::{note, run};
use crate::setup::cargo;

/// Where the book goes, below `target/`.
const BOOK: &str = "book";

/// `cargo xtask docs`.
pub(crate) fn command(project: &Project) -> Result<()> {
    build(project)?;
    note(&format!("open {}", project.target(BOOK).join("index.html").display()));
    Ok(())
}

/// Builds the book and checks its links.
pub(crate) fn build(project: &Project) -> Result<()> {
    let mut builder = cargo(project);
    builder.args(["run", "--quiet", "--locked", "--manifest-path"]).arg(project.path("xtask/book/Cargo.toml"));
    builder.arg("--target-dir").arg(project.target("book-builder"));
    run(builder.arg("--").arg(&project.root).arg(project.target(BOOK)))
}
