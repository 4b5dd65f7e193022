//! What a build is for, and where it puts what it makes.

use std::path::PathBuf;

use crate::project::Project;
use crate::run::Steps;
use crate::setup::Tools;

/// What a build is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Variant {
    /// What is deployed, published and tested: small and fast, and slow to build.
    Release,
    /// What `cargo xtask dev` serves: quick to build, and again after each edit. It has no JavaScript fallback.
    Development,
}

/// A build: where it takes its tools from and puts what it makes.
pub(crate) struct Build<'a> {
    /// The project.
    pub(crate) project: &'a Project,
    /// Compilers.
    pub(crate) tools: &'a Tools,
    /// What it is for.
    pub(crate) variant: Variant,
    /// Where the person at the terminal sees how far it is.
    pub(crate) steps: &'a Steps,
}

impl<'a> Build<'a> {
    /// A build of what is deployed.
    pub(crate) fn release(project: &'a Project, tools: &'a Tools, steps: &'a Steps) -> Self {
        Self { project, tools, variant: Variant::Release, steps }
    }

    /// A path below the folder of what this variant makes.
    pub(crate) fn target(&self, relative: &str) -> PathBuf {
        target(self.project, self.variant, relative)
    }

    /// The name of a stamp of this variant's.
    pub(super) fn stamp(&self, name: &str) -> String {
        match self.variant {
            Variant::Release => name.to_owned(),
            Variant::Development => format!("dev-{name}"),
        }
    }

    /// Whether it is what `cargo xtask dev` serves.
    pub(super) fn is_development(&self) -> bool {
        self.variant == Variant::Development
    }
}

/// Where the edge finds the files to serve.
pub(crate) const ASSETS: &str = "edge-assets";
/// Where the demo shop's pages go.
pub(crate) const SITE: &str = "site";

/// A path below the folder of what a variant makes.
pub(crate) fn target(project: &Project, variant: Variant, relative: &str) -> PathBuf {
    match variant {
        Variant::Release => project.target(relative),
        Variant::Development => project.target("dev").join(relative),
    }
}
