//! The batch's own members, where one of them has another form than it should.
//!
//! Role in the flow of one event: only a batch that cannot be read strictly comes here. One odd member costs neither the batch
//! nor its events, with three exceptions: source and anonymous ID say whose the events are, and consent whether they may be kept.

use std::borrow::Cow;
use std::collections::BTreeMap;

use endcap_protocol::repair::{RepairCode, Repairs};
use endcap_protocol::{Consent, FieldError, UnixMillis};
use endcap_validation::DomainError;
use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

use super::wire::WireBatch;
use crate::timestamp;

/// The members by name, as text.
struct Head<'a, 'r> {
    members: BTreeMap<Cow<'a, str>, &'a RawValue>,
    repairs: &'r mut Repairs,
}

/// The batch with its members put right.
///
/// # Errors
/// What is wrong with a member that has to be right; none where the whole is no JSON object.
pub(super) fn put_right<'a>(body: &'a [u8], repairs: &mut Repairs) -> Result<WireBatch<'a>, Option<DomainError>> {
    let members = serde_json::from_slice(body).map_err(|_| None)?;
    let mut head = Head { members, repairs };
    let required = |head: &mut Head<'a, '_>, name: &str| {
        let text = head.read::<Cow<'a, str>>(name);
        text.ok_or_else(|| Some(FieldError::new(name, "is required, and must be text").into()))
    };
    Ok(WireBatch {
        source: required(&mut head, "source")?,
        anonymous_id: required(&mut head, "anonymous_id")?,
        consent: head.consent()?,
        device_id: head.read_or_note("device_id", "must be text"),
        sent_at: head.time("sent_at"),
        consent_source: head.read_or_note("consent_source", "must be text"),
        dropped: head.read_or_note("dropped", "must be a number"),
        events: head.list("events"),
        raw: head.list("raw"),
        ask: head.read_or_note("ask", "must be a question"),
        possession: head.read_or_note("possession", "must be text"),
    })
}

impl<'a> Head<'a, '_> {
    /// A member that is there and is no `null`.
    fn get(&self, name: &str) -> Option<&'a RawValue> {
        self.members.get(name).copied().filter(|raw| raw.get() != "null")
    }

    fn read<T: Deserialize<'a>>(&self, name: &str) -> Option<T> {
        serde_json::from_str(self.get(name)?.get()).ok()
    }

    fn read_or_note<T: Deserialize<'a>>(&mut self, name: &str, rule: &str) -> Option<T> {
        let read = self.read(name);
        if read.is_none() && self.get(name).is_some() {
            self.note(RepairCode::FieldDropped, name, format!("{rule}: it is left out"));
        }
        read
    }

    fn time(&mut self, name: &str) -> Option<UnixMillis> {
        let value: Value = self.read(name)?;
        let at = timestamp::of_member(&value);
        if at.is_none() {
            self.note(RepairCode::TimeUnreadable, name, "is no time: the page's clock is taken for right".to_owned());
        }
        at
    }

    /// The items of a list; one item alone is a list of it.
    fn list(&mut self, name: &str) -> Vec<&'a RawValue> {
        let Some(raw) = self.get(name) else { return Vec::new() };
        if let Ok(items) = serde_json::from_str(raw.get()) {
            return items;
        }
        self.note(RepairCode::FieldRead, name, "must be a list: it is taken for its only item".to_owned());
        vec![raw]
    }

    /// What the visitor agreed to: purposes that are true or false, or one word for all. What cannot be read is refused, because
    /// nobody knows then whether the events may be kept.
    fn consent(&mut self) -> Result<Option<Consent>, DomainError> {
        let Some(raw) = self.get("consent") else { return Ok(None) };
        let wrong = || FieldError::new("consent", "must be an object of purposes, granted or denied: nothing is kept");
        match serde_json::from_str::<Value>(raw.get()) {
            Ok(Value::String(word)) if word == "granted" => Ok(Some(Consent::GRANTED)),
            Ok(Value::String(word)) if word == "denied" => Ok(Some(Consent::DENIED)),
            _ => serde_json::from_str(raw.get()).map(Some).map_err(|_| wrong().into()),
        }
    }

    fn note(&mut self, code: RepairCode, name: &str, message: String) {
        self.repairs.note(code, || (name.to_owned(), message));
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::ingest::{Batch, ingest};

    fn of(member: &str, value: Value) -> Result<Batch, DomainError> {
        let mut batch = json!({"source": "shop", "anonymous_id": "b", "consent": {"analytics": true}, "sent_at": 5,
            "events": [{"message_id": "m", "type": "track", "name": "A", "timestamp": 5}]});
        batch[member] = value;
        ingest(batch.to_string().as_bytes(), 5)
    }

    #[test]
    fn an_odd_member_costs_no_event() {
        let odd = [json!(-1.5), json!(true), json!([7]), json!({"a": {"b": []}}), json!("x"), json!(null)];
        for name in ["device_id", "sent_at", "consent_source", "dropped", "ask", "possession", "raw", "other"] {
            for value in &odd {
                let batch = of(name, value.clone()).unwrap();
                assert_eq!(batch.events.len(), 1, "{name}: {value}");
            }
        }
    }

    #[test]
    fn what_is_left_out_is_said() {
        let batch = of("dropped", json!("many")).unwrap();
        assert_eq!(batch.repairs.list[0].path, "dropped");
        assert_eq!(of("sent_at", json!("1970-01-01T00:00:00Z")).unwrap().repairs.list.len(), 0);
        assert_eq!(of("events", json!({"message_id": "m", "type": "page"})).unwrap().events.len(), 1);
    }

    #[test]
    fn consent_that_cannot_be_read_keeps_nothing() {
        for value in [json!("yes"), json!(1), json!({"analytics": "true"})] {
            assert!(of("consent", value.clone()).is_err(), "{value}");
        }
        assert_eq!(of("consent", json!("granted")).unwrap().consent, Some(Consent::GRANTED));
        assert_eq!(of("consent", json!("denied")).unwrap().consent, Some(Consent::DENIED));
    }

    #[test]
    fn whose_the_events_are_has_to_be_said() {
        for name in ["source", "anonymous_id"] {
            let error = of(name, json!({})).unwrap_err().to_string();
            assert!(error.contains(name), "{error}");
        }
    }
}
