//! The body of a request: one call, or a batch of them.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::io::Read;

use endcap_protocol::limits::EVENT_BYTES;
use endcap_protocol::repair::RepairCode;
use endcap_protocol::{FieldError, UnixMillis};
use endcap_validation::DomainError;
use flate2::read::GzDecoder;
use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

use super::call_type::CallType;
use super::consent::Categories;
use super::message;
use super::message::Setting;
use crate::ingest::HANDOVERS;
use crate::ingest::rejection::{RejectCode, Rejection};
use crate::server::{Action, ServerEvent};
use crate::timestamp;

/// Largest body, in bytes, packed or not: Segment's bound.
pub const BODY_BYTES: usize = 500 * 1024;
/// Most calls of one batch: Segment's bound.
pub const BATCH_CALLS: usize = 2500;

/// Most refused calls of one request without a secret key that are kept; the rest is counted.
pub const KEPT: usize = 500;

/// A request whose calls were understood or refused.
#[derive(Debug, Default)]
pub struct Request {
    /// What was understood, with its place among the calls.
    pub events: Vec<(usize, ServerEvent)>,
    /// What was not.
    pub refused: Vec<Refused>,
}

/// A call that could not be understood.
#[derive(Debug, Clone, PartialEq)]
pub struct Refused {
    /// Its text.
    pub raw: String,
    /// Whom it was about, as far as known; else empty.
    pub subject: String,
    /// Why. The index is the call's place; the path is relative to the call.
    pub rejection: Rejection,
    /// When the client sent it, by its own clock.
    pub sent_at: Option<UnixMillis>,
}

/// The outer shape of a batch.
#[derive(Debug, Deserialize)]
struct WireBatch<'a> {
    #[serde(borrow)]
    batch: Vec<&'a RawValue>,
    #[serde(borrow, default, rename = "sentAt")]
    sent_at: Option<&'a RawValue>,
}

/// What is read of any body before it is known whose it is.
#[derive(Debug, Deserialize)]
struct Keyed<'a> {
    #[serde(borrow, default, rename = "writeKey")]
    write_key: Option<Cow<'a, str>>,
}

/// The write key in a body, where browsers' clients put it.
#[must_use]
pub fn write_key(body: &[u8]) -> Option<String> {
    let keyed: Keyed<'_> = serde_json::from_slice(body).ok()?;
    keyed.write_key.map(Cow::into_owned)
}

/// Unpacks a gzip body (RFC 1952) as far as it stays within bounds.
///
/// # Errors
/// When it is none, or unpacks to more than [`BODY_BYTES`].
pub fn unpack(body: &[u8]) -> Result<Vec<u8>, DomainError> {
    let mut unpacked = Vec::new();
    let mut packed = GzDecoder::new(body).take(BODY_BYTES as u64 + 1);
    packed.read_to_end(&mut unpacked).map_err(|error| DomainError::Json(format!("not gzip: {error}")))?;
    if unpacked.len() > BODY_BYTES { Err(DomainError::TooLarge { limit: BODY_BYTES }) } else { Ok(unpacked) }
}

/// Reads a body received at `now`. `call` is the kind of call that the route takes; None: the route takes batches.
/// `categories` says what the source's consent categories mean.
///
/// # Errors
/// When the body as a whole cannot be used.
pub fn read(
    body: &[u8],
    call: Option<CallType>,
    now: UnixMillis,
    categories: &Categories,
) -> Result<Request, DomainError> {
    if body.len() > BODY_BYTES {
        return Err(DomainError::TooLarge { limit: BODY_BYTES });
    }
    if body.trim_ascii_start().first() != Some(&b'{') {
        return Err(DomainError::Json("expected an object".to_owned()));
    }
    let wrong = |error: serde_json::Error| DomainError::Json(error.to_string());
    let mut request = Request::default();
    if let Some(call) = call {
        let raw: &RawValue = serde_json::from_slice(body).map_err(wrong)?;
        request.add(0, raw.get(), &Setting { call: Some(call), sent_at: None, now, categories });
        return Ok(request);
    }
    let mut json = serde_json::Deserializer::from_slice(body);
    let wire: WireBatch<'_> = serde_path_to_error::deserialize(&mut json).map_err(DomainError::of_json)?;
    json.end().map_err(wrong)?;
    if wire.batch.len() > BATCH_CALLS {
        return Err(FieldError::new("batch", format!("must hold at most {BATCH_CALLS} calls")).into());
    }
    let sent_at = wire.sent_at();
    for (index, raw) in wire.batch.iter().enumerate() {
        request.add(index, raw.get(), &Setting { call: None, sent_at, now, categories });
    }
    let unreadable = wire.sent_at.filter(|raw| sent_at.is_none() && raw.get() != "null");
    if let (Some(_), Some((_, event))) = (unreadable, request.events.first_mut()) {
        event.repairs.note(RepairCode::TimeUnreadable, || {
            (
                "sentAt".to_owned(),
                "is no time: the calls' own times count, however wrong the sender's clock is".to_owned(),
            )
        });
    }
    Ok(request)
}

