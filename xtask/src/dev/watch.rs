//! Notices edits of what the build reads.

use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender};
use std::time::Duration;

use anyhow::{Context, Result};
use notify::{EventKind, RecommendedWatcher, RecursiveMode, Watcher};

use super::event::{Changed, Event};
use crate::project::Project;

/// What the build reads.
const WATCHED: [&str; 4] = ["sdk", "edge", "wasm-pkg", "demo-site"];

/// What compiles to nothing that runs at the edge or in the core.
const PAGES: [&str; 3] = ["sdk/js", "wasm-pkg", "demo-site"];

/// Editors write a file in several steps, and tools write several files: silence this long ends
/// a change.
const SILENCE: Duration = Duration::from_millis(150);

/// Starts watching; stops when the watcher is dropped.
pub(crate) fn start(project: &Project, events: Sender<Event>) -> Result<RecommendedWatcher> {
    let pages = PAGES.map(|folder| project.path(folder));
    let mut watcher = notify::recommended_watcher(move |change: notify::Result<notify::Event>| {
        if let Some(changed) = change.ok().and_then(|change| what(&change, &pages)) {
            // The receiver is gone only when the tool ends.
            let _ = events.send(Event::Changed(changed));
        }
    })?;
    for folder in WATCHED {
        watcher
            .watch(&project.path(folder), RecursiveMode::Recursive)
            .with_context(|| format!("cannot watch {folder}"))?;
    }
    Ok(watcher)
}

/// The next event; edits that follow each other closely count as one.
pub(crate) fn settled(events: &Receiver<Event>) -> Result<Event> {
    let mut changed = match events.recv()? {
        Event::Changed(changed) => changed,
        other => return Ok(other),
    };
    loop {
        match events.recv_timeout(SILENCE) {
            Ok(Event::Ended) => return Ok(Event::Ended),
            Ok(Event::Changed(more)) => changed = changed.max(more),
            Ok(Event::Ready) => {}
            Err(RecvTimeoutError::Timeout) => return Ok(Event::Changed(changed)),
            Err(error) => return Err(error.into()),
        }
    }
}

/// What a change makes necessary: reading a file does nothing, nor do installed packages.
fn what(change: &notify::Event, pages: &[PathBuf]) -> Option<Changed> {
    if matches!(change.kind, EventKind::Access(_)) {
        return None;
    }
    let kinds =
        change.paths.iter().filter(|path| is_source(path)).map(|path| {
            if pages.iter().any(|folder| path.starts_with(folder)) { Changed::Pages } else { Changed::All }
        });
    kinds.max()
}

/// Whether a path is not below a folder of installed or hidden things.
fn is_source(path: &Path) -> bool {
    !path.components().any(|part| {
        let name = part.as_os_str().to_string_lossy();
        name == "node_modules" || name == "target" || name.starts_with('.')
    })
}
