//! What the vendors' browser clients read before they start: no destinations, no plugins, and where to send.

use serde_json::{Value, json};

/// The settings that analytics-next fetches for a write key. `host` is where the client found us, `scheme` how.
#[must_use]
pub fn settings(write_key: &str, scheme: &str, host: &str) -> Value {
    let api = format!("{host}/v1");
    json!({
        "integrations": {"Segment.io": {
            "apiKey": write_key,
            "apiHost": api,
            "protocol": scheme,
            "addBundledMetadata": true,
            "unbundledIntegrations": [],
            "maybeBundledConfigIds": {},
            "retryQueue": true,
            "versionSettings": {"version": "4.4.7", "componentTypes": ["browser"]},
        }},
        "plan": {
            "track": {"__default": {"enabled": true, "integrations": {}}},
            "identify": {"__default": {"enabled": true}},
            "group": {"__default": {"enabled": true}},
        },
        "edgeFunction": {},
        "analyticsNextEnabled": true,
        "middlewareSettings": {},
        "enabledMiddleware": {},
        "metrics": {"sampleRate": 0, "host": api},
        "legacyVideoPluginsEnabled": false,
        "remotePlugins": [],
    })
}

/// The source configuration that RudderStack's clients fetch for a write key.
#[must_use]
pub fn source_config(write_key: &str, source: &str) -> Value {
    let off = json!({"enabled": false});
    json!({
        "source": {
            "id": source,
            "name": source,
            "writeKey": write_key,
            "workspaceId": "endcap",
            "enabled": true,
            "config": {"statsCollection": {"errors": off, "metrics": off}},
            "connections": [],
            "destinations": [],
            "dataplanes": {},
        },
        "updatedAt": "2026-01-01T00:00:00.000Z",
    })
}
