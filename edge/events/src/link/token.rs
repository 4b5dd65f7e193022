//! What a pixel's or a link's address carries: which message it belongs to, to whom it went, and where it leads.
//!
//! A signed text (see [`endcap_identity::signed`]) around a JSON object with short names. Anybody who has the link can
//! read it, including the recipient's address. Only the recipient and the shop's own host get the link, because a
//! redirect does not pass its own address on to the destination.

use endcap_identity::{Keys, Purpose};
use endcap_protocol::{CampaignId, FieldError, MessageId, SourceId, UnixMillis};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::destination::Destination;
use super::recipient::{Recipient, WireRecipient};

/// Longest token that is looked at, in bytes: the longest destination and the rest, a third longer by base64.
pub const MAX_TOKEN: usize = 9000;

/// How a message was sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Channel {
    /// E-mail.
    #[default]
    Email,
    /// Text message.
    Sms,
    /// LINE.
    Line,
    /// WhatsApp.
    Whatsapp,
    /// Messenger.
    Messenger,
    /// Push.
    Push,
}

impl Channel {
    /// The channel as events carry it, and the source that they come from.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Email => "email",
            Self::Sms => "sms",
            Self::Line => "line",
            Self::Whatsapp => "whatsapp",
            Self::Messenger => "messenger",
            Self::Push => "push",
        }
    }

    /// Name of the event that says that a message was opened; for e-mail that of Segment's e-mail spec.
    #[must_use]
    pub fn opened(self) -> &'static str {
        if self == Self::Email { "Email Opened" } else { "Message Opened" }
    }

    /// Name of the event that says that a link was clicked.
    #[must_use]
    pub fn clicked(self) -> &'static str {
        if self == Self::Email { "Email Link Clicked" } else { "Message Link Clicked" }
    }

    /// The source of events about messages of this channel.
    ///
    /// # Errors
    /// Never: every channel is a good name.
    pub fn source(self) -> Result<SourceId, FieldError> {
        SourceId::parse(self.as_str())
    }
}

/// One message to one recipient.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// Whom it went to.
    pub recipient: Recipient,
    /// The campaign that it belongs to.
    pub campaign: CampaignId,
    /// The shop's name for the message.
    pub message: MessageId,
    /// How it was sent.
    pub channel: Channel,
    /// When its links were made.
    pub issued_at: UnixMillis,
}

/// A followed link.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Click {
    /// The message that it stood in.
    pub message: Message,
    /// Where it leads.
    pub destination: Destination,
}

/// The signed JSON.
#[derive(Serialize, Deserialize)]
struct Wire {
    r: WireRecipient,
    c: String,
    m: String,
    h: Channel,
    i: UnixMillis,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    u: Option<String>,
}

impl Wire {
    fn of(message: &Message, destination: Option<&Destination>) -> Self {
        let mut r = WireRecipient::default();
        match &message.recipient {
            Recipient::User(user) => r.user_id = Some(user.as_str().to_owned()),
            Recipient::Email(email) => r.email = Some(email.clone()),
            Recipient::Anonymous(id) => r.anonymous_id = Some(id.as_str().to_owned()),
        }
        Self {
            r,
            c: message.campaign.as_str().to_owned(),
            m: message.message.as_str().to_owned(),
            h: message.channel,
            i: message.issued_at,
            u: destination.map(|destination| destination.as_str().to_owned()),
        }
    }

    fn sign(&self, keys: &Keys, purpose: Purpose) -> Option<String> {
        keys.sign(purpose, &serde_json::to_string(self).ok()?)
    }

    fn verify(keys: &Keys, purpose: Purpose, token: &str) -> Option<Self> {
        if token.len() > MAX_TOKEN {
            return None;
        }
        serde_json::from_str(&keys.verify(purpose, token)?).ok()
    }

    fn message(&self) -> Option<Message> {
        Some(Message {
            recipient: Recipient::parse(&self.r).ok()?,
            campaign: CampaignId::parse(&self.c).ok()?,
            message: MessageId::parse(&self.m).ok()?,
            channel: self.h,
            issued_at: self.i,
        })
    }
}

impl Message {
    /// The token of the message's pixel; None where the deployment has no signing key.
    #[must_use]
    pub fn pixel_token(&self, keys: &Keys) -> Option<String> {
        Wire::of(self, None).sign(keys, Purpose::Open)
    }

