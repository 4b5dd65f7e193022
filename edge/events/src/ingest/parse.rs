//! Stage 3: one event's text to a typed event.

use std::borrow::Cow;
use std::collections::BTreeMap;

use endcap_identity::proof::MAX_PROOF;
use endcap_identity::{Identifier, Namespace};
use endcap_protocol::commerce::{Commerce, Order, is_order_id};
use endcap_protocol::limits::{EVENT_BYTES, NAME_BYTES, URL_BYTES};
use endcap_protocol::props::text_of;
use endcap_protocol::repair::{Repair, RepairCode, Repairs};
use endcap_protocol::touch::{Campaign, cut};
use endcap_protocol::{
    AnonymousId, CampaignId, FieldError, MessageId, ProductId, SessionId, UnixMillis, UserId, commerce,
};
use endcap_validation::hash::digest;
use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

use super::event::{Event, EventContext, Impression, Kind, Reaction};
use super::members;
use super::properties::Properties;
use super::rejection::{RejectCode, Rejection};
use super::repair_surrogates::repair_surrogates;
use super::sender::LanguageTag;
use super::user_agent::UserAgent;
use super::wire::{WireContext, WireEvent};
use crate::{Traits, timestamp};

/// Most identifiers of one event besides its user ID.
const MAX_IDENTIFIERS: usize = 10;

/// Longest name of a time zone, in bytes.
const ZONE_BYTES: usize = 64;
/// Longest name of a slot, in bytes.
const SLOT_BYTES: usize = 64;

/// What an event does not say itself.
#[derive(Debug, Clone, Copy)]
pub struct Setting<'a> {
    /// The browser of the batch.
    pub sender: &'a AnonymousId,
    /// The shop's currency.
    pub currency: [u8; 3],
    /// Where the event stands in its batch.
    pub place: usize,
    /// When the batch was received.
    pub now: UnixMillis,
    /// Whether our own entry made the batch of another client's request, and says what it repaired.
    pub is_from_entry: bool,
}

/// Why an event could not be read as it stands.
enum Failure {
    /// Some member has another form than it should, or cannot be held.
    Form,
    /// It is refused.
    Refused(Rejection),
}

/// Parses one event of a batch. One odd member does not cost it: the member is repaired or left out, and the event says so.
///
/// # Errors
/// The refusal, with a path relative to the event.
pub fn event(raw: &str, setting: &Setting<'_>) -> Result<Event, Rejection> {
    if raw.len() > EVENT_BYTES {
        let error = FieldError::new("", format!("the event is over {EVENT_BYTES} bytes"));
        return Err(Rejection::new(RejectCode::TooLarge, error));
    }
    // Serde would read a list as an object's members in order.
    if !raw.starts_with('{') {
        return Err(Rejection::new(RejectCode::InvalidEvent, FieldError::new("", "must be an object")));
    }
    let raw = &*repair_surrogates(raw);
    match read(raw, setting, Repairs::default()) {
        Ok(event) => Ok(event),
        Err(Failure::Refused(rejection)) => Err(rejection),
        Err(Failure::Form) => read_again(raw, setting),
    }
}

/// Reads an event with its members put right.
fn read_again(raw: &str, setting: &Setting<'_>) -> Result<Event, Rejection> {
    let mut repairs = Repairs::default();
    let right = members::put_right(raw, &mut repairs).ok_or_else(|| why(raw))?;
    let event = read(&right, setting, repairs).map_err(|failure| match failure {
        Failure::Refused(rejection) => rejection,
        Failure::Form => why(&right),
    })?;
    // The log has what was sent, as far as it can be read again.
    let readable = serde_json::from_str::<Value>(raw).is_ok();
    Ok(if readable { Event { raw: raw.to_owned(), ..event } } else { event })
}

