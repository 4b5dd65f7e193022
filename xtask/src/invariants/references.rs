//! What a Rust file names: paths that begin with `crate`, `super`, `self`, one of the file's own modules or a name that it
//! imports, in `use` declarations, in code and in the arguments of macros. Tests inside the file do not count. Calls of
//! methods are no paths: they lead to a type that the file names.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, Result, anyhow, bail};
use proc_macro2::{Delimiter, TokenStream, TokenTree};

/// A path from the crate's root, such as `["profile", "row", "ProfileRow"]`.
pub(super) type ModulePath = Vec<String>;

/// What a file names and declares.
#[derive(Debug, Default)]
pub(super) struct References {
    /// Every path that it names.
    pub(super) paths: BTreeSet<ModulePath>,
    /// What it exports under names of its own: the name, and the path that it stands for.
    pub(super) exports: Vec<(String, ModulePath)>,
    /// Whether it only declares modules and imports or exports names.
    pub(super) only_declares: bool,
}

/// Reads a file that is the module at `module`.
pub(super) fn read(text: &str, module: &[String]) -> Result<References> {
    let stream: TokenStream = text.parse().map_err(|error| anyhow!("{error}")).context("not Rust")?;
    let file: syn::File = syn::parse2(stream.clone())?;
    let declares =
        |item: &syn::Item| matches!(item, syn::Item::Use(_) | syn::Item::Mod(syn::ItemMod { content: None, .. }));
    let mut found = References { only_declares: file.items.iter().all(declares), ..References::default() };
    let children = file.items.iter().filter_map(|item| match item {
        syn::Item::Mod(item) if item.content.is_none() => Some(item.ident.to_string()),
        _ => None,
    });
    let child = |name: String| (name.clone(), [module, &[name]].concat());
    let mut scan = Scan { names: children.map(child).collect() };
    for item in &file.items {
        if let syn::Item::Use(item) = item {
            let imports = scan.imports(&item.tree, &[], module)?;
            if !matches!(item.vis, syn::Visibility::Inherited) {
                found.exports.extend(imports.iter().cloned());
            }
            scan.names.extend(imports);
        }
    }
    scan.tokens(&stream.into_iter().collect::<Vec<_>>(), module, &mut found);
    Ok(found)
}

struct Scan {
    /// Names of the file with what they stand for: its modules in files of their own, and what it imports.
    names: BTreeMap<String, ModulePath>,
}

impl Scan {
    fn tokens(&self, tokens: &[TokenTree], module: &[String], found: &mut References) {
        let mut at = 0;
        while let Some(token) = tokens.get(at) {
            match token {
                TokenTree::Punct(punct) if punct.as_char() == '#' && is_test_attribute(tokens.get(at + 1)) => {
                    at = after_item(tokens, at + 2);
                    continue;
                }
                TokenTree::Ident(word) if word == "mod" => {
                    if let (Some(TokenTree::Ident(name)), Some(TokenTree::Group(body))) =
                        (tokens.get(at + 1), tokens.get(at + 2))
                    {
                        let inner = [module, &[name.to_string()]].concat();
                        self.tokens(&body.stream().into_iter().collect::<Vec<_>>(), &inner, found);
                        at += 3;
                        continue;
                    }
                }
                TokenTree::Ident(word)
                    if self.begins_path(&word.to_string())
                        && !continues(tokens, at)
                        && is_separator(tokens, at + 1) =>
                {
                    at = self.path(tokens, at, &mut Vec::new(), module, found);
                    continue;
                }
                TokenTree::Group(group) => {
                    self.tokens(&group.stream().into_iter().collect::<Vec<_>>(), module, found);
                }
                _ => {}
            }
            at += 1;
        }
    }

    fn begins_path(&self, word: &str) -> bool {
        matches!(word, "crate" | "super" | "self") || self.names.contains_key(word)
    }

    /// Reads a path or a tree of them. Returns where it ends.
    fn path(
        &self,
        tokens: &[TokenTree],
        mut at: usize,
        words: &mut Vec<String>,
        module: &[String],
        found: &mut References,
    ) -> usize {
        loop {
            match tokens.get(at) {
                Some(TokenTree::Ident(word)) => words.push(word.to_string()),
                Some(TokenTree::Group(group)) if group.delimiter() == Delimiter::Brace => {
                    let inner: Vec<TokenTree> = group.stream().into_iter().collect();
                    for part in inner.split(|token| matches!(token, TokenTree::Punct(p) if p.as_char() == ',')) {
                        self.path(part, 0, &mut words.clone(), module, found);
                    }
                    return at + 1;
                }
                _ => {
                    found.paths.extend(self.absolute(words, module));
                    return at.max(1);
                }
            }
            if !is_separator(tokens, at + 1) {
                found.paths.extend(self.absolute(words, module));
                return at + 1;
            }
            at += 3;
        }
    }

