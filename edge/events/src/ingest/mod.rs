//! Ingestion: from the bytes of a batch to typed events, as named stages.
//!
//! Role in the flow of one event: the first thing the profile's shard does. Each stage narrows the type
//! ([`wire::WireBatch`] → [`event::Event`]); an event that drops out of one is a [`Rejection`], so every event ends in
//! exactly one outcome: accepted, duplicate or rejected. Deduplication comes last, inside the profile, because only the
//! profile knows what it has seen.

pub mod bot;
mod codes;
pub mod consent;
pub mod daily_count;
pub mod event;
pub mod fair_share;
pub(crate) mod forgiving;
mod head;
pub mod logged;
mod members;
pub mod parse;
mod patch;
mod properties;
pub mod quarantine;
pub mod raw_call;
pub mod redact;
pub mod rejection;
pub mod rename;
pub mod repair_surrogates;
pub mod sender;
pub mod user_agent;

pub mod validate;
pub mod warning;
pub mod warning_log;
pub mod wire;

pub use event::{Event, EventContext, Kind};
pub use quarantine::Quarantined;
pub use rejection::{RejectCode, Rejection};
pub use warning::{Warning, WarningCode};

use endcap_protocol::commerce::DEFAULT_CURRENCY;
use endcap_protocol::limits::{BATCH_BYTES, BATCH_EVENTS};
use endcap_protocol::repair::Repairs;
use endcap_protocol::{AnonymousId, Consent, DeviceId, FieldError, SourceId, UnixMillis};
use endcap_validation::{DomainError, Trust};

use consent::{ConsentSource, Gpc};
use parse::Setting;
use quarantine::Route;
use sender::Sender;
use wire::{Ask, WireBatch};

use crate::timestamp;

/// What a request says about its sender besides the body.
#[derive(Debug, Clone, Copy, Default)]
pub struct Signals {
    /// What the browser's Global Privacy Control refuses, where it is on.
    pub gpc: Option<Gpc>,
    /// The sender is a robot.
    pub robot: bool,
    /// How far the sender is believed.
    pub trust: Trust,
    /// How often the browser was handed over to another person in what came before of the same request.
    pub handovers: u8,
    /// A number of the client's address, where it is known and something of the request may be refused; else 0.
    pub client: u32,
    /// The shop's currency; None where nobody set one.
    pub currency: Option<[u8; 3]>,
    /// Whether our own entry made the batch of another client's request.
    pub is_from_entry: bool,
    /// Whether who asks is of a version that cannot read what is said of repairs.
    pub hides_repairs: bool,
}

/// Most times that one batch of a browser may hand it over to another person. Each begins a history of its own and costs a
/// request between objects.
pub const HANDOVERS: u8 = 4;

/// Most bytes of the message IDs of one batch, which the answer repeats: 500 of the longest, as long as none is written with
/// escapes.
const NAMES_BYTES: usize = 52_000;

/// Most events that one batch can say were thrown out.
pub const DROPPED: u32 = 100_000;

/// A batch whose events are typed, bounded and on the edge's clock.
#[derive(Debug, Clone)]
pub struct Batch {
    /// Which page or server sent it.
    pub source: SourceId,
    /// The browser it came from.
    pub anonymous_id: AnonymousId,
    /// The installation it came from.
    pub device_id: Option<DeviceId>,
    /// The visitor's consent when it was sent, less what the browser's privacy signal refuses.
    pub consent: Option<Consent>,
    /// Who said so.
    pub consent_source: ConsentSource,
    /// The good events, in the order sent.
    pub events: Vec<Event>,
    /// The bad ones.
    pub rejected: Vec<Rejection>,
    /// The same, for the quarantine.
    pub refused: Vec<Quarantined>,
    /// How many events the browser threw out for lack of room, at most [`DROPPED`].
    pub dropped: u32,
    /// What the page wants decided.
    pub ask: Option<Ask>,
    /// The page's clock when it sent the batch.
    pub sent_at: Option<UnixMillis>,
    /// The edge's clock when the batch was received.
    pub received_at: UnixMillis,
    /// How far the sender is believed; no batch can say it of itself.
    pub trust: Trust,
    /// What the browser's Global Privacy Control refused, where it is on.
    pub gpc: Option<Gpc>,
    /// How often the browser was handed over to another person in what came before of the same request.
    pub handovers: u8,
    /// A number of the client's address, where it is known and something may be refused; else 0.
    pub client: u32,
    /// The possession token that the page sent along. It goes into no text that is kept.
    pub possession: Option<String>,
    /// The shop's currency; None where nobody set one.
    pub currency: Option<[u8; 3]>,
    /// Whether our own entry made the batch of another client's request.
    pub is_from_entry: bool,
    /// Whether who asks is of a version that cannot read what is said of repairs.
    pub hides_repairs: bool,
    /// What of the batch's own members was repaired.
    pub repairs: Repairs,
    /// What the browser's request tells of its device. Nothing of what a server sent.
    pub sender: Sender,
}

