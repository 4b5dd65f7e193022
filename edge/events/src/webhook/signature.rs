//! Who sent a webhook: an HMAC over the raw body, as each kind of sender makes it.
//!
//! Role in the flow of one event: before the body is parsed. The edge does not look at a body that the source's secret
//! did not sign.

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use hmac::{Hmac, Mac};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sha2::Sha256;

use endcap_protocol::UnixMillis;

/// How far a signature's time may lie from ours, in seconds.
const TOLERANCE_SECONDS: i64 = 300;

/// How a sender signs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Scheme {
    /// `X-Shopify-Hmac-Sha256`: base64 of HMAC-SHA-256 of the body
    /// (<https://shopify.dev/docs/apps/build/webhooks/verify-deliveries>).
    Shopify,
    /// `X-WC-Webhook-Signature`: base64 of HMAC-SHA-256 of the body
    /// (<https://woocommerce.github.io/woocommerce-rest-api-docs/#webhooks>).
    Woocommerce,
    /// `X-Endcap-Signature: t=<Unix seconds>,v1=<hex of HMAC-SHA-256 of "<t>.<body>">`, at most five minutes old.
    Endcap,
}

/// Why a webhook is not believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SignatureError {
    /// The header is missing or malformed.
    Malformed,
    /// The signature is by another secret, or of another body.
    Wrong,
    /// The signature's time is over five minutes away.
    Stale,
}

impl SignatureError {
    /// What to do about it.
    #[must_use]
    pub fn message(self) -> &'static str {
        match self {
            Self::Malformed => "the signature's header is missing or malformed",
            Self::Wrong => "the signature is not that of this body by the source's secret in ENDCAP_WEBHOOK_SECRETS",
            Self::Stale => "the signature's time is over five minutes away from the edge's clock",
        }
    }
}

impl Scheme {
    /// The header that carries the signature, in lower case.
    #[must_use]
    pub fn header(self) -> &'static str {
        match self {
            Self::Shopify => "x-shopify-hmac-sha256",
            Self::Woocommerce => "x-wc-webhook-signature",
            Self::Endcap => "x-endcap-signature",
        }
    }

    /// The header that names the delivery, the same in each try, in lower case.
    #[must_use]
    pub fn delivery_header(self) -> &'static str {
        match self {
            Self::Shopify => "x-shopify-webhook-id",
            Self::Woocommerce => "x-wc-webhook-delivery-id",
            Self::Endcap => "x-endcap-delivery",
        }
    }

    /// Checks a signature at `now`, in constant time for what depends on the secret.
    ///
    /// # Errors
    /// Why the signature is refused. An empty secret refuses everything.
    pub fn verify(self, secret: &[u8], given: &str, body: &[u8], now: UnixMillis) -> Result<(), SignatureError> {
        match self {
            Self::Shopify | Self::Woocommerce => {
                let mac = BASE64.decode(given.trim()).map_err(|_| SignatureError::Malformed)?;
                check(secret, &[body], &mac)
            }
            Self::Endcap => timed(secret, given, body, now),
        }
    }
}

/// The timed form. Several `v1` may be given, while the sender changes its secret.
fn timed(secret: &[u8], given: &str, body: &[u8], now: UnixMillis) -> Result<(), SignatureError> {
    let parts = || given.split(',').filter_map(|part| part.trim().split_once('='));
    let time = parts().find(|(name, _)| *name == "t").map(|(_, value)| value);
    let time = time.filter(|text| text.len() <= 12 && text.bytes().all(|b| b.is_ascii_digit()));
    let seconds: i64 = time.and_then(|text| text.parse().ok()).ok_or(SignatureError::Malformed)?;
    let macs: Vec<Vec<u8>> =
        parts().filter(|(name, _)| *name == "v1").take(4).filter_map(|(_, value)| unhex(value)).collect();
    if macs.is_empty() {
        return Err(SignatureError::Malformed);
    }
    let signed = [time.unwrap_or_default().as_bytes(), b".", body];
    macs.iter().map(|mac| check(secret, &signed, mac)).find(Result::is_ok).unwrap_or(Err(SignatureError::Wrong))?;
    let away = (now / 1000).saturating_sub(seconds).saturating_abs();
    if away <= TOLERANCE_SECONDS { Ok(()) } else { Err(SignatureError::Stale) }
}