fn read(raw: &str, setting: &Setting<'_>, mut repairs: Repairs) -> Result<Event, Failure> {
    let wire: WireEvent<'_> = serde_json::from_str(raw).map_err(|_| Failure::Form)?;
    if wire.anonymous_id.as_deref().is_some_and(|id| id != setting.sender.as_str()) {
        let error = FieldError::new("anonymous_id", "must be the batch's anonymous_id");
        let rejection = Rejection::new(RejectCode::WrongVisitor, error);
        return Err(Failure::Refused(rejection.of(wire.message_id.as_deref().unwrap_or_default())));
    }
    let message_id = message_id(&wire, raw, setting, &mut repairs);
    let refused = |error| Rejection::new(RejectCode::InvalidField, error);
    let message_id = message_id.map_err(|error| Failure::Refused(refused(error)))?;
    let mut kind = kind(&wire, &message_id, setting, &mut repairs).map_err(|failure| match failure {
        KindFailure::Unreadable => Failure::Form,
        KindFailure::Refused(error) => Failure::Refused(refused(error).of(message_id.as_str())),
    })?;
    let user_id = wire.user_id.as_deref().and_then(|id| user("user_id", id, &mut repairs));
    if let Kind::Identify { traits, .. } = &mut kind
        && wire.user_id.is_some()
        && user_id.is_none()
        && !traits.0.is_empty()
    {
        traits.0.clear();
        note_nobodys_traits(&mut repairs);
    }
    if let Some(made) = wire.repairs.filter(|_| setting.is_from_entry) {
        repairs.list.extend(serde_json::from_str::<Vec<Repair>>(made.get()).unwrap_or_default());
    }
    Ok(Event {
        place: setting.place,
        anonymous_id: setting.sender.clone(),
        session_id: wire.session_id.as_deref().and_then(|id| {
            optional("session_id", id, SessionId::parse, "the event belongs to no session", &mut repairs)
        }),
        user_id,
        identifiers: identifiers(&wire, &mut repairs),
        previous_id: wire.previous_id.as_deref().and_then(|id| user("previous_id", id, &mut repairs)),
        at: time(wire.timestamp.unwrap_or(0), &mut repairs),
        context: context(wire.context.as_ref(), &mut repairs),
        kind,
        raw: raw.to_owned(),
        message_id,
        repairs,
    })
}

/// The message's own name. One that can be none is hashed; a message without a name gets one, so sending it again makes two of
/// it.
fn message_id(
    wire: &WireEvent<'_>,
    raw: &str,
    setting: &Setting<'_>,
    repairs: &mut Repairs,
) -> Result<MessageId, FieldError> {
    let given = wire.message_id.as_deref().filter(|id| !id.is_empty());
    if let Some(Ok(id)) = given.map(MessageId::parse) {
        return Ok(id);
    }
    note_made_id("message_id", given, repairs);
    made_message_id(given, raw, setting.place, setting.now)
}

/// Notes that a message gets a name, which stands at `path`, because its own can be none.
pub(crate) fn note_made_id(path: &str, given: Option<&str>, repairs: &mut Repairs) {
    repairs.note(RepairCode::IdMade, || {
        let message = match given {
            Some(_) => "must have at most 100 bytes and no control characters: a hash of it counts",
            None => "is missing: one is made, so the event counts again if it is sent again",
        };
        (path.to_owned(), message.to_owned())
    });
}

/// A name for a message whose own can be none: a hash of it, so that it stays the same. Without a name, one of the text, where
/// it stands and when it came, so that the message counts again if it is sent again.
pub(crate) fn made_message_id(
    given: Option<&str>,
    raw: &str,
    place: usize,
    now: UnixMillis,
) -> Result<MessageId, FieldError> {
    let name = match given {
        Some(given) => format!("hashed~{}", digest(&[given])),
        None => format!("unnamed~{}", digest(&[raw, &place.to_string(), &now.to_string()])),
    };
    MessageId::parse(&name)
}

