//! `cargo xtask docs`: the book in `docs/`, built by mdBook with search, and every link checked.
//!
//! The builder (`xtask/book`) is a workspace of its own: its dependencies are compiled only for this.

use std::process::Command;

use anyhow::Result;

use crate::project::Project;
use crate::run::{note, run};
use crate::setup::cargo;

/// Where the book goes, below `target/`.
const BOOK: &str = "book";
/// Where its builder is compiled.
const BUILDER: &str = "book-builder";

/// `cargo xtask docs`.
pub(crate) fn command(project: &Project) -> Result<()> {
    build(project)?;
    note(&format!("open {}", project.target(BOOK).join("index.html").display()));
    Ok(())
}

/// Checks the builder itself, then builds the book.
pub(crate) fn check(project: &Project) -> Result<()> {
    run(builder(project, "fmt").args(["--", "--check"]))?;
    run(builder(project, "test").args(["--quiet", "--locked", "--target-dir"]).arg(project.target(BUILDER)))?;
    build(project)
}

/// Builds the book and checks its links.
fn build(project: &Project) -> Result<()> {
    let mut run_it = builder(project, "run");
    run_it.args(["--quiet", "--locked", "--target-dir"]).arg(project.target(BUILDER));
    run(run_it.arg("--").arg(&project.root).arg(project.target(BOOK)))
}

/// A cargo command about the builder.
fn builder(project: &Project, subcommand: &str) -> Command {
    let mut command = cargo(project);
    command.arg(subcommand).arg("--manifest-path").arg(project.path("xtask/book/Cargo.toml"));
    command
}
