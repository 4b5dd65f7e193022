//! What was not taken as it was meant, in an event that was kept.

use endcap_identity::proof::ProofError;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The stable code of a warning.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum WarningCode {
    /// The proof of an identify is not right.
    ProofWrong,
    /// The proof of an identify has expired.
    ProofExpired,
    /// The source takes only proofs that expire.
    ProofForm,
    /// No secret is set to check proofs of this source with.
    ProofUnchecked,
    /// Nothing proves the user, so nothing joins the browser to them.
    ClaimListed,
    /// Nothing proves the user, and the source keeps no claims.
    ClaimNotKept,
    /// Nothing proves the user, and the browser's user is proved to be another.
    ClaimAgainstProof,
    /// The request does not show the token of its anonymous ID, so its events are kept apart under a new ID.
    Unverified,
}

/// What was not taken as it was meant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Warning {
    /// Message ID of the event.
    pub message_id: String,
    /// What it is about, for programs.
    pub code: WarningCode,
    /// Path of the field within the event.
    pub path: String,
    /// What was wrong and what was done instead, for people.
    pub message: String,
}

impl Warning {
    /// The warning about an identify that proves nothing.
    #[must_use]
    pub fn of_claim(message_id: &str, code: WarningCode) -> Self {
        let message = match code {
            WarningCode::ClaimAgainstProof => {
                "nothing proves this user, and the browser's own user is proved: it stays theirs, and so does what it does. \
                 Call reset() when somebody logs out, or give a proof"
            }
            WarningCode::ClaimNotKept => {
                "nothing proves this user, and the settings (identity.claims) keep no claims of this source: nothing \
                 joins the browser to them. Give a proof that the shop's server makes"
            }
            _ => {
                "nothing proves this user, so the browser stays a visitor of its own, and is listed at that person as \
                 unproved. Give a proof that the shop's server makes"
            }
        };
        Self { message_id: message_id.to_owned(), code, path: "user_id".to_owned(), message: message.to_owned() }
    }

    /// The warning about a request that lacks the token of its anonymous ID.
    #[must_use]
    pub fn unverified(message_id: &str) -> Self {
        let message = "the request does not show the token of this anonymous ID, which its browser has: its events are kept \
                       apart, under the new ID that the answer names";
        Self {
            message_id: message_id.to_owned(),
            code: WarningCode::Unverified,
            path: "anonymous_id".to_owned(),
            message: message.to_owned(),
        }
    }

    /// The warning about a server's call that names a browser without its token. `at` is the field to look at.
    #[must_use]
    pub fn beside_browser(message_id: &str, at: &str) -> Self {
        let message = "the call does not pass on the present token of this browser (context.possession), so it is kept beside the \
                       browser, and joins it once the browser itself names the same user or order";
        let (message_id, message) = (message_id.to_owned(), message.to_owned());
        Self { message_id, code: WarningCode::Unverified, path: at.to_owned(), message }
    }

    /// The warning about an identify whose proof proves nothing.
    #[must_use]
    pub fn of_proof(message_id: &str, error: ProofError) -> Self {
        let code = match error {
            ProofError::Wrong => WarningCode::ProofWrong,
            ProofError::Expired => WarningCode::ProofExpired,
            ProofError::Form => WarningCode::ProofForm,
            ProofError::NoSecret => WarningCode::ProofUnchecked,
        };
        Self { message_id: message_id.to_owned(), code, path: "proof".to_owned(), message: error.to_string() }
    }
}
