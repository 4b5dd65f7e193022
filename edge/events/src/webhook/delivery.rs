//! One delivery of a webhook: applying a mapping's rules to headers and body.
//!
//! Role in the flow of one event: after the signature was checked. The rules make events like those of any other
//! server. A rule that holds but cannot make its event gives a rejection with the property's path, and does not affect
//! the other rules.

use std::collections::BTreeMap;

use endcap_identity::server_fragment::foreign;
use endcap_protocol::commerce::DEFAULT_CURRENCY;
use endcap_protocol::repair::{RepairCode, Repairs};
use endcap_protocol::{AnonymousId, FieldError, MessageId, SourceId, UnixMillis};
use endcap_validation::DomainError;
use endcap_validation::hash::digest;
use endcap_validation::text::normalise_email;
use serde_json::{Map, Value};

use super::mapping::{Condition, Mapping, Place, Rule, Wanted};
use super::pointer::Path;
use super::template;
use crate::ingest::parse::Setting;
use crate::ingest::rejection::{RejectCode, Rejection};
use crate::ingest::{forgiving, parse};
use crate::server::{Action, ServerEvent, Who};
use crate::timestamp;

/// Largest body, in bytes.
pub const MAX_BODY: usize = 1024 * 1024;

/// One delivery.
#[derive(Debug, Clone, Copy)]
pub struct Delivery<'a> {
    /// The webhook source.
    pub source: &'a SourceId,
    /// Headers by name in lower case.
    pub headers: &'a BTreeMap<String, String>,
    /// The body as it came.
    pub body: &'a [u8],
}

/// What a delivery means.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Meaning {
    /// The events, in the order of the rules.
    pub events: Vec<ServerEvent>,
    /// Rules that held and could not make their event.
    pub rejected: Vec<Rejection>,
}

impl Mapping {
    /// What a delivery means by these rules. Where none holds, nothing.
    ///
    /// # Errors
    /// When the body is too large or no JSON.
    pub fn apply(&self, delivery: Delivery<'_>) -> Result<Meaning, DomainError> {
        if delivery.body.len() > MAX_BODY {
            return Err(DomainError::TooLarge { limit: MAX_BODY });
        }
        let text = std::str::from_utf8(delivery.body).map_err(|e| DomainError::Json(e.to_string()))?;
        let mut odd = Repairs::default();
        let body = forgiving::value_of(text, &mut odd).map_err(|e| DomainError::Json(e.to_string()))?;
        let mut meaning = Meaning::default();
        let mut made = BTreeMap::new();
        for rule in self.rules.iter().filter(|rule| rule.holds(&body, delivery.headers)) {
            // Two rules with the same event name need different message IDs for one delivery.
            let nth: &mut u32 = made.entry(rule.label()).or_default();
            *nth += 1;
            match rule.make(&body, delivery, self.scheme.delivery_header(), *nth) {
                Ok(mut event) => match check(&event) {
                    Ok(()) => {
                        // Told once, behind what is the event's own.
                        event.repairs.take(std::mem::take(&mut odd));
                        meaning.events.push(event);
                    }
                    Err(rejection) => meaning.rejected.push(rejection),
                },
                Err(error) => meaning.rejected.push(Rejection::new(RejectCode::InvalidField, error)),
            }
        }
        // Without that member a rule might have held.
        if let (Some(left_out), true) = (odd.list.into_iter().next(), meaning == Meaning::default()) {
            let error = FieldError::new(left_out.path, format!("{}, and no rule holds without it", left_out.message));
            meaning.rejected.push(Rejection::new(RejectCode::InvalidField, error));
        }
        Ok(meaning)
    }
}

impl Rule {
    /// The event's name; `identify` where it has none.
    fn label(&self) -> &str {
        self.name.as_deref().unwrap_or("identify")
    }

    fn holds(&self, body: &Value, headers: &BTreeMap<String, String>) -> bool {
        self.when.iter().all(|condition| condition.holds(body, headers))
    }

    fn make(&self, body: &Value, delivery: Delivery<'_>, header: &str, nth: u32) -> Result<ServerEvent, FieldError> {
        let mut repairs = Repairs::default();
        let key = self.key(body, delivery, header, &mut repairs);
        let who = self.who(body, &mut repairs)?;
        let properties = template::render(&self.properties, body, "properties", &mut repairs);
        let action = match &self.name {
            Some(name) => Action::Track { name: name.clone(), properties },
            None => Action::Identify { traits: traits(properties, &who) },
        };
        Ok(ServerEvent {
            who,
            message_id: message_id(delivery.source, self.label(), &key, nth)?,
            at: self.at(body, &mut repairs),
            session_id: None,
            action,
            context: Map::new(),
            consent: None,
            repairs,
        })
    }

