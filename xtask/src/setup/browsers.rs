//! Browsers that the end-to-end tests drive. Tests find them through the environment variables
//! `CHROMIUM` and `FIREFOX`, which a person may also set.

use std::path::PathBuf;

use super::debian;
use crate::run::note;

/// A browser: its name, the variable that names its executable, usual executables, and the
/// Debian package that brings it.
const BROWSERS: [(&str, &str, &[&str], &str); 2] = [
    ("chromium", "CHROMIUM", &["chromium", "chromium-browser", "google-chrome"], "chromium"),
    ("firefox", "FIREFOX", &["firefox-esr", "firefox"], "firefox-esr"),
];

/// Finds or installs the browsers; for each its name and executable.
pub(crate) fn ensure() -> Vec<(&'static str, Option<PathBuf>)> {
    let missing: Vec<&str> = BROWSERS
        .iter()
        .filter(|(_, variable, programs, _)| find(variable, programs).is_none())
        .map(|(_, _, _, package)| *package)
        .collect();
    if !missing.is_empty() {
        // Headless browsers draw no text at all without at least one font.
        let mut packages = missing.clone();
        packages.push("fonts-dejavu-core");
        if !debian::install(&packages) {
            note(&format!(
                "missing for the browser tests: {}; install it with your system's packages",
                missing.join(", ")
            ));
        }
    }
    BROWSERS.iter().map(|(name, variable, programs, _)| (*name, find(variable, programs))).collect()
}

/// The environment variables that tell the tests where the browsers are.
pub(crate) fn environment() -> Vec<(&'static str, PathBuf)> {
    BROWSERS.iter().filter_map(|(_, variable, programs, _)| Some((*variable, find(variable, programs)?))).collect()
}

/// A browser's executable, with its whole path: drivers do not search for it.
fn find(variable: &str, programs: &[&str]) -> Option<PathBuf> {
    if let Some(path) = std::env::var_os(variable) {
        return Some(path.into());
    }
    let folders = std::env::var_os("PATH").unwrap_or_default();
    programs.iter().find_map(|program| {
        std::env::split_paths(&folders).map(|folder| folder.join(program)).find(|path| path.is_file())
    })
}
