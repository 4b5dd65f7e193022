//! Identify proofs: the shop's server vouches for a user ID with an HMAC-SHA-256 (RFC 2104), in hex.
//!
//! There are two forms. The plain one is the HMAC of the user ID alone. The second is `v2.EXPIRY.HMAC`, where the HMAC is that
//! of four lines: `v2`, the source, the expiry in seconds since 1970 and the user ID, with one line feed between each two.
//! Neither a source nor an expiry holds a line feed, and the user ID comes last, so no two statements have the same text. It
//! counts at its own source only, and until its expiry.

use hmac::{Hmac, Mac};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sha2::Sha256;

use endcap_protocol::{UnixMillis, UserId};

/// Longest proof of either form, in bytes.
pub const MAX_PROOF: usize = 128;

/// The name of the form with expiry.
const V2: &str = "v2";

/// Which forms a source takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ProofForms {
    /// Both forms.
    #[default]
    Any,
    /// The one that expires. A plain proof is a claim.
    V2,
}

/// Why a proof proves nothing: the identify is a claim.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ProofError {
    /// It is not what the secret gives.
    #[error(
        "is not the HMAC-SHA-256 of this user ID under the source's secret, in hex; the identify counts as a claim. \
         Compare your code with the test vectors in the book's page Identify"
    )]
    Wrong,
    /// It was right until its expiry.
    #[error("has expired; the identify counts as a claim. Make a proof for each page, or for each session")]
    Expired,
    /// The source takes no plain proofs.
    #[error(
        "has no expiry, and the setting identity.proofs takes only proofs of the form v2; the identify counts as a claim"
    )]
    Form,
    /// There is no secret to check it with.
    #[error("cannot be checked: no identity secret is set for this source; the identify counts as a claim")]
    NoSecret,
}

/// What a proof of the form v2 vouches for, besides the user ID.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ProofScope<'a> {
    /// The source that the proof counts at.
    pub source: &'a str,
    /// Seconds since 1970 from which on it proves nothing.
    pub expires_s: u64,
}

/// How proofs are judged where one arrives.
#[derive(Debug, Clone, Copy)]
pub struct ProofJudge<'a> {
    /// The source's secrets: while a secret changes there are two, and each is believed.
    pub secrets: &'a [Vec<u8>],
    /// The source that sent it.
    pub source: &'a str,
    /// The forms that the source takes.
    pub forms: ProofForms,
    /// When it arrived. What an event says of its own time does not count.
    pub now: UnixMillis,
}

/// The plain proof for a user ID.
#[must_use]
pub fn prove(secret: &[u8], user_id: &UserId) -> String {
    hex(&mac(secret, user_id.as_str()).finalize().into_bytes())
}

/// The proof for a user ID at one source, until it expires.
#[must_use]
pub fn prove_until(secret: &[u8], scope: ProofScope<'_>, user_id: &UserId) -> String {
    format!("{V2}.{}.{}", scope.expires_s, hex(&mac(secret, &scope.text(user_id)).finalize().into_bytes()))
}

impl ProofScope<'_> {
    fn text(&self, user_id: &UserId) -> String {
        format!("{V2}\n{}\n{}\n{}", self.source, self.expires_s, user_id.as_str())
    }
}

impl ProofJudge<'_> {
    /// Judges a proof of either form, in constant time for the HMAC. Nothing is proved by an empty secret.
    ///
    /// # Errors
    /// Why it proves nothing.
    pub fn judge(&self, user_id: &UserId, proof: &str) -> Result<(), ProofError> {
        let Some(rest) = proof.strip_prefix("v2.") else {
            self.verify(user_id.as_str(), proof)?;
            return if self.forms == ProofForms::Any { Ok(()) } else { Err(ProofError::Form) };
        };
        let (expiry, digest) = rest.split_once('.').ok_or(ProofError::Wrong)?;
        // One spelling of each number: what is signed is what is read.
        let expires_s: u64 = expiry.parse().map_err(|_| ProofError::Wrong)?;
        if expires_s.to_string() != expiry {
            return Err(ProofError::Wrong);
        }
        self.verify(&ProofScope { source: self.source, expires_s }.text(user_id), digest)?;
        let now_s = u64::try_from(self.now.div_euclid(1000)).unwrap_or(0);
        if now_s < expires_s { Ok(()) } else { Err(ProofError::Expired) }
    }

    fn verify(&self, text: &str, digest: &str) -> Result<(), ProofError> {
        let mut secrets = self.secrets.iter().filter(|secret| !secret.is_empty()).peekable();
        secrets.peek().ok_or(ProofError::NoSecret)?;
        let bytes = unhex(digest).ok_or(ProofError::Wrong)?;
        let right = secrets.any(|secret| mac(secret, text).verify_slice(&bytes).is_ok());
        if right { Ok(()) } else { Err(ProofError::Wrong) }
    }
}

