//! The engine's crypto port over `crypto.subtle`: native code of the platform, some ten times as fast as the same
//! primitives compiled to WebAssembly.
//!
//! Nothing here has a meaning of its own: framing, claims and checks are the engine's, keys come parsed.

use endcap_push::VapidKey;
use endcap_push::{Agreement, Crypto, CryptoError, PublicKey};
use js_sys::{Array, ArrayBuffer, Promise, Uint8Array};
use serde::{Deserialize, Serialize, Serializer};
use wasm_bindgen::prelude::{JsCast, JsValue, wasm_bindgen};
use wasm_bindgen_futures::JsFuture;

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(catch, js_namespace = ["crypto", "subtle"], js_name = generateKey)]
    fn generate_key(algorithm: &JsValue, extractable: bool, usages: &Array) -> Result<Promise, JsValue>;

    #[wasm_bindgen(catch, js_namespace = ["crypto", "subtle"], js_name = importKey)]
    fn import_key(
        format: &str,
        key: &JsValue,
        algorithm: &JsValue,
        extractable: bool,
        usages: &Array,
    ) -> Result<Promise, JsValue>;

    #[wasm_bindgen(catch, js_namespace = ["crypto", "subtle"], js_name = exportKey)]
    fn export_key(format: &str, key: &JsValue) -> Result<Promise, JsValue>;

    #[wasm_bindgen(catch, js_namespace = ["crypto", "subtle"], js_name = deriveBits)]
    fn derive_bits(algorithm: &JsValue, key: &JsValue, length: u32) -> Result<Promise, JsValue>;

    #[wasm_bindgen(catch, js_namespace = ["crypto", "subtle"])]
    fn encrypt(algorithm: &JsValue, key: &JsValue, data: &Uint8Array) -> Result<Promise, JsValue>;

    #[wasm_bindgen(catch, js_namespace = ["crypto", "subtle"])]
    fn sign(algorithm: &JsValue, key: &JsValue, data: &Uint8Array) -> Result<Promise, JsValue>;
}

/// An algorithm by its name and what else it needs (Web Cryptography API §18).
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Algorithm {
    name: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    named_curve: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    hash: Option<&'static str>,
}

/// Key agreement with a peer.
#[derive(Serialize)]
struct EcdhDerive {
    name: &'static str,
    #[serde(with = "serde_wasm_bindgen::preserve")]
    public: JsValue,
}

/// Authenticated encryption under a nonce.
#[derive(Serialize)]
struct AesGcm<'a> {
    name: &'static str,
    #[serde(serialize_with = "as_bytes")]
    iv: &'a [u8],
}

/// A private key as a JSON Web Key (RFC 7517), the one format in which every platform takes a bare scalar.
#[derive(Serialize)]
struct SigningJwk {
    kty: &'static str,
    crv: &'static str,
    x: String,
    y: String,
    d: String,
}

/// A key pair as the platform makes it.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct KeyPair {
    #[serde(with = "serde_wasm_bindgen::preserve")]
    public_key: JsValue,
    #[serde(with = "serde_wasm_bindgen::preserve")]
    private_key: JsValue,
}

const ECDH: Algorithm = Algorithm { name: "ECDH", named_curve: Some("P-256"), hash: None };
const ECDSA: Algorithm = Algorithm { name: "ECDSA", named_curve: Some("P-256"), hash: None };
const ECDSA_SHA_256: Algorithm = Algorithm { name: "ECDSA", named_curve: None, hash: Some("SHA-256") };

/// The platform's cryptography. Has no state, so each use makes its own.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct WebCrypto;

impl Crypto for WebCrypto {
    async fn check_point(&self, point: &PublicKey) -> Result<(), CryptoError> {
        import_peer(point).await.map(drop)
    }

    async fn agree(&self, peer: &PublicKey) -> Result<Agreement, CryptoError> {
        let peer = import_peer(peer).await?;
        // Not extractable concerns the private half only; a public key can always be exported.
        let ours = wait(generate_key(&value(&ECDH)?, false, &usages(&["deriveBits"]))).await?;
        let ours: KeyPair = serde_wasm_bindgen::from_value(ours).map_err(|error| CryptoError(error.to_string()))?;
        let public = wait(export_key("raw", &ours.public_key)).await?;
        let with_peer = value(&EcdhDerive { name: "ECDH", public: peer })?;
        let shared = wait(derive_bits(&with_peer, &ours.private_key, 256)).await?;
        let public = PublicKey::from_bytes(fixed(&bytes(public)?)?).map_err(|error| CryptoError(error.to_string()))?;
        Ok(Agreement { public, shared: fixed(&bytes(shared)?)? })
    }

    async fn seal(&self, key: &[u8; 16], nonce: &[u8; 12], plaintext: &[u8]) -> Result<Vec<u8>, CryptoError> {
        let raw = Uint8Array::from(key.as_slice());
        let key = wait(import_key("raw", &raw, &"AES-GCM".into(), false, &usages(&["encrypt"]))).await?;
        let algorithm = value(&AesGcm { name: "AES-GCM", iv: nonce })?;
        let sealed = wait(encrypt(&algorithm, &key, &Uint8Array::from(plaintext))).await?;
        Ok(bytes(sealed)?.to_vec())
    }

    async fn sign(&self, key: &VapidKey, message: &[u8]) -> Result<[u8; 64], CryptoError> {
        let (x, y) = key.public().coordinates();
        let jwk = value(&SigningJwk { kty: "EC", crv: "P-256", x, y, d: key.secret().to_base64url() })?;
        let key = wait(import_key("jwk", &jwk, &value(&ECDSA)?, false, &usages(&["sign"]))).await?;
        let signature = wait(sign(&value(&ECDSA_SHA_256)?, &key, &Uint8Array::from(message))).await?;
        fixed(&bytes(signature)?)
    }
}

/// Fails where the point is not on the curve.
async fn import_peer(point: &PublicKey) -> Result<JsValue, CryptoError> {
    let raw = Uint8Array::from(point.as_bytes().as_slice());
    wait(import_key("raw", &raw, &value(&ECDH)?, false, &Array::new())).await
}

fn usages(names: &[&str]) -> Array {
    names.iter().map(|name| JsValue::from_str(name)).collect()
}

/// The object that the platform takes.
fn value<T: Serialize>(members: &T) -> Result<JsValue, CryptoError> {
    serde_wasm_bindgen::to_value(members).map_err(|error| CryptoError(error.to_string()))
}

fn as_bytes<S: Serializer>(bytes: &[u8], to: S) -> Result<S::Ok, S::Error> {
    to.serialize_bytes(bytes)
}

async fn wait(started: Result<Promise, JsValue>) -> Result<JsValue, CryptoError> {
    let promise = started.map_err(|error| failure(&error))?;
    JsFuture::from(promise).await.map_err(|error| failure(&error))
}

fn bytes(value: JsValue) -> Result<Uint8Array, CryptoError> {
    let buffer: ArrayBuffer = value.dyn_into().map_err(|value| failure(&value))?;
    Ok(Uint8Array::new(&buffer))
}

fn fixed<const N: usize>(bytes: &Uint8Array) -> Result<[u8; N], CryptoError> {
    bytes.to_vec().try_into().map_err(|bytes: Vec<u8>| CryptoError(format!("{} bytes instead of {N}", bytes.len())))
}

fn failure(error: &JsValue) -> CryptoError {
    CryptoError(error.dyn_ref::<js_sys::Error>().map_or_else(|| format!("{error:?}"), |error| error.message().into()))
}
