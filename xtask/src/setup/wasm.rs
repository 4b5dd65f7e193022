//! The compiler for `wasm32-unknown-unknown`: rustup's target where it is there or can be added,
//! otherwise Debian's compiler with a standard library that is built here, once.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use super::debian;
use super::native::cargo;
use crate::project::Project;
use crate::run::{exists, first_line, note, run_quiet, step, timed};

/// The target's name.
pub(crate) const TARGET: &str = "wasm32-unknown-unknown";

/// Where [`Toolchain::cargo_lowered`] puts what it makes, below `target/`.
pub(crate) const LOWERED_DIR: &str = "wasm-lowered";

/// Turns off what WebAssembly got after its first version, and what its translation to JavaScript
/// therefore does not know.
const LOWERED: &str = "-Ctarget-feature=-reference-types,-multivalue,-bulk-memory,-sign-ext,-nontrapping-fptoint";

/// The page's core passes no JavaScript values, so it needs no table of them.
const NO_REFERENCES: &str = "-Ctarget-feature=-reference-types";
/// Instructions on vectors of 128 bits, which V8 has had since 2021.
const VECTORS: &str = "-Ctarget-feature=+simd128";

/// Names the toolchain to use instead of looking for one: `rustup` or `debian`.
const CHOICE: &str = "ENDCAP_WASM_TOOLCHAIN";

/// Where a sysroot keeps the standard library's source.
const LIBRARY_SOURCE: &str = "lib/rustlib/src/rust/library/Cargo.toml";

/// What the Debian way needs.
const DEBIAN_PACKAGES: [&str; 3] = ["rustc-web", "cargo-web", "rust-web-src"];

/// A compiler for the wasm target.
#[derive(Clone, Debug)]
pub(crate) enum Toolchain {
    /// The compiler that builds the rest too.
    Rustup,
    /// Debian's compiler, a standard library of our own, and a linker.
    Debian {
        /// Holds `lib/rustlib/wasm32-unknown-unknown`.
        sysroot: PathBuf,
        /// `rust-lld` or `wasm-ld`.
        linker: PathBuf,
    },
}

impl Toolchain {
    /// A cargo command that compiles to wasm; the caller adds subcommand and package.
    pub(crate) fn cargo(&self, project: &Project, subcommand: &str) -> Command {
        self.command(project, subcommand, "wasm", &self.flags(project))
    }

    /// Like [`Self::cargo`], for what only workerd runs: with instructions on vectors, by which texts are searched faster.
    pub(crate) fn cargo_for_worker(&self, project: &Project, subcommand: &str) -> Command {
        let mut flags = self.flags(project);
        flags.push(VECTORS.to_owned());
        self.command(project, subcommand, "wasm", &flags)
    }

    /// Like [`Self::cargo`], for the fewest bytes: where the standard library's source is there, it
    /// is compiled anew for size, and panics end at once instead of composing a message that
    /// nobody reads. That is an eighth of the core; without the source the build works too.
    pub(crate) fn cargo_smallest(&self, project: &Project, subcommand: &str) -> Command {
        let mut flags = self.flags(project);
        flags.push(NO_REFERENCES.to_owned());
        self.smallest(project, subcommand, "wasm", flags)
    }

    /// Like [`Self::cargo_smallest`], with only what the first version of WebAssembly had, in a
    /// target directory of its own.
    pub(crate) fn cargo_lowered(&self, project: &Project, subcommand: &str) -> Command {
        let mut flags = self.flags(project);
        flags.push(LOWERED.to_owned());
        self.smallest(project, subcommand, LOWERED_DIR, flags)
    }

    /// The command for the fewest bytes with these compiler flags.
    fn smallest(&self, project: &Project, subcommand: &str, folder: &str, mut flags: Vec<String>) -> Command {
        if !self.has_library_source() {
            return self.command(project, subcommand, folder, &flags);
        }
        flags.push("-Zunstable-options -Cpanic=immediate-abort".to_owned());
        with_small_library(self.command(project, subcommand, folder, &flags))
    }

    /// A cargo command with these compiler flags and a folder below `target/` for what it makes.
    fn command(&self, project: &Project, subcommand: &str, folder: &str, flags: &[String]) -> Command {
        let mut command = match self {
            Self::Rustup => cargo(project),
            Self::Debian { linker, .. } => debian_cargo(project, linker),
        };
        command
            .args([subcommand, "--target", TARGET, "--target-dir"])
            .arg(project.target(folder))
            .env(RUSTFLAGS, flags.join(" "));
        command
    }

