//! Events that were refused, kept so that people can see why and try again.
//!
//! Role in the flow of one event: where an event drops out of a stage. The reply says so to whoever sent it; what is kept
//! here says so to the shop, and can be [replayed](Quarantined::body) after a mapping or a setting was put right.

use std::collections::BTreeSet;
use std::str::FromStr;

use endcap_protocol::limits::EVENT_BYTES;
use endcap_protocol::touch::cut;
use endcap_protocol::{FieldError, UnixMillis};
use endcap_validation::Trust;
use endcap_validation::hash::hash;
use endcap_validation::json::is_default;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use serde_json::{Map, Value};

pub use super::daily_count::{Count, KEPT_DAYS};

use super::fair_share::Sender;
use super::patch;
use super::redact::{without_possession, without_proof};
use super::rejection::{RejectCode, Rejection};
use super::repair_surrogates::repair_surrogates;
use super::warning_log::WarningGroup;

/// Most events of one page of the list.
pub const PAGE: usize = 200;
/// Length from which a name counts wherever it stands in a refused event.
const TELLING: usize = 6;
/// Members whose value names somebody, however short it is.
const NAMING: [&str; 12] = [
    "user_id",
    "userId",
    "anonymous_id",
    "anonymousId",
    "previous_id",
    "previousId",
    "email",
    "phone",
    "member_no",
    "line_id",
    "customer_id",
    "customerId",
];
/// Most bytes of a patch, written as JSON.
const PATCH_BYTES: usize = 8 * 1024;
/// Most bytes of what surrounds a refused event.
const CONTEXT_BYTES: usize = 4096;

/// The way by which an event came.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Route {
    /// An event of a browser's batch.
    Batch,
    /// A call that the loader held, in a browser's batch.
    Call,
    /// A vendor's API.
    Vendor,
    /// A webhook.
    Webhook,
}

impl Route {
    /// The name in storage and in the API.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Batch => "batch",
            Self::Call => "call",
            Self::Vendor => "vendor",
            Self::Webhook => "webhook",
        }
    }
}

impl FromStr for Route {
    type Err = FieldError;

    fn from_str(text: &str) -> Result<Self, FieldError> {
        let all = [Self::Batch, Self::Call, Self::Vendor, Self::Webhook];
        let found = all.into_iter().find(|route| route.as_str() == text);
        found.ok_or_else(|| FieldError::new("route", "must be batch, call, vendor or webhook"))
    }
}

/// One refused event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Quarantined {
    /// When it was received.
    pub received_at: UnixMillis,
    /// The source that sent it.
    pub source: String,
    /// The way by which it came.
    pub route: Route,
    /// Name of the person it is about, as far as known, for instance the browser's anonymous ID; else empty.
    pub subject: String,
    /// The stable code of the refusal.
    pub code: RejectCode,
    /// Path of the wrong field within the event; empty where it is the event itself.
    pub path: String,
    /// What was wrong.
    pub message: String,
    /// The text that was sent, at most 32 KiB of it.
    pub raw: String,
    /// What surrounded the event and is needed to take it in again, as JSON of the route's own making.
    pub context: String,
    /// A number that stands for the client's address; none where that is not known. Only this deployment can make it.
    #[serde(default, skip_serializing_if = "is_default")]
    pub client: u32,
}

impl Quarantined {
    /// A refused event, every text within its bounds, and without the proof of an identify: taken in again, it is a claim.
    /// `rejection` names the field relative to the event.
    #[must_use]
    pub fn new(route: Route, source: &str, subject: &str, raw: &str, rejection: &Rejection, at: UnixMillis) -> Self {
        let raw = match route {
            Route::Batch | Route::Call => without_proof(raw),
            Route::Vendor => without_possession(raw),
            Route::Webhook => raw.into(),
        };
        Self {
            received_at: at,
            source: cut(source, 64).to_owned(),
            route,
            subject: cut(subject, 256).to_owned(),
            code: rejection.code,
            path: cut(&rejection.path, 256).to_owned(),
            message: cut(&rejection.message, 512).to_owned(),
            raw: cut(&raw, EVENT_BYTES).to_owned(),
            context: "{}".to_owned(),
            client: 0,
        }
    }

