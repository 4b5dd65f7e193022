//! Bodies of answers that nothing else needs as types.

use endcap_events::ingest::Warning;
use endcap_events::ingest::rejection::Rejection;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::shop::campaign::Definition;

/// The answer to a failed request.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub struct ErrorBody {
    /// What failed.
    pub error: ErrorDetail,
}

/// What failed.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub struct ErrorDetail {
    /// Stable code.
    pub code: String,
    /// What was wrong and what to do.
    pub message: String,
    /// Path of the wrong field; empty where it is none.
    pub path: String,
}

/// Why batches of the page that asks would be refused.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub(super) struct Diagnosis {
    /// What is wrong; null where the page may send.
    pub error: Option<ErrorDetail>,
}

/// A saved campaign: its definition with ID and version.
#[derive(Debug, Serialize, JsonSchema)]
pub struct CampaignView {
    /// Its ID.
    pub id: String,
    /// Counts up with each change.
    pub version: u32,
    /// As it was saved.
    #[serde(flatten)]
    pub definition: Definition,
}

/// All campaigns.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Campaigns {
    /// In order of their IDs.
    pub campaigns: Vec<CampaignView>,
}

/// How many products were saved.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Saved {
    /// Number of products.
    pub saved: usize,
}

/// What was erased.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Erased {
    /// Whether all is done; if not, it is tried again until it is.
    pub erased: bool,
    /// Browsers, logins and server records that were the person's.
    pub fragments: usize,
    /// Stored rows that were taken out, by kind.
    pub rows: ErasedRows,
}

/// Stored rows that were taken out.
#[derive(Debug, Serialize, JsonSchema)]
pub struct ErasedRows {
    /// Profiles that held something of the person.
    pub profiles: u64,
    /// Stored batches of events.
    pub batches: u64,
    /// Push subscriptions.
    pub subscriptions: u64,
    /// Timers.
    pub timers: u64,
    /// Links and messages on their way.
    pub errands: u64,
    /// Refused events.
    pub refused: u64,
}

/// The answer to calls of which at least one is good or all were dropped for want of consent, or none was sent.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub struct Taken {
    /// True.
    pub success: bool,
    /// Calls that were refused; all but `no_consent` are kept in quarantine. Left out where there are none.
    #[serde(default)]
    pub rejected: Vec<Rejection>,
    /// Refused calls beyond the first 500, of which nothing is said here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub more_rejected: Option<usize>,
    /// What was not taken as it was meant, of a server's calls; the first 20. Left out where there is nothing.
    #[serde(default)]
    pub warnings: Vec<Warning>,
}

/// The answer to calls of which none is good.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub struct NotTaken {
    /// False.
    pub success: bool,
    /// What is wrong with the first.
    pub error: ErrorDetail,
    /// What is wrong with each.
    #[serde(default)]
    pub rejected: Vec<Rejection>,
    /// Refused calls beyond the first 500, of which nothing is said here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub more_rejected: Option<usize>,
}
