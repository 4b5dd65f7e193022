//! Voluntary application server identification (RFC 8292): who sends, signed for one push service.

use std::collections::BTreeMap;

use crate::key::encode;
use crate::port::{Crypto, CryptoError};
use crate::vapid_key::VapidKey;

/// How long a token is valid, in milliseconds: 12 hours. RFC 8292 allows 24; half of that forgives a fast clock.
const LIFETIME_MS: i64 = 12 * 3_600_000;

/// How long before its end a token stops being used, in milliseconds.
const RENEWAL_MS: i64 = 3_600_000;

/// Most tokens kept. Real traffic needs one for each push service and key; wildcard hosts could make more.
const CACHE_CAPACITY: usize = 64;

/// A contact address that was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the contact must be a mailto: or https: address of at most 200 printable ASCII characters")]
pub struct SubjectError;

/// Whom a push service may contact about the sender: the `sub` claim (RFC 8292, section 2.1).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subject(String);

impl Subject {
    /// Accepts `mailto:name@host` and `https://host…`. A local host is refused, since Apple's service refuses it.
    pub fn parse(text: &str) -> Result<Self, SubjectError> {
        let ascii = text.len() <= 200 && text.bytes().all(|byte| byte.is_ascii_graphic());
        let known = match text.split_once(':') {
            Some(("mailto", address)) => is_address(address),
            Some(("https", rest)) => rest.strip_prefix("//").is_some_and(|rest| is_public_host(host_of(rest))),
            _ => false,
        };
        if ascii && known { Ok(Self(text.to_owned())) } else { Err(SubjectError) }
    }

    /// The address, as given.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

fn is_address(address: &str) -> bool {
    address.rsplit_once('@').is_some_and(|(name, host)| !name.is_empty() && is_public_host(host))
}

fn host_of(rest: &str) -> &str {
    rest.split(['/', '?', '#', ':']).next().unwrap_or_default()
}

fn is_public_host(host: &str) -> bool {
    !host.is_empty() && !host.contains('@') && host != "localhost" && !host.ends_with(".localhost")
}

/// Why no token could be made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum VapidError {
    /// The platform failed to sign: the configured key is wrong.
    #[error(transparent)]
    Crypto(#[from] CryptoError),
}

/// A signed token for one push service and key, ready for the `Authorization` header.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Token {
    authorization: String,
    expires_at: i64,
}

impl Token {
    /// The value of the `Authorization` header: `vapid t=…, k=…` (RFC 8292, section 3).
    pub fn authorization(&self) -> &str {
        &self.authorization
    }

    /// When the token ends, in milliseconds since 1970.
    pub fn expires_at(&self) -> i64 {
        self.expires_at
    }

    /// Whether the token may still be used at `now`: until an hour before it ends.
    pub fn is_fresh(&self, now: i64) -> bool {
        now < self.expires_at.saturating_sub(RENEWAL_MS)
    }
}

/// Signs a token for the push service at `origin`, valid for 12 hours from `now` (milliseconds since 1970).
pub async fn token_for(
    crypto: &impl Crypto,
    key: &VapidKey,
    subject: &Subject,
    origin: &str,
    now: i64,
) -> Result<Token, VapidError> {
    // The claim is in whole seconds, so the stored end is what the push service reads.
    let expires_s = now.saturating_add(LIFETIME_MS) / 1000;
    let unsigned = signing_input(origin, expires_s, subject);
    let signature = crypto.sign(key, unsigned.as_bytes()).await?;
    let authorization = format!("vapid t={unsigned}.{}, k={}", encode(&signature), key.public());
    Ok(Token { authorization, expires_at: expires_s * 1000 })
}