fn check(secret: &[u8], parts: &[&[u8]], mac: &[u8]) -> Result<(), SignatureError> {
    if secret.is_empty() {
        return Err(SignatureError::Wrong);
    }
    let mut own = <Hmac<Sha256> as Mac>::new_from_slice(secret).map_err(|_| SignatureError::Wrong)?;
    parts.iter().for_each(|part| own.update(part));
    own.verify_slice(mac).map_err(|_| SignatureError::Wrong)
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    let digits: Option<Vec<u32>> = text.chars().map(|c| c.to_digit(16)).collect();
    let digits = digits.filter(|digits| digits.len() == 64)?;
    Some(digits.chunks_exact(2).map(|pair| pair.iter().fold(0, |byte, digit| (byte << 4) | *digit as u8)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    // RFC 4231, test case 2.
    const KEY: &[u8] = b"Jefe";
    const BODY: &[u8] = b"what do ya want for nothing?";
    const MAC: &str = "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843";

    fn base64() -> String {
        BASE64.encode(unhex(MAC).unwrap())
    }

    #[test]
    fn shops_sign_the_raw_body() {
        for scheme in [Scheme::Shopify, Scheme::Woocommerce] {
            assert_eq!(scheme.verify(KEY, &base64(), BODY, 0), Ok(()));
            assert_eq!(scheme.verify(b"other", &base64(), BODY, 0), Err(SignatureError::Wrong));
            assert_eq!(scheme.verify(KEY, &base64(), b"other", 0), Err(SignatureError::Wrong));
            assert_eq!(scheme.verify(b"", &base64(), BODY, 0), Err(SignatureError::Wrong));
            assert_eq!(scheme.verify(KEY, "%", BODY, 0), Err(SignatureError::Malformed));
            assert_eq!(scheme.verify(KEY, "", BODY, 0), Err(SignatureError::Wrong));
            assert_eq!(
                scheme.verify(KEY, &BASE64.encode(&unhex(MAC).unwrap()[..16]), BODY, 0),
                Err(SignatureError::Wrong)
            );
        }
    }

    fn signed(seconds: i64, body: &[u8]) -> String {
        let mut mac = <Hmac<Sha256> as Mac>::new_from_slice(KEY).unwrap();
        mac.update(format!("{seconds}.").as_bytes());
        mac.update(body);
        let hex: String = mac.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
        format!("t={seconds},v1={hex}")
    }

    #[test]
    fn a_timed_signature_holds_for_five_minutes() {
        let verify = |given: &str, now: i64| Scheme::Endcap.verify(KEY, given, BODY, now * 1000);
        let given = signed(1_000_000, BODY);
        for now in [1_000_000, 999_700, 1_000_300] {
            assert_eq!(verify(&given, now), Ok(()));
        }
        for now in [999_699, 1_000_301, 0] {
            assert_eq!(verify(&given, now), Err(SignatureError::Stale));
        }
        let moved = given.replace("t=1000000", "t=1000001");
        assert_eq!(verify(&moved, 1_000_000), Err(SignatureError::Wrong));
        let rotating = given.replace(",v1", &format!(",v1={},v1", "0".repeat(64)));
        assert_eq!(verify(&rotating, 1_000_000), Ok(()));
        for bad in ["", "v1=00", "t=1000000", "t=x,v1=00", "t=-1,v1=00", &given.replace("t=", "t=+")] {
            assert_eq!(verify(bad, 1_000_000), Err(SignatureError::Malformed), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn no_made_up_signature_is_believed(given in "\\PC{0,80}", body in proptest::collection::vec(any::<u8>(), 0..40)) {
            for scheme in [Scheme::Shopify, Scheme::Woocommerce, Scheme::Endcap] {
                prop_assert!(scheme.verify(KEY, &given, &body, 0).is_err());
            }
        }
    }
}
