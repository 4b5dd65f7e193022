//! What a Rust file names: paths that begin with `crate`, `super`, `self` or one of the file's own modules, in `use`
//! declarations, in code and in the arguments of macros. Tests inside the file do not count.

use std::collections::BTreeSet;

use anyhow::{Context, Result, anyhow};
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
    let file = syn::parse_file(text)?;
    let declares =
        |item: &syn::Item| matches!(item, syn::Item::Use(_) | syn::Item::Mod(syn::ItemMod { content: None, .. }));
    let mut found = References { only_declares: file.items.iter().all(declares), ..References::default() };
    let children = file.items.iter().filter_map(|item| match item {
        syn::Item::Mod(item) if item.content.is_none() => Some(item.ident.to_string()),
        _ => None,
    });
    let scan = Scan { children: children.collect() };
    scan.tokens(&stream.into_iter().collect::<Vec<_>>(), module, &mut found);
    for item in &file.items {
        if let syn::Item::Use(item) = item
            && !matches!(item.vis, syn::Visibility::Inherited)
        {
            scan.exports(&item.tree, &mut Vec::new(), module, &mut found);
        }
    }
    Ok(found)
}

struct Scan {
    /// Modules that the file declares in files of their own.
    children: BTreeSet<String>,
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
        matches!(word, "crate" | "super" | "self") || self.children.contains(word)
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
            child if self.children.contains(child) => {}
            _ => return None,
        }
        base.extend(rest.iter().cloned());
        Some(base)
    }

    fn exports(&self, tree: &syn::UseTree, words: &mut Vec<String>, module: &[String], found: &mut References) {
        match tree {
            syn::UseTree::Path(path) => {
                words.push(path.ident.to_string());
                self.exports(&path.tree, words, module, found);
                words.pop();
            }
            syn::UseTree::Group(group) => {
                group.items.iter().for_each(|item| self.exports(item, words, module, found));
            }
            syn::UseTree::Name(name) => {
                self.export(&name.ident.to_string(), &name.ident.to_string(), words, module, found)
            }
            syn::UseTree::Rename(name) => {
                self.export(&name.ident.to_string(), &name.rename.to_string(), words, module, found);
            }
            syn::UseTree::Glob(_) => {}
        }
    }

    fn export(&self, name: &str, as_name: &str, words: &[String], module: &[String], found: &mut References) {
        let whole: Vec<String> = words.iter().cloned().chain([name.to_owned()]).collect();
        if let Some(path) = self.absolute(&whole, module) {
            found.exports.push((as_name.to_owned(), path));
        }
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
    fn tests_do_not_count() {
        assert!(paths("#[cfg(test)]\nmod tests { use crate::a::B; }", &["x"]).is_empty());
    }
}
