//! An event whose members have other forms than they should, as one whose members have the right ones.
//!
//! Role in the flow of one event: only an event that cannot be read strictly comes here, so everyday events pay nothing.

use endcap_protocol::props::text_of;
use endcap_protocol::repair::{RepairCode, Repairs};
use serde_json::{Map, Value};

use super::forgiving;
use crate::timestamp;

/// Members of an event that are text.
const TEXTS: [&str; 8] =
    ["message_id", "type", "name", "anonymous_id", "user_id", "previous_id", "session_id", "proof"];
/// Members of an event's context that are text.
const CONTEXT: [&str; 3] = ["zone", "locale", "user_agent"];
/// Members of an event's page that are text.
const PAGE: [&str; 3] = ["url", "title", "referrer"];

/// The event as an object that can be read strictly. None where it is no object.
pub(super) fn put_right(raw: &str, repairs: &mut Repairs) -> Option<String> {
    let Value::Object(mut event) = forgiving::value_of(raw, repairs).ok()? else { return None };
    texts(&mut event, "", &TEXTS, repairs);
    time(&mut event, repairs);
    if let Some(context) = object(&mut event, "context", "context", repairs) {
        texts(context, "context.", &CONTEXT, repairs);
        if let Some(page) = object(context, "page", "context.page", repairs) {
            texts(page, "context.page.", &PAGE, repairs);
        }
    }
    Some(Value::Object(event).to_string())
}

/// Makes members text: numbers, true and false have one, and nothing else has.
fn texts(members: &mut Map<String, Value>, path: &str, names: &[&str], repairs: &mut Repairs) {
    for name in names {
        let Some(value) = members.get_mut(*name) else { continue };
        match value {
            Value::String(_) => {}
            Value::Number(_) => *value = text_of(value).unwrap_or_default().into(),
            Value::Bool(flag) => {
                note(repairs, RepairCode::FieldRead, path, name, "should be text: it is read as its word");
                *value = flag.to_string().into();
            }
            Value::Null => drop(members.remove(*name)),
            Value::Array(_) | Value::Object(_) => {
                members.remove(*name);
                note(repairs, RepairCode::FieldDropped, path, name, "must be text: it is left out");
            }
        }
    }
}

/// Makes the time a whole number.
fn time(event: &mut Map<String, Value>, repairs: &mut Repairs) {
    let Some(value) = event.get_mut("timestamp").filter(|value| value.as_i64().is_none()) else { return };
    match timestamp::of_member(value) {
        Some(at) => {
            if value.is_string() {
                note(
                    repairs,
                    RepairCode::FieldRead,
                    "",
                    "timestamp",
                    "should be milliseconds since 1970: it is read as a date",
                );
            }
            *value = at.into();
        }
        None if value.is_null() => drop(event.remove("timestamp")),
        None => {
            event.remove("timestamp");
            note(repairs, RepairCode::TimeUnreadable, "", "timestamp", "is no time: that of receipt counts");
        }
    }
}

/// A member that is an object; another one is left out.
fn object<'a>(
    members: &'a mut Map<String, Value>,
    name: &str,
    path: &str,
    repairs: &mut Repairs,
) -> Option<&'a mut Map<String, Value>> {
    let is_object = members.get(name)?.is_object();
    if !is_object && members.remove(name).is_some_and(|value| !value.is_null()) {
        note(repairs, RepairCode::FieldDropped, "", path, "must be an object: it is left out");
    }
    members.get_mut(name)?.as_object_mut()
}

fn note(repairs: &mut Repairs, code: RepairCode, path: &str, name: &str, message: &str) {
    repairs.note(code, || (format!("{path}{name}"), message.to_owned()));
}
