//! Integrity of the files that a page loads, as its tags name it (W3C Subresource Integrity): `integrity.json`,
//! which the package carries too.

use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value};
use sha2::{Digest, Sha384};

use super::variant::{ASSETS, Build, Variant, target};
use crate::project::Project;
use crate::stamp::files_below;

/// Where the list is.
pub(super) fn file(build: &Build<'_>) -> PathBuf {
    build.target("integrity.json")
}

/// Writes the list: file name to `sha384-…`.
pub(super) fn write(build: &Build<'_>) -> Result<()> {
    let list = serde_json::to_string_pretty(&list(build)?)? + "\n";
    // Written only when it changed: what is built from it has its time as it was.
    if fs::read_to_string(file(build)).is_ok_and(|old| old == list) {
        return Ok(());
    }
    Ok(fs::write(file(build), list)?)
}

/// Prints the list, for tags.
pub(super) fn print(build: &Build<'_>) -> Result<()> {
    for (name, value) in list(build)? {
        println!("{name:14} {}", value.as_str().unwrap_or_default());
    }
    Ok(())
}

/// Every file that the edge serves to browsers, by its name.
fn list(build: &Build<'_>) -> Result<Map<String, Value>> {
    let mut list = Map::new();
    for file in browser_files(build.project, build.variant)? {
        let name = file.file_name().context("a file has a name")?.to_string_lossy().into_owned();
        let content = fs::read(&file).with_context(|| format!("cannot read {}", file.display()))?;
        list.insert(name, Value::String(integrity(&content)));
    }
    Ok(list)
}

/// The integrity of a file's content.
fn integrity(content: &[u8]) -> String {
    format!("sha384-{}", STANDARD.encode(Sha384::digest(content)))
}

/// Every file that the edge serves to browsers, without the compressed copies.
pub(crate) fn browser_files(project: &Project, variant: Variant) -> Result<Vec<PathBuf>> {
    let mut files = files_below(&target(project, variant, ASSETS))?;
    files.retain(|file| file.extension().is_some_and(|extension| extension == "js" || extension == "wasm"));
    Ok(files)
}

#[cfg(test)]
mod tests {
    use super::integrity;

    #[test]
    fn integrity_is_that_of_the_specifications_example() {
        // Subresource Integrity, section 3.2.1: `alert('Hello, world.');`.
        let expected = "sha384-H8BRh8j48O9oYatfu5AZzq6A9RINhZO5H16dQZngK7T62em8MUt1FLm52t+eX6xO";
        assert_eq!(integrity(b"alert('Hello, world.');"), expected);
    }
}
