//! `cargo xtask reshard N`: another number of shards, of the local edge or of a deployment.
//!
//! The edge moves the buckets by itself, one after the other, while visitors come; this only asks for it and watches.

use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::dev;
use crate::project::Project;
use crate::run::{run, step};

const USAGE: &str = "usage: cargo xtask reshard N [--url URL] [--port N]; the key of another edge than the local one is \
                     read from ENDCAP_API_KEY";

/// `cargo xtask reshard N [--url URL] [--port N]`.
pub(crate) fn command(project: &Project, arguments: &[String]) -> Result<()> {
    let (mut shards, mut url, mut port) = (None, None, dev::PORT);
    let mut rest = arguments.iter();
    while let Some(argument) = rest.next() {
        match argument.as_str() {
            "--url" => url = Some(rest.next().context(USAGE)?.clone()),
            "--port" => port = rest.next().and_then(|text| text.parse().ok()).context(USAGE)?,
            number if shards.is_none() => shards = Some(number.parse::<u16>().context(USAGE)?),
            _ => bail!(USAGE),
        }
    }
    let shards = shards.filter(|shards| (1..=1024).contains(shards)).context(USAGE)?;
    let (url, key) = match url {
        Some(url) => (url, std::env::var("ENDCAP_API_KEY").context("set ENDCAP_API_KEY to the edge's key")?),
        None => {
            let secrets = dev::secrets::kept(&project.path(".endcap/dev.json"))?;
            let key = secrets.get("ENDCAP_API_KEY").and_then(|key| key.as_str()).unwrap_or_default();
            (format!("http://127.0.0.1:{port}"), key.to_owned())
        }
    };
    step(&format!("asking {url} for {shards} shards"));
    let mut node = Command::new("node");
    node.arg(project.path("xtask/runtime/reshard.mjs"));
    run(node.env("URL", url).env("KEY", key).env("SHARDS", shards.to_string()))
}
