//! The crypto port over RustCrypto with fixed keys, and a browser's side of RFC 8291 written independently of the
//! sender's (over the `hkdf` crate), for tests.

use core::pin::pin;
use core::task::{Context, Poll, Waker};

use aes_gcm::aead::Aead;
use aes_gcm::{Aes128Gcm, KeyInit, Nonce};
use base64::Engine as _;
use hkdf::Hkdf;
use p256::ecdsa::signature::Signer;
use p256::elliptic_curve::sec1::ToEncodedPoint;
use sha2::Sha256;

use crate::Loopback;
use crate::key::{AuthSecret, PublicKey, SecretKey, encode};
use crate::port::{Agreement, Crypto, CryptoError};
use crate::subscription::{RawKeys, RawSubscription, Subscription};
use crate::vapid_key::VapidKey;

/// Runs a future that never waits, as all are whose port answers at once.
pub(crate) fn now_or_never<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => value,
        Poll::Pending => panic!("the future waits for something"),
    }
}

pub(crate) fn b64(text: &str) -> Vec<u8> {
    base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(text).unwrap()
}

pub(crate) fn seal(key: &[u8; 16], nonce: &[u8; 12], plaintext: &[u8]) -> Vec<u8> {
    Aes128Gcm::new(key.into()).encrypt(Nonce::from_slice(nonce), plaintext).unwrap()
}

fn public_of(secret: &p256::SecretKey) -> PublicKey {
    let point = secret.public_key().to_encoded_point(false);
    PublicKey::from_bytes(point.as_bytes().try_into().unwrap()).unwrap()
}

fn import(point: &PublicKey) -> Result<p256::PublicKey, CryptoError> {
    p256::PublicKey::from_sec1_bytes(point.as_bytes()).map_err(|error| CryptoError(error.to_string()))
}

fn shared_with(ours: &p256::SecretKey, peer: &p256::PublicKey) -> [u8; 32] {
    (*p256::ecdh::diffie_hellman(ours.to_nonzero_scalar(), peer.as_affine()).raw_secret_bytes()).into()
}

/// The port with one "ephemeral" key, always the same.
pub(crate) struct FixedKey(p256::SecretKey);

impl FixedKey {
    pub(crate) fn new(secret: &str) -> Self {
        Self(p256::SecretKey::from_slice(&b64(secret)).unwrap())
    }

    pub(crate) fn from_seed(seed: u8) -> Self {
        Self(
            p256::SecretKey::from_slice(&[seed.max(1); 32])
                .unwrap_or_else(|_| p256::SecretKey::from_slice(&[1; 32]).unwrap()),
        )
    }
}

impl Crypto for FixedKey {
    async fn check_point(&self, point: &PublicKey) -> Result<(), CryptoError> {
        import(point).map(drop)
    }

    async fn agree(&self, peer: &PublicKey) -> Result<Agreement, CryptoError> {
        Ok(Agreement { public: public_of(&self.0), shared: shared_with(&self.0, &import(peer)?) })
    }

    async fn seal(&self, key: &[u8; 16], nonce: &[u8; 12], plaintext: &[u8]) -> Result<Vec<u8>, CryptoError> {
        Ok(seal(key, nonce, plaintext))
    }

    async fn sign(&self, key: &VapidKey, message: &[u8]) -> Result<[u8; 64], CryptoError> {
        let signer =
            p256::ecdsa::SigningKey::from_slice(key.secret().as_bytes()).map_err(|e| CryptoError(e.to_string()))?;
        let signature: p256::ecdsa::Signature = signer.sign(message);
        Ok(signature.to_bytes().into())
    }
}

/// A browser that subscribed: it holds the private key and decrypts what arrives.
pub(crate) struct Browser {
    secret: p256::SecretKey,
    auth: AuthSecret,
}

impl Browser {
    pub(crate) fn with_key(secret: &str, auth: &str) -> Self {
        Self { secret: p256::SecretKey::from_slice(&b64(secret)).unwrap(), auth: AuthSecret::parse(auth).unwrap() }
    }

    pub(crate) fn from_seed(seed: u8) -> Self {
        Self::with_key(&encode(&[seed.clamp(1, 250); 32]), &encode(&[seed; 16]))
    }

    pub(crate) fn subscription(&self) -> Subscription {
        Self::subscription_of(public_of(&self.secret), &self.auth.to_base64url())
    }

    pub(crate) fn subscription_of(public: PublicKey, auth: &str) -> Subscription {
        let keys = RawKeys { p256dh: public.to_string(), auth: auth.into() };
        let endpoint = "https://updates.push.services.mozilla.com/wpush/v2/abc".into();
        RawSubscription { endpoint, keys }.validate(Loopback::Forbidden).unwrap()
    }

    /// RFC 8291 as the receiver does it; panics on anything malformed.
    pub(crate) fn decrypt(&self, body: &[u8]) -> Vec<u8> {
        let (salt, rest) = body.split_at(16);
        let (record_size, rest) = rest.split_at(4);
        assert_eq!(record_size, 4096u32.to_be_bytes());
        assert!(body.len() <= 4096);
        let (length, rest) = rest.split_at(1);
        let (sender, ciphertext) = rest.split_at(length[0].into());
        let shared = shared_with(&self.secret, &p256::PublicKey::from_sec1_bytes(sender).unwrap());
        let mut info = b"WebPush: info\0".to_vec();
        info.extend_from_slice(public_of(&self.secret).as_bytes());
        info.extend_from_slice(sender);
        let (mut ikm, mut key, mut nonce) = ([0; 32], [0; 16], [0; 12]);
        Hkdf::<Sha256>::new(Some(self.auth.as_bytes()), &shared).expand(&info, &mut ikm).unwrap();
        let content = Hkdf::<Sha256>::new(Some(salt), &ikm);
        content.expand(b"Content-Encoding: aes128gcm\0", &mut key).unwrap();
        content.expand(b"Content-Encoding: nonce\0", &mut nonce).unwrap();
        let mut text = Aes128Gcm::new(&key.into()).decrypt(Nonce::from_slice(&nonce), ciphertext).unwrap();
        while text.pop_if(|byte| *byte == 0).is_some() {}
        assert_eq!(text.pop(), Some(2), "the delimiter of the last record");
        text
    }
}

/// A VAPID key pair made from one byte.
pub(crate) fn vapid_key(id: &str, seed: u8) -> VapidKey {
    let secret = p256::SecretKey::from_slice(&[seed.clamp(1, 250); 32]).unwrap();
    VapidKey::new(id, public_of(&secret), SecretKey::parse(&encode(&secret.to_bytes())).unwrap())
}
