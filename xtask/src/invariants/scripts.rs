//! Arrows between scripts of one folder: what each imports from the files beside it.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Component, Path, PathBuf};

use anyhow::{Context, Result};

use super::circle::Graph;
use super::sources::script_files;

/// The arrows between the scripts below a folder.
pub(super) fn graph(folder: &Path) -> Result<Graph> {
    let files = script_files(folder)?;
    let mut graph = Graph::new();
    for path in &files {
        let text = fs::read_to_string(path)?;
        let mut targets = BTreeSet::new();
        for import in imports(&text).filter(|import| is_script(import)) {
            let target = resolve(folder, path, import, &files);
            let target = target.with_context(|| format!("{}: no script is {import}", path.display()))?;
            targets.insert(name(folder, &target));
        }
        targets.remove(&name(folder, path));
        graph.insert(name(folder, path), targets);
    }
    Ok(graph)
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

/// Scripts that the build puts beside the others under a name of its own, with their sources.
const BUILT: [(&str, &str); 2] = [("./auto.js", "auto/index.js"), ("./problems.js", "problems/index.js")];

/// Whether an import is of a script, and not of data or styles.
fn is_script(import: &str) -> bool {
    let ending = Path::new(import).extension().and_then(|ending| ending.to_str());
    ending.is_none_or(|ending| ["ts", "tsx", "js", "mjs"].contains(&ending))
}

/// The file that an import leads to: as it is written, with another ending, or the index of a folder.
fn resolve(folder: &Path, importer: &Path, import: &str, files: &[PathBuf]) -> Option<PathBuf> {
    if let Some((_, source)) = BUILT.iter().find(|(name, _)| *name == import) {
        return Some(folder.join(source)).filter(|path| files.contains(path));
    }
    let mut path = PathBuf::new();
    for part in importer.parent()?.join(import).components() {
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
        path.join("index.tsx"),
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

    #[test]
    fn an_import_of_no_file_is_refused_and_data_is_no_script() {
        let folder = std::env::temp_dir().join(format!("endcap-invariants-scripts-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join("a.js"), "import data from '../seed.json'; import { b } from './b.js';").unwrap();
        assert!(graph(&folder).unwrap_err().to_string().contains("no script is ./b.js"));
        fs::write(folder.join("b.ts"), "export const b = 1;").unwrap();
        assert!(graph(&folder).unwrap()["a.js"].contains("b.ts"));
    }
}
