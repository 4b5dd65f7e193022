//! Stage 3: one event's text to a typed event.

use std::borrow::Cow;
use std::collections::BTreeMap;

use endcap_identity::proof::MAX_PROOF;
use endcap_identity::{Identifier, Namespace};
use endcap_protocol::limits::{EVENT_BYTES, NAME_BYTES, URL_BYTES};
use endcap_protocol::touch::{Campaign, cut};
use endcap_protocol::{AnonymousId, CampaignId, FieldError, MessageId, ProductId, SessionId, UserId, commerce};
use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

use super::event::{Event, EventContext, Impression, Kind, Reaction};
use super::properties::Properties;
use super::rejection::{RejectCode, Rejection};
use super::repair_surrogates::repair_surrogates;
use super::wire::{WireContext, WireEvent};
use crate::Traits;

/// Most identifiers of one event besides its user ID.
const MAX_IDENTIFIERS: usize = 10;

/// Parses one event of a batch sent by `sender`.
///
/// # Errors
/// The refusal, with a path relative to the event.
pub fn event(raw: &str, sender: &AnonymousId) -> Result<Event, Rejection> {
    if raw.len() > EVENT_BYTES {
        let error = FieldError::new("", format!("the event is over {EVENT_BYTES} bytes"));
        return Err(Rejection::new(RejectCode::TooLarge, error));
    }
    // Serde would read a list as an object's members in order.
    if !raw.starts_with('{') {
        return Err(Rejection::new(RejectCode::InvalidEvent, FieldError::new("", "must be an object")));
    }
    let raw = &*repair_surrogates(raw);
    let wire: WireEvent<'_> = serde_json::from_str(raw).map_err(|_| why(raw))?;
    let message_id = wire.message_id.clone().unwrap_or_default();
    let fail = |error| Rejection::new(RejectCode::InvalidField, error).of(&message_id);
    if wire.anonymous_id.as_deref().is_some_and(|id| id != sender.as_str()) {
        let error = FieldError::new("anonymous_id", "must be the batch's anonymous_id");
        return Err(Rejection::new(RejectCode::WrongVisitor, error).of(&message_id));
    }
    build(&wire, raw, sender).map_err(fail)
}

fn build(wire: &WireEvent<'_>, raw: &str, sender: &AnonymousId) -> Result<Event, FieldError> {
    let message_id = wire.message_id.as_deref().ok_or_else(|| FieldError::new("message_id", "is required"))?;
    Ok(Event {
        place: 0,
        message_id: MessageId::parse(message_id)?,
        anonymous_id: sender.clone(),
        session_id: wire.session_id.as_deref().map(SessionId::parse).transpose()?,
        user_id: wire.user_id.as_deref().and_then(|id| UserId::parse(id).ok()),
        identifiers: identifiers(wire)?,
        previous_id: wire.previous_id.as_deref().and_then(|id| UserId::parse(id).ok()),
        at: wire.timestamp.unwrap_or(0),
        context: context(wire.context.as_ref()),
        kind: kind(wire)?,
        raw: raw.to_owned(),
    })
}

/// Other identifiers. Leaves out one that cannot be used, so that the rest of the event still says who somebody is.
fn identifiers(wire: &WireEvent<'_>) -> Result<Vec<Identifier>, FieldError> {
    let given: BTreeMap<String, String> = match wire.identifiers {
        Some(raw) => {
            serde_json::from_str(raw.get()).map_err(|_| FieldError::new("identifiers", "must be an object of texts"))?
        }
        None => return Ok(Vec::new()),
    };
    let read = |(namespace, value): (String, String)| Identifier::new(Namespace::parse(&namespace)?, &value).ok();
    Ok(given.into_iter().filter_map(read).take(MAX_IDENTIFIERS).collect())
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

pub(super) fn context(wire: Option<&WireContext<'_>>) -> EventContext {
    let page = wire.and_then(|context| context.page.as_ref());
    let text = |value: Option<&Cow<'_, str>>| cut(value.map_or("", |v| v), URL_BYTES).to_owned();
    let url = text(page.and_then(|p| p.url.as_ref()));
    let campaign =
        url.split_once('?').and_then(|(_, query)| Campaign::from_query(query.split('#').next().unwrap_or_default()));
    EventContext {
        referrer: text(page.and_then(|p| p.referrer.as_ref())),
        zone: cut(&text(wire.and_then(|context| context.zone.as_ref())), 64).to_owned(),
        campaign,
        url,
    }
}

fn kind(wire: &WireEvent<'_>) -> Result<Kind, FieldError> {
    let name = wire.name.as_deref().unwrap_or_default();
    if name.len() > NAME_BYTES {
        return Err(FieldError::new("name", format!("must be at most {NAME_BYTES} bytes")));
    }
    match wire.kind.as_ref() {
        "track" => track(name, wire.properties),
        "page" => Ok(Kind::Page { name: name.to_owned() }),
        "identify" => {
            let user_id = wire.user_id.as_deref().ok_or_else(|| FieldError::new("user_id", "is required"))?;
            UserId::parse(user_id)?;
            identify(wire)
        }
        // What other clients know about somebody whom they cannot name yet.
        "traits" => identify(wire),
        "reset" => Ok(Kind::Reset),
        "impression" => impression(name, &bag(wire.properties, "properties")?),
        _ => Err(FieldError::new("type", "must be track, page, identify, reset or impression")),
    }
}

fn track(name: &str, properties: Option<&RawValue>) -> Result<Kind, FieldError> {
    if name.is_empty() {
        return Err(FieldError::new("name", "is required"));
    }
    let commerce =
        commerce::parse(name, &bag::<Properties<'_>>(properties, "properties")?).map_err(|e| e.under("properties"))?;
    Ok(Kind::Track { name: name.to_owned(), commerce })
}

fn bag<'a, T: Deserialize<'a> + Default>(raw: Option<&'a RawValue>, path: &'static str) -> Result<T, FieldError> {
    let read = raw.map(|raw| serde_json::from_str(raw.get())).transpose();
    let message = "is nested too deeply or holds a number out of range";
    read.map(Option::unwrap_or_default).map_err(|_| FieldError::new(path, message))
}

fn identify(wire: &WireEvent<'_>) -> Result<Kind, FieldError> {
    Ok(Kind::Identify {
        traits: Traits::parse(&bag(wire.traits, "traits")?).map_err(|e| e.under("traits"))?,
        proof: wire.proof.as_deref().filter(|proof| !proof.is_empty() && proof.len() <= MAX_PROOF).map(str::to_owned),
    })
}

fn impression(name: &str, props: &Value) -> Result<Kind, FieldError> {
    let text = |key: &str| {
        let found = props.get(key).and_then(Value::as_str);
        found.ok_or_else(|| FieldError::new(format!("properties.{key}"), "is required"))
    };
    let campaign = |reaction| Ok(Impression::Campaign(CampaignId::parse(text("campaign_id")?)?, reaction));
    let slot = |reaction| {
        let product = props.get("product_id").and_then(Value::as_str).map(ProductId::parse).transpose()?;
        Ok(Impression::Slot(cut(text("slot")?, 64).to_owned(), product, reaction))
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
