//! Calls that the loader sent raw because the page ended before the core was there.
//!
//! They become the same events that the core would have made, so a page that lives for a blink is counted like any other.

use endcap_protocol::FieldError;
use endcap_protocol::limits::EVENT_BYTES;
use endcap_protocol::props::text_of;
use endcap_protocol::repair::Repairs;
use serde_json::{Value, json};

use super::event::Event;
use super::parse::Setting;
use super::rejection::{RejectCode, Rejection};
use super::{forgiving, parse};

/// Reads a held call as the event it stands for.
///
/// # Errors
/// The refusal, as for any event.
pub fn event(raw: &str, setting: &Setting<'_>) -> Result<Event, Rejection> {
    let unreadable = |message: String| Rejection::new(RejectCode::InvalidEvent, FieldError::new("", message));
    if raw.len() > EVENT_BYTES {
        let error = FieldError::new("", format!("the event is over {EVENT_BYTES} bytes"));
        return Err(Rejection::new(RejectCode::TooLarge, error));
    }
    let mut repairs = Repairs::default();
    let held = forgiving::value_of(raw, &mut repairs).map_err(|error| unreadable(error.to_string()))?;
    let member = |name: &str| held.get(name).cloned().unwrap_or(Value::Null);
    let argument = |index: usize| held.get("call").and_then(|call| call.get(index)).cloned().unwrap_or(Value::Null);
    let method = argument(0);
    let method = method.as_str().unwrap_or_default();
    let mut event = json!({
        "message_id": member("message_id"), "type": method, "timestamp": member("timestamp"),
        "context": {"page": {"url": member("url"), "referrer": member("referrer")}},
    });
    let members = match method {
        // As in the page: a view without a name may have properties.
        "page" if argument(1).is_object() => vec![("properties", argument(1))],
        "track" | "page" => vec![("name", argument(1)), ("properties", argument(2))],
        // As Segment's clients allow: traits of somebody whom the page cannot name yet.
        "identify" if argument(1).is_object() => vec![("traits", argument(1))],
        "identify" => {
            let proof = argument(3).get("proof").cloned().unwrap_or(Value::Null);
            vec![("user_id", argument(1)), ("traits", argument(2)), ("proof", proof)]
        }
        "reset" => Vec::new(),
        _ => {
            let error = FieldError::new("call[0]", "must be track, page, identify or reset");
            let id = text_of(&member("message_id")).unwrap_or_default();
            return Err(Rejection::new(RejectCode::InvalidField, error).of(&id));
        }
    };
    if let Some(object) = event.as_object_mut() {
        object.extend(members.into_iter().map(|(key, value)| (key.to_owned(), value)));
        object.retain(|_, value| !value.is_null());
    }
    let mut event = parse::event(&event.to_string(), setting)?;
    event.repairs.list.extend(repairs.list);
    Ok(event)
}
