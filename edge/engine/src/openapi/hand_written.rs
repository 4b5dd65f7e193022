//! Schemas of what no one type describes.

use serde_json::{Value, json};

/// The batch by hand: its events stay text until each is parsed on its own, so no one type describes them.
pub(super) fn batch() -> Value {
    let text = |max: u32| json!({"type": "string", "minLength": 1, "maxLength": max});
    json!({
        "type": "object",
        "required": ["source", "anonymous_id"],
        "properties": {
            "source": text(64), "anonymous_id": text(100), "device_id": text(100),
            "sent_at": {"type": "integer", "description": "The page's clock, milliseconds since 1970"},
            "consent": {"type": "object", "properties": {"analytics": {"type": "boolean"},
                "personalization": {"type": "boolean"}, "marketing": {"type": "boolean"}}},
            "consent_source": {"enum": ["api", "banner", "tcf", "gcm", "gpc"], "default": "api",
                "description": "Who said what the visitor consents to"},
            "events": {"type": "array", "maxItems": 500, "items": {
                "type": "object",
                "required": ["message_id", "type"],
                "properties": {
                    "message_id": text(100),
                    "type": {"enum": ["track", "page", "identify", "reset", "impression"]},
                    "name": {"type": "string", "maxLength": 200},
                    "user_id": text(256), "session_id": text(100), "proof": {"type": "string", "maxLength": 128},
                    "timestamp": {"type": "integer"}, "context": {"type": "object"},
                    "properties": {"type": "object"}, "traits": {"type": "object"},
                },
            }},
            "ask": {"type": "object", "description": "What the page wants decided"},
        },
    })
}

/// A call by hand: clients send what they like, and most of it is read with forgiveness.
pub(super) fn call() -> Value {
    let text = |max: u32| json!({"type": "string", "maxLength": max});
    json!({
        "type": "object",
        "description": "A call as Segment's and RudderStack's specs have it; `userId` or `anonymousId` is required",
        "properties": {
            "writeKey": text(256), "messageId": {"type": "string"}, "type": text(16), "event": text(200),
            "name": {"type": "string"}, "userId": text(256), "anonymousId": {"type": "string"},
            "previousId": {"type": "string"}, "groupId": {"type": "string"}, "channel": {"type": "string"},
            "properties": {"type": "object"}, "traits": {"type": "object"}, "context": {"type": "object"},
            "integrations": {"type": "object"}, "timestamp": {"type": "string"}, "sentAt": {"type": "string"},
            "originalTimestamp": {"type": "string"},
        },
    })
}

/// Many calls.
pub(super) fn calls() -> Value {
    json!({
        "type": "object",
        "required": ["batch"],
        "properties": {
            "batch": {"type": "array", "maxItems": 2500, "items": call()},
            "sentAt": {"type": "string"}, "writeKey": {"type": "string", "maxLength": 256},
        },
    })
}