impl Batch {
    /// A batch of the same browser with these events, as text: for the profile that takes over.
    #[must_use]
    pub fn body(&self, events: &[Event]) -> String {
        let raw: Vec<&str> = events.iter().map(|event| event.raw.as_str()).collect();
        let ask = serde_json::json!(self.ask);
        let head = self.head();
        let open = head.strip_suffix('}').unwrap_or("{");
        format!("{open},\"ask\":{ask},\"events\":[{}]}}", raw.join(","))
    }

    /// Refuses every event, because the browser does not have the anonymous ID, nor the one under which the first of these
    /// messages was kept apart.
    pub fn refuse_unverified(&mut self) {
        let events = std::mem::take(&mut self.events);
        self.refuse_all(&events, RejectCode::Unverified, || {
            FieldError::new("anonymous_id", "is bound to a token that the request does not show")
        });
    }

    /// Refuses events that would hand the browser over to more people than one batch may.
    pub fn refuse_people(&mut self, events: &[Event]) {
        self.refuse_all(events, RejectCode::TooManyPeople, || {
            let rule = format!("comes after the {HANDOVERS} changes of person that one batch may hold");
            FieldError::new("user_id", format!("{rule}; it is kept and can be replayed"))
        });
    }

    fn refuse_all(&mut self, events: &[Event], code: RejectCode, why: impl Fn() -> FieldError) {
        for event in events {
            let rejection = Rejection::new(code, why()).of(event.message_id.as_str());
            self.refuse(event.place, Route::Batch, &event.raw, rejection);
        }
    }

    /// Whether something of the batch is refused, or may be when it is applied.
    #[must_use]
    pub fn may_be_refused(&self) -> bool {
        let logins = self.events.iter().filter(|event| matches!(event.kind, Kind::Identify { .. })).count();
        !self.refused.is_empty() || logins > usize::from(HANDOVERS)
    }

    /// Notes the number of the client's address, by which what is refused is shared out.
    pub fn note_client(&mut self, client: u32) {
        self.client = client;
        self.refused.iter_mut().for_each(|refused| refused.client = client);
    }

    /// What is known of the sender, for another part of the same request.
    #[must_use]
    pub fn signals(&self) -> Signals {
        Signals {
            trust: self.trust,
            gpc: self.gpc,
            robot: false,
            handovers: self.handovers,
            client: self.client,
            currency: self.currency,
            is_from_entry: self.is_from_entry,
            hides_repairs: self.hides_repairs,
        }
    }

    /// Reads another body of the same request, as this one was read.
    ///
    /// # Errors
    /// When it cannot be used as a whole.
    pub fn read_another(&self, body: &[u8]) -> Result<Self, DomainError> {
        let another = ingest_from(body, self.received_at, self.signals())?;
        Ok(Self { sender: self.sender.clone(), ..another })
    }

