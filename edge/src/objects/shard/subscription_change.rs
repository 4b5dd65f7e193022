//! A change of a browser's push subscription.

use endcap_protocol::AnonymousId;
use endcap_validation::DomainError;
use serde::{Deserialize, Serialize};

use super::destination::Destination;
use super::table::subscription::StoredSubscription;
use crate::platform::error::EdgeError;
use crate::rpc::message::Message;

/// A change of subscription on its way to another shard.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct ChangeSubscription {
    /// Where the browser's fragment is.
    #[serde(rename = "place")]
    pub(super) destination: Destination,
    /// What changes.
    pub(super) change: CheckedChange,
}

impl Message for ChangeSubscription {
    const PATH: &'static str = "/subscribe";
    type Reply = Changed;
}

/// What became of a change at another shard.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct Changed {
    /// Why it was refused, where it was.
    #[serde(default)]
    refused: Option<Refused>,
}

/// Why a change was refused: the anonymous ID is not the sender's, or has got a token since.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Refused {
    Unverified,
    NewToken,
}

impl Changed {
    /// Passes a refusal on to the shard that the browser asked. Other failures are not the browser's.
    pub(super) fn of(result: Result<(), EdgeError>) -> Result<Self, EdgeError> {
        let refused = match result {
            Ok(()) => None,
            Err(EdgeError::Domain(DomainError::Unverified)) => Some(Refused::Unverified),
            Err(EdgeError::Domain(DomainError::NewToken)) => Some(Refused::NewToken),
            Err(error) => return Err(error),
        };
        Ok(Self { refused })
    }

    /// The same refusal here.
    pub(super) fn into_result(self) -> Result<(), EdgeError> {
        match self.refused {
            None => Ok(()),
            Some(Refused::Unverified) => Err(DomainError::Unverified.into()),
            Some(Refused::NewToken) => Err(DomainError::NewToken.into()),
        }
    }
}

/// A checked change of subscription.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct CheckedChange {
    /// The browser.
    pub(super) anonymous_id: AnonymousId,
    /// The new subscription.
    pub(super) subscribe: Option<StoredSubscription>,
    /// The endpoint of the subscription that ended.
    pub(super) unsubscribe: Option<String>,
    /// The endpoint of the browser's subscription that this one replaces, by a token of ours.
    #[serde(default)]
    pub(super) renews: Option<String>,
}
