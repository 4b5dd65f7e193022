//! Whether a browser has the anonymous ID that it names, and what is done with a request that does not.
//!
//! The state lies beside the fragment in the packed row, so the question costs no other row and no other object. The rules are
//! in `edge/identity/src/possession.rs`.

use endcap_engine::batch_reply::BatchReply;
use endcap_events::ingest::rejection::RejectCode;
use endcap_events::ingest::rename::renamed;
use endcap_events::ingest::warning::Warning;
use endcap_events::ingest::{Batch, Signals, ingest_from};
use endcap_identity::possession::{Client, Holder, Judgement, id_apart};
use endcap_identity::{FragmentId, Possession, ProfileRoute, Shown};
use endcap_profile::ProfileRow;
use endcap_protocol::{UnixMillis, uuid};
use endcap_validation::DomainError;

use super::destination::{Destination, Grant, Visited};
use super::object::ProfileShard;
use crate::platform::clock;
use crate::platform::config::config;
use crate::platform::error::EdgeError;

/// The anonymous ID of a request that has it.
pub(super) struct HeldId {
    /// Who sent the request.
    pub(super) client: Client,
    /// The state after it, as far as the request itself says.
    pub(super) possession: Possession,
}

impl HeldId {
    /// The state once it is known whether an event of the request proved who the person is.
    pub(super) fn after(self, proved: bool, now: UnixMillis) -> Possession {
        if proved { self.possession.proved(self.client, now) } else { self.possession }
    }
}

impl Grant {
    /// What the sender of a batch gets. None for another vendor's client, which cannot hold a token.
    pub(super) fn of(batch: &Batch, held: &Possession) -> Option<Self> {
        let grant = Self { anonymous_id: batch.anonymous_id.clone(), generation: held.generation };
        (held.holder != Holder::Vendor).then_some(grant)
    }
}

/// Judges a request at the row of its fragment, which may have to begin. Where nobody asks, it has the ID.
pub(super) fn judge(
    row: &ProfileRow,
    at: &FragmentId,
    destination: &Destination,
    proves: impl FnOnce() -> bool,
    in_flight_ms: UnixMillis,
    now: UnixMillis,
) -> Judgement {
    let known = row.possessions.get(at);
    let begins = !row.fragments.contains_key(at);
    let inherited = destination.inherited_possession.as_ref().filter(|_| begins);
    let Some(shown) = &destination.shown else {
        return Judgement::Holds(known.cloned().unwrap_or_default());
    };
    match known.or(inherited) {
        Some(state) => state.judge(shown, &row.id, proves, in_flight_ms, now),
        // An ID that another vendor's client is the first to name is that client's.
        None if begins && shown.client == Client::Vendor => Judgement::Holds(Possession::of_vendor(now)),
        None => Possession::default().judge(shown, &row.id, proves, in_flight_ms, now),
    }
}

impl ProfileShard {
    /// Applies a batch that does not show the token of its anonymous ID as that of a new browser, which is answered from this
    /// batch alone and has to take the new ID. The same batch sent again finds the same ID. Once that one is bound too,
    /// nothing of the batch is taken.
    pub(super) async fn visit_apart(
        &self,
        destination: Destination,
        body: &[u8],
        mut batch: Batch,
        now: UnixMillis,
    ) -> Result<Visited, EdgeError> {
        let shown = destination.shown.unwrap_or_default();
        let count = batch.events.len() as i64;
        if shown.apart {
            batch.refuse_unverified();
            self.count_whole(&batch, RejectCode::Unverified, count, now)?;
            let reply = BatchReply::of(Vec::new(), Vec::new(), batch.rejected);
            let (profile_id, status) = (destination.profile.into_string(), reply.status());
            return Ok(Visited { profile_id, status, body: reply.text(None)?, erased: false, grant: None });
        }
        self.count_whole(&batch, RejectCode::Unverified, count, now)?;
        let first = batch.events.first().map(|event| event.message_id.as_str().to_owned());
        let random = || Ok::<_, EdgeError>(uuid::v4(clock::random()?));
        let seed = match (shown.client, &first) {
            (Client::Vendor, _) => batch.source.as_str().to_owned(),
            (Client::Browser, Some(message)) => message.clone(),
            (Client::Browser, None) => random()?,
        };
        let keys = &config(&self.env).keys;
        let id =
            id_apart(keys, &batch.anonymous_id, &seed).ok_or_else(|| DomainError::Internal("no key".to_owned()))?;
        let body = renamed(body, &id)?;
        let signals = Signals { trust: batch.trust, gpc: batch.gpc, robot: false };
        let batch = ingest_from(&body, batch.received_at, signals)?;
        let destination = Destination::of(
            ProfileRoute::home(&id)?.profile,
            Some(Shown { client: shown.client, apart: true, ..Shown::default() }),
        );
        let mut visited = Box::pin(self.visit_next(destination, &body, batch)).await?;
        if let Some(message) = first {
            let mut reply: BatchReply = serde_json::from_slice(&visited.body)?;
            reply.warnings.push(Warning::unverified(&message));
            visited.body = serde_json::to_vec(&reply)?;
        }
        Ok(visited)
    }
}
