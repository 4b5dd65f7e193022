//! Key material of web push as newtypes of fixed length, parsed from base64url.

use base64::Engine as _;
use base64::alphabet::URL_SAFE;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use core::fmt;

/// Reads base64url with or without `=`: browsers write none, other vendors' exports often do.
const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &URL_SAFE,
    GeneralPurposeConfig::new().with_encode_padding(false).with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// Why a key was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// Not base64url.
    #[error("the key is not base64url")]
    Encoding,
    /// Decodes to the wrong number of bytes.
    #[error("the key must be {expected} bytes long")]
    Length {
        /// How many bytes the key must have.
        expected: usize,
    },
    /// 65 bytes that are no uncompressed point (the first byte is not 4).
    #[error("the key is not an uncompressed point")]
    Form,
}

/// A P-256 public key: an uncompressed point, 65 bytes beginning with 4 (RFC 8291, section 3.1).
///
/// Its form is checked here; that the point lies on the curve is for [`Crypto::check_point`](crate::Crypto::check_point),
/// which the platform's own implementation answers.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct PublicKey([u8; 65]);

impl PublicKey {
    /// Takes the 65 bytes of an uncompressed point.
    pub fn from_bytes(bytes: [u8; 65]) -> Result<Self, KeyError> {
        if bytes.first() == Some(&4) { Ok(Self(bytes)) } else { Err(KeyError::Form) }
    }

    /// Reads base64url.
    pub fn parse(text: &str) -> Result<Self, KeyError> {
        Self::from_bytes(decode(text)?)
    }

    /// The 65 bytes.
    pub fn as_bytes(&self) -> &[u8; 65] {
        &self.0
    }

    /// The two coordinates, as base64url: `x` and `y` of a JSON Web Key (RFC 7518, section 6.2.1).
    pub fn coordinates(&self) -> (String, String) {
        let (x, y) = self.0.get(1..).unwrap_or_default().split_at(32);
        (encode(x), encode(y))
    }
}

impl fmt::Display for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&encode(&self.0))
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PublicKey({self})")
    }
}

/// The 16 random bytes that a browser shares with the shop only (RFC 8291, section 3.2).
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct AuthSecret([u8; 16]);

impl AuthSecret {
    /// Reads base64url.
    pub fn parse(text: &str) -> Result<Self, KeyError> {
        decode(text).map(Self)
    }

    /// The 16 bytes.
    pub fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }

    /// The secret as base64url, for storage.
    pub fn to_base64url(&self) -> String {
        encode(&self.0)
    }
}

impl fmt::Debug for AuthSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AuthSecret(…)")
    }
}

/// A P-256 private key: its 32-byte scalar.
#[derive(Clone, PartialEq, Eq)]
pub struct SecretKey([u8; 32]);

impl SecretKey {
    /// Reads base64url, as the usual VAPID tools write it.
    pub fn parse(text: &str) -> Result<Self, KeyError> {
        decode(text).map(Self)
    }

    /// The 32 bytes, most significant first.
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// The scalar as base64url: `d` of a JSON Web Key (RFC 7518, section 6.2.2).
    pub fn to_base64url(&self) -> String {
        encode(&self.0)
    }
}

impl fmt::Debug for SecretKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretKey(…)")
    }
}

/// base64url without padding (RFC 4648, section 5).
pub(super) fn encode(bytes: &[u8]) -> String {
    LENIENT.encode(bytes)
}

fn decode<const N: usize>(text: &str) -> Result<[u8; N], KeyError> {
    // Longer text cannot fit, and decoding it would let the sender choose how much memory is used.
    if text.len() > 4 * N.div_ceil(3) {
        return Err(KeyError::Length { expected: N });
    }
    let bytes = LENIENT.decode(text).map_err(|_| KeyError::Encoding)?;
    bytes.try_into().map_err(|_| KeyError::Length { expected: N })
}

#[cfg(test)]
mod tests {
    use super::*;

    const POINT: &str = "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4";

    #[test]
    fn a_point_reads_back_with_and_without_padding() {
        let key = PublicKey::parse(POINT).unwrap();
        assert_eq!(key.to_string(), POINT);
        assert_eq!(PublicKey::parse(&format!("{POINT}=")), Ok(key));
        let (x, y) = key.coordinates();
        assert_eq!(
            (x.as_str(), y.as_str()),
            ("JXGyvs3942BVGq8e0PTNNmwRzr5VX4m8t7GGpTM5FzE", "aOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4")
        );
    }

    #[test]
    fn wrong_keys_are_refused_each_for_its_reason() {
        assert_eq!(PublicKey::parse(""), Err(KeyError::Length { expected: 65 }));
        assert_eq!(PublicKey::parse("****"), Err(KeyError::Encoding));
        assert_eq!(PublicKey::parse(&POINT.replacen("BC", "CC", 1)), Err(KeyError::Form));
        assert_eq!(PublicKey::parse(&POINT.repeat(100)), Err(KeyError::Length { expected: 65 }));
        assert_eq!(PublicKey::from_bytes([2; 65]), Err(KeyError::Form));
        assert_eq!(AuthSecret::parse("BTBZMqHH6r4Tts7J"), Err(KeyError::Length { expected: 16 }));
        assert!(SecretKey::parse("q1dXpw3UpT5VOmu_cf_v6ih07Aems3njxI-JWgLcM94").is_ok());
    }

    #[test]
    fn secrets_do_not_show_in_debug_output() {
        let auth = AuthSecret::parse("BTBZMqHH6r4Tts7J_aSIgg").unwrap();
        let secret = SecretKey::parse("q1dXpw3UpT5VOmu_cf_v6ih07Aems3njxI-JWgLcM94").unwrap();
        assert_eq!(format!("{auth:?} {secret:?}"), "AuthSecret(…) SecretKey(…)");
    }
}
