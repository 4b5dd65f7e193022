//! The demo shop's catalogue, campaigns, segments and settings, put through the server API as a shop's own
//! back end would.

use std::fs;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use serde_json::Value;

use crate::http::Client;
use crate::project::Project;
use crate::run::timed;
use crate::stamp::{Inputs, files_below};

/// How long the worker may take to answer for the first time.
const PATIENCE: Duration = Duration::from_secs(30);

/// Puts everything below `demo-site/seed`, without the files of these names, unless `stamp` says that this state has it.
///
/// What a person changed through the API since stays changed, until the files change.
pub(crate) fn put_changed(project: &Project, port: u16, key: &str, stamp: &Path, without: &[&str]) -> Result<()> {
    let mut client = healthy(port)?;
    let folder = project.path("demo-site/seed");
    let inputs = Inputs::default().path(&folder)?.finish();
    if fs::read_to_string(stamp).is_ok_and(|old| old == inputs) {
        return Ok(());
    }
    timed("filling the shop", || {
        for file in files_below(&folder)? {
            let body: Value =
                serde_json::from_slice(&fs::read(&file)?).with_context(|| format!("{} is not JSON", file.display()))?;
            let name = file.file_stem().unwrap_or_default().to_string_lossy();
            if without.contains(&name.as_ref()) {
                continue;
            }
            put_file(&mut client, key, &name, &body)?;
        }
        Ok(())
    })?;
    fs::write(stamp, inputs)?;
    Ok(())
}

/// A connection to a worker that answers. A refused or broken connection is tried again: the
/// runtime may be about to listen.
fn healthy(port: u16) -> Result<Client> {
    let start = Instant::now();
    loop {
        let answer = Client::connect(port).and_then(|mut client| {
            let response = client.send("GET", "/healthz", "", b"")?;
            Ok((client, response))
        });
        match answer {
            Ok((client, response)) if response.status == 200 => return Ok(client),
            Ok((_, response)) => bail!("/healthz answers {}: {}", response.status, response.text()),
            Err(error) if start.elapsed() > PATIENCE => return Err(error.context("no answer")),
            Err(_) => thread::sleep(Duration::from_millis(50)),
        }
    }
}

/// Puts one file: campaigns and segments one by one under their identifiers, the rest as it is.
fn put_file(client: &mut Client, key: &str, name: &str, body: &Value) -> Result<()> {
    let by_id = body.get(name).and_then(Value::as_object).filter(|_| ["campaigns", "segments"].contains(&name));
    match by_id {
        Some(all) => all.iter().try_for_each(|(id, one)| put(client, key, &format!("{name}/{id}"), one)),
        None => put(client, key, name, body),
    }
}

/// One PUT below `/api`.
fn put(client: &mut Client, key: &str, path: &str, body: &Value) -> Result<()> {
    let headers = format!("Authorization: Bearer {key}\r\nContent-Type: application/json\r\n");
    let path = format!("/api/{path}");
    let response = client.send_again("PUT", &path, &headers, body.to_string().as_bytes())?;
    if !(200..300).contains(&response.status) {
        bail!("PUT {path} answers {}: {}", response.status, response.text());
    }
    Ok(())
}