    /// The same event with its context. Leaves out a context over 4 KiB; the event cannot be replayed then.
    #[must_use]
    pub fn within(mut self, context: &str) -> Self {
        if context.len() <= CONTEXT_BYTES {
            context.clone_into(&mut self.context);
        }
        self
    }

    /// Names it within a bucket: the same event refused again has the same name.
    #[must_use]
    pub fn id(&self, bucket: u16) -> String {
        let whole = [&self.source, self.route.as_str(), &self.subject, &self.raw].join("\n");
        format!("{bucket}-{:016x}", u64::from_le_bytes(hash(&whole)))
    }

    /// Whose share of the quarantine it counts to.
    #[must_use]
    pub fn sender(&self) -> Sender {
        let browser = i64::from_le_bytes(hash(&self.subject)) >> 12;
        Sender { source: self.source.clone(), client: self.client, browser }
    }

    /// How far its sender was believed. What does not say so is a claim.
    #[must_use]
    pub fn trust(&self) -> Trust {
        let context: serde_json::Value = serde_json::from_str(&self.context).unwrap_or_default();
        Trust::parse(context.get("trust").and_then(serde_json::Value::as_str).unwrap_or_default())
    }

    /// Whether the event's subject, or a value in it, is one of these names, which are in lower case. A short name
    /// counts only as the value of a naming member such as `user_id`, because `1` can mean many things.
    #[must_use]
    pub fn is_about(&self, names: &BTreeSet<String>) -> bool {
        if names.contains(&self.subject.trim().to_ascii_lowercase()) {
            return true;
        }
        [&self.raw, &self.context].into_iter().any(|text| match serde_json::from_str::<Value>(text) {
            Ok(value) => holds(&value, "", names),
            Err(_) => {
                let text = text.to_ascii_lowercase();
                names.iter().any(|name| name.len() >= TELLING && text.contains(name.as_str()))
            }
        })
    }

    /// The same event with what was wrong put right by a JSON Merge Patch (RFC 7396) of its text: an event of a browser's
    /// batch, a held call, a vendor's call, or the body of a webhook. None where the text is no JSON object.
    #[must_use]
    pub fn patched(&self, patch: &Map<String, Value>) -> Option<Self> {
        let mut event: Value = serde_json::from_str(&repair_surrogates(&self.raw)).ok().filter(Value::is_object)?;
        patch::merge(&mut event, patch);
        Some(Self { raw: event.to_string(), ..self.clone() })
    }

    /// The batch of a browser that holds this event alone; None for another route, and for an event that was cut.
    #[must_use]
    pub fn body(&self) -> Option<String> {
        let list = match self.route {
            Route::Batch => "events",
            Route::Call => "raw",
            Route::Vendor | Route::Webhook => return None,
        };
        let whole = serde_json::from_str::<&RawValue>(&self.raw).is_ok();
        let open = self.context.strip_suffix('}').filter(|open| whole && open.len() > 1)?;
        Some(format!("{open},\"{list}\":[{}]}}", self.raw))
    }
}

/// Whether a value, or one in it, is one of these names.
fn holds(value: &Value, member: &str, names: &BTreeSet<String>) -> bool {
    let is_name = |text: &str| {
        let named = NAMING.contains(&member) || member.starts_with("external:");
        (text.len() >= TELLING || named) && names.contains(&text.trim().to_ascii_lowercase())
    };
    match value {
        Value::String(text) => is_name(text),
        Value::Number(number) => is_name(&number.to_string()),
        Value::Array(items) => items.iter().any(|item| holds(item, member, names)),
        Value::Object(members) => members.iter().any(|(member, value)| holds(value, member, names)),
        Value::Null | Value::Bool(_) => false,
    }
}

/// The bucket that a name of [`Quarantined::id`] lies in.
#[must_use]
pub fn bucket_of_id(id: &str) -> Option<u16> {
    let (bucket, _) = id.split_once('-')?;
    bucket.parse().ok().filter(|bucket| *bucket < endcap_protocol::BUCKETS)
}

/// A refused event in a list.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct Listed {
    /// Its name.
    pub id: String,
    /// The event.
    #[serde(flatten)]
    pub event: Quarantined,
}