/// The time in milliseconds; some clients write seconds, or smaller parts of them.
fn time(given: UnixMillis, repairs: &mut Repairs) -> UnixMillis {
    if given < 0 || given == UnixMillis::MAX {
        // What a number out of range becomes, and how clients write that there is no time.
        repairs.note(RepairCode::TimeUnreadable, || {
            ("timestamp".to_owned(), "is no time: that of receipt counts".to_owned())
        });
        return 0;
    }
    let Some(at) = timestamp::of_other_unit(given) else { return given };
    repairs.note(RepairCode::FieldRead, || {
        (
            "timestamp".to_owned(),
            "should be milliseconds since 1970: it is read in the unit that its size tells".to_owned(),
        )
    });
    at
}

/// An identifier of at most 100 bytes that may be left out; `then` says what follows where it is none.
pub(crate) fn optional<T>(
    path: &str,
    id: &str,
    parse: fn(&str) -> Result<T, FieldError>,
    then: &str,
    repairs: &mut Repairs,
) -> Option<T> {
    let read = parse(id).ok();
    if read.is_none() && !id.is_empty() {
        repairs.note(RepairCode::FieldDropped, || {
            (path.to_owned(), format!("must have at most 100 bytes and no control characters: {then}"))
        });
    }
    read
}

/// What an object becomes that was taken for text.
const OBJECT_TEXT: &str = "[object Object]";

/// A user's name. One that is cut would be somebody else's.
pub(crate) fn user(path: &str, id: &str, repairs: &mut Repairs) -> Option<UserId> {
    let user = UserId::parse(id).ok().filter(|_| id != OBJECT_TEXT);
    if user.is_none() {
        repairs.note(RepairCode::UserDropped, || {
            let message = "must be text of 1 to 256 bytes without control characters: the event is kept without it";
            (path.to_owned(), message.to_owned())
        });
    }
    user
}

/// Notes that traits are left out because their user's name can be none: whose they are nobody knows then, and they must not
/// become somebody else's.
pub(crate) fn note_nobodys_traits(repairs: &mut Repairs) {
    repairs.note(RepairCode::FieldDropped, || {
        ("traits".to_owned(), "belong to a user who has no usable ID: they are left out".to_owned())
    });
}

/// Other identifiers. Leaves out one that cannot be used, so that the rest of the event still says who somebody is.
fn identifiers(wire: &WireEvent<'_>, repairs: &mut Repairs) -> Vec<Identifier> {
    let Some(raw) = wire.identifiers else { return Vec::new() };
    let mut dropped = |path: String, message: &str| {
        repairs.note(RepairCode::FieldDropped, || (path, format!("{message}: it is left out")));
    };
    let given: BTreeMap<String, Value> = serde_json::from_str(raw.get()).unwrap_or_else(|_| {
        dropped("identifiers".to_owned(), "must be an object of texts");
        BTreeMap::new()
    });
    let mut found = Vec::new();
    for (namespace, value) in given {
        let known = Namespace::parse(&namespace);
        let read = known.zip(text_of(&value)).and_then(|(known, text)| Identifier::new(known, &text).ok());
        match read {
            Some(identifier) if found.len() < MAX_IDENTIFIERS => found.push(identifier),
            Some(_) => dropped(format!("identifiers.{namespace}"), "comes after the 10 that an event may have"),
            None if value.is_null() => {}
            None => dropped(format!("identifiers.{namespace}"), "is no identifier of this kind"),
        }
    }
    found
}

/// Reads an event again to find where it is wrong; only bad events pay for this.
fn why(raw: &str) -> Rejection {
    let mut json = serde_json::Deserializer::from_str(raw);
    let Err(error) = serde_path_to_error::deserialize::<_, WireEvent<'_>>(&mut json) else {
        return Rejection::new(RejectCode::InvalidEvent, FieldError::new("", "has text after its end"));
    };
    let path = error.path().to_string();
    let path = if path == "." { String::new() } else { path };
    let code = if path.is_empty() { RejectCode::InvalidEvent } else { RejectCode::InvalidField };
    let named = serde_json::from_str::<Value>(raw).ok().and_then(|v| Some(v.get("message_id")?.as_str()?.to_owned()));
    let rejection = Rejection::new(code, FieldError::new(path, error.into_inner().to_string()));
    named.map_or(rejection.clone(), |id| rejection.of(&id))
}