    /// Refuses every event, because the browser was erased: counted, and nothing of them kept.
    pub fn erase(&mut self) {
        let refused = std::mem::take(&mut self.rejected);
        let ids = refused.into_iter().map(|rejection| rejection.message_id.unwrap_or_default());
        let good = std::mem::take(&mut self.events).into_iter().map(|event| event.message_id.into_string());
        let ids: Vec<String> = good.chain(ids).collect();
        self.refused.clear();
        for (index, id) in ids.iter().enumerate() {
            let error = FieldError::new("", "the browser was erased; it needs a new anonymous ID");
            self.refuse(index, Route::Batch, "", Rejection::new(RejectCode::Erased, error).of(id));
        }
    }

    /// The batch's own fields as JSON, without events and question.
    fn head(&self) -> String {
        serde_json::json!({
            "source": self.source, "anonymous_id": self.anonymous_id, "device_id": self.device_id,
            "consent": self.consent, "consent_source": self.consent_source.as_str(), "sent_at": self.sent_at,
            "trust": self.trust.as_str(),
        })
        .to_string()
    }

    /// Notes that the event at `index`, whose text is `raw`, was refused.
    fn refuse(&mut self, index: usize, route: Route, raw: &str, rejection: Rejection) {
        let source = self.source.as_str();
        let refused = if rejection.code.is_kept() {
            let subject = self.anonymous_id.as_str();
            Quarantined::new(route, source, subject, raw, &rejection, self.received_at).within(&self.head())
        } else {
            Quarantined::new(route, source, "", "", &rejection, self.received_at)
        };
        self.refused.push(Quarantined { client: self.client, ..refused });
        self.rejected.push(rejection.at(index));
    }
}

/// Runs the stages over a browser's request received at `now`.
///
/// # Errors
/// When the batch as a whole cannot be used: nothing of it is kept.
pub fn ingest(body: &[u8], now: UnixMillis) -> Result<Batch, DomainError> {
    ingest_from(body, now, Signals::default())
}

/// The same for a batch whose sender is believed as far as `trust` says.
///
/// # Errors
/// As [`ingest`].
pub fn ingest_as(body: &[u8], now: UnixMillis, trust: Trust) -> Result<Batch, DomainError> {
    ingest_from(body, now, Signals { trust, ..Signals::default() })
}

/// The same with all that is known about the sender. What a robot sends is refused unread.
///
/// # Errors
/// As [`ingest`].
pub fn ingest_from(body: &[u8], now: UnixMillis, signals: Signals) -> Result<Batch, DomainError> {
    let mut repairs = Repairs::default();
    let wire = read(body, &mut repairs)?;
    let mut batch = open(&wire, now, signals, repairs)?;
    let skew = skew(batch.sent_at, now);
    let mut named = 0_usize;
    let events = wire.events.iter().map(|raw| (Route::Batch, raw.get()));
    let calls = wire.raw.iter().map(|raw| (Route::Call, raw.get()));
    for (index, (route, raw)) in events.chain(calls).enumerate() {
        let outcome = if signals.robot { Err(robots()) } else { take_in((index, route, raw), &batch, skew, now) };
        let outcome = outcome.and_then(|event| {
            named = named.saturating_add(json_bytes(event.message_id.as_str()));
            if named > NAMES_BYTES { Err(named_too_long().of(event.message_id.as_str())) } else { Ok(event) }
        });
        match outcome {
            Ok(event) => batch.events.push(event),
            Err(rejection) => batch.refuse(index, route, raw, rejection),
        }
    }
    Ok(batch)
}

/// Stages 3 to 6 for one event, which stands at a place of the batch.
fn take_in(
    (place, route, raw): (usize, Route, &str),
    batch: &Batch,
    skew: UnixMillis,
    now: UnixMillis,
) -> Result<Event, Rejection> {
    let setting = Setting {
        sender: &batch.anonymous_id,
        currency: batch.currency.unwrap_or(DEFAULT_CURRENCY),
        place,
        now,
        is_from_entry: batch.is_from_entry,
    };
    let event = match route {
        Route::Call => raw_call::event(raw, &setting)?,
        Route::Batch | Route::Vendor | Route::Webhook => parse::event(raw, &setting)?,
    };
    let event = validate::filter(event, batch.consent)?;
    validate::limit(validate::normalise(event, skew, now), batch.trust, now)
}

