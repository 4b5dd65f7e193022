//! The demo shop: it gets the packed package as any shop would, then builds itself.

use std::fs;
use std::process::Command;

use anyhow::Result;

use super::package::{staged, tarball};
use super::variant::{Build, SITE};
use crate::run::{run_quiet, timed};
use crate::stamp::{Inputs, when_changed};

/// Builds the shop's pages.
pub(super) fn build(build: &Build<'_>) -> Result<()> {
    let project = build.project;
    install_package(build)?;
    let inputs =
        Inputs::default().path(&project.path("demo-site"))?.path(&staged(build))?.text(include_str!("demo.rs"));
    let site = build.target(SITE);
    let outputs = [site.join("index.html")];
    when_changed(project, &build.stamp("demo"), inputs, &outputs, || {
        timed("building the demo shop", || {
            let _ = fs::remove_dir_all(&site);
            let mut node = Command::new("node");
            node.current_dir(&project.root);
            run_quiet(node.arg("demo-site/build.mjs").arg("--out").arg(&site)).map(drop)
        })
    })?;
    Ok(())
}

/// Puts the package where `npm install` of the tarball would. What is there may be the other variant's.
fn install_package(build: &Build<'_>) -> Result<()> {
    let project = build.project;
    let modules = project.path("demo-site/node_modules/endcap");
    let inputs = Inputs::default().path(&staged(build))?;
    let outputs = [modules.join("package.json")];
    when_changed(project, "demo-package", inputs, &outputs, || {
        let _ = fs::remove_dir_all(&modules);
        fs::create_dir_all(&modules)?;
        if build.is_development() {
            let mut copy = Command::new("cp");
            copy.arg("-R").arg(format!("{}/.", staged(build).display()));
            return run_quiet(copy.arg(&modules)).map(drop);
        }
        let mut tar = Command::new("tar");
        tar.args(["-xzf"]).arg(tarball(build));
        run_quiet(tar.args(["--strip-components=1", "-C"]).arg(&modules)).map(drop)
    })?;
    Ok(())
}
