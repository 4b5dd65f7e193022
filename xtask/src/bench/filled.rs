//! A runtime as the benchmarks measure it: built, started, and with the demo shop's catalogue.

use std::fs;

use anyhow::Result;

use super::runtime::{API_KEY, Runtime, Service};
use crate::build::{self, Build};
use crate::dev;

/// Builds the worker, starts all services, and fills both of ours.
pub(super) fn start(build: &Build<'_>) -> Result<Runtime> {
    let project = build.project;
    build::edge(build)?;
    let runtime = Runtime::start(project, &Service::ALL)?;
    let stamp = project.target("bench/seeded");
    for service in [Service::Ours, Service::Counting] {
        let _ = fs::remove_file(&stamp);
        // What segments cost is measured apart.
        dev::seed::put_changed(project, runtime.port(service), API_KEY, &stamp, &["segments"])?;
    }
    Ok(runtime)
}