/// Bytes of a text within quotes in JSON, with a comma.
fn json_bytes(text: &str) -> usize {
    text.bytes().fold(3, |sum: usize, byte| sum.saturating_add(if matches!(byte, b'"' | b'\\') { 2 } else { 1 }))
}

fn named_too_long() -> Rejection {
    Rejection::new(RejectCode::TooLarge, FieldError::new("message_id", "comes after too many long names in one batch"))
}

fn robots() -> Rejection {
    Rejection::new(RejectCode::Bot, FieldError::new("", "robots are counted and nothing else"))
}

/// Stage 1: bounds the size and reads the outer shape.
///
/// # Errors
/// When the body is too large, no JSON, or does not name its source and its browser.
pub fn read<'a>(body: &'a [u8], repairs: &mut Repairs) -> Result<WireBatch<'a>, DomainError> {
    if body.len() > BATCH_BYTES {
        return Err(DomainError::TooLarge { limit: BATCH_BYTES });
    }
    if body.trim_ascii_start().first() != Some(&b'{') {
        return Err(DomainError::Json("expected an object".to_owned()));
    }
    let wire = match serde_json::from_slice(body) {
        Ok(wire) => wire,
        Err(error) => head::put_right(body, repairs).map_err(|failure| failure.unwrap_or_else(|| why(body, &error)))?,
    };
    let count = wire.events.len() + wire.raw.len();
    if count > BATCH_EVENTS {
        return Err(FieldError::new("events", format!("must hold at most {BATCH_EVENTS} events")).into());
    }
    Ok(wire)
}

/// Reads a body again to find where it is wrong: following the path costs more than the reading itself, so only bad
/// bodies pay for it.
fn why(body: &[u8], error: &serde_json::Error) -> DomainError {
    let mut json = serde_json::Deserializer::from_slice(body);
    match serde_path_to_error::deserialize::<_, WireBatch<'_>>(&mut json) {
        Err(error) => DomainError::of_json(error),
        // The object itself is right; what comes after it is not.
        Ok(_) => DomainError::Json(error.to_string()),
    }
}

/// Stage 2: the batch's own fields.
fn open(wire: &WireBatch<'_>, now: UnixMillis, signals: Signals, mut repairs: Repairs) -> Result<Batch, DomainError> {
    let said = ConsentSource::parse(wire.consent_source.as_deref().unwrap_or_default());
    let left = wire.consent.map(|consent| signals.gpc.map_or(consent, |gpc| gpc.limit(consent)));
    Ok(Batch {
        source: SourceId::parse(&wire.source)?,
        anonymous_id: AnonymousId::parse(&wire.anonymous_id)?,
        device_id: wire
            .device_id
            .as_deref()
            .and_then(|id| parse::optional("device_id", id, DeviceId::parse, "it is left out", &mut repairs)),
        consent: left,
        consent_source: if left == wire.consent { said } else { ConsentSource::Gpc },
        events: Vec::new(),
        rejected: Vec::new(),
        refused: Vec::new(),
        dropped: wire.dropped.unwrap_or_default().min(DROPPED),
        ask: wire.ask.clone().map(Ask::bounded),
        sent_at: wire.sent_at.map(|sent| timestamp::of_other_unit(sent).unwrap_or(sent)),
        received_at: now,
        trust: signals.trust,
        gpc: signals.gpc,
        handovers: signals.handovers,
        client: signals.client,
        possession: wire.possession.as_deref().map(str::to_owned),
        currency: signals.currency,
        is_from_entry: signals.is_from_entry,
        hides_repairs: signals.hides_repairs,
        repairs,
        sender: Sender::default(),
    })
}

/// How far the page's clock lies behind the edge's, in milliseconds. Under 10 s it is taken for the network's delay.
fn skew(sent_at: Option<UnixMillis>, now: UnixMillis) -> UnixMillis {
    let skew = sent_at.map_or(0, |sent| now.saturating_sub(sent));
    if skew.unsigned_abs() < 10_000 { 0 } else { skew }
}