/// Header and claims of the JSON Web Token, encoded and joined: what is signed.
fn signing_input(origin: &str, expires_s: i64, subject: &Subject) -> String {
    let claims = serde_json::json!({ "aud": origin, "exp": expires_s, "sub": subject.as_str() });
    format!("{}.{}", encode(br#"{"typ":"JWT","alg":"ES256"}"#), encode(claims.to_string().as_bytes()))
}

/// Tokens in use, by push service and key: a signature costs more than everything else of a send.
#[derive(Debug, Clone, Default)]
pub struct TokenCache(BTreeMap<(String, String), Token>);

impl TokenCache {
    /// The token for `origin` and `key_id` if one is kept that may still be used at `now`.
    pub fn get(&self, origin: &str, key_id: &str, now: i64) -> Option<&Token> {
        self.0.get(&(origin.to_owned(), key_id.to_owned())).filter(|token| token.is_fresh(now))
    }

    /// Keeps a token. Where the cache is full, the one that ends first makes room.
    pub fn insert(&mut self, origin: &str, key_id: &str, token: Token) {
        self.0.insert((origin.to_owned(), key_id.to_owned()), token);
        if self.0.len() > CACHE_CAPACITY {
            let oldest = self.0.iter().min_by_key(|(_, token)| token.expires_at).map(|(key, _)| key.clone());
            oldest.and_then(|key| self.0.remove(&key));
        }
    }
}

#[cfg(test)]
mod tests {
    use p256::ecdsa::signature::Verifier;
    use p256::ecdsa::{Signature, VerifyingKey};

    use super::*;
    use crate::rust_crypto::{FixedKey, b64, now_or_never, vapid_key};

    const NOW: i64 = 1_763_800_000_123;

    /// Splits an `Authorization` value, verifies its signature and returns the two decoded JSON parts.
    fn verify(authorization: &str) -> (serde_json::Value, serde_json::Value) {
        let (token, key) = authorization.strip_prefix("vapid t=").unwrap().split_once(", k=").unwrap();
        let (unsigned, signature) = token.rsplit_once('.').unwrap();
        let verifier = VerifyingKey::from_sec1_bytes(&b64(key)).unwrap();
        verifier.verify(unsigned.as_bytes(), &Signature::from_slice(&b64(signature)).unwrap()).unwrap();
        let (header, claims) = unsigned.split_once('.').unwrap();
        (serde_json::from_slice(&b64(header)).unwrap(), serde_json::from_slice(&b64(claims)).unwrap())
    }

    fn token(origin: &str, now: i64) -> Token {
        let subject = Subject::parse("mailto:push@example.com").unwrap();
        now_or_never(token_for(&FixedKey::from_seed(9), &vapid_key("k1", 3), &subject, origin, now)).unwrap()
    }

    #[test]
    fn rfc_8292_section_2_4_verifies_and_its_claims_are_ours() {
        // The signature differs at each signing, so the example is checked with the same eyes as our own token.
        let example = "vapid t=eyJ0eXAiOiJKV1QiLCJhbGciOiJFUzI1NiJ9.eyJhdWQiOiJodHRwczovL3B1c2guZXhhbXBsZS5uZXQiLCJleHAiOjE0NTM1MjM3NjgsInN1YiI6Im1haWx0bzpwdXNoQGV4YW1wbGUuY29tIn0.i3CYb7t4xfxCDquptFOepC9GAu_HLGkMlMuCGSK2rpiUfnK9ojFwDXb1JrErtmysazNjjvW2L9OkSSHzvoD1oA, k=BA1Hxzyi1RUM1b5wjxsn7nGxAszw2u61m164i3MrAIxHF6YK5h4SDYic-dRuU_RCPCfA5aq9ojSwk5Y2EmClBPs";
        verify(example);
        let unsigned = example.strip_prefix("vapid t=").unwrap().rsplit_once('.').unwrap().0;
        let subject = Subject::parse("mailto:push@example.com").unwrap();
        assert_eq!(signing_input("https://push.example.net", 1_453_523_768, &subject), unsigned);
    }

    #[test]
    fn our_token_verifies_and_says_who_to_whom_until_when() {
        let (header, claims) = verify(token("https://web.push.apple.com", NOW).authorization());
        assert_eq!(header, serde_json::json!({"typ": "JWT", "alg": "ES256"}));
        let expires = NOW / 1000 + 12 * 3600;
        assert_eq!(
            claims,
            serde_json::json!({"aud": "https://web.push.apple.com", "exp": expires, "sub": "mailto:push@example.com"})
        );
    }

    #[test]
    fn a_token_is_renewed_an_hour_before_its_end() {
        let token = token("https://web.push.apple.com", NOW);
        assert!(token.is_fresh(token.expires_at() - 3_600_001));
        assert!(!token.is_fresh(token.expires_at() - 3_600_000));
    }

    #[test]
    fn the_cache_keys_by_service_and_key_and_stays_bounded() {
        let mut cache = TokenCache::default();
        cache.insert("https://a", "k1", token("https://a", NOW));
        assert!(cache.get("https://a", "k1", NOW).is_some());
        assert!(cache.get("https://a", "k2", NOW).is_none());
        assert!(cache.get("https://b", "k1", NOW).is_none());
        assert!(cache.get("https://a", "k1", NOW + 11 * 3_600_000).is_none());
        let later = token("https://b", NOW + 1000);
        (0..CACHE_CAPACITY).for_each(|n| cache.insert(&format!("https://{n}"), "k1", later.clone()));
        assert_eq!(cache.0.len(), CACHE_CAPACITY);
        assert!(cache.get("https://a", "k1", NOW).is_none(), "the one that ends first made room");
    }

    #[test]
    fn contacts_are_mail_or_https_addresses() {
        for good in ["mailto:push@example.com", "https://example.com", "https://example.com/contact?x"] {
            assert_eq!(Subject::parse(good).unwrap().as_str(), good);
        }
        for bad in [
            "",
            "push@example.com",
            "mailto:",
            "mailto:push",
            "mailto:@example.com",
            "mailto:a@localhost",
            "http://example.com",
            "https:example.com",
            "https://",
            "https://localhost/x",
            "https://u@localhost",
            "mailto:a@b c",
            "mailto:\u{e9}@example.com",
        ] {
            assert_eq!(Subject::parse(bad), Err(SubjectError), "{bad:?}");
        }
    }
}
