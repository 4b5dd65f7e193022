//! Possession tokens: signed texts that bind an anonymous ID and its generation, and the cookie that holds them.
//!
//! Form: a [signed text](crate::signed) whose payload is the ID and the generation, a line each. The cookie holds the token of
//! the browser's current ID and that of the one before, because queued events outlive a reset, and those of the shop's other
//! host names, where they share the edge's.

use endcap_protocol::AnonymousId;

use crate::signed::{Keys, Purpose, peek};

/// What stands between the tokens of a cookie. No token holds it.
const BETWEEN: char = '~';
/// Tokens that a browser holds: of its current ID and of the one before, for up to three host names of a shop whose edge has
/// a host name of its own.
const MAX_TOKENS: usize = 6;
/// Longest token that is looked at, in bytes: an ID of 100 bytes in base64url, the number and the signature take 230.
const MAX_TOKEN: usize = 320;

/// What a token says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PossessionToken {
    /// The browser.
    pub anonymous_id: AnonymousId,
    /// The ID's generation.
    pub generation: u32,
}

impl PossessionToken {
    /// The signed text; None when there is no key.
    #[must_use]
    pub fn sign(&self, keys: &Keys) -> Option<String> {
        sign(keys, Purpose::Possession, &self.anonymous_id, &self.generation.to_string())
    }

    /// The content of a token that one of the keys signed.
    #[must_use]
    pub fn verify(keys: &Keys, text: &str) -> Option<Self> {
        let (anonymous_id, generation) = verify(keys, Purpose::Possession, text, MAX_TOKEN)?;
        Some(Self { anonymous_id, generation: generation.parse().ok()? })
    }
}

/// Signs an anonymous ID with one text more, a line each: an ID holds no line break.
fn sign(keys: &Keys, purpose: Purpose, id: &AnonymousId, more: &str) -> Option<String> {
    keys.sign(purpose, &format!("{}\n{more}", id.as_str()))
}

/// Reads what [`sign`] made, of at most `max` bytes.
fn verify(keys: &Keys, purpose: Purpose, text: &str, max: usize) -> Option<(AnonymousId, String)> {
    let payload = (text.len() <= max).then(|| keys.verify(purpose, text))??;
    let (id, more) = payload.split_once('\n')?;
    Some((AnonymousId::parse(id).ok()?, more.to_owned()))
}

/// The tokens that a browser sent along, as they are: nothing of them is checked before one is asked for.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct HeldTokens<'a>(Vec<&'a str>);

impl<'a> HeldTokens<'a> {
    /// The tokens of a cookie.
    #[must_use]
    pub fn parse(cookie: &'a str) -> Self {
        let tokens = cookie.split(BETWEEN).filter(|token| !token.is_empty() && token.len() <= MAX_TOKEN);
        Self(tokens.take(MAX_TOKENS).collect())
    }

    /// The text of the token that says to be an ID's.
    #[must_use]
    pub fn text_of(&self, id: &AnonymousId) -> Option<&'a str> {
        self.0.iter().copied().find(|token| names(token, id))
    }

    /// The generation of the token that is an ID's.
    #[must_use]
    pub fn generation_of(&self, keys: &Keys, id: &AnonymousId) -> Option<u32> {
        let token = PossessionToken::verify(keys, self.text_of(id)?)?;
        (token.anonymous_id == *id).then_some(token.generation)
    }

    /// The cookie once an ID has a new token: that one first, then the latest of other IDs.
    #[must_use]
    pub fn with(&self, id: &AnonymousId, token: &str) -> String {
        let others = self.0.iter().copied().filter(|held| !names(held, id));
        let tokens: Vec<&str> = std::iter::once(token).chain(others).take(MAX_TOKENS).collect();
        tokens.join(&BETWEEN.to_string())
    }
}

/// Whether a token says to be an ID's.
fn names(token: &str, id: &AnonymousId) -> bool {
    peek(token).is_some_and(|payload| payload.split_once('\n').is_some_and(|(named, _)| named == id.as_str()))
}

/// The token of one push subscription. The service worker that has it may replace that subscription, and nothing else.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RenewalToken {
    /// The browser.
    pub anonymous_id: AnonymousId,
    /// The subscription's endpoint.
    pub endpoint: String,
}

