//! `cargo xtask lists [--from FOLDER]`: the lists of sites and robots that others maintain, written anew from their sources, each
//! with its source, its licence and the date. They are facts, in files that the edge's crates include; a test there reads them.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;

use crate::project::Project;
use crate::run::note;

/// One list.
struct List {
    /// The file's name at its source.
    name: &'static str,
    /// Where it comes from.
    url: &'static str,
    /// Who made it, under which licence.
    source: &'static str,
    /// What is read of it.
    read: fn(&str) -> Result<BTreeSet<String>>,
    /// What it becomes, below the project's root.
    becomes: &'static str,
}

const MATOMO: &str = "https://github.com/matomo-org/searchengine-and-social-list (CC0-1.0)";

const LISTS: [List; 3] = [
    List {
        name: "AIAssistants.yml",
        url: "https://raw.githubusercontent.com/matomo-org/searchengine-and-social-list/master/AIAssistants.yml",
        source: MATOMO,
        read: hosts,
        becomes: "edge/engine/src/channel/assistants.txt",
    },
    List {
        name: "Socials.yml",
        url: "https://raw.githubusercontent.com/matomo-org/searchengine-and-social-list/master/Socials.yml",
        source: MATOMO,
        read: hosts,
        becomes: "edge/engine/src/channel/socials.txt",
    },
    List {
        name: "crawler-user-agents.json",
        url: "https://raw.githubusercontent.com/monperrus/crawler-user-agents/master/crawler-user-agents.json",
        source: "https://github.com/monperrus/crawler-user-agents (MIT, Martin Monperrus)",
        read: robots,
        becomes: "edge/events/src/ingest/robots.txt",
    },
];

/// The kind of robots that is taken: younger than other lists, and named so that nothing else is. Of other kinds the list has
/// names that are also a phone's (`butterfly`), a build of Android's or an application's, whose visitors would count as robots.
const KIND: &str = "ai-crawler";
/// A shorter name may be a part of a browser's or a phone's, and so may these.
const SHORTEST: usize = 6;
const NO_ROBOTS: [&str; 2] = ["hello world", "terracotta"];
/// Sites that are social to others and not to Google, whose rules the channels follow.
const NO_SOCIALS: [&str; 4] = ["github.com", "login.live.com", "sourceforge.net", "stackoverflow.com"];

/// `cargo xtask lists`.
pub(crate) fn command(project: &Project, arguments: &[String]) -> Result<()> {
    let folder = match arguments {
        [] => None,
        [flag, folder] if flag == "--from" => Some(PathBuf::from(folder)),
        _ => bail!("usage: cargo xtask lists [--from FOLDER], a folder with the files as their sources have them"),
    };
    for list in LISTS {
        let text = match &folder {
            Some(folder) => read(&folder.join(list.name))?,
            None => fetch(list.url)?,
        };
        let entries = (list.read)(&text).with_context(|| list.name)?;
        ensure!(entries.len() > 10, "{} has only {} entries: is it the list?", list.name, entries.len());
        let lines: String = entries.iter().flat_map(|entry| [entry.as_str(), "\n"]).collect();
        let head = format!("# {}\n# Fetched on {}. Written by `cargo xtask lists`.\n", list.source, today()?);
        fs::write(project.path(list.becomes), head + &lines)?;
        note(&format!("{}: {} entries", list.becomes, entries.len()));
    }
    Ok(())
}

fn read(file: &Path) -> Result<String> {
    fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))
}

/// What lies at an address. Node.js is there, for the build needs it.
fn fetch(url: &str) -> Result<String> {
    let script = "fetch(process.argv[1]).then(async (reply) => { if (!reply.ok) throw reply.status; process.stdout.write(await reply.text()); })";
    let output = Command::new("node").args(["-e", script, url]).output().context("cannot start node")?;
    ensure!(output.status.success(), "cannot fetch {url}: {}", String::from_utf8_lossy(&output.stderr).trim());
    Ok(String::from_utf8(output.stdout)?)
}

/// The date, as ISO 8601 has it.
fn today() -> Result<String> {
    let output = Command::new("date").args(["-u", "+%Y-%m-%d"]).output().context("cannot start date")?;
    Ok(String::from_utf8(output.stdout)?.trim().to_owned())
}

/// The host names of a list that has them as items (`  - host`).
fn hosts(text: &str) -> Result<BTreeSet<String>> {
    let items = text.lines().filter_map(|line| line.trim_start().strip_prefix("- "));
    let is_host = |name: &str| {
        name.contains('.')
            && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b".-".contains(&byte))
    };
    let names = items.map(|item| item.trim().trim_matches(['"', '\'']).to_ascii_lowercase());
    Ok(names.filter(|name| is_host(name) && !NO_SOCIALS.contains(&name.as_str())).collect())
}

/// The names of robots, in lower case. The list has patterns; those that are no plain text are left out.
fn robots(text: &str) -> Result<BTreeSet<String>> {
    let list: Vec<Value> = serde_json::from_str(text)?;
    let comes = |entry: &&Value| {
        let tags = entry.get("tags").and_then(Value::as_array);
        tags.is_some_and(|tags| tags.iter().any(|tag| tag == KIND))
    };
    let names = list.iter().filter(comes).filter_map(|entry| plain(entry.get("pattern")?.as_str()?));
    Ok(names.filter(|name| name.len() >= SHORTEST && !NO_ROBOTS.contains(&name.as_str())).collect())
}

/// A pattern that stands for plain text, as that text.
fn plain(pattern: &str) -> Option<String> {
    let mut text = String::new();
    let mut escaped = false;
    for char in pattern.chars() {
        let is_plain = char.is_ascii_alphanumeric() || " /_-:;@!&,'".contains(char);
        match (escaped, char) {
            (false, '\\') => escaped = true,
            (true, _) if !char.is_ascii_alphanumeric() => (escaped, _) = (false, text.push(char)),
            (false, _) if is_plain => text.push(char),
            _ => return None,
        }
    }
    (!text.is_empty()).then(|| text.trim().to_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_are_read_and_paths_are_not() {
        let text = "Grok:\n  - grok.com\n  - x.com/i/grok\n\n\"Some\":\n   - 'A.example' \n  - android-app://org.telegram.messenger\n";
        assert_eq!(hosts(text).unwrap().into_iter().collect::<Vec<_>>(), ["a.example", "grok.com"]);
    }

    #[test]
    fn robots_are_names_of_plain_text() {
        let text = r#"[{"pattern": "PerplexityBot\\/", "tags": ["ai-crawler"]}, {"pattern": "[wW]get", "tags": ["ai-crawler"]},
            {"pattern": "okhttp", "tags": ["http-library"]}, {"pattern": "Some Agent", "tags": ["seo", "ai-crawler"]},
            {"pattern": "butterfly", "tags": ["seo"]}, {"pattern": "Devin", "tags": ["ai-crawler"]}, {"pattern": "none"}]"#;
        assert_eq!(robots(text).unwrap().into_iter().collect::<Vec<_>>(), ["perplexitybot/", "some agent"]);
        assert_eq!(plain("a.b"), None);
        assert_eq!(plain(r"a\.b \+"), Some("a.b +".to_owned()));
        assert_eq!(plain(r"\d+"), None);
    }
}