/// The campaign that an address names: in its query, else in that of a fragment which is a route, as `#/p?utm_source=x`.
fn campaign(url: &str) -> Option<Campaign> {
    let (page, fragment) = url.split_once('#').unwrap_or((url, ""));
    let query = |text: &str| text.split_once('?').and_then(|(_, query)| Campaign::from_query(query));
    query(page).or_else(|| query(fragment)).or_else(|| Campaign::from_query(fragment))
}

fn context(wire: Option<&WireContext<'_>>, repairs: &mut Repairs) -> EventContext {
    let page = wire.and_then(|context| context.page.as_ref());
    let mut text = |path: &str, value: Option<&Cow<'_, str>>, most: usize| {
        repairs.cut(format_args!("context.{path}"), value.map_or("", |v| v), most).to_owned()
    };
    let url = text("page.url", page.and_then(|p| p.url.as_ref()), URL_BYTES);
    let campaign = campaign(&url);
    EventContext {
        referrer: text("page.referrer", page.and_then(|p| p.referrer.as_ref()), URL_BYTES),
        zone: text("zone", wire.and_then(|context| context.zone.as_ref()), ZONE_BYTES),
        locale: wire.and_then(|context| LanguageTag::parse(context.locale.as_deref()?)),
        agent: wire.and_then(|context| context.user_agent.as_deref()).map(UserAgent::parse).unwrap_or_default(),
        campaign,
        url,
    }
}

/// Why an event's kind could not be read.
enum KindFailure {
    /// Properties or traits hold what cannot be held.
    Unreadable,
    /// It is refused.
    Refused(FieldError),
}

impl From<FieldError> for KindFailure {
    fn from(error: FieldError) -> Self {
        Self::Refused(error)
    }
}

fn kind(
    wire: &WireEvent<'_>,
    message_id: &MessageId,
    setting: &Setting<'_>,
    repairs: &mut Repairs,
) -> Result<Kind, KindFailure> {
    let name = repairs.cut("name", wire.name.as_deref().unwrap_or_default(), NAME_BYTES);
    match wire.kind.as_ref() {
        "track" => track(name, wire.properties, message_id, setting, repairs),
        "page" => Ok(Kind::Page { name: name.to_owned() }),
        // "traits": what other clients know about somebody whom they cannot name yet.
        "identify" | "traits" => identify(wire, repairs),
        "reset" => Ok(Kind::Reset),
        "impression" => Ok(impression(name, &bag(wire.properties)?, repairs)?),
        _ if name.is_empty() => {
            Err(FieldError::new("type", "must be track, page, identify, reset or impression").into())
        }
        _ => {
            repairs.note(RepairCode::FieldRead, || {
                let message =
                    "must be track, page, identify, reset or impression: the event has a name, so it is a track";
                ("type".to_owned(), message.to_owned())
            });
            track(name, wire.properties, message_id, setting, repairs)
        }
    }
}

fn track(
    name: &str,
    raw: Option<&RawValue>,
    message_id: &MessageId,
    setting: &Setting<'_>,
    repairs: &mut Repairs,
) -> Result<Kind, KindFailure> {
    if name.is_empty() {
        return Err(FieldError::new("name", "is required").into());
    }
    let properties = bag::<Properties<'_>>(raw)?;
    note_form(raw, "properties", repairs);
    let mut inner = Repairs::default();
    let commerce =
        commerce::parse(name, &properties, setting.currency, &mut inner).map_err(|e| e.under("properties"))?;
    repairs.take_under("properties", inner);
    let commerce = commerce.map(|commerce| match commerce {
        Commerce::Ordered(order) => Commerce::Ordered(numbered(order, message_id, repairs)),
        other => other,
    });
    Ok(Kind::Track { name: name.to_owned(), commerce })
}

