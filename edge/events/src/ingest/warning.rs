//! What was not taken as it was meant, in an event that was kept.

use endcap_identity::proof::ProofError;
use endcap_protocol::repair::{Repair, RepairCode};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::codes::codes;

codes! {
    /// The stable code of a warning.
    WarningCode {
        ProofWrong "proof_wrong" "The proof of an identify is not right. It proves nothing.";
        ProofExpired "proof_expired" "The proof of an identify has expired. It proves nothing.";
        ProofForm "proof_form" "The source takes only proofs that expire. Another one proves nothing.";
        ProofUnchecked "proof_unchecked" "No secret is set to check proofs of this source with. They prove nothing.";
        ClaimListed "claim_listed" "Nothing proves the user. The browser stays a visitor of its own and is listed at that person as unproved.";
        ClaimNotKept "claim_not_kept" "Nothing proves the user, and the source keeps no claims. Nothing joins the browser to them.";
        ClaimAgainstProof "claim_against_proof" "Nothing proves the user, and the browser's user is proved to be another. The browser stays theirs.";
        Unverified "unverified" "The request does not show the token of its anonymous ID. Its events are kept apart under a new ID.";
        FieldDropped "field_dropped" "A member could not be used. It is left out, and the event is kept.";
        FieldCut "field_cut" "A text or list was over its bound. It is cut.";
        FieldRead "field_read" "A member had another form than it should. It is read as what it stands for.";
        IdMade "id_made" "A message ID or an order number was missing or could be none. One is made of the event itself.";
        TimeUnreadable "time_unreadable" "A time could not be read. The time of receipt counts.";
        UserDropped "user_dropped" "A user ID could be none. The event is kept without it.";
        CurrencyRead "currency_read" "A currency was a sign or a spelling. It is read as its code.";
        CurrencyAssumed "currency_assumed" "A currency could not be read. That of the products counts, else the shop's own (the setting `currency`).";
        AmountAmbiguous "amount_ambiguous" "An amount could be read in two ways, such as `1,299`. The decimals of its currency decide.";
        AmountLoose "amount_loose" "An amount held more than one number. The first counts.";
        AmountDropped "amount_dropped" "An amount could not be read, or was over 10 billion. It is left out.";
        AmountNegative "amount_negative" "An amount is negative. It counts as it is.";
        QuantityRepaired "quantity_repaired" "A quantity was no whole number of at least 1. It counts as it is in a total, and a part of a unit as one unit.";
        ProductUnnamed "product_unnamed" "A product has no ID. Its price counts in an order, and nothing is learned about the product.";
        TotalIncomplete "total_incomplete" "An order has no total, and not every product has a price in its currency. Those that have one are added up.";
    }
}

impl WarningCode {
    /// Whether it only says how a value was read. Every sender may learn that; what the edge knows of people is another thing.
    #[must_use]
    pub fn is_repair(self) -> bool {
        RepairCode::ALL.into_iter().any(|code| Self::from(code) == self)
    }
}

impl From<RepairCode> for WarningCode {
    fn from(code: RepairCode) -> Self {
        match code {
            RepairCode::FieldDropped => Self::FieldDropped,
            RepairCode::FieldCut => Self::FieldCut,
            RepairCode::FieldRead => Self::FieldRead,
            RepairCode::IdMade => Self::IdMade,
            RepairCode::TimeUnreadable => Self::TimeUnreadable,
            RepairCode::UserDropped => Self::UserDropped,
            RepairCode::CurrencyRead => Self::CurrencyRead,
            RepairCode::CurrencyAssumed => Self::CurrencyAssumed,
            RepairCode::AmountAmbiguous => Self::AmountAmbiguous,
            RepairCode::AmountLoose => Self::AmountLoose,
            RepairCode::AmountDropped => Self::AmountDropped,
            RepairCode::AmountNegative => Self::AmountNegative,
            RepairCode::QuantityRepaired => Self::QuantityRepaired,
            RepairCode::ProductUnnamed => Self::ProductUnnamed,
            RepairCode::TotalIncomplete => Self::TotalIncomplete,
        }
    }
}

/// What was not taken as it was meant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Warning {
    /// Message ID of the event; empty where it is about the batch.
    pub message_id: String,
    /// Name of the event.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub event: String,
    /// What it is about, for programs.
    pub code: WarningCode,
    /// Path of the field within the event.
    pub path: String,
    /// What was wrong and what was done instead, for people.
    pub message: String,
}

impl Warning {
    /// The warnings about what was repaired in a message.
    pub fn of_repairs(message_id: &str, repairs: Vec<Repair>) -> impl Iterator<Item = Self> {
        let message_id = message_id.to_owned();
        repairs.into_iter().map(move |Repair { code, path, message }| Self {
            message_id: message_id.clone(),
            event: String::new(),
            code: code.into(),
            path,
            message,
        })
    }

    /// The same warning with the name of its event.
    #[must_use]
    pub fn about(self, event: &str) -> Self {
        Self { event: event.to_owned(), ..self }
    }

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
        Self {
            message_id: message_id.to_owned(),
            event: String::new(),
            code,
            path: "user_id".to_owned(),
            message: message.to_owned(),
        }
    }

    /// The warning about a request that lacks the token of its anonymous ID.
    #[must_use]
    pub fn unverified(message_id: &str) -> Self {
        let message = "the request does not show the token of this anonymous ID, which its browser has: its events are kept \
                       apart, under the new ID that the answer names";
        Self {
            message_id: message_id.to_owned(),
            event: String::new(),
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
        Self { message_id, event: String::new(), code: WarningCode::Unverified, path: at.to_owned(), message }
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
        Self {
            message_id: message_id.to_owned(),
            event: String::new(),
            code,
            path: "proof".to_owned(),
            message: error.to_string(),
        }
    }
}
