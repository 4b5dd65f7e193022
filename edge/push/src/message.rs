//! Encryption of one push message for one browser (RFC 8291).

use crate::aes128gcm;
use crate::aes128gcm::{ContentKeys, RECORD_OVERHEAD};
use crate::key::{AuthSecret, PublicKey};
use crate::port::{Agreement, Crypto, CryptoError};
use crate::subscription::Subscription;

/// Bytes of salt, record size, key ID length and key ID before the ciphertext.
const HEADER: usize = 16 + 4 + 1 + 65;

/// Most bytes of an encrypted message: what every push service must take (RFC 8030, section 7.2).
const MAX_BODY: usize = 4096;

/// Most bytes of text in one message: 3993.
pub const MAX_PLAINTEXT: usize = MAX_BODY - HEADER - RECORD_OVERHEAD;

/// The only record size ever sent. Larger than the body, so that the message is one record (RFC 8291, section 4).
const RECORD_SIZE: u32 = 4096;

/// Texts are padded up to the next of these sizes, so that a message's length tells the push service little.
const BUCKETS: [usize; 5] = [256, 512, 1024, 2048, MAX_PLAINTEXT];

/// Why a message could not be encrypted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EncryptError {
    /// The text is longer than [`MAX_PLAINTEXT`] bytes.
    #[error("the message is {0} bytes long, at most {MAX_PLAINTEXT} fit")]
    TooLong(usize),
    /// The platform failed; with a stored subscription this means a key that is no point of the curve.
    #[error(transparent)]
    Crypto(#[from] CryptoError),
}

/// Encrypts `plaintext` for the subscription's browser; the result is the body of the request, `aes128gcm`-coded.
///
/// `salt` must be 16 fresh random bytes for every message.
pub async fn encrypt(
    crypto: &impl Crypto,
    subscription: &Subscription,
    salt: &[u8; 16],
    plaintext: &[u8],
) -> Result<Vec<u8>, EncryptError> {
    let Some(bucket) = BUCKETS.into_iter().find(|&bucket| plaintext.len() <= bucket) else {
        return Err(EncryptError::TooLong(plaintext.len()));
    };
    encrypt_padded(crypto, subscription, salt, plaintext, bucket).await
}

async fn encrypt_padded(
    crypto: &impl Crypto,
    subscription: &Subscription,
    salt: &[u8; 16],
    plaintext: &[u8],
    padded_to: usize,
) -> Result<Vec<u8>, EncryptError> {
    let agreement = crypto.agree(subscription.public_key()).await?;
    let ikm = keying_material(subscription.auth(), subscription.public_key(), &agreement);
    let keys = ContentKeys::derive(&ikm, salt);
    let record = aes128gcm::only_record(plaintext, padded_to);
    let ciphertext = crypto.seal(&keys.key, &keys.nonce, &record).await?;
    let mut body = aes128gcm::header(salt, RECORD_SIZE, agreement.public.as_bytes());
    body.extend_from_slice(&ciphertext);
    Ok(body)
}

/// Section 3.3 and 3.4: mixes the agreed secret with the authentication secret and both public keys.
fn keying_material(auth: &AuthSecret, browser: &PublicKey, agreement: &Agreement) -> [u8; 32] {
    let prk = aes128gcm::hmac_sha256(auth.as_bytes(), &[&agreement.shared]);
    aes128gcm::expand(&prk, &[b"WebPush: info\0", browser.as_bytes(), agreement.public.as_bytes()])
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::rust_crypto::{Browser, FixedKey, b64, now_or_never};

    #[test]
    fn rfc_8291_appendix_a() {
        let browser = Browser::with_key("q1dXpw3UpT5VOmu_cf_v6ih07Aems3njxI-JWgLcM94", "BTBZMqHH6r4Tts7J_aSIgg");
        let crypto = FixedKey::new("yfWPiYE-n46HLnH0KqZOF1fJJU3MYrct3AELtAQ-oRw");
        let salt: [u8; 16] = b64("DGv6ra1nlYgDCS1FRnbzlw").try_into().unwrap();
        let text = b"When I grow up, I want to be a watermelon";
        let body = now_or_never(encrypt_padded(&crypto, &browser.subscription(), &salt, text, 0)).unwrap();
        assert_eq!(
            body,
            b64(
                "DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3jl7A_yl95bQpu6cVPTpK4Mqgkf1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLVWGNWQexSgSxsj_Qulcy4a-fN"
            )
        );
    }

    #[test]
    fn the_longest_text_fills_exactly_4096_bytes_and_one_more_is_refused() {
        let browser = Browser::with_key("q1dXpw3UpT5VOmu_cf_v6ih07Aems3njxI-JWgLcM94", "BTBZMqHH6r4Tts7J_aSIgg");
        let crypto = FixedKey::new("yfWPiYE-n46HLnH0KqZOF1fJJU3MYrct3AELtAQ-oRw");
        let send = |length| now_or_never(encrypt(&crypto, &browser.subscription(), &[7; 16], &vec![b'x'; length]));
        assert_eq!(MAX_PLAINTEXT, 3993);
        assert_eq!(send(3993).unwrap().len(), 4096);
        assert_eq!(send(3994), Err(EncryptError::TooLong(3994)));
    }

    #[test]
    fn a_point_off_the_curve_is_an_error_and_not_a_message() {
        let crypto = FixedKey::new("yfWPiYE-n46HLnH0KqZOF1fJJU3MYrct3AELtAQ-oRw");
        let mut point = [0; 65];
        point[0] = 4;
        let bad = Browser::subscription_of(PublicKey::from_bytes(point).unwrap(), "BTBZMqHH6r4Tts7J_aSIgg");
        assert!(matches!(now_or_never(encrypt(&crypto, &bad, &[7; 16], b"x")), Err(EncryptError::Crypto(_))));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]
        #[test]
        fn the_browser_reads_what_was_sent(
            text in proptest::collection::vec(any::<u8>(), 0..=MAX_PLAINTEXT),
            salt in any::<[u8; 16]>(),
            theirs in 1u8.., ours in 1u8..,
        ) {
            let browser = Browser::from_seed(theirs);
            let crypto = FixedKey::from_seed(ours);
            let body = now_or_never(encrypt(&crypto, &browser.subscription(), &salt, &text)).unwrap();
            prop_assert_eq!(browser.decrypt(&body), text.clone());
            let visible = body.len() - HEADER - RECORD_OVERHEAD;
            prop_assert!(BUCKETS.contains(&visible), "length {} leaks as {}", text.len(), visible);
        }
    }
}