    /// What names the message: what the rule says, else the delivery's own name, else its body.
    fn key(&self, body: &Value, delivery: Delivery<'_>, header: &str, repairs: &mut Repairs) -> String {
        if let Some(path) = &self.message_id {
            if let Some(key) = path.identifier(body) {
                return key;
            }
            repairs.note(RepairCode::IdMade, || {
                let message = format!("{} holds no identifier: the delivery names the event", path.names());
                ("message_id".to_owned(), message)
            });
        }
        let named = delivery.headers.get(header).filter(|id| !id.is_empty());
        named.cloned().unwrap_or_else(|| digest(&[&String::from_utf8_lossy(delivery.body)]))
    }

    fn at(&self, body: &Value, repairs: &mut Repairs) -> Option<UnixMillis> {
        let (pointer, value) = self.timestamp.as_ref().and_then(|path| path.find(body))?;
        let read = timestamp::read(value);
        if read.is_none() {
            repairs.note(RepairCode::TimeUnreadable, || {
                ("timestamp".to_owned(), format!("{} holds no time: that of receipt counts", pointer.as_str()))
            });
        }
        read
    }

    /// Whom the event is about. A name that can be none does not cost the event, as long as another says it.
    fn who(&self, body: &Value, repairs: &mut Repairs) -> Result<Who, FieldError> {
        let find = |path: &Option<Path>| path.as_ref().and_then(|path| path.identifier(body));
        let who = Who {
            anonymous_id: find(&self.anonymous_id).and_then(|id| foreign(&id)),
            possession: None,
            user_id: find(&self.user_id).and_then(|id| parse::user("user_id", &id, repairs)),
            email: find(&self.email).and_then(|text| email(&text, repairs)),
        };
        if who == Who::default() {
            let places = [("user_id", &self.user_id), ("email", &self.email), ("anonymous_id", &self.anonymous_id)];
            let unusable = places.iter().find(|(_, path)| find(path).is_some());
            let named = unusable.or_else(|| places.iter().find(|(_, path)| path.is_some()));
            let named = named.map_or("user_id", |(name, _)| name);
            return Err(FieldError::new(named, "the body says nothing that can be used about whose event this is"));
        }
        Ok(who)
    }
}

/// Refuses an event that no shard would take. Here the body is still at hand, so the shop can try a corrected mapping
/// on it.
fn check(event: &ServerEvent) -> Result<(), Rejection> {
    let wrong = |error| Rejection::new(RejectCode::InvalidField, error);
    let sender = AnonymousId::parse("webhook").map_err(wrong)?;
    let setting = Setting { sender: &sender, currency: DEFAULT_CURRENCY, place: 0, now: 0, is_from_entry: true };
    parse::event(&event.to_wire(None).to_string(), &setting).map(|_| ())
}

fn email(text: &str, repairs: &mut Repairs) -> Option<String> {
    let email = normalise_email(text);
    if email.is_none() {
        repairs
            .note(RepairCode::FieldDropped, || ("email".to_owned(), "is no e-mail address: it is left out".to_owned()));
    }
    email
}

/// Traits with the address that the person is found by.
fn traits(mut traits: Map<String, Value>, who: &Who) -> Map<String, Value> {
    if let Some(email) = &who.email {
        traits.entry("email").or_insert_with(|| Value::from(email.as_str()));
    }
    traits
}

/// The message's name, readable where it is short enough.
fn message_id(source: &SourceId, label: &str, key: &str, nth: u32) -> Result<MessageId, FieldError> {
    let label = if nth > 1 { format!("{label}~{nth}") } else { label.to_owned() };
    let readable = MessageId::parse(&format!("{}~{label}~{key}", source.as_str()));
    readable.or_else(|_| MessageId::parse(&format!("webhook~{}", digest(&[source.as_str(), &label, key]))))
}

