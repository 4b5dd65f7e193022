//! The demo shop: it gets the packed package as any shop would, then builds itself.

use std::fs;
use std::process::Command;

use anyhow::Result;

use super::package::tarball;
use crate::project::Project;
use crate::run::{run_quiet, timed};
use crate::stamp::{Inputs, when_changed};

/// Where the built pages go.
pub(crate) const SITE: &str = "dev/site";

/// Builds the shop's pages.
pub(crate) fn build(project: &Project) -> Result<()> {
    install_package(project)?;
    let inputs =
        Inputs::default().path(&project.path("demo-site"))?.path(&tarball(project))?.text(include_str!("demo.rs"));
    let outputs = [project.target(SITE).join("index.html")];
    when_changed(project, "demo", inputs, &outputs, || {
        timed("building the demo shop", || {
            let site = project.target(SITE);
            let _ = fs::remove_dir_all(&site);
            let mut node = Command::new("node");
            node.current_dir(&project.root);
            run_quiet(node.arg("demo-site/build.mjs").arg("--out").arg(&site)).map(drop)
        })
    })?;
    Ok(())
}

/// Unpacks the tarball to where `npm install` of it would.
fn install_package(project: &Project) -> Result<()> {
    let modules = project.path("demo-site/node_modules/endcap");
    let inputs = Inputs::default().path(&tarball(project))?;
    let outputs = [modules.join("package.json")];
    when_changed(project, "demo-package", inputs, &outputs, || {
        let _ = fs::remove_dir_all(&modules);
        fs::create_dir_all(&modules)?;
        let mut tar = Command::new("tar");
        tar.args(["-xzf"]).arg(tarball(project));
        run_quiet(tar.args(["--strip-components=1", "-C"]).arg(&modules)).map(drop)
    })?;
    Ok(())
}