/// One page of refused events, those received first at the front; or what was repaired, where that is asked for.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
pub struct Page {
    /// The events.
    pub events: Vec<Listed>,
    /// What was repaired and warned of, by source and code, the most frequent first: with `kind=warning`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub warnings: Option<Vec<WarningGroup>>,
    /// Where the next page begins; none after the last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
}

/// How many events were refused, by day, source and reason.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
pub struct Counts {
    /// The latest day first.
    pub counts: Vec<Count>,
    /// What was repaired and warned of, in the same form, by the code of the warning.
    #[serde(default)]
    pub warnings: Vec<Count>,
    /// Events that were no longer kept, because newer ones needed the room.
    pub dropped: u64,
}

/// Which refused events to take in again: those that are named, or else all that fit.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ReplayAsk {
    /// Names of events, at most 200.
    pub ids: Vec<String>,
    /// Only events of this source.
    pub source: Option<String>,
    /// Only events that were refused for this reason.
    pub code: Option<RejectCode>,
    /// Only events that came this way.
    pub route: Option<Route>,
    /// Only events with this wrong field, such as `properties.quantity`.
    pub path: Option<String>,
    /// Where an earlier replay ended.
    pub cursor: Option<String>,
    /// A JSON Merge Patch (RFC 7396) that is applied to the text of each event before it is taken in again: members
    /// replace, objects merge, null removes. At most 8 KiB.
    pub patch: Option<Map<String, Value>>,
}

impl ReplayAsk {
    /// Checks what the types cannot say.
    ///
    /// # Errors
    /// The field that is out of range.
    pub fn check(&self) -> Result<(), FieldError> {
        if self.ids.len() > PAGE {
            return Err(FieldError::new("ids", "must hold at most 200 names"));
        }
        let long = self.patch.as_ref().is_some_and(|patch| serde_json::json!(patch).to_string().len() > PATCH_BYTES);
        if long { Err(FieldError::new("patch", "must be at most 8 KiB")) } else { Ok(()) }
    }
}

/// What became of the events that were taken in again.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
pub struct ReplayReply {
    /// Names of events that were accepted, or were known already; they are no longer kept here.
    pub accepted: Vec<String>,
    /// Those that are still refused, with the reason of now.
    pub rejected: Vec<StillRefused>,
    /// Where to go on; none when all that fit were tried.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
}

