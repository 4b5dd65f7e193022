//! What is done with a request that does not have the anonymous ID that it names, and what one gets that has it.
//!
//! The state lies beside the fragment in the packed row, so the question costs no other row and no other object. The rules are
//! in `edge/engine/src/held_id.rs` and `edge/identity/src/possession.rs`.

use endcap_engine::batch_reply::BatchReply;
use endcap_engine::held_id::granted;
use endcap_events::ingest::Batch;
use endcap_events::ingest::rejection::RejectCode;
use endcap_events::ingest::rename::renamed;
use endcap_events::ingest::warning::Warning;
use endcap_identity::possession::{Client, Seed, id_apart};
use endcap_identity::{FragmentId, Possession, ProfileRoute, Shown};
use endcap_profile::ProfileRow;
use endcap_protocol::{UnixMillis, uuid};
use endcap_validation::DomainError;

use super::destination::{Destination, Grant, Visited};
use super::object::ProfileShard;
use crate::platform::clock;
use crate::platform::config::config;
use crate::platform::error::EdgeError;

impl Grant {
    /// What the sender of a batch gets. None for another vendor's client, which cannot hold a token.
    pub(super) fn of(batch: &Batch, held: &Possession, shown: &Shown) -> Option<Self> {
        let generation = granted(held, shown)?;
        Some(Self { anonymous_id: batch.anonymous_id.clone(), generation })
    }
}

impl ProfileShard {
    /// Whether the shop's server sends again what it sent while it had the ID. That changes nothing, and must not be kept
    /// elsewhere as well.
    pub(super) fn is_retry(
        &self,
        row: &ProfileRow,
        at: &FragmentId,
        destination: &Destination,
        batch: &Batch,
        now: UnixMillis,
    ) -> Result<bool, EdgeError> {
        let is_server = destination.shown.as_ref().is_some_and(|shown| shown.client == Client::Server);
        let Some(fragment) = row.fragments.get(at).filter(|_| is_server) else { return Ok(false) };
        let overflow = self.store.overflow(row, at, now)?;
        Ok(batch.events.iter().all(|event| fragment.messages.contains(&event.message_id, &overflow)))
    }

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
        // What is set apart was counted before it was.
        if !shown.apart {
            self.count_whole(&batch, RejectCode::Unverified, count, now)?;
        }
        // What the shop's server says is kept elsewhere by who delivers it.
        if shown.apart || shown.client == Client::Server {
            batch.refuse_unverified();
            let reply = BatchReply::of(Vec::new(), Vec::new(), batch.rejected);
            return Visited::unapplied(destination.profile, &reply);
        }
        let first = batch.events.first().map(|event| event.message_id.as_str().to_owned());
        let random = || Ok::<_, EdgeError>(uuid::v4(clock::random()?));
        let drawn = if first.is_none() { random()? } else { String::new() };
        let seed = match (shown.client, &first) {
            (Client::Vendor | Client::Server, _) => Seed::Source(batch.source.as_str()),
            (Client::Browser, message) => Seed::Message(message.as_deref().unwrap_or(&drawn)),
        };
        let keys = &config(&self.env).keys;
        let id = id_apart(keys, &batch.anonymous_id, seed).ok_or_else(|| DomainError::Internal("no key".to_owned()))?;
        let source = batch.source.clone();
        let body = renamed(body, &id)?;
        let batch = batch.read_another(&body)?;
        let destination = Destination::of(
            ProfileRoute::home(&id)?.profile,
            Some(Shown { apart: true, generation: None, old_route: None, ..shown }),
        );
        let mut visited = Box::pin(self.visit_next(destination, &body, batch)).await?;
        if let Some(message) = first {
            let mut reply: BatchReply = serde_json::from_slice(&visited.body)?;
            let warning = Warning::unverified(&message);
            self.count_warnings(&source, &id, std::slice::from_ref(&warning), now)?;
            reply.warnings.push(warning);
            visited.body = reply.whole_text()?;
        }
        Ok(visited)
    }
}
