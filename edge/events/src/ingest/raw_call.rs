//! Calls that the loader sent raw because the page ended before the core was there.
//!
//! They become the same events that the core would have made, so a page that lives for a blink is counted like any other.

use endcap_protocol::{AnonymousId, FieldError};
use serde::Deserialize;
use serde_json::{Value, json};

use super::event::Event;
use super::parse;
use super::rejection::{RejectCode, Rejection};

/// A held call.
#[derive(Debug, Deserialize)]
struct RawCall {
    message_id: String,
    #[serde(default)]
    timestamp: i64,
    call: Vec<Value>,
    #[serde(default)]
    url: String,
    #[serde(default)]
    referrer: String,
}

/// Reads a held call as the event it stands for.
///
/// # Errors
/// The refusal, as for any event.
pub fn event(raw: &str, sender: &AnonymousId) -> Result<Event, Rejection> {
    let call: RawCall = serde_json::from_str(raw)
        .map_err(|error| Rejection::new(RejectCode::InvalidEvent, FieldError::new("", error.to_string())))?;
    let method = call.call.first().and_then(Value::as_str).unwrap_or_default();
    let argument = |index: usize| call.call.get(index).cloned().unwrap_or(Value::Null);
    let mut event = json!({
        "message_id": call.message_id, "type": method, "timestamp": call.timestamp,
        "context": {"page": {"url": call.url, "referrer": call.referrer}},
    });
    let members = match method {
        "track" | "page" => vec![("name", argument(1)), ("properties", argument(2))],
        "identify" => {
            let proof = argument(3).get("proof").cloned().unwrap_or(Value::Null);
            vec![("user_id", argument(1)), ("traits", argument(2)), ("proof", proof)]
        }
        "reset" => Vec::new(),
        _ => {
            let error = FieldError::new("call[0]", "must be track, page, identify or reset");
            return Err(Rejection::new(RejectCode::InvalidField, error).of(&call.message_id));
        }
    };
    if let Some(object) = event.as_object_mut() {
        object.extend(members.into_iter().filter(|(_, v)| !v.is_null()).map(|(key, v)| (key.to_owned(), v)));
    }
    parse::event(&event.to_string(), sender)
}