    /// The path from the crate's root. None for what is outside of the crate.
    fn absolute(&self, words: &[String], module: &[String]) -> Option<ModulePath> {
        // `self` at the end of braces is the module before them.
        let words = match words {
            [before @ .., last] if last == "self" && !before.is_empty() => before,
            _ => words,
        };
        let mut base = module.to_vec();
        let mut rest = words;
        match words.first()?.as_str() {
            "crate" => {
                base.clear();
                rest = words.get(1..)?;
            }
            "self" => rest = words.get(1..)?,
            "super" => {
                while rest.first().is_some_and(|word| word == "super") {
                    base.pop();
                    rest = rest.get(1..)?;
                }
            }
            name => {
                base.clone_from(self.names.get(name)?);
                rest = words.get(1..)?;
            }
        }
        base.extend(rest.iter().cloned());
        Some(base)
    }

    /// The names that a `use` declaration brings, with the paths that they stand for within the crate.
    fn imports(&self, tree: &syn::UseTree, words: &[String], module: &[String]) -> Result<Vec<(String, ModulePath)>> {
        let below = |name: &syn::Ident| [words, &[name.to_string()]].concat();
        let named = |name: &syn::Ident, as_name: &syn::Ident| {
            let as_name = if as_name == "self" { words.last().cloned() } else { Some(as_name.to_string()) };
            as_name.zip(self.absolute(&below(name), module)).into_iter().collect()
        };
        Ok(match tree {
            syn::UseTree::Path(path) => self.imports(&path.tree, &below(&path.ident), module)?,
            syn::UseTree::Group(group) => {
                let parts = group.items.iter().map(|item| self.imports(item, words, module));
                parts.collect::<Result<Vec<_>>>()?.concat()
            }
            syn::UseTree::Name(name) => named(&name.ident, &name.ident),
            syn::UseTree::Rename(name) => named(&name.ident, &name.rename),
            syn::UseTree::Glob(_) if self.absolute(words, module).is_some() => {
                bail!("imports everything of {}: name what it takes, so that its arrows are known", words.join("::"))
            }
            syn::UseTree::Glob(_) => Vec::new(),
        })
    }
}

/// Whether a path separator stands at a place.
fn is_separator(tokens: &[TokenTree], at: usize) -> bool {
    let colon = |token: Option<&TokenTree>| matches!(token, Some(TokenTree::Punct(punct)) if punct.as_char() == ':');
    colon(tokens.get(at)) && colon(tokens.get(at + 1))
}

/// Whether a word goes on with a path or a field.
fn continues(tokens: &[TokenTree], at: usize) -> bool {
    let before = at.checked_sub(1).and_then(|before| tokens.get(before));
    let dot = matches!(before, Some(TokenTree::Punct(punct)) if punct.as_char() == '.');
    dot || (at >= 2 && is_separator(tokens, at - 2))
}

/// Whether a bracket group is `[cfg(test)]`.
fn is_test_attribute(token: Option<&TokenTree>) -> bool {
    let Some(TokenTree::Group(group)) = token else { return false };
    let text: String = group.stream().to_string().chars().filter(|c| !c.is_whitespace()).collect();
    text == "cfg(test)"
}

/// Where the item ends that begins at a place: after its body or its semicolon.
fn after_item(tokens: &[TokenTree], mut at: usize) -> usize {
    while let Some(token) = tokens.get(at) {
        at += 1;
        match token {
            TokenTree::Group(group) if group.delimiter() == Delimiter::Brace => break,
            TokenTree::Punct(punct) if punct.as_char() == ';' => break,
            _ => {}
        }
    }
    at
}

#[cfg(test)]
mod tests {
    use super::*;

    fn paths(text: &str, module: &[&str]) -> Vec<String> {
        let module: Vec<String> = module.iter().map(|&word| word.to_owned()).collect();
        read(text, &module).unwrap().paths.iter().map(|path| path.join("::")).collect()
    }

    #[test]
    fn imports_are_taken_apart() {
        let text = "use crate::a::{B, c::{D, e}}; use super::f; use std::fmt;";
        assert_eq!(paths(text, &["x", "y"]), ["a::B", "a::c::D", "a::c::e", "x::f"]);
    }

    #[test]
    fn paths_in_code_and_macros_count() {
        let text = "fn f() { super::g::h::<u8>(); println!(\"{}\", crate::i::j(1)); let x = a.crate_name; }";
        assert_eq!(paths(text, &["x", "y"]), ["i::j", "x::g::h"]);
    }

    #[test]
    fn a_child_is_named_without_its_parent() {
        assert_eq!(paths("mod store; use store::Store; use other::Thing;", &["shard"]), ["shard::store::Store"]);
    }

    #[test]
    fn a_name_that_is_imported_leads_on() {
        let text = "use super::{api, c::{self, D as E}}; fn f() { api::people::erase(); c::g(); E::new(); }";
        assert_eq!(
            paths(text, &["x", "y"]),
            ["x::api", "x::api::people::erase", "x::c", "x::c::D", "x::c::D::new", "x::c::g"]
        );
    }

    #[test]
    fn importing_everything_is_refused() {
        assert!(read("use super::a::*;", &["x".to_owned(), "y".to_owned()]).is_err());
        assert!(read("use other::prelude::*;", &["x".to_owned()]).is_ok());
    }

    #[test]
    fn tests_do_not_count() {
        assert!(paths("#[cfg(test)]\nmod tests { use crate::a::B; }", &["x"]).is_empty());
    }
}