impl Condition {
    fn holds(&self, body: &Value, headers: &BTreeMap<String, String>) -> bool {
        match &self.place {
            Place::Header(name) => {
                let header = headers.get(name);
                match &self.wanted {
                    Wanted::Present(present) => header.is_some() == *present,
                    Wanted::OneOf(values) => header.is_some_and(|header| values.iter().any(|v| v == header.as_str())),
                }
            }
            Place::Body(pointer) => {
                let found = pointer.find(body);
                match &self.wanted {
                    Wanted::Present(present) => found.is_some() == *present,
                    Wanted::OneOf(values) => found.is_some_and(|found| values.contains(found)),
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use endcap_protocol::UserId;
    use proptest::prelude::*;
    use serde_json::json;

    fn mapping(rules: Value) -> Mapping {
        Mapping::read(json!({"scheme": "endcap", "rules": rules}).to_string().as_bytes()).unwrap()
    }

    fn apply(mapping: &Mapping, body: &Value, headers: &[(&str, &str)]) -> Meaning {
        let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let source = SourceId::parse("erp").unwrap();
        mapping.apply(Delivery { source: &source, headers: &headers, body: body.to_string().as_bytes() }).unwrap()
    }

    #[test]
    fn every_rule_that_holds_makes_its_event() {
        let mapping = mapping(json!([
            {"when": {"path": "/type", "equals": ["sale", "resale"]}, "event": "track", "name": "Order Completed",
             "message_id": "/no", "timestamp": "/at", "user_id": "/customer", "email": "/mail",
             "properties": {"order_id": "/no", "revenue": {"money": "/sum"}}},
            {"when": [{"path": "/mail", "exists": true}], "event": "identify", "email": "/mail",
             "properties": {"city": "/city"}},
            {"when": {"header": "X-Kind", "equals": "other"}, "event": "track", "name": "Other", "user_id": "/customer"},
        ]));
        let body = json!({"type": "sale", "no": "A-1", "at": 1_640_995_200, "customer": 7, "mail": "Ann@Shop.Example",
            "sum": "20.50", "city": "Bonn"});
        let meaning = apply(&mapping, &body, &[]);
        assert_eq!(meaning.rejected, []);
        let [order, identify] = &meaning.events[..] else { panic!("{meaning:?}") };
        assert_eq!(order.message_id.as_str(), "erp~Order Completed~A-1");
        assert_eq!(order.at, Some(1_640_995_200_000));
        assert_eq!(order.who.user_id.as_ref().map(UserId::as_str), Some("7"));
        assert_eq!(order.who.email.as_deref(), Some("ann@shop.example"));
        let Action::Track { properties, .. } = &order.action else { panic!() };
        assert_eq!(Value::Object(properties.clone()), json!({"order_id": "A-1", "revenue": 20.5}));
        let Action::Identify { traits } = &identify.action else { panic!() };
        assert_eq!(Value::Object(traits.clone()), json!({"city": "Bonn", "email": "ann@shop.example"}));
        assert_eq!(apply(&mapping, &json!({"customer": 1}), &[("x-kind", "other")]).events.len(), 1);
        assert_eq!(apply(&mapping, &json!({"customer": 1}), &[]), Meaning::default());
    }

    #[test]
    fn a_delivery_without_a_key_is_named_by_its_header_or_its_body() {
        let mapping = mapping(json!([{"event": "track", "name": "n", "user_id": "/u"},
            {"event": "track", "name": "n", "user_id": "/u"}]));
        let ids = |body: Value, headers: &[(&str, &str)]| -> Vec<String> {
            apply(&mapping, &body, headers).events.iter().map(|e| e.message_id.as_str().to_owned()).collect()
        };
        assert_eq!(ids(json!({"u": 1}), &[("x-endcap-delivery", "d1")]), ["erp~n~d1", "erp~n~2~d1"]);
        assert_eq!(ids(json!({"u": 1}), &[]), ids(json!({"u": 1}), &[]));
        assert_ne!(ids(json!({"u": 1}), &[]), ids(json!({"u": 2}), &[]));
        let long = ids(json!({"u": 1}), &[("x-endcap-delivery", &"d".repeat(200))]);
        assert!(long[0].starts_with("webhook~") && long[0] != long[1]);
    }

    #[test]
    fn what_a_rule_cannot_make_is_left_out_with_its_path() {
        let rule = json!({"event": "track", "name": "n", "message_id": "/id", "timestamp": "/at", "user_id": "/u",
            "email": "/e", "properties": {"price": {"money": "/price"}}});
        let one_rule = mapping(json!([rule]));
        let cases = [
            (json!({"u": "a"}), "message_id"),
            (json!({"id": 1, "u": "a", "e": "nobody"}), "email"),
            (json!({"id": 1, "u": "a\u{7}b", "e": "ann@shop.example"}), "user_id"),
            (json!({"id": 1, "u": "a", "at": "soon"}), "timestamp"),
            (json!({"id": 1, "u": "a", "price": "free"}), "properties.price"),
        ];
        for (body, path) in cases {
            let meaning = apply(&one_rule, &body, &[]);
            let paths: Vec<&str> = meaning.events[0].repairs.list.iter().map(|repair| repair.path.as_str()).collect();
            assert_eq!(paths, [path], "{body}");
        }
        let two = mapping(json!([rule, {"event": "track", "name": "fine", "user_id": ["/u", "/id"]}]));
        for (body, path) in [
            (json!({"id": 1}), "user_id"),
            (json!({"id": 1, "u": 0, "e": ""}), "user_id"),
            (json!({"id": 1, "e": "nobody"}), "email"),
            (json!({"id": 1, "u": "a\u{7}b"}), "user_id"),
        ] {
            let meaning = apply(&two, &body, &[]);
            assert_eq!(meaning.rejected.first().map(|r| r.path.as_str()), Some(path), "{body}");
        }
        assert_eq!(apply(&two, &json!({"id": 1}), &[]).events.len(), 1, "the other rule's event is made");
    }

    #[test]
    fn an_event_that_no_shard_would_take_is_refused_here() {
        let mapping = mapping(json!([{"event": "track", "name": "Order Completed", "user_id": "/u",
            "properties": {"order_id": "/id"}}, {"event": "identify", "user_id": "/u", "properties": {"tags": "/tags"}}]));
        let meaning = apply(&mapping, &json!({"u": "a", "tags": ["x"]}), &[]);
        let paths: Vec<&str> = meaning.rejected.iter().map(|rejection| rejection.path.as_str()).collect();
        assert_eq!((paths, meaning.events.len()), (vec!["properties.order_id"], 1));
    }

    #[test]
    fn what_a_body_holds_that_cannot_be_held_costs_no_event() {
        let mapping = mapping(json!([{"event": "track", "name": "n", "user_id": "/u", "properties": {"p": "/p"}}]));
        let source = SourceId::parse("erp").unwrap();
        let deep = format!("{}{}", "[".repeat(300), "]".repeat(300));
        for odd in ["1e999", deep.as_str()] {
            let body = format!(r#"{{"u":"a","p":"kept","z":{odd}}}"#);
            let meaning = mapping.apply(Delivery { source: &source, headers: &BTreeMap::new(), body: body.as_bytes() });
            let event = meaning.unwrap().events.remove(0);
            assert!(event.repairs.list[0].path.starts_with('z') && event.repairs.list.len() == 1, "{odd}");
        }
        let rule = json!([{"when": {"path": "/sum", "exists": true}, "event": "track", "name": "n", "user_id": "/u"}]);
        let delivery = Delivery { source: &source, headers: &BTreeMap::new(), body: br#"{"u":"a","sum":1e999}"# };
        let refused =
            Mapping::read(json!({"scheme": "endcap", "rules": rule}).to_string().as_bytes()).unwrap().apply(delivery);
        assert_eq!(refused.unwrap().rejected[0].path, "sum", "no rule holds, which is told");
        let body = br#"{"u":"a","p":"cut \ud83d"}"#;
        let meaning = mapping.apply(Delivery { source: &source, headers: &BTreeMap::new(), body }).unwrap();
        let Action::Track { properties, .. } = &meaning.events[0].action else { panic!() };
        assert_eq!(properties["p"], json!("cut \u{fffd}"));
    }

    #[test]
    fn what_is_no_json_is_said_to_be_none() {
        let mapping = mapping(json!([{"event": "identify", "user_id": "/u"}]));
        let source = SourceId::parse("erp").unwrap();
        for body in ["", "a=b", "{"] {
            let delivery = Delivery { source: &source, headers: &BTreeMap::new(), body: body.as_bytes() };
            assert!(matches!(mapping.apply(delivery), Err(DomainError::Json(_))), "{body}");
        }
    }

    proptest! {
        #[test]
        fn any_body_is_mapped_without_panic(id in "\\PC{0,120}", at in any::<i64>(), price in any::<f64>(), n in 0_usize..130) {
            let mapping = mapping(json!([{"event": "track", "name": "n", "message_id": ["/id", "/at"], "timestamp": "/at",
                "user_id": "/id", "properties": {"p": {"list": "/list", "each": {"m": {"money": "/price"}}}, "id": "/id"}}]));
            let body = json!({"id": id, "at": at, "list": vec![json!({"price": price}); n]});
            let meaning = apply(&mapping, &body, &[]);
            prop_assert_eq!(meaning.events.len() + meaning.rejected.len(), 1);
            for event in meaning.events {
                prop_assert!(event.message_id.as_str().len() <= MessageId::MAX);
            }
        }
    }
}
