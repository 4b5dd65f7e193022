//! Keeps a visitor's identity when they follow a link from one of a shop's domains to another. Browsers keep each
//! domain's cookies apart, so the edge puts the identity into a signed cross-domain token, which leads to one page and
//! is good for a minute.
//!
//! Role in the flow of one event: none; later events belong to the same browser on both domains. Only who shows the possession
//! token of the ID sets out, and who arrives gets one as well. So a cross-domain token is good for one arrival.

use std::collections::BTreeMap;

use endcap_identity::possession_token::PossessionToken;
use endcap_identity::{Keys, Purpose};
use endcap_protocol::cookie::Identity;
use endcap_protocol::{AnonymousId, DeviceId, FieldError, SourceId, UnixMillis};
use serde::{Deserialize, Serialize};

use super::destination::Destination;
use super::query;
use super::token::MAX_TOKEN;

/// How long a token is good for, in milliseconds: a redirect takes a second, on a bad day some.
pub const LIFETIME_MS: UnixMillis = 60_000;

/// What a cross-domain token holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CrossDomain {
    /// The source of both domains' pages.
    pub source: SourceId,
    /// The browser, as the domain that it leaves knows it.
    pub anonymous: AnonymousId,
    /// Its installation.
    pub device: DeviceId,
    /// The generation of its ID, whose token it showed; None in a token of a version that asked for none.
    pub generation: Option<u32>,
    /// Tells this crossing from others.
    pub nonce: String,
    /// The page that it goes to.
    pub destination: Destination,
    /// The token is not valid after this time.
    pub expires_at: UnixMillis,
}

/// The signed JSON.
#[derive(Serialize, Deserialize)]
struct Wire {
    s: String,
    a: String,
    d: String,
    u: String,
    e: UnixMillis,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    g: Option<u32>,
    #[serde(default)]
    n: String,
}

/// Who sets out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Leaving {
    /// The browser, as the domain that it leaves knows it.
    pub identity: Identity,
    /// The generation of the possession token that it shows.
    pub generation: u32,
}

/// Crossings that have arrived, until their tokens expire. It lives in the memory of the object that has the browser's home.
#[derive(Debug, Default)]
pub struct Arrived(BTreeMap<String, UnixMillis>);

/// Most crossings of one minute that an object remembers. Beyond it nobody gets a token by crossing.
const MAX_ARRIVED: usize = 10_000;

impl Arrived {
    /// Whether a crossing is the first of its name, and in time.
    pub fn admit(&mut self, nonce: &str, expires_at: UnixMillis, now: UnixMillis) -> bool {
        self.0.retain(|_, expires_at| *expires_at >= now);
        let in_time = now <= expires_at && expires_at <= now.saturating_add(LIFETIME_MS);
        let room = self.0.len() < MAX_ARRIVED;
        in_time && room && !nonce.is_empty() && self.0.insert(nonce.to_owned(), expires_at).is_none()
    }
}

/// Reads what a page asks for: its source, and the page of another domain that the visitor goes to.
///
/// # Errors
/// The parameter that is missing or wrong.
pub fn asked(query: &str) -> Result<(SourceId, Destination), FieldError> {
    // Room for every byte to be escaped.
    let text = |name: &str, max: usize| query::parameter(query, name, max * 3).unwrap_or_default();
    let destination =
        Destination::parse(&text("to", Destination::MAX)).map_err(|wrong| FieldError::new("to", wrong))?;
    let source = SourceId::parse(&text("s", SourceId::MAX)).map_err(|error| FieldError::new("s", error.message))?;
    Ok((source, destination))
}

impl CrossDomain {
    /// The content of a token made at `now`.
    #[must_use]
    pub fn of(leaving: Leaving, source: SourceId, destination: Destination, nonce: String, now: UnixMillis) -> Self {
        let Leaving { identity: Identity { device, anonymous, .. }, generation } = leaving;
        let (generation, expires_at) = (Some(generation), now.saturating_add(LIFETIME_MS));
        Self { source, anonymous, device, generation, nonce, destination, expires_at }
    }

    /// The token; None where the deployment has no signing key.
    #[must_use]
    pub fn token(&self, keys: &Keys) -> Option<String> {
        let wire = Wire {
            s: self.source.as_str().to_owned(),
            a: self.anonymous.as_str().to_owned(),
            d: self.device.as_str().to_owned(),
            u: self.destination.as_str().to_owned(),
            e: self.expires_at,
            g: self.generation,
            n: self.nonce.clone(),
        };
        keys.sign(Purpose::CrossDomain, &serde_json::to_string(&wire).ok()?)
    }

