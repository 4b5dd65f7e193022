//! `POST /api/links`: the shop's server asks for the pixel and the links of a message that it is about to send.

use endcap_identity::Keys;
use endcap_protocol::limits::URL_BYTES;
use endcap_protocol::{CampaignId, FieldError, MessageId, UnixMillis};
use endcap_validation::DomainError;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::destination::{Destination, Utm};
use super::recipient::{Recipient, WireRecipient};
use super::token::{Channel, Click, Message};

/// Most links of one message.
pub const MAX_LINKS: usize = 100;
/// Largest body, in bytes.
pub const MAX_BODY: usize = 512 * 1024;

/// What is asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LinksRequest {
    /// Whom the message goes to.
    pub recipient: WireRecipient,
    /// The campaign that it belongs to.
    pub campaign_id: String,
    /// The shop's name for the message to this recipient, 1 to 100 bytes. Opens are counted once for each.
    pub message_id: String,
    /// How it is sent.
    #[serde(default)]
    pub channel: Channel,
    /// Where its links lead: absolute http(s) URLs of at most 2,048 bytes, at most 100.
    #[serde(default)]
    pub links: Vec<String>,
    /// Campaign parameters that are added to every link.
    #[serde(default)]
    pub utm: Utm,
}

/// The addresses to put into the message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Links {
    /// Address of the pixel.
    pub pixel: String,
    /// The links, in the order asked for.
    pub links: Vec<Link>,
}

/// One link.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Link {
    /// Where it leads, campaign parameters included.
    pub url: String,
    /// The address to put into the message.
    pub redirect: String,
}

impl LinksRequest {
    /// The message and its destinations, each checked.
    ///
    /// # Errors
    /// The field that is wrong, with its path.
    pub fn check(&self, now: UnixMillis) -> Result<(Message, Vec<Destination>), FieldError> {
        let message = Message {
            recipient: Recipient::parse(&self.recipient).map_err(|e| e.under("recipient"))?,
            campaign: CampaignId::parse(&self.campaign_id)?,
            message: MessageId::parse(&self.message_id)?,
            channel: self.channel,
            issued_at: now,
        };
        self.utm.check().map_err(|e| e.under("utm"))?;
        if self.links.len() > MAX_LINKS {
            return Err(FieldError::new("links", "must hold at most 100 links"));
        }
        let destinations = self.links.iter().enumerate().map(|(at, link)| {
            let bounded = if link.len() > URL_BYTES { Err("must be at most 2048 bytes") } else { Ok(link) };
            let tagged = bounded.and_then(|link| Destination::parse(link)?.with_utm(&self.utm));
            tagged.map_err(|message| FieldError::new(format!("links[{at}]"), message))
        });
        Ok((message, destinations.collect::<Result<_, _>>()?))
    }

    /// The addresses below `base`, such as `https://shop.example/ec`.
    ///
    /// # Errors
    /// The field that is wrong, or that the deployment has no signing key.
    pub fn answer(&self, base: &str, keys: &Keys, now: UnixMillis) -> Result<Links, DomainError> {
        let keyless = || DomainError::Internal("ENDCAP_SIGNING_KEYS holds no key".to_owned());
        let (message, destinations) = self.check(now)?;
        let pixel = message.pixel_token(keys).ok_or_else(keyless)?;
        let links = destinations.into_iter().map(|destination| {
            let url = destination.as_str().to_owned();
            let click = Click { message: message.clone(), destination };
            let token = click.token(keys).ok_or_else(keyless)?;
            Ok(Link { url, redirect: format!("{base}/r?t={token}") })
        });
        let links = links.collect::<Result<_, DomainError>>()?;
        Ok(Links { pixel: format!("{base}/p.gif?t={pixel}"), links })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::link::query;

    fn keys() -> Keys {
        Keys::parse("a:AAAAAAAAAAAAAAAAAAAAAAAA")
    }

    fn request(change: impl FnOnce(&mut Value)) -> LinksRequest {
        let mut value = json!({
            "recipient": {"user_id": "ann"}, "campaign_id": "may", "message_id": "m1",
            "links": ["https://shop.example/a", "https://shop.example/b?x=1"],
        });
        change(&mut value);
        serde_json::from_value(value).unwrap()
    }

    #[test]
    fn every_link_gets_an_address_that_leads_there() {
        let request = request(|value| value["utm"] = json!({"source": "news"}));
        let answer = request.answer("https://shop.example/ec", &keys(), 5).unwrap();
        let token = |url: &str| query::parameter(query::of(url), "t", 9000).unwrap();
        assert!(answer.pixel.starts_with("https://shop.example/ec/p.gif?t="));
        assert_eq!(Message::of_pixel(&keys(), &token(&answer.pixel)).unwrap().issued_at, 5);
        for (link, url) in answer.links.iter().zip(["a?utm_source=news", "b?x=1&utm_source=news"]) {
            assert_eq!(link.url, format!("https://shop.example/{url}"));
            assert!(link.redirect.starts_with("https://shop.example/ec/r?t="));
            assert_eq!(Click::of_token(&keys(), &token(&link.redirect)).unwrap().destination.as_str(), link.url);
        }
    }

    #[test]
    fn says_which_field_is_wrong() {
        let cases = [
            ("recipient", json!({"recipient": {}})),
            ("recipient.email", json!({"recipient": {"email": "x"}})),
            ("campaign_id", json!({"campaign_id": ""})),
            ("message_id", json!({"message_id": "x".repeat(101)})),
            ("links[1]", json!({"links": ["https://shop.example/", "//evil.example"]})),
            ("links[0]", json!({"links": [format!("https://shop.example/{}", "a".repeat(2048))]})),
            ("links", json!({"links": vec!["https://shop.example/"; 101]})),
            ("utm.source", json!({"utm": {"source": ""}})),
        ];
        for (path, change) in cases {
            let wrong = request(|value| value.as_object_mut().unwrap().extend(change.as_object().unwrap().clone()));
            assert_eq!(wrong.check(0).unwrap_err().path, path);
        }
        assert!(request(|_| {}).answer("", &Keys::default(), 0).is_err());
    }
}