    /// Whether the standard library's source is beside the compiler.
    fn has_library_source(&self) -> bool {
        let sysroot = match self {
            Self::Rustup => first_line("rustc", &["--print", "sysroot"]),
            Self::Debian { .. } => Some("/usr".to_owned()),
        };
        sysroot.is_some_and(|sysroot| Path::new(&sysroot).join(LIBRARY_SOURCE).exists())
    }

    /// Compiler flags: panic messages hold source paths, which must not name the machine that
    /// built them.
    fn flags(&self, project: &Project) -> Vec<String> {
        let mut flags = vec![format!("--remap-path-prefix={}=/endcap", project.root.display())];
        if let Some(home) = cargo_home() {
            flags.push(format!("--remap-path-prefix={}=/cargo", home.display()));
        }
        if let Self::Debian { sysroot, .. } = self {
            flags.push(format!("--sysroot={}", sysroot.display()));
        }
        flags
    }

    /// Whether `cargo clippy` can check code for the wasm target.
    pub(crate) fn has_clippy(&self) -> bool {
        matches!(self, Self::Rustup)
    }

    /// For `cargo xtask setup`.
    pub(crate) fn describe(&self) -> String {
        match self {
            Self::Rustup => format!("{TARGET} of rustup"),
            Self::Debian { sysroot, linker } => format!(
                "{} with a standard library in {}, linked by {}",
                first_line("/usr/bin/rustc", &["--version"]).unwrap_or_default(),
                sysroot.display(),
                linker.display()
            ),
        }
    }
}

/// Compiles the standard library along, for size. Stable compilers keep that behind a flag.
fn with_small_library(mut command: Command) -> Command {
    command.env("RUSTC_BOOTSTRAP", "1").args(["-Zbuild-std=std,panic_abort", "-Zbuild-std-features=optimize_for_size"]);
    command
}

/// Finds or makes a toolchain.
pub(crate) fn ensure(project: &Project) -> Result<Toolchain> {
    let choice = std::env::var(CHOICE).unwrap_or_default();
    if choice != "debian" {
        if rustup_target_present() {
            return Ok(Toolchain::Rustup);
        }
        // Once the other way is prepared there is no reason to ask the network again.
        let prepared = choice.is_empty() && sysroot(project).is_ok_and(|path| path.exists());
        if !prepared && add_rustup_target() {
            return Ok(Toolchain::Rustup);
        }
    }
    if choice == "rustup" {
        bail!("`rustup target add {TARGET}` failed, and {CHOICE} allows no other way");
    }
    ensure_debian(project)
}

/// Where cargo keeps the sources of dependencies.
fn cargo_home() -> Option<PathBuf> {
    let set = std::env::var_os("CARGO_HOME").map(PathBuf::from);
    set.or_else(|| std::env::home_dir().map(|home| home.join(".cargo")))
}

/// Whether the native compiler can already compile to wasm.
fn rustup_target_present() -> bool {
    first_line("rustc", &["--print", "sysroot"])
        .is_some_and(|sysroot| Path::new(&sysroot).join("lib/rustlib").join(TARGET).join("lib").exists())
}

/// Tries to add the target, quietly: that it fails is expected where rustup's site is out of reach.
fn add_rustup_target() -> bool {
    if !exists("rustup") {
        return false;
    }
    step(&format!("adding the target {TARGET}"));
    let added =
        Command::new("rustup").args(["target", "add", TARGET]).output().is_ok_and(|output| output.status.success());
    if !added {
        note("rustup cannot add it here; using Debian's compiler");
    }
    // Only the smallest build needs it, so that failing to get it is no failure.
    let _ = Command::new("rustup").args(["component", "add", "rust-src"]).output();
    added && rustup_target_present()
}

