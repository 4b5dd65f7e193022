//! Arrows between scripts of one folder: what each imports from the files beside it.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Component, Path, PathBuf};

use anyhow::{Context, Result};

use super::circle::Graph;

/// The arrows between the scripts below a folder.
pub(super) fn graph(folder: &Path) -> Result<Graph> {
    let files = files(folder)?;
    let mut graph = Graph::new();
    for path in &files {
        let text = fs::read_to_string(path)?;
        let targets: BTreeSet<String> = imports(&text)
            .filter_map(|import| resolve(path.parent()?, import, &files))
            .filter(|target| target != path)
            .map(|target| name(folder, &target))
            .collect();
        graph.insert(name(folder, path), targets);
    }
    Ok(graph)
}

/// Every script below a folder, in order.
pub(super) fn files(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).with_context(|| folder.display().to_string())? {
        let path = entry?.path();
        if path.is_dir() {
            found.extend(files(&path)?);
        } else if path.extension().is_some_and(|kind| ["ts", "tsx", "js", "mjs"].iter().any(|script| kind == *script)) {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}

fn name(folder: &Path, path: &Path) -> String {
    path.strip_prefix(folder).unwrap_or(path).to_string_lossy().into_owned()
}

/// Relative addresses that a script imports from, types included. Every one follows `from` or `import`.
fn imports(text: &str) -> impl Iterator<Item = &str> {
    let words = ["from", "import"];
    words.into_iter().flat_map(move |word| {
        text.match_indices(word).filter_map(move |(at, _)| {
            let rest = text.get(at + word.len()..)?.trim_start().trim_start_matches('(').trim_start();
            let quote = rest.chars().next().filter(|c| matches!(c, '"' | '\''))?;
            let import = rest.get(1..)?.split(quote).next()?;
            import.starts_with('.').then_some(import)
        })
    })
}

/// The file that an import leads to: as it is written, with another ending, or the index of a folder.
fn resolve(from: &Path, import: &str, files: &[PathBuf]) -> Option<PathBuf> {
    let mut path = PathBuf::new();
    for part in from.join(import).components() {
        match part {
            Component::ParentDir => drop(path.pop()),
            Component::CurDir => {}
            other => path.push(other),
        }
    }
    let bare = path.with_extension("");
    let candidates = [
        path.clone(),
        bare.with_extension("ts"),
        bare.with_extension("tsx"),
        bare.with_extension("js"),
        path.join("index.ts"),
        path.join("index.js"),
    ];
    candidates.into_iter().find(|candidate| files.contains(candidate))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn relative_imports_are_read() {
        let text = "import { a } from './a.js';\nimport type { B } from \"../b\";\nimport './c';\nawait import('./d.js');\
                    \nimport x from 'endcap';";
        let mut found: Vec<&str> = imports(text).collect();
        found.sort_unstable();
        assert_eq!(found, ["../b", "./a.js", "./c", "./d.js"]);
    }
}
