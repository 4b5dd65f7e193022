//! Packages of Debian and its relatives, where this process may install them.

use std::path::Path;
use std::process::Command;

use crate::run::{exists, first_line, note, run_quiet, step};

/// Whether packages can be installed here without asking anybody.
pub(crate) fn available() -> bool {
    exists("apt-get") && is_superuser()
}

/// Installs packages; false where that is not possible. The reason is printed, since the caller
/// goes on to say what to install by hand.
pub(crate) fn install(packages: &[&str]) -> bool {
    if !available() {
        return false;
    }
    step(&format!("installing {}", packages.join(", ")));
    let update = run_quiet(Command::new("apt-get").arg("update"));
    let install = run_quiet(
        Command::new("apt-get")
            .args(["install", "-y", "--no-install-recommends"])
            .args(packages)
            .env("DEBIAN_FRONTEND", "noninteractive"),
    );
    if let Err(error) = update.and(install) {
        note(&format!("{error:#}"));
        return false;
    }
    true
}

/// Whether a file that a package brings is there.
pub(crate) fn has(path: &str) -> bool {
    Path::new(path).exists()
}

/// Whether `id -u` says 0: the superuser.
fn is_superuser() -> bool {
    first_line("id", &["-u"]).as_deref() == Some("0")
}