    /// The message of a pixel's token that one of the keys signed.
    #[must_use]
    pub fn of_pixel(keys: &Keys, token: &str) -> Option<Self> {
        Wire::verify(keys, Purpose::Open, token)?.message()
    }
}

impl Click {
    /// The token of a link; None where the deployment has no signing key.
    #[must_use]
    pub fn token(&self, keys: &Keys) -> Option<String> {
        Wire::of(&self.message, Some(&self.destination)).sign(keys, Purpose::Click)
    }

    /// The link of a token that one of the keys signed.
    #[must_use]
    pub fn of_token(keys: &Keys, token: &str) -> Option<Self> {
        let wire = Wire::verify(keys, Purpose::Click, token)?;
        let destination = Destination::parse(wire.u.as_deref()?).ok()?;
        Some(Self { message: wire.message()?, destination })
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use proptest::prelude::*;

    const OLD: &str = "a:AAAAAAAAAAAAAAAAAAAAAAAA";
    const NEW: &str = "b:BBBBBBBBBBBBBBBBBBBBBBBB";

    pub(in crate::link) fn message() -> Message {
        Message {
            recipient: Recipient::Email("ann@shop.example".to_owned()),
            campaign: CampaignId::parse("may").unwrap(),
            message: MessageId::parse("m-1").unwrap(),
            channel: Channel::Email,
            issued_at: 1_700_000_000_000,
        }
    }

    pub(in crate::link) fn click(url: &str) -> Click {
        Click { message: message(), destination: Destination::parse(url).unwrap() }
    }

    #[test]
    fn what_was_signed_is_read_back_also_after_the_keys_rotated() {
        let click = click("https://shop.example/p?a=b#c");
        let (pixel, link) =
            (message().pixel_token(&Keys::parse(OLD)).unwrap(), click.token(&Keys::parse(OLD)).unwrap());
        let rotated = Keys::parse(&format!("{NEW},{OLD}"));
        assert_eq!(Message::of_pixel(&rotated, &pixel), Some(message()));
        assert_eq!(Click::of_token(&rotated, &link), Some(click));
        assert_eq!(Message::of_pixel(&Keys::parse(NEW), &pixel), None);
    }

    #[test]
    fn a_pixel_is_no_link_and_a_link_no_pixel() {
        let keys = Keys::parse(OLD);
        let link = click("https://shop.example/").token(&keys).unwrap();
        assert_eq!(Message::of_pixel(&keys, &link), None);
        assert_eq!(Click::of_token(&keys, &message().pixel_token(&keys).unwrap()), None);
    }

    #[test]
    fn a_signed_payload_is_still_checked() {
        let keys = Keys::parse(OLD);
        let signed = |payload: &str| keys.sign(Purpose::Click, payload).unwrap();
        let good = r#"{"r":{"user_id":"u"},"c":"c","m":"m","h":"sms","i":1,"u":"https://shop.example/"}"#;
        assert!(Click::of_token(&keys, &signed(good)).is_some());
        for bad in [
            good.replace("https:", "javascript:"),
            good.replace("\"user_id\":\"u\"", ""),
            good.replace("\"c\":\"c\"", "\"c\":\"\""),
            good.replace("sms", "fax"),
            "{}".to_owned(),
            String::new(),
        ] {
            assert_eq!(Click::of_token(&keys, &signed(&bad)), None, "{bad}");
        }
    }

    #[test]
    fn the_longest_link_fits() {
        let url = format!("https://shop.example/{}", "a".repeat(Destination::MAX - 21));
        let mut click = click(&url);
        click.message.recipient = Recipient::Email(format!("{}@shop.example", "ü".repeat(115)));
        let token = click.token(&Keys::parse(OLD)).unwrap();
        assert_eq!(Click::of_token(&Keys::parse(OLD), &token), Some(click));
    }

    proptest! {
        #[test]
        fn no_changed_token_verifies(at in 0_usize..400, byte in 33_u8..127) {
            let keys = Keys::parse(OLD);
            let token = click("https://shop.example/p").token(&keys).unwrap();
            let mut changed = token.clone().into_bytes();
            let at = at % changed.len();
            changed[at] = byte;
            let changed = String::from_utf8(changed).unwrap();
            if changed != token {
                prop_assert_eq!(Click::of_token(&keys, &changed), None);
            }
        }
    }
}