/// Longest renewal token that is looked at, in bytes. Endpoints have at most 2,048.
const MAX_RENEWAL: usize = 4096;

impl RenewalToken {
    /// The signed text; None when there is no key.
    #[must_use]
    pub fn sign(&self, keys: &Keys) -> Option<String> {
        sign(keys, Purpose::Renewal, &self.anonymous_id, &self.endpoint)
    }

    /// The content of a token that one of the keys signed.
    #[must_use]
    pub fn verify(keys: &Keys, text: &str) -> Option<Self> {
        let (anonymous_id, endpoint) = verify(keys, Purpose::Renewal, text, MAX_RENEWAL)?;
        Some(Self { anonymous_id, endpoint })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const KEYS: &str = "a:AAAAAAAAAAAAAAAAAAAAAAAA";

    fn id(name: &str) -> AnonymousId {
        AnonymousId::parse(name).unwrap()
    }

    fn token(name: &str, generation: u32) -> String {
        PossessionToken { anonymous_id: id(name), generation }.sign(&Keys::parse(KEYS)).unwrap()
    }

    #[test]
    fn a_browser_holds_the_token_of_its_id_and_of_the_one_before() {
        let keys = Keys::parse(KEYS);
        let (first, second) = (token("one", 0), token("two", 7));
        let cookie = HeldTokens::default().with(&id("one"), &first);
        let cookie = HeldTokens::parse(&cookie).with(&id("two"), &second);
        let held = HeldTokens::parse(&cookie);
        assert_eq!((held.generation_of(&keys, &id("one")), held.generation_of(&keys, &id("two"))), (Some(0), Some(7)));
        assert_eq!(
            HeldTokens::parse(&held.with(&id("two"), &token("two", 8))).generation_of(&keys, &id("two")),
            Some(8)
        );
        // The latest stay.
        let names = ["a", "b", "c", "d", "e"];
        let add = |cookie: String, name: &&str| HeldTokens::parse(&cookie).with(&id(name), &token(name, 0));
        let full = names.iter().fold(cookie, add);
        let held = HeldTokens::parse(&full);
        assert_eq!(held.generation_of(&keys, &id("one")), None);
        assert!(["two", "a", "e"].iter().all(|name| held.generation_of(&keys, &id(name)).is_some()));
    }

    #[test]
    fn no_other_signed_text_is_a_token() {
        let keys = Keys::parse(KEYS);
        let payload = "one\n0";
        assert!(PossessionToken::verify(&keys, &keys.sign(Purpose::Possession, payload).unwrap()).is_some());
        for purpose in
            [Purpose::Route, Purpose::OldRoute, Purpose::CrossDomain, Purpose::Notification, Purpose::Renewal]
        {
            assert_eq!(PossessionToken::verify(&keys, &keys.sign(purpose, payload).unwrap()), None);
        }
        for damaged in ["one", "one\n", "one\nx", "\n0", "one\n-1", "one\n99999999999"] {
            assert_eq!(
                PossessionToken::verify(&keys, &keys.sign(Purpose::Possession, damaged).unwrap()),
                None,
                "{damaged}"
            );
        }
    }

    #[test]
    fn a_renewal_token_names_one_subscription() {
        let keys = Keys::parse(KEYS);
        let renewal = RenewalToken { anonymous_id: id("one"), endpoint: "https://push.example/1".to_owned() };
        let signed = renewal.sign(&keys).unwrap();
        assert_eq!(RenewalToken::verify(&keys, &signed), Some(renewal));
        assert_eq!(RenewalToken::verify(&keys, &token("one", 0)), None);
    }

    proptest! {
        #[test]
        fn any_cookie_is_read_and_only_what_was_signed_counts(cookie in "[ -~]{0,700}", at in 0_usize..90, byte in 33_u8..127) {
            let keys = Keys::parse(KEYS);
            prop_assert_eq!(HeldTokens::parse(&cookie).generation_of(&keys, &id("one")), None);
            let right = token("one", 3);
            let mut changed = right.clone().into_bytes();
            let at = at % changed.len();
            changed[at] = byte;
            let changed = String::from_utf8(changed).unwrap();
            if changed != right {
                prop_assert_eq!(HeldTokens::parse(&changed).generation_of(&keys, &id("one")), None);
            }
        }
    }
}
