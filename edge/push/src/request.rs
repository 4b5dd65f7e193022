//! One push message as an HTTP request (RFC 8030, section 5).

use crate::message::{EncryptError, encrypt};
use crate::port::Crypto;
use crate::subscription::Subscription;
use crate::topic::topic_of;
use crate::vapid::Token;

/// Longest time that push services keep a message, in seconds: four weeks.
const MAX_TTL_S: u32 = 28 * 86_400;

/// How soon a device should be woken for a message (RFC 8030, section 5.3).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Urgency {
    /// On power and a network without volume charge.
    VeryLow,
    /// On either of the two.
    Low,
    /// On neither: the usual marketing message.
    #[default]
    Normal,
    /// With a low battery: something that the person waits for.
    High,
}

impl Urgency {
    /// The value of the `Urgency` header.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::VeryLow => "very-low",
            Self::Low => "low",
            Self::Normal => "normal",
            Self::High => "high",
        }
    }
}

/// How the push service should treat a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Delivery<'a> {
    /// How long an undelivered message stays useful, in seconds; clamped to 1 to four weeks (0 is refused by the
    /// Windows service).
    pub ttl_s: u32,
    /// How soon the device should be woken.
    pub urgency: Urgency,
    /// Name of the topic; of several undelivered messages of a topic only the newest arrives.
    pub topic: Option<&'a str>,
}

/// A header's name, lower case, and its value.
pub type Header = (&'static str, String);

/// A POST request that delivers one message. Redirects must not be followed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PushRequest {
    /// Where to send it: the subscription's endpoint.
    pub url: String,
    /// Headers, the content type and coding included.
    pub headers: Vec<Header>,
    /// The encrypted message.
    pub body: Vec<u8>,
}

/// Why no request could be made.
pub type ComposeError = EncryptError;

/// Encrypts `plaintext` for the subscription and lays the request out.
///
/// `token` must be for the endpoint's origin and for the key with which the browser subscribed; `salt` must be 16
/// fresh random bytes.
pub async fn compose(
    crypto: &impl Crypto,
    subscription: &Subscription,
    token: &Token,
    delivery: &Delivery<'_>,
    salt: &[u8; 16],
    plaintext: &[u8],
) -> Result<PushRequest, ComposeError> {
    let body = encrypt(crypto, subscription, salt, plaintext).await?;
    let mut headers = vec![
        ("authorization", token.authorization().to_owned()),
        ("content-encoding", "aes128gcm".to_owned()),
        ("content-type", "application/octet-stream".to_owned()),
        ("ttl", delivery.ttl_s.clamp(1, MAX_TTL_S).to_string()),
        ("urgency", delivery.urgency.as_str().to_owned()),
    ];
    headers.extend(delivery.topic.map(|name| ("topic", topic_of(name))));
    Ok(PushRequest { url: subscription.endpoint().as_str().to_owned(), headers, body })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rust_crypto::{Browser, FixedKey, now_or_never, vapid_key};
    use crate::{Subject, token_for};

    fn request(delivery: Delivery<'_>) -> (Browser, PushRequest) {
        let (browser, crypto) = (Browser::from_seed(5), FixedKey::from_seed(6));
        let (subscription, subject) = (browser.subscription(), Subject::parse("https://shop.example").unwrap());
        let origin = subscription.endpoint().origin();
        let token = now_or_never(token_for(&crypto, &vapid_key("k1", 3), &subject, origin, 0)).unwrap();
        let request = now_or_never(compose(&crypto, &subscription, &token, &delivery, &[1; 16], b"hello")).unwrap();
        (browser, request)
    }

    fn header<'a>(request: &'a PushRequest, name: &str) -> Option<&'a str> {
        request.headers.iter().find(|(key, _)| *key == name).map(|(_, value)| value.as_str())
    }

    #[test]
    fn a_request_has_all_that_a_push_service_asks_for() {
        let (browser, request) = request(Delivery { ttl_s: 14_400, urgency: Urgency::High, topic: Some("cart") });
        assert_eq!(request.url, "https://updates.push.services.mozilla.com/wpush/v2/abc");
        assert!(header(&request, "authorization").unwrap().starts_with("vapid t=ey"));
        assert_eq!(header(&request, "content-encoding"), Some("aes128gcm"));
        assert_eq!(header(&request, "content-type"), Some("application/octet-stream"));
        assert_eq!(header(&request, "ttl"), Some("14400"));
        assert_eq!(header(&request, "urgency"), Some("high"));
        assert_eq!(header(&request, "topic"), Some(topic_of("cart").as_str()));
        assert_eq!(browser.decrypt(&request.body), b"hello");
    }

    #[test]
    fn the_ttl_stays_within_what_services_take_and_a_topic_is_optional() {
        let ttl = |ttl_s| request(Delivery { ttl_s, urgency: Urgency::Normal, topic: None }).1;
        assert_eq!(header(&ttl(0), "ttl"), Some("1"));
        assert_eq!(header(&ttl(u32::MAX), "ttl"), Some("2419200"));
        assert_eq!(header(&ttl(60), "topic"), None);
    }
}
