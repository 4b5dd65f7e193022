//! A batch's text under another anonymous ID.
//!
//! Role in the flow of one event: a batch that does not show the token of its anonymous ID is read again under a new one, so
//! that nothing of it names the browser that it is not from: neither its events nor what is refused of them.

use std::borrow::Cow;
use std::collections::BTreeMap;

use endcap_protocol::AnonymousId;
use endcap_validation::DomainError;
use serde_json::value::{RawValue, to_raw_value};

/// The members of an object, whose values stay text.
type Members<'a> = BTreeMap<Cow<'a, str>, Cow<'a, RawValue>>;

const ID: &str = "anonymous_id";

/// The text of a batch that was read before, under another anonymous ID and without its possession token.
///
/// # Errors
/// When it is no batch.
pub fn renamed(body: &[u8], to: &AnonymousId) -> Result<Vec<u8>, DomainError> {
    let failed = |error: serde_json::Error| DomainError::Json(error.to_string());
    let name = to_raw_value(to).map_err(failed)?;
    let mut batch: Members<'_> = serde_json::from_slice(body).map_err(failed)?;
    batch.remove("possession");
    batch.insert(Cow::Borrowed(ID), Cow::Borrowed(&name));
    if let Some(events) = batch.get("events") {
        // As the batch was read: an event alone is a list of it, and nothing is none.
        let list = serde_json::from_str::<Option<Vec<&RawValue>>>(events.get());
        let events = list.map_or_else(|_| vec![&**events], Option::unwrap_or_default);
        let renamed: Vec<Cow<'_, RawValue>> = events.into_iter().map(|event| renamed_event(event, &name)).collect();
        let events = to_raw_value(&renamed).map_err(failed)?;
        batch.insert(Cow::Borrowed("events"), Cow::Owned(events));
    }
    serde_json::to_vec(&batch).map_err(failed)
}

/// An event that names a browser names this one. What is no event stays as it is, and is refused as it would have been.
fn renamed_event<'a>(event: &'a RawValue, name: &'a RawValue) -> Cow<'a, RawValue> {
    let Ok(mut members) = serde_json::from_str::<Members<'_>>(event.get()) else { return Cow::Borrowed(event) };
    if members.insert(Cow::Borrowed(ID), Cow::Borrowed(name)).is_none() {
        return Cow::Borrowed(event);
    }
    to_raw_value(&members).map_or(Cow::Borrowed(event), Cow::Owned)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::ingest::ingest;

    #[test]
    fn a_batch_is_read_again_as_another_browsers() {
        let good = |id: &str| json!({"message_id": id, "type": "track", "name": "A", "timestamp": 5, "properties": {"x": 1e2}});
        let mut named = good("m2");
        named["anonymous_id"] = json!("victim");
        let batch = json!({
            "source": "shop", "anonymous_id": "victim", "possession": "secret", "consent": null,
            "events": [good("m1"), named, {"type": "victim"}, 7],
            "raw": [{"message_id": "m3", "timestamp": 5, "call": ["track", "B"]}],
        });
        let to = AnonymousId::parse("new").unwrap();
        for events in [json!(null), good("m0")] {
            let count = usize::from(events.is_object());
            let odd = json!({"source": "shop", "anonymous_id": "victim", "events": events, "raw": batch["raw"]});
            let text = renamed(odd.to_string().as_bytes(), &to).unwrap();
            assert_eq!(ingest(&text, 5).unwrap().events.len(), 1 + count);
        }
        let text = renamed(batch.to_string().as_bytes(), &to).unwrap();
        let read: Value = serde_json::from_slice(&text).unwrap();
        assert_eq!((read["anonymous_id"].as_str(), read.get("possession")), (Some("new"), None));
        assert_eq!(read["events"][1]["anonymous_id"], "new");
        let batch = ingest(&text, 5).unwrap();
        let ids: Vec<&str> = batch.events.iter().map(|event| event.message_id.as_str()).collect();
        assert_eq!((ids, batch.rejected.len()), (vec!["m1", "m2", "m3"], 2));
        assert!(batch.refused.iter().all(|refused| !format!("{refused:?}").contains("\"victim\",")));
    }
}