fn mac(secret: &[u8], text: &str) -> Hmac<Sha256> {
    let mut mac = <Hmac<Sha256> as Mac>::new_from_slice(secret)
        .unwrap_or_else(|never| unreachable!("HMAC takes keys of any length: {never}"));
    mac.update(text.as_bytes());
    mac
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    let digits: Option<Vec<u32>> = text.chars().map(|c| c.to_digit(16)).collect();
    let digits = digits.filter(|digits| digits.len() % 2 == 0)?;
    Some(digits.chunks_exact(2).map(|pair| pair.iter().fold(0, |byte, digit| (byte << 4) | *digit as u8)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// A moment in 2026.
    const NOW: UnixMillis = 1_795_000_000_000;
    const NOW_S: u64 = 1_795_000_000;

    fn user(name: &str) -> UserId {
        UserId::parse(name).unwrap()
    }

    fn judge_with(secrets: &[&[u8]], forms: ProofForms, name: &str, proof: &str) -> Result<(), ProofError> {
        let secrets: Vec<Vec<u8>> = secrets.iter().map(|secret| secret.to_vec()).collect();
        ProofJudge { secrets: &secrets, source: "shop", forms, now: NOW }.judge(&user(name), proof)
    }

    #[test]
    fn only_the_shops_secret_proves_a_user() {
        let judge = |secret: &[u8], name: &str, proof: &str| judge_with(&[secret], ProofForms::Any, name, proof);
        let proof = prove(b"secret", &user("ann"));
        assert_eq!(judge(b"secret", "ann", &proof), Ok(()));
        assert_eq!(judge(b"secret", "ann", &proof.to_uppercase()), Ok(()));
        assert_eq!(judge(b"secret", "bob", &proof), Err(ProofError::Wrong));
        assert_eq!(judge(b"other", "ann", &proof), Err(ProofError::Wrong));
        for wrong in ["", "zz", "v2", "v2.", "v2.1", "v2..", "v2.x.00", "v3.1.00"] {
            assert_eq!(judge(b"secret", "ann", wrong), Err(ProofError::Wrong), "{wrong}");
        }
        assert_eq!(judge(b"", "ann", &prove(b"", &user("ann"))), Err(ProofError::NoSecret));
        assert_eq!(judge_with(&[], ProofForms::Any, "ann", &proof), Err(ProofError::NoSecret));
    }

    #[test]
    fn of_two_secrets_each_is_believed() {
        for secret in [b"old".as_slice(), b"new"] {
            assert_eq!(judge_with(&[b"old", b"new"], ProofForms::Any, "ann", &prove(secret, &user("ann"))), Ok(()));
        }
    }

    #[test]
    fn is_the_hmac_that_other_languages_make() {
        // RFC 4231, test case 2.
        let name = user("what do ya want for nothing?");
        assert_eq!(prove(b"Jefe", &name), "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
        // The book's vector. Any language's HMAC of "v2\nshop\n1900000000\nc-1001" gives it.
        let scope = ProofScope { source: "shop", expires_s: 1_900_000_000 };
        assert_eq!(
            prove_until(b"Jefe", scope, &user("c-1001")),
            "v2.1900000000.eb607b606b91cb4c7af099dbb6af55f991e0d02b26b0c40e3ffa1571f166835e"
        );
    }

    #[test]
    fn a_proof_with_expiry_counts_at_its_source_until_then() {
        let made = |source, expires_s| prove_until(b"secret", ProofScope { source, expires_s }, &user("ann"));
        let judge = |proof: &str| judge_with(&[b"secret"], ProofForms::V2, "ann", proof);
        assert_eq!(judge(&made("shop", NOW_S + 1)), Ok(()));
        assert_eq!(judge(&made("shop", NOW_S)), Err(ProofError::Expired));
        assert_eq!(judge(&made("shop", 0)), Err(ProofError::Expired));
        assert_eq!(judge(&made("other", NOW_S + 1)), Err(ProofError::Wrong));
        assert_eq!(judge(&prove(b"secret", &user("ann"))), Err(ProofError::Form));
        // A wrong one is wrong, whatever the source takes.
        assert_eq!(judge(&prove(b"other", &user("ann"))), Err(ProofError::Wrong));
        let proof = made("shop", NOW_S + 1);
        let later = proof.replace(&(NOW_S + 1).to_string(), &(NOW_S + 2).to_string());
        assert_eq!(judge(&later), Err(ProofError::Wrong));
        let spelled = proof.replace("v2.", "v2.0");
        assert_eq!(judge(&spelled), Err(ProofError::Wrong));
    }

    #[test]
    fn neither_form_passes_for_the_other() {
        let scope = ProofScope { source: "shop", expires_s: NOW_S + 9 };
        let digest = hex(&mac(b"secret", &scope.text(&user("ann"))).finalize().into_bytes());
        assert_eq!(judge_with(&[b"secret"], ProofForms::Any, "ann", &digest), Err(ProofError::Wrong));
    }

    proptest! {
        #[test]
        fn any_text_is_judged_without_a_panic(proof in "\\PC{0,140}", name in "[a-z0-9 ]{1,20}") {
            let name = format!("u{name}");
            prop_assume!(UserId::parse(&name).is_ok());
            prop_assert!(judge_with(&[b"secret"], ProofForms::Any, &name, &proof).is_err());
            let longer = format!("v2.{proof}");
            prop_assert!(judge_with(&[b"secret"], ProofForms::Any, &name, &longer).is_err());
        }
    }
}
