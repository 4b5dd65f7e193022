//! Opens and clicks as events of a message's recipient.
//!
//! Message IDs are derived, so that repetitions count once. An open counts once per message and recipient for people,
//! and once for machines. A click counts once per link and minute for each of the two: scanners and double clicks
//! follow a link several times within seconds, but a person who comes back later has clicked again.

use endcap_protocol::repair::Repairs;
use endcap_protocol::{FieldError, MessageId, UnixMillis};
use endcap_validation::hash::digest;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::reader::Reader;
use super::recipient::Recipient;
use super::token::{Click, Message};
use crate::server::{Action, ServerEvent, Who};

/// Time in which clicks on one link are one, in milliseconds.
const CLICK_MS: i64 = 60_000;

impl Message {
    /// The event that says that the message was opened.
    ///
    /// # Errors
    /// Never: what is derived is a good message ID.
    pub fn opened(&self, reader: Reader, now: UnixMillis) -> Result<ServerEvent, FieldError> {
        let id = derived("open", reader, &[&self.key()])?;
        Ok(self.event(self.channel.opened(), id, self.properties(reader), now))
    }

    fn key(&self) -> String {
        digest(&[&self.recipient.key(), self.campaign.as_str(), self.message.as_str(), self.channel.as_str()])
    }

    fn properties(&self, reader: Reader) -> Map<String, Value> {
        let mut properties = Map::new();
        let members = [
            ("campaign_id", json!(self.campaign)),
            ("email_id", json!(self.message)),
            ("channel", json!(self.channel)),
            ("sent_at", json!(self.issued_at)),
            ("machine", json!(reader.is_machine())),
            ("reader", json!(reader.name())),
        ];
        let given = members.into_iter().filter(|(_, value)| !value.is_null());
        properties.extend(given.map(|(name, value)| (name.to_owned(), value)));
        properties
    }

    fn event(&self, name: &str, id: MessageId, properties: Map<String, Value>, now: UnixMillis) -> ServerEvent {
        let mut who = Who::default();
        match &self.recipient {
            Recipient::User(user) => who.user_id = Some(user.clone()),
            Recipient::Email(email) => who.email = Some(email.clone()),
            Recipient::Anonymous(anonymous) => who.anonymous_id = Some(anonymous.clone()),
        }
        let action = Action::Track { name: name.to_owned(), properties };
        ServerEvent {
            who,
            message_id: id,
            at: Some(now),
            session_id: None,
            action,
            context: Map::new(),
            consent: None,
            repairs: Repairs::default(),
        }
    }
}

impl Click {
    /// The event that says that the link was followed.
    ///
    /// # Errors
    /// Never: what is derived is a good message ID.
    pub fn clicked(&self, reader: Reader, now: UnixMillis) -> Result<ServerEvent, FieldError> {
        let minute = now.div_euclid(CLICK_MS).to_string();
        let id = derived("click", reader, &[&self.message.key(), self.destination.as_str(), &minute])?;
        let mut properties = self.message.properties(reader);
        properties.insert("link_url".to_owned(), json!(self.destination.as_str()));
        Ok(self.message.event(self.message.channel.clicked(), id, properties, now))
    }
}

/// What a profile's timeline says of such an event: the campaign, and the machine where it was one. None for events of
/// other names; `raw` is the event's text.
#[must_use]
pub fn about(name: &str, raw: &str) -> Option<String> {
    if !NAMES.contains(&name) {
        return None;
    }
    let told: Told = serde_json::from_str(raw).ok()?;
    let Properties { campaign_id, machine, reader } = told.properties;
    Some(if machine { format!("{campaign_id} (machine: {reader})") } else { campaign_id })
}

/// Names of the events of this module.
const NAMES: [&str; 4] = ["Email Opened", "Message Opened", "Email Link Clicked", "Message Link Clicked"];

/// What is read again of an event.
#[derive(Deserialize)]
struct Told {
    properties: Properties,
}

#[derive(Deserialize)]
struct Properties {
    campaign_id: String,
    #[serde(default)]
    machine: bool,
    #[serde(default)]
    reader: String,
}

fn derived(what: &str, reader: Reader, parts: &[&str]) -> Result<MessageId, FieldError> {
    let by = if reader.is_machine() { "machine" } else { "person" };
    MessageId::parse(&format!("{what}~{by}~{}", digest(parts)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::link::token::Channel;
    use crate::link::token::tests::{click, message};

    fn id(event: Result<ServerEvent, FieldError>) -> String {
        event.unwrap().message_id.into_string()
    }

    #[test]
    fn an_open_counts_once_for_a_message_however_often_its_links_are_made() {
        let again = Message { issued_at: 9, ..message() };
        assert_eq!(id(message().opened(Reader::Person, 1)), id(again.opened(Reader::Proxy("x"), 1_000_000)));
        let other = Message { message: MessageId::parse("m-2").unwrap(), ..message() };
        assert_ne!(id(message().opened(Reader::Person, 1)), id(other.opened(Reader::Person, 1)));
    }

    #[test]
    fn machines_take_nothing_from_people() {
        let (person, machine) =
            (message().opened(Reader::Person, 1).unwrap(), message().opened(Reader::Machine("x"), 1).unwrap());
        assert_ne!(person.message_id, machine.message_id);
        let Action::Track { name, properties } = machine.action else { panic!("not tracked") };
        assert_eq!(
            (name.as_str(), &properties["machine"], &properties["reader"]),
            ("Email Opened", &json!(true), &json!("x"))
        );
        assert_eq!(machine.who.email.as_deref(), Some("ann@shop.example"));
    }

    #[test]
    fn a_timeline_tells_the_campaign_and_the_machine() {
        let told = |reader| {
            let event = message().opened(reader, 1).unwrap();
            about("Email Opened", &event.to_wire(None).to_string())
        };
        assert_eq!(told(Reader::Person).as_deref(), Some("may"));
        assert_eq!(told(Reader::Proxy("x")).as_deref(), Some("may"));
        assert_eq!(told(Reader::Machine("Barracuda")).as_deref(), Some("may (machine: Barracuda)"));
        assert_eq!(about("Product Viewed", "{}"), None);
        for channel in [Channel::Email, Channel::Sms] {
            assert!(NAMES.contains(&channel.opened()) && NAMES.contains(&channel.clicked()));
        }
    }

    #[test]
    fn clicks_within_a_minute_are_one() {
        let link = click("https://shop.example/p");
        assert_eq!(id(link.clicked(Reader::Person, 60_000)), id(link.clicked(Reader::Person, 119_999)));
        assert_ne!(id(link.clicked(Reader::Person, 60_000)), id(link.clicked(Reader::Person, 120_000)));
        assert_ne!(id(link.clicked(Reader::Person, 1)), id(click("https://shop.example/q").clicked(Reader::Person, 1)));
        let Action::Track { name, properties } = link.clicked(Reader::Person, 1).unwrap().action else { panic!() };
        assert_eq!((name.as_str(), &properties["link_url"]), ("Email Link Clicked", &json!("https://shop.example/p")));
    }
}
