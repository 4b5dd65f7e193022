//! Identify proofs: HMAC-SHA-256 (RFC 2104) of the user ID, made by the shop's server, in hex.

use hmac::{Hmac, Mac};
use sha2::Sha256;

use endcap_protocol::UserId;

/// The proof for a user ID.
#[must_use]
pub fn prove(secret: &[u8], user_id: &UserId) -> String {
    mac(secret, user_id).finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Whether `proof` is the proof for `user_id`, compared in constant time. Nothing is proved by an empty secret.
#[must_use]
pub fn verify(secret: &[u8], user_id: &UserId, proof: &str) -> bool {
    let bytes = unhex(proof);
    !secret.is_empty() && bytes.is_some_and(|bytes| mac(secret, user_id).verify_slice(&bytes).is_ok())
}

fn mac(secret: &[u8], user_id: &UserId) -> Hmac<Sha256> {
    let mut mac = <Hmac<Sha256> as Mac>::new_from_slice(secret)
        .unwrap_or_else(|never| unreachable!("HMAC takes keys of any length: {never}"));
    mac.update(user_id.as_str().as_bytes());
    mac
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    let digits: Option<Vec<u32>> = text.chars().map(|c| c.to_digit(16)).collect();
    let digits = digits.filter(|digits| digits.len() % 2 == 0)?;
    Some(digits.chunks_exact(2).map(|pair| pair.iter().fold(0, |byte, digit| (byte << 4) | *digit as u8)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_shops_secret_proves_a_user() {
        let (ann, bob) = (UserId::parse("ann").unwrap(), UserId::parse("bob").unwrap());
        let proof = prove(b"secret", &ann);
        assert!(verify(b"secret", &ann, &proof));
        assert!(verify(b"secret", &ann, &proof.to_uppercase()));
        assert!(!verify(b"secret", &bob, &proof));
        assert!(!verify(b"other", &ann, &proof));
        assert!(!verify(b"secret", &ann, ""));
        assert!(!verify(b"secret", &ann, "zz"));
        assert!(!verify(b"", &ann, &prove(b"", &ann)));
    }

    #[test]
    fn is_the_hmac_that_other_languages_make() {
        // RFC 4231, test case 2.
        let user = UserId::parse("what do ya want for nothing?").unwrap();
        assert_eq!(prove(b"Jefe", &user), "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
    }
}
