//! Push subscriptions: as a browser sends them, and as the rest of this crate may use them.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::endpoint::{Endpoint, EndpointError, Loopback};
use crate::key::{AuthSecret, KeyError, PublicKey};

/// A subscription as `PushSubscription.toJSON()` gives it, unchecked. Also the form in which it is stored, so that
/// it is checked again each time it is used.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RawSubscription {
    /// Address of the browser at its push service.
    pub endpoint: String,
    /// The browser's keys.
    pub keys: RawKeys,
}

/// The `keys` member of a subscription, base64url.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RawKeys {
    /// Public key of the browser: an uncompressed point of P-256.
    pub p256dh: String,
    /// Authentication secret, 16 bytes.
    pub auth: String,
}

/// What is wrong with a subscription.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SubscriptionError {
    /// The address is refused.
    #[error("{0}")]
    Endpoint(EndpointError),
    /// The public key is refused.
    #[error("{0}")]
    PublicKey(KeyError),
    /// The authentication secret is refused.
    #[error("{0}")]
    Auth(KeyError),
}

impl SubscriptionError {
    /// Where in the request body the fault is.
    pub fn path(&self) -> &'static str {
        match self {
            Self::Endpoint(_) => "subscription.endpoint",
            Self::PublicKey(_) => "subscription.keys.p256dh",
            Self::Auth(_) => "subscription.keys.auth",
        }
    }
}

impl RawSubscription {
    /// Checks address and keys. That the public key is a point of the curve is left to
    /// [`Crypto::check_point`](crate::Crypto::check_point), to be asked once, when the subscription is saved.
    pub fn validate(&self, loopback: Loopback) -> Result<Subscription, SubscriptionError> {
        Ok(Subscription {
            endpoint: Endpoint::parse(&self.endpoint, loopback).map_err(SubscriptionError::Endpoint)?,
            public: PublicKey::parse(&self.keys.p256dh).map_err(SubscriptionError::PublicKey)?,
            auth: AuthSecret::parse(&self.keys.auth).map_err(SubscriptionError::Auth)?,
        })
    }
}

/// A subscription whose address and keys were checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subscription {
    endpoint: Endpoint,
    public: PublicKey,
    auth: AuthSecret,
}

impl Subscription {
    /// Address of the browser at its push service.
    pub fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    /// Public key of the browser.
    pub fn public_key(&self) -> &PublicKey {
        &self.public
    }

    /// Authentication secret shared with the browser.
    pub fn auth(&self) -> &AuthSecret {
        &self.auth
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const JSON: &str = r#"{"endpoint":"https://web.push.apple.com/QGuQ","expirationTime":null,"keys":{"p256dh":"BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4","auth":"BTBZMqHH6r4Tts7J_aSIgg"}}"#;

    fn raw() -> RawSubscription {
        serde_json::from_str(JSON).unwrap()
    }

    #[test]
    fn what_a_browser_sends_is_accepted() {
        let subscription = raw().validate(Loopback::Forbidden).unwrap();
        assert_eq!(subscription.endpoint().as_str(), "https://web.push.apple.com/QGuQ");
        assert_eq!(subscription.public_key().to_string(), raw().keys.p256dh);
        assert_eq!(subscription.auth().to_base64url(), raw().keys.auth);
    }

    #[test]
    fn each_fault_names_its_place() {
        let path = |change: fn(&mut RawSubscription)| {
            let mut raw = raw();
            change(&mut raw);
            raw.validate(Loopback::Forbidden).unwrap_err().path()
        };
        assert_eq!(path(|raw| raw.endpoint = "https://evil.example/x".into()), "subscription.endpoint");
        assert_eq!(path(|raw| raw.keys.p256dh.truncate(80)), "subscription.keys.p256dh");
        assert_eq!(path(|raw| raw.keys.auth.push('A')), "subscription.keys.auth");
    }
}
