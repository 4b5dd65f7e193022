//! Links of documents that are read as Markdown, in the repository.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use pulldown_cmark::{Event, Options, Parser, Tag, TagEnd};

use crate::html::{beside, is_elsewhere};

/// Links of a document that lead nowhere. An anchor is compared with the headings of the document that it leads to.
pub(crate) fn broken_links(root: &Path, document: &str) -> Result<Vec<String>> {
    let path = root.join(document);
    let text = read(&path)?;
    let mut broken = Vec::new();
    for link in links(&text).into_iter().filter(|link| !is_elsewhere(link)) {
        let (file, place) = link.split_once('#').unwrap_or((&link, ""));
        let target = if file.is_empty() { path.clone() } else { beside(&path, file) };
        let place_is_there = || -> Result<bool> { Ok(headings(&read(&target)?).contains(place)) };
        if !target.exists() || !place.is_empty() && !place_is_there()? {
            broken.push(format!("{document} → {link}"));
        }
    }
    Ok(broken)
}

fn read(path: &Path) -> Result<String> {
    fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))
}

/// Where links and images lead.
fn links(text: &str) -> Vec<String> {
    let leads = Parser::new_ext(text, Options::ENABLE_TABLES).filter_map(|event| match event {
        Event::Start(Tag::Link { dest_url, .. } | Tag::Image { dest_url, .. }) => Some(dest_url.into_string()),
        _ => None,
    });
    leads.collect()
}

/// Anchors of headings, as GitHub makes them: in lower case, without punctuation, with a hyphen for each space.
fn headings(text: &str) -> BTreeSet<String> {
    let mut headings = BTreeSet::new();
    let mut heading: Option<String> = None;
    for event in Parser::new_ext(text, Options::ENABLE_TABLES) {
        match event {
            Event::Start(Tag::Heading { .. }) => heading = Some(String::new()),
            Event::Text(text) | Event::Code(text) => {
                if let Some(heading) = &mut heading {
                    heading.push_str(&text);
                }
            }
            Event::End(TagEnd::Heading(_)) => headings.extend(heading.take().map(|text| slug(&text))),
            _ => {}
        }
    }
    headings
}

fn slug(heading: &str) -> String {
    let kept = heading.chars().filter(|c| c.is_alphanumeric() || *c == ' ' || *c == '-' || *c == '_');
    kept.collect::<String>().to_lowercase().replace(' ', "-")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_and_anchors_are_read_as_github_reads_them() {
        let text =
            "# One, two `three`\n\n[a](b.md#c) ![d](e.png)\n\n| f |\n| --- |\n| [g](h.md) |\n\n```\n[no](no.md)\n```\n";
        assert_eq!(links(text), ["b.md#c", "e.png", "h.md"]);
        assert_eq!(headings(text), BTreeSet::from(["one-two-three".to_owned()]));
    }
}
