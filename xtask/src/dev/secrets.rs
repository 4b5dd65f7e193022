//! Secrets of a deployment. Local ones are drawn once and kept in an ignored file; `cargo xtask
//! keys` prints fresh ones for a deployment of one's own.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use p256::SecretKey;
use p256::elliptic_curve::sec1::ToEncodedPoint;
use rand_core::{OsRng, RngCore};
use serde_json::{Map, Value, json};

/// Under it the identity graph hashes identifiers.
const PEPPER: &str = "ENDCAP_IDENTITY_PEPPER";

/// Prints fresh secrets, one `NAME=value` a line.
pub(crate) fn print() {
    for (name, value) in fresh("shop") {
        println!("{name}={}", value.as_str().unwrap_or_default());
    }
}

/// The secrets kept in `file`; those that it lacks, as one of an earlier version does, are drawn now.
pub(crate) fn kept(file: &Path) -> Result<Map<String, Value>> {
    let mut secrets: Map<String, Value> = match fs::read_to_string(file) {
        Ok(text) => serde_json::from_str(&text).with_context(|| format!("{} is damaged; delete it", file.display()))?,
        Err(_) => Map::new(),
    };
    let held = secrets.len();
    // In development the identity graph shows identifiers as they are.
    secrets.entry(PEPPER).or_insert_with(|| "none".into());
    for (name, value) in fresh("demo") {
        secrets.entry(name).or_insert(value);
    }
    if secrets.len() > held {
        fs::write(file, serde_json::to_string_pretty(&secrets)?)?;
        restrict(file)?;
    }
    Ok(secrets)
}

/// Draws secrets from the system's random source; the server's write key is for `source`.
fn fresh(source: &str) -> Map<String, Value> {
    let push = SecretKey::random(&mut OsRng);
    let point = push.public_key().to_encoded_point(false);
    [
        ("ENDCAP_API_KEY", random_text()),
        ("ENDCAP_SIGNING_KEYS", format!("k1:{}", random_text())),
        ("ENDCAP_IDENTITY_SECRET", random_text()),
        (PEPPER, random_text()),
        ("ENDCAP_SERVER_KEYS", json!({ random_text(): source }).to_string()),
        ("ENDCAP_WEBHOOK_SECRETS", webhook_secrets()),
        ("ENDCAP_VAPID_PRIVATE_KEY", URL_SAFE_NO_PAD.encode(push.to_bytes())),
        ("ENDCAP_VAPID_PUBLIC_KEY", URL_SAFE_NO_PAD.encode(point.as_bytes())),
        ("ENDCAP_VAPID_SUBJECT", "mailto:push@example.com".to_owned()),
    ]
    .into_iter()
    .map(|(name, value)| (name.to_owned(), Value::String(value)))
    .collect()
}

/// A secret for each ready webhook mapping, as JSON. Shopify and WooCommerce let the shop choose theirs, or say it.
fn webhook_secrets() -> String {
    let secrets = ["shopify", "woocommerce"].map(|source| (source.to_owned(), Value::String(random_text())));
    Value::Object(secrets.into_iter().collect()).to_string()
}

/// 32 random bytes as base64url.
fn random_text() -> String {
    let mut bytes = [0; 32];
    OsRng.fill_bytes(&mut bytes);
    URL_SAFE_NO_PAD.encode(bytes)
}

/// Only the owner may read it.
#[cfg(unix)]
fn restrict(file: &Path) -> Result<()> {
    use std::os::unix::fs::PermissionsExt;
    Ok(fs::set_permissions(file, fs::Permissions::from_mode(0o600))?)
}

/// Where files have no modes, the user's own directory protects it.
#[cfg(not(unix))]
fn restrict(_file: &Path) -> Result<()> {
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    /// The secrets that `edge/wrangler.toml` lists, one a line of its head.
    fn listed() -> BTreeSet<String> {
        let file = include_str!("../../../edge/wrangler.toml");
        let head = file.lines().take_while(|line| line.starts_with('#'));
        head.filter_map(|line| line.trim_start_matches(['#', ' ']).split(' ').next())
            .filter(|word| word.starts_with("ENDCAP_"))
            .map(str::to_owned)
            .collect()
    }

    #[test]
    fn every_secret_that_the_deployment_lists_is_drawn() {
        let mut drawn: BTreeSet<String> = fresh("shop").into_iter().map(|(name, _)| name).collect();
        // Only sources whose proofs have a key of their own have these.
        drawn.insert("ENDCAP_IDENTITY_SECRETS".to_owned());
        assert_eq!(drawn, listed());
        assert!(fresh("shop").values().all(|value| value.as_str().is_some_and(|text| text.len() >= 16)));
    }

    #[test]
    fn no_secret_is_drawn_twice() {
        let (one, other) = (fresh("shop"), fresh("shop"));
        for name in one.keys().filter(|name| *name != "ENDCAP_VAPID_SUBJECT") {
            assert_ne!(one.get(name), other.get(name), "{name}");
        }
        let keys = one.get("ENDCAP_SERVER_KEYS").and_then(Value::as_str).unwrap_or_default();
        assert!(keys.ends_with(r#":"shop"}"#), "{keys}");
    }
}
