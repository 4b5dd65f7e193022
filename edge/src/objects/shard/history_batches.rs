//! History batches, which routes make of other clients' requests: many people's batches in one internal request.
//!
//! Each batch is applied like a browser's, but the request says what trust its sender has. No browser can make that
//! request.

use std::collections::BTreeSet;

use endcap_engine::shop::Snapshot;
use endcap_events::ingest::{Signals, ingest_from};
use endcap_identity::Shown;
use endcap_protocol::ProfileId;
use endcap_validation::Trust;
use serde_json::value::RawValue;
use worker::Response;

use super::destination::Destination;
use super::object::ProfileShard;
use crate::platform::config::config;
use crate::platform::error::EdgeError;
use crate::platform::{clock, response};
use crate::rpc::delivery::{DeliverItem, DeliverReply, DeliverRequest, ItemReply};
use crate::rpc::{message, snapshots};

impl ProfileShard {
    /// Applies each batch, then tells the identity graph of all of them at once. A batch that cannot be used is no reason
    /// not to apply the others.
    pub(super) async fn deliver_route(&self, body: &[u8]) -> Result<Response, EdgeError> {
        let request: DeliverRequest<'_> = message::read(body)?;
        let (mut replies, mut told) = (Vec::with_capacity(request.items.len()), BTreeSet::new());
        for item in &request.items {
            // The shop's segments may change while many are applied.
            let snapshot = snapshots::current(&self.env, clock::now()).await?;
            replies.push(match self.deliver_item(item, &request, &snapshot, &mut told).await {
                Ok(reply) => ItemReply::Taken(reply),
                Err(error) if error.to_domain().status() < 500 => ItemReply::Refused(error.to_string()),
                Err(error) => return Err(error),
            });
        }
        self.finish_links_of(&told.iter().map(String::as_str).collect::<Vec<_>>()).await?;
        response::json(&DeliverReply { replies })
    }

    async fn deliver_item(
        &self,
        item: &DeliverItem<'_>,
        &DeliverRequest { trust, reads_repairs, .. }: &DeliverRequest<'_>,
        snapshot: &Snapshot,
        told: &mut BTreeSet<String>,
    ) -> Result<Box<RawValue>, EdgeError> {
        let profile = ProfileId::parse(&item.profile_id)?;
        let body = item.batch.get().as_bytes();
        let signals = Signals {
            trust,
            currency: snapshot.settings.currency(),
            is_from_entry: true,
            hides_repairs: !reads_repairs,
            ..Signals::default()
        };
        let batch = ingest_from(body, clock::now(), signals)?;
        // Other vendors' clients have no token.
        let vendors = (trust == Trust::Claim && !config(&self.env).keys.is_empty()).then(Shown::of_vendor);
        let destination = Destination::of(profile, vendors.or_else(|| item.shown.clone()));
        let destination = Destination { stated: item.stated.clone(), ..destination };
        let reply = self.apply_to_destination(destination, (body, batch), snapshot, told).await?;
        message::read(&reply)
    }
}