    /// The content of a token that one of the keys signed, expired or not.
    #[must_use]
    pub fn of_token(keys: &Keys, token: &str) -> Option<Self> {
        if token.len() > MAX_TOKEN {
            return None;
        }
        let wire: Wire = serde_json::from_str(&keys.verify(Purpose::CrossDomain, token)?).ok()?;
        Some(Self {
            source: SourceId::parse(&wire.s).ok()?,
            anonymous: AnonymousId::parse(&wire.a).ok()?,
            device: DeviceId::parse(&wire.d).ok()?,
            destination: Destination::parse(&wire.u).ok()?,
            expires_at: wire.e,
            generation: wire.g,
            nonce: wire.n,
        })
    }

    /// The identity that the token gives the visitor on the other domain at `now`. None where it has expired, or where
    /// the visitor has an identity there already (`held`), which stays.
    #[must_use]
    pub fn identity(&self, held: Option<Identity>, now: UnixMillis) -> Option<Identity> {
        let fresh = now <= self.expires_at && held.is_none();
        fresh.then(|| Identity { device: self.device.clone(), anonymous: self.anonymous.clone(), epoch: 0 })
    }

    /// The possession token that goes with the identity, where the visitor gets that identity or has it already (`held`).
    #[must_use]
    pub fn possession(&self, held: Option<&Identity>, now: UnixMillis) -> Option<PossessionToken> {
        let counts = now <= self.expires_at && held.is_none_or(|held| held.anonymous == self.anonymous);
        let generation = self.generation.filter(|_| counts)?;
        Some(PossessionToken { anonymous_id: self.anonymous.clone(), generation })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const OLD: &str = "a:AAAAAAAAAAAAAAAAAAAAAAAA";
    const NEW: &str = "b:BBBBBBBBBBBBBBBBBBBBBBBB";
    const NOW: UnixMillis = 1_700_000_000_000;

    fn visitor() -> Identity {
        Identity {
            device: DeviceId::parse("device").unwrap(),
            anonymous: AnonymousId::parse("anonymous").unwrap(),
            epoch: 3,
        }
    }

    fn cross_domain(url: &str) -> CrossDomain {
        let source = SourceId::parse("shop").unwrap();
        let leaving = Leaving { identity: visitor(), generation: 2 };
        CrossDomain::of(leaving, source, Destination::parse(url).unwrap(), "n1".to_owned(), NOW)
    }

    #[test]
    fn a_crossing_arrives_once_and_in_time() {
        let mut arrived = Arrived::default();
        assert!(arrived.admit("a", NOW + LIFETIME_MS, NOW));
        assert!(!arrived.admit("a", NOW + LIFETIME_MS, NOW + 1));
        assert!(arrived.admit("b", NOW + LIFETIME_MS, NOW + LIFETIME_MS));
        assert!(!arrived.admit("c", NOW, NOW + 1), "too late");
        assert!(!arrived.admit("d", NOW + LIFETIME_MS + 1, NOW), "no token lives so long");
        assert!(!arrived.admit("", NOW, NOW), "an earlier version's token has no name");
        assert!(!arrived.admit("a", NOW + LIFETIME_MS, NOW + LIFETIME_MS), "remembered for as long as it is good");
    }

    #[test]
    fn who_has_the_identity_gets_its_token_and_nobody_with_another() {
        let cross_domain = cross_domain("https://shop.de/");
        let token = PossessionToken { anonymous_id: AnonymousId::parse("anonymous").unwrap(), generation: 2 };
        let other = Identity { anonymous: AnonymousId::parse("other").unwrap(), ..visitor() };
        assert_eq!(cross_domain.possession(None, NOW).as_ref(), Some(&token));
        assert_eq!(cross_domain.possession(Some(&visitor()), NOW), Some(token));
        assert_eq!(cross_domain.possession(Some(&other), NOW), None);
        assert_eq!(cross_domain.possession(None, NOW + LIFETIME_MS + 1), None);
        let earlier = CrossDomain { generation: None, ..cross_domain };
        assert_eq!(earlier.possession(None, NOW), None);
    }

    #[test]
    fn what_was_signed_is_read_back_also_after_the_keys_rotated() {
        let cross_domain = cross_domain("https://shop.de/p?a=b#c");
        let token = cross_domain.token(&Keys::parse(OLD)).unwrap();
        assert_eq!(CrossDomain::of_token(&Keys::parse(&format!("{NEW},{OLD}")), &token), Some(cross_domain));
        assert_eq!(CrossDomain::of_token(&Keys::parse(NEW), &token), None);
    }

    #[test]
    fn only_a_visitor_without_an_identity_gets_one_and_only_for_a_minute() {
        let cross_domain = cross_domain("https://shop.de/");
        let given = cross_domain.identity(None, NOW + LIFETIME_MS).unwrap();
        assert_eq!((given.anonymous.as_str(), given.device.as_str(), given.epoch), ("anonymous", "device", 0));
        assert_eq!(cross_domain.identity(None, NOW + LIFETIME_MS + 1), None);
        assert_eq!(cross_domain.identity(Some(visitor()), NOW), None);
    }

    #[test]
    fn no_other_signed_text_is_a_crossing_and_a_signed_payload_is_still_checked() {
        let keys = Keys::parse(OLD);
        let good = r#"{"s":"shop","a":"x","d":"y","u":"https://shop.de/","e":1}"#;
        let signed = |purpose, payload: &str| keys.sign(purpose, payload).unwrap();
        assert!(CrossDomain::of_token(&keys, &signed(Purpose::CrossDomain, good)).is_some());
        for purpose in [Purpose::Route, Purpose::Notification, Purpose::Open, Purpose::Click] {
            assert_eq!(CrossDomain::of_token(&keys, &signed(purpose, good)), None);
        }
        for bad in [
            good.replace("https:", "javascript:"),
            good.replace("shop.de", "shop.de@evil.example"),
            good.replace("\"shop\"", "\"\""),
            good.replace("\"x\"", "\"\""),
            good.replace("\"y\"", "5"),
            "{}".to_owned(),
        ] {
            assert_eq!(CrossDomain::of_token(&keys, &signed(Purpose::CrossDomain, &bad)), None, "{bad}");
        }
    }

    #[test]
    fn says_which_parameter_is_wrong() {
        let wrong = |query: &str| asked(query).unwrap_err().path;
        assert_eq!(wrong("s=shop"), "to");
        assert_eq!(wrong("s=shop&to=%2F%2Fevil.example"), "to");
        assert_eq!(wrong("to=https%3A%2F%2Fshop.de%2F"), "s");
        let (source, destination) = asked("to=https%3A%2F%2Fshop.de%2F%3Fa%3Db&s=shop").unwrap();
        assert_eq!((source.as_str(), destination.as_str()), ("shop", "https://shop.de/?a=b"));
    }

    proptest! {
        #[test]
        fn no_changed_token_verifies(at in 0_usize..400, byte in 33_u8..127) {
            let keys = Keys::parse(OLD);
            let token = cross_domain("https://shop.de/p").token(&keys).unwrap();
            let mut changed = token.clone().into_bytes();
            let at = at % changed.len();
            changed[at] = byte;
            let changed = String::from_utf8(changed).unwrap();
            if changed != token {
                prop_assert_eq!(CrossDomain::of_token(&keys, &changed), None);
            }
        }

        #[test]
        fn any_identity_and_destination_survive_the_way(
            anonymous in "[!-~]{1,100}", device in "\\PC{1,20}", path in "[a-z0-9/?=&%.-]{0,60}", now in 0_i64..4_000_000_000_000,
        ) {
            let url = format!("https://shop.de/{path}");
            let visitor = Identity {
                device: DeviceId::parse(&device).unwrap(),
                anonymous: AnonymousId::parse(&anonymous).unwrap(),
                epoch: 0,
            };
            let source = SourceId::parse("shop").unwrap();
            let leaving = Leaving { identity: visitor.clone(), generation: 0 };
            let cross_domain = CrossDomain::of(leaving, source, Destination::parse(&url).unwrap(), "n".to_owned(), now);
            let keys = Keys::parse(OLD);
            let read = CrossDomain::of_token(&keys, &cross_domain.token(&keys).unwrap()).unwrap();
            prop_assert_eq!(read.identity(None, now), Some(visitor));
            prop_assert_eq!(read, cross_domain);
        }
    }
}