/// An event that is still refused.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct StillRefused {
    /// Its name.
    pub id: String,
    /// The stable code of the refusal.
    pub code: RejectCode,
    /// Path of the wrong field within the event.
    pub path: String,
    /// What is wrong.
    pub message: String,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ingest::event::{Event, Kind};
    use crate::ingest::ingest;

    fn refused(raw: &str) -> Quarantined {
        let rejection = Rejection::new(RejectCode::InvalidField, FieldError::new("name", "is required"));
        Quarantined::new(Route::Batch, "shop", "browser-1", raw, &rejection, 7)
    }

    #[test]
    fn the_same_event_has_the_same_name_and_the_name_tells_the_bucket() {
        let (one, other) = (refused("{\"a\":1}"), refused("{\"a\":2}"));
        assert_eq!(one.id(5), Quarantined { received_at: 9, ..one.clone() }.id(5));
        assert_ne!(one.id(5), other.id(5));
        assert_eq!(bucket_of_id(&one.id(1023)), Some(1023));
        for id in ["", "x-1", "1024-1", "-1", "7"] {
            assert_eq!(bucket_of_id(id), None, "{id}");
        }
    }

    #[test]
    fn what_does_not_say_how_far_its_sender_was_believed_is_a_claim() {
        for (context, expected) in [
            (r#"{"trust":"fact"}"#, Trust::Fact),
            (r#"{"trust":"claim"}"#, Trust::Claim),
            (r#"{"trust":"FACT"}"#, Trust::Claim),
            (r#"{"trust":1}"#, Trust::Claim),
            ("{}", Trust::Claim),
            ("{", Trust::Claim),
        ] {
            assert_eq!(refused("{}").within(context).trust(), expected, "{context}");
        }
    }

    #[test]
    fn an_event_comes_back_as_a_batch_of_its_own_unless_it_was_cut() {
        let context = "{\"source\":\"shop\",\"anonymous_id\":\"browser-1\"}";
        let event = refused("{\"a\":1}").within(context);
        let batch = "{\"source\":\"shop\",\"anonymous_id\":\"browser-1\",\"events\":[{\"a\":1}]}";
        assert_eq!(event.body().as_deref(), Some(batch));
        assert_eq!(refused("{\"a\":1}").body(), None, "nothing is known about the batch");
        assert_eq!(refused(&format!("\"{}\"", "x".repeat(40_000))).within(context).body(), None);
        assert_eq!(Quarantined { route: Route::Webhook, ..event }.body(), None);
    }

    #[test]
    fn a_refused_event_comes_back_without_its_proof() {
        let event = r#"{"message_id":"m1","type":"identify","timestamp":99999999,"user_id":"ann","proof":"x"}"#;
        let body = format!(r#"{{"source":"shop","anonymous_id":"browser-1","events":[{event}]}}"#);
        let batch = ingest(body.as_bytes(), 7).unwrap();
        assert_eq!((batch.events.len(), batch.refused.len()), (0, 1));
        let again = ingest(batch.refused[0].body().unwrap().as_bytes(), 99_999_999).unwrap();
        let [Event { kind: Kind::Identify { proof, .. }, .. }] = &again.events[..] else { panic!("{again:?}") };
        assert_eq!(*proof, None);
    }

    #[test]
    fn an_odd_proof_does_not_cost_the_identify() {
        let event = r#"{"message_id":"m1","type":"identify","timestamp":7,"user_id":"ann","proof":7,"proof":{}}"#;
        let body = format!(r#"{{"source":"shop","anonymous_id":"browser-1","events":[{event}]}}"#);
        let batch = ingest(body.as_bytes(), 7).unwrap();
        let [event] = &batch.events[..] else { panic!("{batch:?}") };
        assert!(matches!(&event.kind, Kind::Identify { proof: None, .. }));
        assert_eq!(event.repairs.list[0].path, "proof");
    }

    #[test]
    fn an_event_is_found_by_whom_it_names_and_not_by_a_number_that_is_a_short_name() {
        let names: BTreeSet<String> = ["7", "browser-1", "ann@shop.example"].map(str::to_owned).into();
        let of = |subject: &str, raw: &str| Quarantined { subject: subject.to_owned(), ..refused(raw) };
        for (subject, raw) in [
            ("browser-1", "{}"),
            ("", r#"{"traits":{"email":"Ann@Shop.example"}}"#),
            ("", r#"{"userId":7}"#),
            ("", r#"{"cut off": "ann@shop.example"#),
        ] {
            assert!(of(subject, raw).is_about(&names), "{subject} {raw}");
        }
        assert!(!of("", r#"{"quantity":"7","userId":"8"}"#).is_about(&names));
    }

    #[test]
    fn a_patch_puts_right_what_was_wrong_and_nothing_else() {
        let context = "{\"source\":\"shop\",\"anonymous_id\":\"browser-1\"}";
        let event = refused(r#"{"name":"X","properties":{"quantity":-1,"sku":"\ud800"}}"#).within(context);
        let patch = serde_json::json!({"properties": {"quantity": null, "size": 4}});
        let patched = event.patched(patch.as_object().unwrap()).unwrap();
        let raw: Value = serde_json::from_str(&patched.raw).unwrap();
        assert_eq!((&raw["name"], &raw["properties"]["size"]), (&Value::from("X"), &Value::from(4)));
        assert_eq!(raw["properties"].as_object().unwrap().len(), 2);
        assert_eq!((&patched.context, patched.received_at), (&event.context, event.received_at));
        assert!(patched.body().is_some());
        for raw in ["", "7", "[]", "{\"a\":"] {
            assert_eq!(refused(raw).patched(patch.as_object().unwrap()), None, "{raw}");
        }
        let long = serde_json::json!({"patch": {"a": "x".repeat(9000)}});
        let ask: ReplayAsk = serde_json::from_value(long).unwrap();
        assert_eq!(ask.check().map_err(|error| error.path), Err("patch".to_owned()));
    }
}
