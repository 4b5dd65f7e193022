//! The `aes128gcm` content coding of RFC 8188, for content that fits one record, as every push message does.

use hmac::{Hmac, Mac};
use sha2::Sha256;

/// Bytes that the last record adds to its text: the delimiter and the tag.
pub(super) const RECORD_OVERHEAD: usize = 1 + 16;

/// Marks the last record; zero bytes of padding may follow (RFC 8188, section 2).
const LAST_RECORD: u8 = 2;

/// Key and nonce of the first record, derived from the input keying material and the salt (section 2.2 and 2.3).
pub(super) struct ContentKeys {
    pub(super) key: [u8; 16],
    pub(super) nonce: [u8; 12],
}

impl ContentKeys {
    pub(super) fn derive(ikm: &[u8], salt: &[u8; 16]) -> Self {
        let prk = hmac_sha256(salt, &[ikm]);
        // The sequence number of the first record is zero, so the derived nonce is used as it is.
        Self {
            key: expand(&prk, &[b"Content-Encoding: aes128gcm\0"]),
            nonce: expand(&prk, &[b"Content-Encoding: nonce\0"]),
        }
    }
}

/// The header: salt, record size, key ID (section 2.1). `key_id` is at most 255 bytes.
pub(super) fn header(salt: &[u8; 16], record_size: u32, key_id: &[u8]) -> Vec<u8> {
    let length = u8::try_from(key_id.len()).unwrap_or(u8::MAX);
    let mut out = Vec::with_capacity(21 + key_id.len());
    out.extend_from_slice(salt);
    out.extend_from_slice(&record_size.to_be_bytes());
    out.push(length);
    out.extend(key_id.iter().take(length.into()));
    out
}

/// The plaintext of the only record: text, delimiter, then zeros until `text_size` bytes of text are simulated.
/// A `text_size` not above the text's own length adds nothing.
pub(super) fn only_record(text: &[u8], text_size: usize) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len().max(text_size) + RECORD_OVERHEAD);
    out.extend_from_slice(text);
    out.push(LAST_RECORD);
    out.resize(text.len().max(text_size) + 1, 0);
    out
}

/// HKDF-Expand (RFC 5869, section 2.3) for at most one block of SHA-256.
pub(super) fn expand<const N: usize>(prk: &[u8; 32], info: &[&[u8]]) -> [u8; N] {
    const { assert!(N <= 32) };
    let mut parts = info.to_vec();
    parts.push(&[1]);
    let block = hmac_sha256(prk, &parts);
    let mut out = [0; N];
    out.iter_mut().zip(block).for_each(|(to, from)| *to = from);
    out
}

/// HMAC-SHA-256 over the concatenation of `parts`; also HKDF-Extract with `key` as the salt.
pub(super) fn hmac_sha256(key: &[u8], parts: &[&[u8]]) -> [u8; 32] {
    // HMAC takes a key of any length, so this constructor has no error to give; an empty MAC would only ever
    // produce an undecryptable message.
    let Ok(mut mac) = <Hmac<Sha256> as Mac>::new_from_slice(key) else { return [0; 32] };
    parts.iter().for_each(|part| mac.update(part));
    mac.finalize().into_bytes().into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rust_crypto::{b64, seal};

    #[test]
    fn rfc_8188_section_3_1() {
        let salt: [u8; 16] = b64("I1BsxtFttlv3u_Oo94xnmw").try_into().unwrap();
        let keys = ContentKeys::derive(&b64("yqdlZ-tYemfogSmv7Ws5PQ"), &salt);
        assert_eq!(keys.key.to_vec(), b64("_wniytB-ofscZDh4tbSjHw"));
        assert_eq!(keys.nonce.to_vec(), b64("Bcs8gkIRKLI8GeI8"));
        let mut message = header(&salt, 4096, b"");
        message.extend(seal(&keys.key, &keys.nonce, &only_record(b"I am the walrus", 0)));
        assert_eq!(message, b64("I1BsxtFttlv3u_Oo94xnmwAAEAAA-NAVub2qFgBEuQKRapoZu-IxkIva3MEB1PD-ly8Thjg"));
    }

    #[test]
    fn padding_follows_the_delimiter() {
        assert_eq!(only_record(b"ab", 4), b"ab\x02\0\0");
        assert_eq!(only_record(b"ab", 1), b"ab\x02");
    }
}
