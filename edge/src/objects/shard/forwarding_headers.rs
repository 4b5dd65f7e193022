//! A batch on its way from one shard to another: what the receiving one cannot read from the body.
//!
//! Only our own objects reach the routes that read these headers.

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use endcap_engine::held_id::Inherited;
use endcap_events::ingest::consent::Gpc;
use endcap_events::ingest::sender::Sender;
use endcap_events::ingest::{Batch, Signals};
use endcap_identity::possession::Client;
use endcap_identity::{FragmentId, Shown, StatedLink};
use endcap_profile::device_context::DeviceContext;
use endcap_protocol::UnixMillis;
use endcap_validation::{DomainError, Trust};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use worker::Headers;

use super::destination::Destination;
use crate::platform::clock;
use crate::platform::error::EdgeError;

/// Where a shard takes a batch that another one forwards.
pub(super) const VISIT_PATH: &str = "/visit";
/// Which profile was meant, or which one the batch ended up at.
pub(super) const PROFILE_HEADER: &str = "x-endcap-profile";
/// Whose token the browser gets.
pub(super) const GRANT_HEADER: &str = "x-endcap-grant";
/// That the browser was erased.
pub(super) const ERASED_HEADER: &str = "x-endcap-erased";
/// Which fragment the batch is for.
const FRAGMENT_HEADER: &str = "x-endcap-fragment";
/// How far the sender is believed.
const TRUST_HEADER: &str = "x-endcap-trust";
/// What the browser's Global Privacy Control refuses.
const GPC_HEADER: &str = "x-endcap-gpc";
/// How often the browser was handed over in what came before of the request.
const HANDOVERS_HEADER: &str = "x-endcap-handovers";
/// The number of the client's address.
const CLIENT_HEADER: &str = "x-endcap-client";
/// How many rows the request went through.
const HOPS_HEADER: &str = "x-endcap-hops";
/// What the request shows of its anonymous ID.
const SHOWN_HEADER: &str = "x-endcap-shown";
/// The same of the shop's server, with what it states. The version before asked nothing of it, and knows no such client.
const SERVER_HEADER: &str = "x-endcap-server";
/// Who had the anonymous ID at the fragment before.
const INHERITED_HEADER: &str = "x-endcap-inherited";
/// The shop's currency, and whether our own entry made the batch. The version before asks for neither.
const READING_HEADER: &str = "x-endcap-reading";
/// What the browser's request tells of its device. The version before asks for none.
const SENDER_HEADER: &str = "x-endcap-sender";
/// When the batch was received.
const RECEIVED_HEADER: &str = "x-endcap-received";

/// What a batch of the shop's server brings along.
#[derive(Serialize, Deserialize)]
struct OfServer {
    shown: Option<Shown>,
    stated: Vec<StatedLink>,
}

/// How a batch's events are to be read.
#[derive(Serialize, Deserialize)]
struct ReadingOf {
    currency: Option<[u8; 3]>,
    is_from_entry: bool,
}

/// What the headers say.
pub(super) struct ForwardingHeaders {
    pub(super) profile: String,
    pub(super) fragment: Option<FragmentId>,
    pub(super) signals: Signals,
    pub(super) received_at: UnixMillis,
    pub(super) shown: Option<Shown>,
    pub(super) inherited: Option<Inherited>,
    pub(super) stated: Vec<StatedLink>,
    pub(super) hops: u8,
    pub(super) sender: Sender,
}

