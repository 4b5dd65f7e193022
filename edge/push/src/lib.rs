//! Web push: the last step of an event's flow, when a timer decided that a person should hear from the shop.
//!
//! A browser's subscription is checked at the door ([`RawSubscription::validate`]), the notification becomes
//! declarative JSON ([`Notification`]), the JSON is encrypted for that browser (RFC 8291 over RFC 8188), signed by
//! the shop (RFC 8292) and laid out as one HTTP request (RFC 8030, [`compose`]). What the push service answers is
//! read by [`Outcome::of`].
//!
//! Nothing here does I/O, reads a clock or draws a random number. The primitives that need the platform (a fresh
//! P-256 key, AES-GCM, ECDSA) are behind the [`Crypto`] port; times and the salt are arguments.

mod aes128gcm;
mod body;
mod endpoint;
mod http_date;
mod key;
mod message;
mod outcome;
mod payload;
mod port;
mod request;
mod subscription;
mod topic;
mod vapid;
mod vapid_key;

#[cfg(test)]
mod rust_crypto;

pub use body::{PushBody, PushReply, Report, ReportBody};
pub use endpoint::{Endpoint, EndpointError, Loopback, MAX_ENDPOINT_LENGTH};
pub use http_date::parse_http_date;
pub use key::{AuthSecret, KeyError, PublicKey, SecretKey};
pub use message::{EncryptError, MAX_PLAINTEXT, encrypt};
pub use outcome::{Attempt, Outcome, Reply, backoff_ms};
pub use payload::{Direction, Notification, PayloadError};
pub use port::{Agreement, Crypto, CryptoError};
pub use request::{ComposeError, Delivery, Header, PushRequest, Urgency, compose};
pub use subscription::{RawKeys, RawSubscription, Subscription, SubscriptionError};
pub use topic::topic_of;
pub use vapid::{Subject, SubjectError, Token, TokenCache, VapidError, token_for};
pub use vapid_key::VapidKey;
