//! A batch on its way from one shard to another: what the receiving one cannot read from the body.
//!
//! Only our own objects reach the routes that read these headers.

use endcap_events::ingest::consent::Gpc;
use endcap_events::ingest::{Batch, Signals};
use endcap_identity::FragmentId;
use endcap_protocol::UnixMillis;
use endcap_validation::Trust;
use worker::Headers;

use super::destination::Destination;
use crate::platform::clock;
use crate::platform::error::EdgeError;

/// Where a shard takes a batch that another one forwards.
pub(super) const VISIT_PATH: &str = "/visit";
/// Which profile was meant, or which one the batch ended up at.
pub(super) const PROFILE_HEADER: &str = "x-endcap-profile";
/// That the browser was erased.
pub(super) const ERASED_HEADER: &str = "x-endcap-erased";
/// Which fragment the batch is for.
const FRAGMENT_HEADER: &str = "x-endcap-fragment";
/// How far the sender is believed.
const TRUST_HEADER: &str = "x-endcap-trust";
/// What the browser's Global Privacy Control refuses.
const GPC_HEADER: &str = "x-endcap-gpc";
/// When the batch was received.
const RECEIVED_HEADER: &str = "x-endcap-received";

/// What the headers say.
pub(super) struct ForwardingHeaders {
    pub(super) profile: String,
    pub(super) fragment: Option<FragmentId>,
    pub(super) signals: Signals,
    pub(super) received_at: UnixMillis,
}

impl ForwardingHeaders {
    /// Reads the headers.
    pub(super) fn of(headers: &Headers) -> Result<Self, EdgeError> {
        let received = headers.get(RECEIVED_HEADER)?.and_then(|text| text.parse().ok());
        let gpc = headers.get(GPC_HEADER)?.map(|text| Gpc::parse(&text));
        let trust = Trust::parse(&headers.get(TRUST_HEADER)?.unwrap_or_default());
        Ok(Self {
            profile: headers.get(PROFILE_HEADER)?.unwrap_or_default(),
            fragment: headers.get(FRAGMENT_HEADER)?.map(|name| FragmentId::parse(&name)).transpose()?,
            signals: Signals { gpc, trust, robot: false },
            received_at: received.unwrap_or_else(clock::now),
        })
    }

    /// Writes them for a batch that goes to a place.
    pub(super) fn write(headers: &Headers, destination: &Destination, batch: &Batch) -> Result<(), EdgeError> {
        headers.set(PROFILE_HEADER, destination.profile.as_str())?;
        if let Some(fragment) = &destination.fragment {
            headers.set(FRAGMENT_HEADER, fragment.as_str())?;
        }
        headers.set(TRUST_HEADER, batch.trust.as_str())?;
        headers.set(RECEIVED_HEADER, &batch.received_at.to_string())?;
        if let Some(gpc) = batch.gpc {
            headers.set(GPC_HEADER, gpc.as_str())?;
        }
        Ok(())
    }
}
