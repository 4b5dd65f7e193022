//! The worker's server API as the benchmarks use it.

use anyhow::{Result, bail};
use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde_json::Value;

use super::runtime::{API_KEY, SERVER_KEY};
use crate::http::Client;

/// Asks the server API. The answer's JSON, null where it has none; a status from 300 on is an error.
pub(super) fn ask(client: &mut Client, method: &str, path: &str, body: &str) -> Result<Value> {
    let headers = format!("Authorization: Bearer {API_KEY}\r\nContent-Type: application/json\r\n");
    let response = client.send_again(method, path, &headers, body.as_bytes())?;
    if response.status >= 300 {
        bail!("{method} {path}: {} {}", response.status, response.text());
    }
    Ok(serde_json::from_slice(&response.body).unwrap_or_default())
}

/// Sends a batch of calls as the shop's server does.
pub(super) fn import(client: &mut Client, body: &str) -> Result<()> {
    let key = BASE64.encode(format!("{SERVER_KEY}:"));
    let headers = format!("Content-Type: application/json\r\nAuthorization: Basic {key}\r\n");
    let response = client.send_again("POST", "/v1/batch", &headers, body.as_bytes())?;
    if response.status != 200 {
        bail!("an import was answered {}: {}", response.status, response.text());
    }
    Ok(())
}
