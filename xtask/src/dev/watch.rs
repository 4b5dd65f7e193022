//! Notices edits of what the build reads.

use std::path::Path;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender};
use std::time::Duration;

use anyhow::{Context, Result};
use notify::{EventKind, RecommendedWatcher, RecursiveMode, Watcher};

use super::event::Event;
use crate::project::Project;

/// What the build reads.
const WATCHED: [&str; 4] = ["sdk", "edge", "wasm-pkg", "demo-site"];

/// Editors write a file in several steps, and tools write several files: silence this long ends
/// a change.
const SILENCE: Duration = Duration::from_millis(150);

/// Starts watching; stops when the watcher is dropped.
pub(crate) fn start(project: &Project, events: Sender<Event>) -> Result<RecommendedWatcher> {
    let mut watcher = notify::recommended_watcher(move |change: notify::Result<notify::Event>| {
        if change.is_ok_and(|change| matters(&change)) {
            // The receiver is gone only when the tool ends.
            let _ = events.send(Event::Changed);
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
    let first = events.recv()?;
    if first != Event::Changed {
        return Ok(first);
    }
    loop {
        match events.recv_timeout(SILENCE) {
            Ok(Event::Ended) => return Ok(Event::Ended),
            Ok(_) => {}
            Err(RecvTimeoutError::Timeout) => return Ok(first),
            Err(error) => return Err(error.into()),
        }
    }
}

/// Whether a change can matter to the build: reading a file does not, nor do installed packages.
fn matters(change: &notify::Event) -> bool {
    !matches!(change.kind, EventKind::Access(_)) && change.paths.iter().any(|path| is_source(path))
}

/// Whether a path is not below a folder of installed or hidden things.
fn is_source(path: &Path) -> bool {
    !path.components().any(|part| {
        let name = part.as_os_str().to_string_lossy();
        name == "node_modules" || name == "target" || name.starts_with('.')
    })
}
