//! The engine's crypto port over `crypto.subtle`: native code of the platform, some ten times as fast as the same
//! primitives compiled to WebAssembly.
//!
//! Nothing here has a meaning of its own: framing, claims and checks are the engine's, keys come parsed.

use endcap_push::VapidKey;
use endcap_push::{Agreement, Crypto, CryptoError, PublicKey};
use js_sys::{Array, ArrayBuffer, Object, Promise, Reflect, Uint8Array};
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
        let ours = wait(generate_key(&ecdh(), false, &usages(&["deriveBits"]))).await?;
        let public = wait(export_key("raw", &get(&ours, "publicKey")?)).await?;
        let with_peer = object(&[("name", "ECDH".into()), ("public", peer)]);
        let shared = wait(derive_bits(&with_peer, &get(&ours, "privateKey")?, 256)).await?;
        let public = PublicKey::from_bytes(fixed(&bytes(public)?)?).map_err(|error| CryptoError(error.to_string()))?;
        Ok(Agreement { public, shared: fixed(&bytes(shared)?)? })
    }

    async fn seal(&self, key: &[u8; 16], nonce: &[u8; 12], plaintext: &[u8]) -> Result<Vec<u8>, CryptoError> {
        let raw = Uint8Array::from(key.as_slice());
        let key = wait(import_key("raw", &raw, &"AES-GCM".into(), false, &usages(&["encrypt"]))).await?;
        let nonce = Uint8Array::from(nonce.as_slice());
        let algorithm = object(&[("name", "AES-GCM".into()), ("iv", nonce.into())]);
        let sealed = wait(encrypt(&algorithm, &key, &Uint8Array::from(plaintext))).await?;
        Ok(bytes(sealed)?.to_vec())
    }

    async fn sign(&self, key: &VapidKey, message: &[u8]) -> Result<[u8; 64], CryptoError> {
        let algorithm = object(&[("name", "ECDSA".into()), ("namedCurve", "P-256".into())]);
        let key = wait(import_key("jwk", &signing_jwk(key), &algorithm, false, &usages(&["sign"]))).await?;
        let algorithm = object(&[("name", "ECDSA".into()), ("hash", "SHA-256".into())]);
        let signature = wait(sign(&algorithm, &key, &Uint8Array::from(message))).await?;
        fixed(&bytes(signature)?)
    }
}

/// A private key as a JSON Web Key (RFC 7517), the one format in which every platform takes a bare scalar.
fn signing_jwk(key: &VapidKey) -> JsValue {
    let (x, y) = key.public().coordinates();
    let d = key.secret().to_base64url();
    object(&[("kty", "EC".into()), ("crv", "P-256".into()), ("x", x.into()), ("y", y.into()), ("d", d.into())])
}

/// Fails where the point is not on the curve.
async fn import_peer(point: &PublicKey) -> Result<JsValue, CryptoError> {
    let raw = Uint8Array::from(point.as_bytes().as_slice());
    wait(import_key("raw", &raw, &ecdh(), false, &Array::new())).await
}

fn ecdh() -> JsValue {
    object(&[("name", "ECDH".into()), ("namedCurve", "P-256".into())])
}

fn usages(names: &[&str]) -> Array {
    names.iter().map(|name| JsValue::from_str(name)).collect()
}

fn object(members: &[(&str, JsValue)]) -> JsValue {
    let object = Object::new();
    for (name, value) in members {
        // Setting a member of a fresh plain object cannot fail.
        let _ = Reflect::set(&object, &JsValue::from_str(name), value);
    }
    object.into()
}

fn get(object: &JsValue, name: &str) -> Result<JsValue, CryptoError> {
    Reflect::get(object, &JsValue::from_str(name)).map_err(|error| failure(&error))
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