/// The Debian way: packages, linker, standard library.
fn ensure_debian(project: &Project) -> Result<Toolchain> {
    let there = debian::has("/usr/bin/rustc")
        && debian::has("/usr/bin/cargo")
        && Path::new("/usr").join(LIBRARY_SOURCE).exists();
    if !there && !debian::install(&DEBIAN_PACKAGES) {
        bail!(
            "the target {TARGET} is missing: run `rustup target add {TARGET}`, or install {}",
            DEBIAN_PACKAGES.join(", ")
        );
    }
    let linker = find_linker()?;
    let sysroot = sysroot(project)?;
    if !sysroot.exists() {
        timed("building the standard library for wasm", || build_standard_library(project, &sysroot, &linker))?;
    }
    Ok(Toolchain::Debian { sysroot, linker })
}

/// A linker for wasm: any rustup toolchain has one, and so has LLVM's package.
fn find_linker() -> Result<PathBuf> {
    let of_rustup = first_line("rustc", &["--print", "target-libdir"]).and_then(|libraries| {
        let linker = Path::new(&libraries).parent()?.join("bin/rust-lld");
        linker.exists().then_some(linker)
    });
    if let Some(linker) = of_rustup {
        return Ok(linker);
    }
    for name in ["wasm-ld", "wasm-ld-22", "wasm-ld-21", "wasm-ld-20", "wasm-ld-19"] {
        if exists(name) {
            return Ok(PathBuf::from(name));
        }
    }
    bail!("no linker for wasm: install rustup, or LLVM's `lld`")
}

/// Where the standard library for Debian's compiler goes: one place per compiler version, since
/// a compiler reads only libraries that it made.
fn sysroot(project: &Project) -> Result<PathBuf> {
    let version = first_line("/usr/bin/rustc", &["--version"]).context("no /usr/bin/rustc")?;
    let version = version.split(' ').nth(1).unwrap_or("unknown").to_owned();
    Ok(project.target(&format!("toolchain/{version}")))
}

/// Builds the standard library from an empty crate and moves its parts into a sysroot.
fn build_standard_library(project: &Project, sysroot: &Path, linker: &Path) -> Result<()> {
    let scratch = project.target("toolchain/build");
    fs::create_dir_all(scratch.join("src"))?;
    fs::write(scratch.join("src/lib.rs"), "#![no_std]\n")?;
    fs::write(
        scratch.join("Cargo.toml"),
        "[package]\nname = \"empty\"\nedition = \"2024\"\n[workspace]\n\
         [profile.release]\npanic = \"abort\"\n",
    )?;
    let mut build = debian_cargo(project, linker);
    build
        .current_dir(&scratch)
        // Stable compilers keep build-std behind a flag; the second option is what the official
        // build of the standard library uses too.
        .env("RUSTC_BOOTSTRAP", "1")
        .env(RUSTFLAGS, "-Zforce-unstable-if-unmarked -Cembed-bitcode=yes")
        .args(["build", "-Zbuild-std=std,panic_abort", "--release"])
        .args(["--target", TARGET, "--target-dir", "target"]);
    run_quiet(&mut build)?;
    let made = scratch.join("target").join(TARGET).join("release/deps");
    install_libraries(&made, sysroot)?;
    fs::remove_dir_all(&scratch).context("cannot remove the build of the standard library")
}

/// Copies the libraries under a temporary name first, so that a half-made sysroot is never used.
fn install_libraries(made: &Path, sysroot: &Path) -> Result<()> {
    let partial = sysroot.with_extension("partial");
    let libraries = partial.join("lib/rustlib").join(TARGET).join("lib");
    let _ = fs::remove_dir_all(&partial);
    fs::create_dir_all(&libraries)?;
    for entry in fs::read_dir(made)? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if name.ends_with(".rlib") && !name.starts_with("libempty-") {
            fs::copy(&path, libraries.join(name.as_ref()))?;
        }
    }
    fs::rename(&partial, sysroot).context("cannot put the standard library in its place")
}

/// The variable whose flags reach only what is compiled for wasm, not build scripts.
const RUSTFLAGS: &str = "CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUSTFLAGS";

/// Debian's cargo and compiler, free of what rustup's cargo put into the environment.
fn debian_cargo(project: &Project, linker: &Path) -> Command {
    let mut command = Command::new("/usr/bin/cargo");
    let path = std::env::var("PATH").unwrap_or_default();
    command
        .current_dir(&project.root)
        .env_remove("RUSTUP_TOOLCHAIN")
        .env("PATH", format!("/usr/bin:{path}"))
        .env("RUSTC", "/usr/bin/rustc")
        .env("CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER", linker);
    command
}