impl ForwardingHeaders {
    /// Reads the headers.
    pub(super) fn of(headers: &Headers) -> Result<Self, EdgeError> {
        let received = headers.get(RECEIVED_HEADER)?.and_then(|text| text.parse().ok());
        let gpc = headers.get(GPC_HEADER)?.map(|text| Gpc::parse(&text));
        let number = |name| Ok::<u8, EdgeError>(headers.get(name)?.and_then(|text| text.parse().ok()).unwrap_or(0));
        let client = headers.get(CLIENT_HEADER)?.and_then(|text| text.parse().ok()).unwrap_or(0);
        let trust = Trust::parse(&headers.get(TRUST_HEADER)?.unwrap_or_default());
        let reading: Option<ReadingOf> = read_packed(headers, READING_HEADER)?;
        let (shown, stated) = match read_packed(headers, SERVER_HEADER)? {
            Some(OfServer { shown, stated }) => (shown, stated),
            None => (read_packed(headers, SHOWN_HEADER)?, Vec::new()),
        };
        Ok(Self {
            profile: headers.get(PROFILE_HEADER)?.unwrap_or_default(),
            fragment: headers.get(FRAGMENT_HEADER)?.map(|name| FragmentId::parse(&name)).transpose()?,
            signals: Signals {
                gpc,
                trust,
                robot: false,
                handovers: number(HANDOVERS_HEADER)?,
                client,
                hides_repairs: reading.is_none(),
                currency: reading.as_ref().and_then(|reading| reading.currency),
                is_from_entry: reading.is_some_and(|reading| reading.is_from_entry),
            },
            received_at: received.unwrap_or_else(clock::now),
            shown,
            inherited: read_packed(headers, INHERITED_HEADER)?,
            stated,
            hops: number(HOPS_HEADER)?,
            sender: read_packed::<DeviceContext>(headers, SENDER_HEADER)?.map(|told| told.sender).unwrap_or_default(),
        })
    }

    /// Writes them for a batch that goes to a place.
    pub(super) fn write(headers: &Headers, destination: &Destination, batch: &Batch) -> Result<(), EdgeError> {
        headers.set(PROFILE_HEADER, destination.profile.as_str())?;
        if let Some(fragment) = &destination.fragment {
            headers.set(FRAGMENT_HEADER, fragment.as_str())?;
        }
        let shown = destination.shown.as_ref();
        if shown.is_some_and(|shown| shown.client == Client::Server) || !destination.stated.is_empty() {
            let of_server = OfServer { shown: shown.cloned(), stated: destination.stated.clone() };
            write_packed(headers, SERVER_HEADER, &of_server)?;
        } else if let Some(shown) = shown {
            write_packed(headers, SHOWN_HEADER, shown)?;
        }
        if let Some(inherited) = &destination.inherited {
            write_packed(headers, INHERITED_HEADER, inherited)?;
        }
        headers.set(TRUST_HEADER, batch.trust.as_str())?;
        let numbers = [
            (HANDOVERS_HEADER, batch.handovers.into()),
            (HOPS_HEADER, destination.hops.into()),
            (CLIENT_HEADER, batch.client),
        ];
        for (name, number) in numbers {
            if number > 0 {
                headers.set(name, &number.to_string())?;
            }
        }
        write_packed(
            headers,
            READING_HEADER,
            &ReadingOf { currency: batch.currency, is_from_entry: batch.is_from_entry },
        )?;
        if batch.sender != Sender::default() {
            let told = DeviceContext { at: batch.received_at, sender: batch.sender.clone() };
            write_packed(headers, SENDER_HEADER, &told)?;
        }
        headers.set(RECEIVED_HEADER, &batch.received_at.to_string())?;
        if let Some(gpc) = batch.gpc {
            headers.set(GPC_HEADER, gpc.as_str())?;
        }
        Ok(())
    }
}

/// Reads what [`write_packed`] wrote.
pub(super) fn read_packed<T: DeserializeOwned>(headers: &Headers, name: &str) -> Result<Option<T>, EdgeError> {
    let Some(text) = headers.get(name)? else { return Ok(None) };
    let json = BASE64.decode(text).map_err(|error| DomainError::Internal(error.to_string()))?;
    Ok(Some(serde_json::from_slice(&json)?))
}

/// Writes a value as JSON in base64: anonymous IDs may hold characters that headers may not.
pub(super) fn write_packed<T: Serialize>(headers: &Headers, name: &str, value: &T) -> Result<(), EdgeError> {
    Ok(headers.set(name, &BASE64.encode(serde_json::to_string(value)?))?)
}
