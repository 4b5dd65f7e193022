//! Links of built pages.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Component, Path, PathBuf};

use anyhow::{Context, Result};
use scraper::{Html, Selector};

/// What a page says of itself.
struct Page {
    ids: BTreeSet<String>,
    links: Vec<String>,
}

/// Links that lead nowhere, each with its page.
pub(crate) fn broken_links(out: &Path) -> Result<Vec<String>> {
    let mut pages = BTreeMap::new();
    for entry in fs::read_dir(out)? {
        let path = entry?.path();
        // The page for nothing found is served at any address, so its links are absolute.
        if path.extension().is_some_and(|extension| extension == "html") && !path.ends_with("404.html") {
            let text = fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
            pages.insert(path, Page::read(&text));
        }
    }
    let mut broken = Vec::new();
    for (path, page) in &pages {
        let unreachable = page.links.iter().filter(|link| !leads_somewhere(path, link, &pages));
        broken.extend(unreachable.map(|link| format!("{} → {link}", path.display())));
    }
    Ok(broken)
}

impl Page {
    fn read(text: &str) -> Self {
        let html = Html::parse_document(text);
        let all = |selector: &str, attribute: &str| -> Vec<String> {
            let Ok(selector) = Selector::parse(selector) else { return Vec::new() };
            html.select(&selector).filter_map(|element| element.value().attr(attribute)).map(str::to_owned).collect()
        };
        let links = [("a[href], link[href]", "href"), ("img[src], script[src]", "src")];
        Self {
            ids: all("[id]", "id").into_iter().collect(),
            links: links.iter().flat_map(|(selector, attribute)| all(selector, attribute)).collect(),
        }
    }
}

/// Whether a link of a page leads to a file that is there, and to a place in it that is there.
fn leads_somewhere(from: &Path, link: &str, pages: &BTreeMap<PathBuf, Page>) -> bool {
    if is_elsewhere(link) {
        return true;
    }
    let (file, place) = link.split_once('#').unwrap_or((link, ""));
    let target = if file.is_empty() { from.to_path_buf() } else { beside(from, file) };
    let Some(page) = pages.get(&target) else { return place.is_empty() && target.exists() };
    place.is_empty() || page.ids.contains(place)
}

/// Whether a link leads to another site.
pub(crate) fn is_elsewhere(link: &str) -> bool {
    ["https://", "http://", "mailto:", "data:"].iter().any(|scheme| link.starts_with(scheme))
}

/// A path as a file names it from where it is.
pub(crate) fn beside(from: &Path, relative: &str) -> PathBuf {
    let mut path = from.parent().unwrap_or(from).to_path_buf();
    for part in Path::new(relative).components() {
        match part {
            Component::ParentDir => {
                path.pop();
            }
            Component::CurDir => {}
            other => path.push(other),
        }
    }
    path
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_to_a_missing_page_or_place_is_found() {
        let page = Page::read("<h2 id=\"here\">Here</h2><a href=\"#here\">a</a><a href=\"#gone\">b</a>");
        let path = PathBuf::from("/book/page.html");
        let pages = BTreeMap::from([(path.clone(), page)]);
        for (link, leads) in [
            ("#here", true),
            ("page.html#here", true),
            ("./page.html", true),
            ("https://example.org/x", true),
            ("#gone", false),
            ("other.html", false),
            ("../book/page.html#gone", false),
        ] {
            assert_eq!(leads_somewhere(&path, link, &pages), leads, "{link}");
        }
    }
}
