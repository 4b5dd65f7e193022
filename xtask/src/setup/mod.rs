//! Set-up: what a bare machine lacks is installed where that can be done, and named in one line
//! where it cannot. Idempotent; a second run costs milliseconds.

pub(crate) mod browsers;
mod debian;
mod native;
mod npm;
pub(crate) mod samples;
pub(crate) mod wasm;

use anyhow::{Result, bail};

use crate::project::Project;
use crate::run::{Steps, first_line, note};
pub(crate) use native::cargo;
use wasm::Toolchain;

/// The oldest Node.js that the pinned wrangler runs on.
const NODE_MINIMUM: (u32, u32) = (20, 18);

/// What building needs: the compiler for the browser and the worker.
pub(crate) struct Tools {
    /// Compiles to `wasm32-unknown-unknown`.
    pub(crate) wasm: Toolchain,
}

/// Steps of [`for_build`].
pub(crate) const STEPS: u32 = 2;

/// `cargo xtask setup`: all of it, browsers too, and the versions found.
pub(crate) fn command(project: &Project) -> Result<()> {
    let steps = Steps::of(STEPS + 1);
    let tools = for_build(project, &steps)?;
    let browsers = steps.step("browsers", || Ok(browsers::ensure()))?;
    note(&format!("wasm     {}", tools.wasm.describe()));
    for (name, program, arguments) in [
        ("cargo", "cargo", ["--version"]),
        ("node", "node", ["--version"]),
        ("npm", "npm", ["--version"]),
        ("nextest", "cargo-nextest", ["--version"]),
    ] {
        let version = first_line(program, &arguments);
        note(&format!("{name:8} {}", version.as_deref().unwrap_or("absent")));
    }
    for package in ["wrangler", "miniflare", "workerd", "esbuild", "binaryen", "typescript"] {
        note(&format!("{package:8} {}", npm::installed(project, package)?));
    }
    for (name, found) in browsers {
        let version = found.and_then(|path| first_line(path, &["--version"]));
        note(&format!("{name:8} {}", version.as_deref().unwrap_or("absent")));
    }
    Ok(())
}

/// The part that building and serving need; running the browser tests needs
/// [`browsers::ensure`] too.
pub(crate) fn for_build(project: &Project, steps: &Steps) -> Result<Tools> {
    steps.step("Node.js and npm packages", || {
        check_node()?;
        npm::ensure(project)
    })?;
    Ok(Tools { wasm: steps.step("the compiler for WebAssembly", || wasm::ensure(project))? })
}

/// Fails with one line where Node.js is missing or too old.
fn check_node() -> Result<()> {
    let (major, minor) = NODE_MINIMUM;
    if first_line("node", &["--version"]).is_none() {
        debian::install(&["nodejs", "npm"]);
    }
    let Some(version) = first_line("node", &["--version"]) else {
        bail!("Node.js is missing: install {major}.{minor} or newer from https://nodejs.org");
    };
    let mut parts = version.trim_start_matches('v').split('.').map(|part| part.parse::<u32>().unwrap_or(0));
    let found = (parts.next().unwrap_or(0), parts.next().unwrap_or(0));
    if found < NODE_MINIMUM {
        bail!("Node.js {version} is too old: install {major}.{minor} or newer");
    }
    if first_line("npm", &["--version"]).is_none() && !debian::install(&["npm"]) {
        bail!("npm is missing: install it beside Node.js");
    }
    Ok(())
}
