//! One call of another vendor's client as an event of ours.

use endcap_identity::server_fragment::foreign;
use endcap_protocol::limits::NAME_BYTES;
use endcap_protocol::repair::{RepairCode, Repairs};
use endcap_protocol::{FieldError, MessageId, SessionId, UnixMillis, UserId};
use endcap_validation::text::normalise_email;
use serde_json::{Map, Value};

use super::call_type::CallType;
use super::consent::Categories;
use super::name_text::text;
use super::{commerce, context};
use crate::ingest::consent::{ConsentSource, Stated};
use crate::ingest::rejection::{RejectCode, Rejection};
use crate::ingest::{forgiving, parse};
use crate::server::{Action, ServerEvent, Who};
use crate::timestamp;

/// Differences between clocks under this are the network's delay, in milliseconds.
const NETWORK_MS: u64 = 10_000;
/// The event that a group call becomes.
const GROUP_JOINED: &str = "Group Joined";

/// What a call does not say itself.
#[derive(Debug, Clone, Copy)]
pub struct Setting<'a> {
    /// The kind of call that the route takes; None: the call says.
    pub call: Option<CallType>,
    /// When the batch was sent, by the client's clock.
    pub sent_at: Option<UnixMillis>,
    /// When it was received, by ours.
    pub now: UnixMillis,
    /// What the source's consent categories mean.
    pub categories: &'a Categories,
}

/// A call as JSON, read with forgiveness: clients send numbers as identifiers and null for nothing.
struct Call(Map<String, Value>);

impl Call {
    fn text(&self, key: &str) -> Option<String> {
        text(self.0.get(key)?)
    }

    /// The members of an object. Another value says nothing.
    fn object(&self, key: &str, repairs: &mut Repairs) -> Map<String, Value> {
        context::object(&self.0, key, key, repairs).cloned().unwrap_or_default()
    }

    fn time(&self, key: &str, repairs: &mut Repairs) -> Option<UnixMillis> {
        let given = self.0.get(key).filter(|given| !given.is_null())?;
        let read = timestamp::read(given);
        if read.is_none() {
            repairs.note(RepairCode::TimeUnreadable, || {
                (key.to_owned(), "is no time: another one of the call counts, else that of receipt".to_owned())
            });
        }
        read
    }

    /// Whether it names a user, usable or not; blank text is how clients write that there is none.
    fn names_user(&self) -> bool {
        self.0.get("userId").is_some_and(|id| !id.is_null() && id.as_str().is_none_or(|id| !id.trim().is_empty()))
    }

    /// The user's name. The rest of the call counts without one that can be none.
    fn user(&self, repairs: &mut Repairs) -> Option<UserId> {
        let given = self.0.get("userId").filter(|given| !given.is_null())?;
        match text(given) {
            Some(id) => parse::user("userId", &id, repairs),
            None => given.as_str().is_none().then(|| parse::user("userId", "", repairs))?,
        }
    }
}

/// Reads one call, the one at `index` of its request.
///
/// # Errors
/// Whom it is about as far as known, and why it was refused, with a path relative to the call.
pub fn read(raw: &str, index: usize, setting: &Setting<'_>) -> Result<ServerEvent, (String, Rejection)> {
    let invalid = |message: String| Rejection::new(RejectCode::InvalidEvent, FieldError::new("", message));
    let (mut odd, mut repairs) = (Repairs::default(), Repairs::default());
    let value = forgiving::value_of(raw, &mut odd).map_err(|e| (String::new(), invalid(e.to_string())))?;
    let Value::Object(members) = value else {
        return Err((String::new(), invalid("must be an object".to_owned())));
    };
    let call = Call(members);
    let id = message_id(&call, raw, index, setting.now, &mut repairs);
    let consent = call.0.get("context").and_then(Value::as_object).and_then(|given| setting.categories.read(given));
    let refused = consent.is_some_and(|consent| !consent.analytics);
    let consent = consent.map(|consent| Stated { consent, source: ConsentSource::Banner });
    let built = build(&call, id.clone(), setting, repairs).map(|mut event| {
        // Behind what is the call's own.
        event.repairs.take(odd);
        ServerEvent { consent, ..event }
    });
    built.map_err(|error| {
        let subject = call.text("anonymousId").or_else(|| call.text("userId")).unwrap_or_default();
        let id = id.as_ref().map(MessageId::as_str).unwrap_or_default();
        // Quarantine keeps no text of a call without consent, whatever else is wrong with it.
        let code = if refused { RejectCode::NoConsent } else { RejectCode::InvalidField };
        (subject, Rejection::new(code, error).of(id))
    })
}

