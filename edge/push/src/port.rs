//! The cryptographic primitives that the platform provides. Everything else of web push is in this crate.
//!
//! The edge implements the port with `crypto.subtle`, which is about ten times as fast in workerd as the same
//! primitives compiled to WebAssembly; tests implement it with RustCrypto.

use crate::key::PublicKey;
use crate::vapid_key::VapidKey;

/// The platform refused or failed an operation: a point off the curve, a malformed key, an unavailable algorithm.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("crypto: {0}")]
pub struct CryptoError(
    /// What the platform said, for the log.
    pub String,
);

/// The result of a key agreement with a fresh key pair of ours.
#[derive(Clone, PartialEq, Eq)]
pub struct Agreement {
    /// Our public key of this message; it travels in the message's header.
    pub public: PublicKey,
    /// The x coordinate of the shared point, 32 bytes.
    pub shared: [u8; 32],
}

/// Primitives over P-256 and AES that framing needs.
#[allow(async_fn_in_trait)] // One worker is one thread: no caller needs the futures to be `Send`.
pub trait Crypto {
    /// Fails unless `point` lies on the curve P-256. With WebCrypto: `importKey("raw", …, "ECDH")`.
    async fn check_point(&self, point: &PublicKey) -> Result<(), CryptoError>;

    /// Makes a fresh key pair, agrees on a secret with `peer` and forgets the private key. A key pair must never
    /// serve two messages (RFC 8291, section 3.1). Fails if `peer` is not on the curve.
    async fn agree(&self, peer: &PublicKey) -> Result<Agreement, CryptoError>;

    /// AES-128-GCM without additional data; the 16-byte tag follows the ciphertext.
    async fn seal(&self, key: &[u8; 16], nonce: &[u8; 12], plaintext: &[u8]) -> Result<Vec<u8>, CryptoError>;

    /// ECDSA with P-256 and SHA-256 over `message`; r and s, 32 bytes each (ES256, RFC 7518, section 3.4).
    async fn sign(&self, key: &VapidKey, message: &[u8]) -> Result<[u8; 64], CryptoError>;
}