/// Whose history an event goes to: an alias to that of the earlier name.
fn person_of(event: &ServerEvent) -> &str {
    match &event.action {
        Action::Alias { previous } => previous,
        _ => event.who.name().unwrap_or_default(),
    }
}

impl WireBatch<'_> {
    /// When the client sent it, by its own clock.
    fn sent_at(&self) -> Option<UnixMillis> {
        let sent_at = self.sent_at.and_then(|raw| serde_json::from_str::<Value>(raw.get()).ok());
        sent_at.as_ref().and_then(timestamp::read)
    }
}

impl Request {
    /// Number of calls, good and bad.
    #[must_use]
    pub fn len(&self) -> usize {
        self.events.len().saturating_add(self.refused.len())
    }

    /// Whether there are no calls.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Refuses what is about more people than one request without a secret key may speak of. `body` is what was read.
    pub fn refuse_people(&mut self, body: &[u8]) {
        let mut people: BTreeSet<String> = BTreeSet::new();
        let most = usize::from(HANDOVERS) + 1;
        let is_one_too_many = |(_, event): &mut (usize, ServerEvent)| {
            let person = person_of(event);
            let room = people.len() < most || people.contains(person);
            if room {
                people.insert(person.to_owned());
            }
            !room
        };
        let refused: Vec<(usize, ServerEvent)> = self.events.extract_if(.., is_one_too_many).collect();
        if refused.is_empty() {
            return;
        }
        // Read again, because nobody else needs the texts of good calls.
        let Ok(wire) = serde_json::from_slice::<WireBatch<'_>>(body) else { return };
        let sent_at = wire.sent_at();
        let rule = format!("comes after the {most} people of whom one request without a secret key may speak");
        let error = FieldError::new("", format!("{rule}; the first {KEPT} refused calls are kept and can be replayed"));
        self.refused.extend(refused.into_iter().enumerate().filter_map(|(place, (index, event))| {
            let raw = wire.batch.get(index)?.get();
            let rejection = Rejection::new(RejectCode::TooManyPeople, error.clone()).of(event.message_id.as_str());
            // What is not kept is only counted.
            let kept = |text: &str| if place < KEPT { text.to_owned() } else { String::new() };
            let (raw, subject) = (kept(raw), kept(person_of(&event)));
            Some(Refused { raw, subject, rejection: Rejection { index, ..rejection }, sent_at })
        }));
        self.refused.sort_by_key(|refused| refused.rejection.index);
    }

    /// Reads one call.
    fn add(&mut self, index: usize, raw: &str, setting: &Setting<'_>) {
        let read = if raw.len() > EVENT_BYTES {
            let error = FieldError::new("", format!("the call is over {EVENT_BYTES} bytes"));
            Err((String::new(), Rejection::new(RejectCode::TooLarge, error)))
        } else {
            message::read(raw, index, setting)
        };
        match read {
            Ok(event) => self.events.push((index, event)),
            Err((subject, rejection)) => self.refused.push(Refused {
                raw: raw.to_owned(),
                subject,
                rejection: Rejection { index, ..rejection },
                sent_at: setting.sent_at,
            }),
        }
    }
}
