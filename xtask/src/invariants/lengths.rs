//! How long files and functions are, and how many public items are documented. Tests do not count.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use syn::spanned::Spanned;
use syn::visit::{self, Visit};

use super::sources::{SCRIPTS, crate_folders, rust_files, script_files};
use crate::project::Project;

/// Longest file, and the length that nine of ten files keep to, in lines.
const FILE: Limit = Limit { ninetieth: 300, longest: 500 };
/// The same of functions.
const FUNCTION: Limit = Limit { ninetieth: 20, longest: 60 };
/// Documented public items, in percent.
const DOCUMENTED: usize = 95;

struct Limit {
    ninetieth: usize,
    longest: usize,
}

/// What was measured: lengths in lines, each with what it is of.
#[derive(Default)]
pub(super) struct Lengths {
    files: Vec<(usize, String)>,
    functions: Vec<(usize, String)>,
    public: usize,
    undocumented: Vec<String>,
}

/// Measures every crate and script of the project.
pub(super) fn measure(project: &Project) -> Result<Lengths> {
    let mut lengths = Lengths::default();
    for folder in crate_folders(project)? {
        for path in rust_files(&folder)? {
            if !path.ends_with("tests.rs") {
                lengths.add_rust(&path, &name(project, &path))?;
            }
        }
    }
    for folder in SCRIPTS {
        for path in script_files(&project.path(folder))? {
            let count = fs::read_to_string(&path)?.lines().count();
            lengths.files.push((count, name(project, &path)));
        }
    }
    lengths.files.sort();
    lengths.functions.sort();
    Ok(lengths)
}

fn name(project: &Project, path: &Path) -> String {
    path.strip_prefix(&project.root).unwrap_or(path).display().to_string()
}

impl Lengths {
    fn add_rust(&mut self, path: &Path, name: &str) -> Result<()> {
        let text = fs::read_to_string(path)?;
        let file = syn::parse_file(&text).with_context(|| name.to_owned())?;
        let tests: usize = file.items.iter().filter(|item| is_test(item)).map(lines).sum();
        self.files.push((text.lines().count() - tests, name.to_owned()));
        let mut visitor = Visitor { file: name, lengths: self };
        file.items.iter().filter(|item| !is_test(item)).for_each(|item| visitor.visit_item(item));
        Ok(())
    }

    /// What to print.
    pub(super) fn lines(&self) -> [String; 3] {
        [
            format!("files: {}", summary(&self.files)),
            format!("functions: {}", summary(&self.functions)),
            format!("documented: {} % of {} public items", self.documented(), self.public),
        ]
    }

    fn documented(&self) -> usize {
        (self.public - self.undocumented.len()) * 100 / self.public.max(1)
    }

    /// What is too long or not documented.
    pub(super) fn broken(&self) -> Vec<String> {
        let mut broken = too_long("files", &self.files, &FILE);
        broken.extend(too_long("functions", &self.functions, &FUNCTION));
        if self.documented() < DOCUMENTED {
            broken.push(format!(
                "less than {DOCUMENTED} % of public items are documented; not: {}",
                self.undocumented.join(", ")
            ));
        }
        broken
    }
}

fn too_long(what: &str, sorted: &[(usize, String)], limit: &Limit) -> Vec<String> {
    let over = sorted.iter().filter(|(length, _)| *length > limit.longest);
    let mut broken: Vec<String> =
        over.map(|(length, name)| format!("{name} has {length} lines; at most {}", limit.longest)).collect();
    if at_percent(sorted, 90) > limit.ninetieth {
        broken.push(format!("nine of ten {what} have to have at most {} lines", limit.ninetieth));
    }
    broken
}

fn summary(sorted: &[(usize, String)]) -> String {
    let longest = sorted.last().map_or("", |(_, name)| name);
    let [half, ninety, all] = [50, 90, 100].map(|percent| at_percent(sorted, percent));
    format!("{} with p50 {half}, p90 {ninety}, max {all} lines ({longest})", sorted.len())
}

fn at_percent(sorted: &[(usize, String)], percent: usize) -> usize {
    let last = sorted.len().saturating_sub(1);
    sorted.get(last * percent / 100).map_or(0, |(length, _)| *length)
}

fn lines(item: &impl Spanned) -> usize {
    let span = item.span();
    span.end().line.saturating_sub(span.start().line) + 1
}

fn is_test(item: &syn::Item) -> bool {
    let attributes = match item {
        syn::Item::Mod(item) => &item.attrs,
        syn::Item::Fn(item) => &item.attrs,
        syn::Item::Impl(item) => &item.attrs,
        _ => return false,
    };
    attributes.iter().any(|attribute| {
        attribute.path().is_ident("cfg")
            && attribute.meta.require_list().is_ok_and(|list| list.tokens.to_string().contains("test"))
    })
}

/// Looks at every function and public item of a file.
struct Visitor<'a> {
    file: &'a str,
    lengths: &'a mut Lengths,
}

impl Visitor<'_> {
    fn function(&mut self, name: &syn::Ident, length: usize) {
        self.lengths.functions.push((length, format!("{}: {name}", self.file)));
    }

    fn public(&mut self, visibility: &syn::Visibility, attributes: &[syn::Attribute], name: &syn::Ident) {
        if !matches!(visibility, syn::Visibility::Public(_)) {
            return;
        }
        self.lengths.public += 1;
        if !attributes.iter().any(|attribute| attribute.path().is_ident("doc")) {
            self.lengths.undocumented.push(format!("{}: {name}", self.file));
        }
    }
}

impl<'ast> Visit<'ast> for Visitor<'_> {
    fn visit_item_fn(&mut self, item: &'ast syn::ItemFn) {
        self.function(&item.sig.ident, lines(&item.sig) + lines(&item.block) - 1);
        self.public(&item.vis, &item.attrs, &item.sig.ident);
        visit::visit_item_fn(self, item);
    }

    fn visit_impl_item_fn(&mut self, item: &'ast syn::ImplItemFn) {
        self.function(&item.sig.ident, lines(&item.sig) + lines(&item.block) - 1);
        self.public(&item.vis, &item.attrs, &item.sig.ident);
        visit::visit_impl_item_fn(self, item);
    }

    fn visit_item_struct(&mut self, item: &'ast syn::ItemStruct) {
        self.public(&item.vis, &item.attrs, &item.ident);
        visit::visit_item_struct(self, item);
    }

    fn visit_item_enum(&mut self, item: &'ast syn::ItemEnum) {
        self.public(&item.vis, &item.attrs, &item.ident);
        visit::visit_item_enum(self, item);
    }

    fn visit_item_trait(&mut self, item: &'ast syn::ItemTrait) {
        self.public(&item.vis, &item.attrs, &item.ident);
        visit::visit_item_trait(self, item);
    }

    fn visit_item_const(&mut self, item: &'ast syn::ItemConst) {
        self.public(&item.vis, &item.attrs, &item.ident);
    }

    fn visit_item_type(&mut self, item: &'ast syn::ItemType) {
        self.public(&item.vis, &item.attrs, &item.ident);
    }

    fn visit_field(&mut self, field: &'ast syn::Field) {
        if let Some(name) = &field.ident {
            self.public(&field.vis, &field.attrs, name);
        }
    }
}
