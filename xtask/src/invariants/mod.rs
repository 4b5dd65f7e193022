//! The architecture's rules, checked on what the compiler and the files say, so that breaking one fails the tests
//! instead of a review.
//!
//! [`packages`] looks at dependencies between crates, [`modules`] at arrows between the files of one crate, [`scripts`] at
//! arrows between scripts, [`lengths`] at how long files and functions are.

mod circle;
mod doors;
mod lengths;
mod modules;
pub(crate) mod packages;
mod references;
mod scripts;
mod sources;

use anyhow::{Result, bail};

use crate::project::Project;
use crate::run::note;
use sources::{SCRIPTS, crate_folders};

/// Checks every rule, and prints how long files and functions are.
pub(crate) fn check(project: &Project) -> Result<()> {
    let mut broken = packages::broken(project)?;
    for folder in crate_folders(project)? {
        let graph = modules::graph(&folder)?;
        let name = folder.strip_prefix(&project.root).unwrap_or(&folder).display().to_string();
        broken.extend(circle::circles(&graph).iter().map(|files| format!("{name}: a circle of {}", files.join(", "))));
        if name == doors::ROOMS_OF {
            broken.extend(doors::broken(&graph));
        }
    }
    for folder in SCRIPTS {
        let graph = scripts::graph(&project.path(folder))?;
        broken
            .extend(circle::circles(&graph).iter().map(|files| format!("{folder}: a circle of {}", files.join(", "))));
    }
    let lengths = lengths::measure(project)?;
    lengths.lines().iter().for_each(|line| note(line));
    broken.extend(lengths.broken());
    if !broken.is_empty() {
        bail!("{}", broken.join("\n"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_workspace_keeps_its_invariants() {
        check(&Project::find().unwrap()).unwrap();
    }
}
