//! Signed text: what we hand to a browser and want back unchanged.
//!
//! Form `1.<key id>.<payload, base64url>.<mac, base64url>`: version and key ID come first, so that keys rotate and the
//! format can change while old texts are still around. The purpose is part of what is signed, so that a text made for
//! one purpose proves nothing for another.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use hmac::{Hmac, Mac};
use sha2::Sha256;

/// Bytes of HMAC-SHA-256 kept: 128 bits.
const MAC_BYTES: usize = 16;

/// What a signed text is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// The cookie that names a visitor's profile.
    Route,
    /// The same cookie as versions without possession tokens signed it. None is made any more.
    OldRoute,
    /// The token by which a browser shows that an anonymous ID is its own.
    Possession,
    /// The number of the token that a client is given for an open ID.
    Grant,
    /// The name of an anonymous ID under which an unverified request is kept apart.
    Apart,
    /// The token by which a service worker renews one push subscription.
    Renewal,
    /// The reference that a notification carries.
    Notification,
    /// The message that a pixel belongs to.
    Open,
    /// The message that a link stands in, and where it leads.
    Click,
    /// A visitor's way from one of a shop's domains to another.
    CrossDomain,
    /// The name that a page knows a profile by.
    Profile,
    /// The number that stands for a client's address.
    Client,
}

impl Purpose {
    fn label(self) -> &'static [u8] {
        match self {
            Self::Route => b"endcap route 2",
            Self::OldRoute => b"endcap route",
            Self::Possession => b"endcap possession",
            Self::Grant => b"endcap grant",
            Self::Apart => b"endcap apart",
            Self::Renewal => b"endcap renewal",
            Self::Notification => b"endcap notification",
            Self::Open => b"endcap open",
            Self::Click => b"endcap click",
            Self::CrossDomain => b"endcap crossing",
            Self::Profile => b"endcap profile",
            Self::Client => b"endcap client",
        }
    }
}

/// Signing keys by ID; the first signs, all verify.
#[derive(Debug, Clone, Default)]
pub struct Keys(Vec<(String, Vec<u8>)>);

impl Keys {
    /// Parses `kid:base64url,kid:base64url…`, the newest first. Entries that are malformed or shorter than 16 bytes are
    /// left out.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        let entry = |entry: &str| {
            let (kid, key) = entry.trim().split_once(':')?;
            let key = BASE64.decode(key.trim_end_matches('=')).ok()?;
            let plain = !kid.is_empty() && kid.len() <= 16 && kid.bytes().all(|b| b.is_ascii_alphanumeric());
            (plain && key.len() >= 16).then(|| (kid.to_owned(), key))
        };
        Self(text.split(',').filter_map(entry).collect())
    }

    /// True when there is no key to sign with.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Signs `payload`; None when there is no key.
    #[must_use]
    pub fn sign(&self, purpose: Purpose, payload: &str) -> Option<String> {
        let (kid, key) = self.0.first()?;
        let mac = mac(key, purpose, kid, payload).finalize().into_bytes();
        let mac = BASE64.encode(mac.get(..MAC_BYTES)?);
        Some(format!("1.{kid}.{}.{mac}", BASE64.encode(payload)))
    }

    /// A name for `payload` that nobody reads it out of: its HMAC by the newest key, base64url. Equal payloads have equal
    /// names until that key changes. None when there is no key.
    #[must_use]
    pub fn opaque(&self, purpose: Purpose, payload: &str) -> Option<String> {
        let (kid, key) = self.0.first()?;
        let mac = mac(key, purpose, kid, payload).finalize().into_bytes();
        Some(BASE64.encode(mac.get(..MAC_BYTES)?))
    }

    /// A number for `payload` that nobody can work out who lacks the newest key; 0 when there is no key.
    #[must_use]
    pub fn number(&self, purpose: Purpose, payload: &str) -> u32 {
        let Some((kid, key)) = self.0.first() else { return 0 };
        let mac = mac(key, purpose, kid, payload).finalize().into_bytes();
        mac.iter().take(size_of::<u32>()).fold(0, |number, byte| (number << 8) | u32::from(*byte))
    }

    /// Whether a text says that the newest key signed it. Tells nothing of whether it did.
    #[must_use]
    pub fn is_newest(&self, text: &str) -> bool {
        let newest = self.0.first().map(|(kid, _)| kid.as_str());
        split(text).is_some_and(|(kid, ..)| Some(kid) == newest)
    }

    /// The payload of a text that one of the keys signed for this purpose.
    #[must_use]
    pub fn verify(&self, purpose: Purpose, text: &str) -> Option<String> {
        let (kid, payload, given) = split(text)?;
        let (_, key) = self.0.iter().find(|(held, _)| held == kid)?;
        let given = BASE64.decode(given).ok().filter(|mac| mac.len() == MAC_BYTES)?;
        mac(key, purpose, kid, &payload).verify_truncated_left(&given).ok()?;
        Some(payload)
    }
}

/// The payload of a signed text, unverified: good for finding the object that will verify it, and nothing else.
#[must_use]
pub fn peek(text: &str) -> Option<String> {
    split(text).map(|(_, payload, _)| payload)
}

fn split(text: &str) -> Option<(&str, String, &str)> {
    let mut parts = text.split('.');
    let ("1", kid, payload, mac, None) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?, parts.next())
    else {
        return None;
    };
    let payload = String::from_utf8(BASE64.decode(payload).ok()?).ok()?;
    Some((kid, payload, mac))
}

fn mac(key: &[u8], purpose: Purpose, kid: &str, payload: &str) -> Hmac<Sha256> {
    let mut mac = <Hmac<Sha256> as Mac>::new_from_slice(key)
        .unwrap_or_else(|never| unreachable!("HMAC takes keys of any length: {never}"));
    for part in [purpose.label(), kid.as_bytes(), payload.as_bytes()] {
        mac.update(part);
        mac.update(&[0]);
    }
    mac
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(text: &str) -> Keys {
        Keys::parse(text)
    }

    const A: &str = "a:AAAAAAAAAAAAAAAAAAAAAAAA";
    const B: &str = "b:BBBBBBBBBBBBBBBBBBBBBBBB";

    #[test]
    fn what_was_signed_comes_back_and_nothing_else() {
        let signed = keys(A).sign(Purpose::Route, "p1").unwrap();
        assert_eq!(keys(A).verify(Purpose::Route, &signed).as_deref(), Some("p1"));
        assert_eq!(keys(A).verify(Purpose::Notification, &signed), None);
        assert_eq!(keys(B).verify(Purpose::Route, &signed), None);
        let other = signed.replace(&BASE64.encode("p1"), &BASE64.encode("p2"));
        assert_eq!(keys(A).verify(Purpose::Route, &other), None);
        assert_eq!(peek(&other).as_deref(), Some("p2"));
    }

    #[test]
    fn keys_rotate() {
        let old = keys(A).sign(Purpose::Route, "p").unwrap();
        let both = keys(&format!("{B},{A}"));
        assert_eq!(both.verify(Purpose::Route, &old).as_deref(), Some("p"));
        let new = both.sign(Purpose::Route, "p").unwrap();
        assert!(new.starts_with("1.b."));
        assert!(both.is_newest(&new) && !both.is_newest(&old) && !both.is_newest("1.b"));
    }

    #[test]
    fn weak_and_malformed_keys_are_left_out() {
        assert!(keys("a:AAAA,b,:AAAAAAAAAAAAAAAAAAAAAAAA").is_empty());
        assert_eq!(keys("").sign(Purpose::Route, "p"), None);
    }
}