fn build(
    call: &Call,
    message_id: Result<MessageId, FieldError>,
    setting: &Setting<'_>,
    mut repairs: Repairs,
) -> Result<ServerEvent, FieldError> {
    let kind = match setting.call {
        Some(kind) => kind,
        None => call
            .text("type")
            .as_deref()
            .and_then(CallType::parse)
            .ok_or_else(|| FieldError::new("type", "must be track, identify, page, screen, group or alias"))?,
    };
    let given = call.object("context", &mut repairs);
    let properties = call.object("properties", &mut repairs);
    let context = context::read(&given, &properties, &mut repairs);
    let who = who(call, kind, &given, &mut repairs)?;
    let mut action = action(call, kind, &given, properties, &mut repairs)?;
    if let Action::Identify { traits } = &mut action
        && who.user_id.is_none()
        && call.names_user()
        && !traits.is_empty()
    {
        traits.clear();
        parse::note_nobodys_traits(&mut repairs);
    }
    Ok(ServerEvent {
        who,
        message_id: message_id?,
        at: at(call, setting, &mut repairs),
        session_id: given.get("sessionId").and_then(text).and_then(|id| {
            let then = "the call belongs to no session";
            parse::optional("context.sessionId", &id, SessionId::parse, then, &mut repairs)
        }),
        context,
        action,
        consent: None,
        repairs,
    })
}

/// The message's own name; one that can be none of ours is hashed. A call without a name gets one, as at Segment, so
/// sending it twice makes two of it.
fn message_id(
    call: &Call,
    raw: &str,
    index: usize,
    now: UnixMillis,
    repairs: &mut Repairs,
) -> Result<MessageId, FieldError> {
    let given = call.text("messageId");
    if let Some(Ok(id)) = given.as_deref().map(MessageId::parse) {
        return Ok(id);
    }
    // Their specifications let it be left out.
    if given.is_some() {
        parse::note_made_id("messageId", given.as_deref(), repairs);
    }
    parse::made_message_id(given.as_deref(), raw, index, now)
}

fn who(call: &Call, kind: CallType, given: &Map<String, Value>, repairs: &mut Repairs) -> Result<Who, FieldError> {
    let anonymous_id = call.text("anonymousId").and_then(|id| foreign(&id));
    let user_id = call.user(repairs);
    let required = |path| Err(FieldError::new(path, "is required"));
    if kind == CallType::Alias && user_id.is_none() {
        return required("userId");
    }
    if anonymous_id.is_none() && user_id.is_none() {
        return Err(FieldError::new("userId", "or anonymousId is required"));
    }
    let traits = [call.0.get("traits"), given.get("traits")];
    let email = traits.into_iter().flatten().find_map(|traits| traits.get("email")?.as_str()).and_then(normalise_email);
    let possession = given.get("possession").and_then(Value::as_str).map(str::to_owned);
    Ok(Who { anonymous_id, possession, user_id, email })
}

fn action(
    call: &Call,
    kind: CallType,
    given: &Map<String, Value>,
    mut properties: Map<String, Value>,
    repairs: &mut Repairs,
) -> Result<Action, FieldError> {
    let named = call.text("name").unwrap_or_default();
    Ok(match kind {
        CallType::Track => {
            let name = call.text("event").ok_or_else(|| FieldError::new("event", "is required"))?;
            let name = repairs.cut("event", &name, NAME_BYTES).to_owned();
            commerce::normalise(&name, &mut properties);
            Action::Track { name, properties }
        }
        CallType::Page | CallType::Screen => {
            let title = properties.get("title").and_then(Value::as_str).unwrap_or_default();
            let name = if named.is_empty() { title } else { &named };
            Action::Page { name: repairs.cut("name", name, NAME_BYTES).to_owned(), properties }
        }
        CallType::Identify => {
            // RudderStack's browser client has the traits in the context, the others beside it.
            let inner = given.get("traits").and_then(Value::as_object).cloned().unwrap_or_default();
            Action::Identify { traits: inner.into_iter().chain(call.object("traits", repairs)).collect() }
        }
        CallType::Group => {
            let group = call.text("groupId").ok_or_else(|| FieldError::new("groupId", "is required"))?;
            let mut properties = call.object("traits", repairs);
            properties.insert("group_id".to_owned(), group.into());
            Action::Track { name: GROUP_JOINED.to_owned(), properties }
        }
        CallType::Alias => {
            let previous = call.text("previousId").or_else(|| call.text("anonymousId"));
            Action::Alias { previous: previous.ok_or_else(|| FieldError::new("previousId", "is required"))? }
        }
    })
}

/// When it happened, on our clock: `receivedAt - (sentAt - originalTimestamp)`, as Segment and RudderStack do.
fn at(call: &Call, setting: &Setting<'_>, repairs: &mut Repairs) -> Option<UnixMillis> {
    let original = call.time("originalTimestamp", repairs).or_else(|| call.time("timestamp", repairs))?;
    let sent = call.time("sentAt", repairs).or(setting.sent_at);
    let skew = sent.map_or(0, |sent| setting.now.saturating_sub(sent));
    Some(if skew.unsigned_abs() < NETWORK_MS { original } else { original.saturating_add(skew) })
}
