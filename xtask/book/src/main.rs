//! Builds the book in `docs/` with mdBook, and checks every link of it and of the documents beside it.
//!
//! `endcap-book ROOT OUT`: the repository's root, and where the built book goes. Links that lead to other sites are not
//! asked: what they answer is not this repository's.

mod html;
mod markdown;

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use mdbook_driver::MDBook;

/// Documents that are read in the repository, not in the book.
const DOCUMENTS: [&str; 5] = ["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "CHANGELOG.md", "wasm-pkg/README.md"];

fn main() -> Result<()> {
    let mut arguments = std::env::args_os().skip(1).map(PathBuf::from);
    let root = arguments.next().context("usage: endcap-book ROOT OUT")?;
    let out = arguments.next().context("usage: endcap-book ROOT OUT")?;
    build(&root, &out)?;
    let mut broken = html::broken_links(&out)?;
    for document in DOCUMENTS {
        broken.extend(markdown::broken_links(&root, document)?);
    }
    if broken.is_empty() {
        return Ok(());
    }
    for link in &broken {
        eprintln!("broken link: {link}");
    }
    bail!("{} links lead nowhere", broken.len())
}

/// Builds the book.
fn build(root: &Path, out: &Path) -> Result<()> {
    let mut book = MDBook::load(root.join("docs"))?;
    book.config.build.build_dir = out.to_path_buf();
    book.build()
}
