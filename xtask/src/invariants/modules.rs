//! Arrows between the files of one crate. A file that only declares and exports is no room of its own: an arrow to a name
//! that it exports goes on to where the name is from.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use anyhow::{Context, Result};

use super::circle::Graph;
use super::references::{ModulePath, References, read};
use super::sources::rust_files;

/// How many exports are followed one after the other.
const MAX_EXPORTS: usize = 8;

/// A source file as a module.
struct Module {
    /// Its path below the source folder.
    file: String,
    references: References,
}

/// The arrows between the files below a source folder; files of tests are left out.
pub(super) fn graph(folder: &Path) -> Result<Graph> {
    let modules = modules(folder)?;
    let mut graph = Graph::new();
    for module in modules.values().filter(|module| !module.references.only_declares) {
        let named = module.references.paths.iter().filter_map(|path| file_of(&modules, path));
        let targets: BTreeSet<String> = named.filter(|target| *target != module.file).collect();
        graph.insert(module.file.clone(), targets);
    }
    Ok(graph)
}

fn modules(folder: &Path) -> Result<BTreeMap<ModulePath, Module>> {
    let mut modules = BTreeMap::new();
    for path in rust_files(folder)? {
        let file = path.strip_prefix(folder)?.to_string_lossy().into_owned();
        let Some(module) = module_path(&file) else { continue };
        let text = fs::read_to_string(&path)?;
        let references = read(&text, &module).with_context(|| path.display().to_string())?;
        modules.insert(module, Module { file, references });
    }
    Ok(modules)
}

/// The module that a file is; None for files of tests.
fn module_path(file: &str) -> Option<ModulePath> {
    let mut words: ModulePath = file.trim_end_matches(".rs").split('/').map(str::to_owned).collect();
    match words.last()?.as_str() {
        "tests" => return None,
        "mod" => drop(words.pop()),
        "lib" | "main" if words.len() == 1 => drop(words.pop()),
        _ => {}
    }
    Some(words)
}

/// The file that a path leads to.
fn file_of(modules: &BTreeMap<ModulePath, Module>, path: &[String]) -> Option<String> {
    let mut path = path.to_vec();
    for _ in 0..MAX_EXPORTS {
        let (length, module) = (0..=path.len()).rev().find_map(|n| Some((n, modules.get(path.get(..n)?)?)))?;
        if !module.references.only_declares {
            return Some(module.file.clone());
        }
        let name = path.get(length)?;
        let (_, from) = module.references.exports.iter().find(|(exported, _)| exported == name)?;
        path = from.iter().chain(path.get(length + 1..)?).cloned().collect();
    }
    None
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;
    use crate::invariants::{circle, doors};

    /// A small crate in a folder of its own.
    fn tree(name: &str, files: &[(&str, &str)]) -> PathBuf {
        let folder = std::env::temp_dir().join(format!("endcap-invariants-{name}-{}", std::process::id()));
        for (file, text) in files {
            let path = folder.join(file);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        folder
    }

    #[test]
    fn a_circle_of_files_is_found_through_what_a_folder_exports() {
        let folder = tree(
            "circle",
            &[
                ("lib.rs", "mod a;\nmod b;"),
                ("a/mod.rs", "mod one;\npub(crate) use one::One;"),
                ("a/one.rs", "use crate::b::Two;\npub(crate) struct One(Two);"),
                ("b.rs", "use crate::a::One;\npub(crate) struct Two(Box<One>);"),
            ],
        );
        let graph = graph(&folder).unwrap();
        assert_eq!(circle::circles(&graph), [["a/one.rs", "b.rs"]]);
    }

    #[test]
    fn a_circle_is_found_through_a_folder_that_is_imported() {
        let folder = tree(
            "folder",
            &[
                ("lib.rs", "mod router;\nmod api;"),
                ("router.rs", "use super::api;\npub(crate) fn route() { api::people::erase(); }"),
                ("api/mod.rs", "pub(crate) mod people;"),
                ("api/people.rs", "pub(crate) fn erase() { crate::router::route(); }"),
            ],
        );
        assert_eq!(circle::circles(&graph(&folder).unwrap()), [["api/people.rs", "router.rs"]]);
    }

    #[test]
    fn an_arrow_against_the_doors_is_found() {
        let folder = tree(
            "doors",
            &[
                ("lib.rs", "mod http;\nmod objects;\nmod rpc;"),
                ("http/mod.rs", "pub(crate) mod router;"),
                ("http/router.rs", "use crate::rpc::call;\npub(crate) fn route() { call::ask(); }"),
                ("objects/mod.rs", "mod shard;"),
                ("objects/shard.rs", "use crate::http::router::route;\nfn f() { route(); }"),
                ("rpc/mod.rs", "pub(crate) mod call;"),
                ("rpc/call.rs", "pub(crate) fn ask() {}"),
            ],
        );
        let broken = doors::broken(&graph(&folder).unwrap());
        assert_eq!(broken.len(), 1);
        assert!(broken[0].contains("objects/shard.rs → http/router.rs"), "{broken:?}");
    }

    #[test]
    fn tests_beside_the_code_are_no_part_of_it() {
        let folder = tree("tests", &[("lib.rs", "mod a;"), ("a.rs", "fn f() {}"), ("a/tests.rs", "use crate::a;")]);
        assert_eq!(graph(&folder).unwrap().keys().collect::<Vec<_>>(), ["a.rs"]);
    }
}