/// Notes that properties or traits are no object, and so say nothing.
fn note_form(raw: Option<&RawValue>, path: &str, repairs: &mut Repairs) {
    let text = raw.map_or("null", RawValue::get);
    if !text.starts_with('{') && text != "null" {
        repairs.note(RepairCode::FieldDropped, || (path.to_owned(), "must be an object: it is left out".to_owned()));
    }
}

/// The order with a number that can be one. The event names an order without a number; a number that is too long is hashed.
fn numbered(mut order: Order, message_id: &MessageId, repairs: &mut Repairs) -> Order {
    if is_order_id(&order.order_id) {
        return order;
    }
    let (number, message) = order_name(&order.order_id, message_id);
    repairs.note(RepairCode::IdMade, || ("properties.order_id".to_owned(), message.to_owned()));
    order.order_id = number;
    order
}

/// The number of an order whose own can be none, and what is wrong with that.
fn order_name(given: &str, message_id: &MessageId) -> (String, &'static str) {
    if given.is_empty() {
        let number = format!("unnumbered~{}", message_id.as_str());
        return (number, "is missing: the order is known by its message, so each event about it counts as an order");
    }
    (format!("hashed~{}", digest(&[given])), "must be at most 128 bytes: a hash of it counts")
}

/// The number by which an order is known; None for an event that names none.
pub(crate) fn order_number(properties: &Value, message_id: &MessageId) -> Option<String> {
    let given = commerce::order_number(properties)?;
    Some(if is_order_id(&given) { given } else { order_name(&given, message_id).0 })
}

fn bag<'a, T: Deserialize<'a> + Default>(raw: Option<&'a RawValue>) -> Result<T, KindFailure> {
    let read = raw.map(|raw| serde_json::from_str(raw.get())).transpose();
    read.map(Option::unwrap_or_default).map_err(|_| KindFailure::Unreadable)
}

fn identify(wire: &WireEvent<'_>, repairs: &mut Repairs) -> Result<Kind, KindFailure> {
    note_form(wire.traits, "traits", repairs);
    let mut inner = Repairs::default();
    let traits = Traits::read(bag(wire.traits)?, &mut inner);
    repairs.take_under("traits", inner);
    Ok(Kind::Identify {
        traits,
        proof: wire.proof.as_deref().filter(|proof| !proof.is_empty() && proof.len() <= MAX_PROOF).map(str::to_owned),
    })
}

fn impression(name: &str, props: &Value, repairs: &mut Repairs) -> Result<Kind, FieldError> {
    let text = |key: &str| {
        let found = props.get(key).and_then(text_of).filter(|text| !text.is_empty());
        found.ok_or_else(|| FieldError::new(format!("properties.{key}"), "is required"))
    };
    let campaign = |reaction| {
        let id = CampaignId::parse(&text("campaign_id")?).map_err(|error| error.under("properties"))?;
        Ok(Impression::Campaign(id, reaction))
    };
    let mut slot = |reaction| {
        let product = props.get("product_id").and_then(text_of).unwrap_or_default();
        let then = "it counts without a product";
        let product = optional("properties.product_id", &product, ProductId::parse, then, repairs);
        Ok(Impression::Slot(cut(&text("slot")?, SLOT_BYTES).to_owned(), product, reaction))
    };
    let impression: Result<_, FieldError> = match name {
        "Campaign Shown" => campaign(Reaction::Shown),
        "Campaign Clicked" => campaign(Reaction::Clicked),
        "Campaign Dismissed" => campaign(Reaction::Dismissed),
        "Slot Shown" => slot(Reaction::Shown),
        "Slot Clicked" => slot(Reaction::Clicked),
        _ => Err(FieldError::new("name", "must be Campaign or Slot, then Shown, Clicked or Dismissed")),
    };
    impression.map(Kind::Impression)
}
