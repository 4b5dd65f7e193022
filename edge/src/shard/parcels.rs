//! What the entry delivers of other clients' requests: many people's batches in one request between our own objects.
//!
//! Each batch is applied as a browser's is; only who sent it is known from the request, which no browser can make.

use std::collections::BTreeSet;

use endcap_engine::shop::Snapshot;
use endcap_events::ingest::ingest_as;
use endcap_protocol::ProfileId;
use endcap_validation::Trust;
use serde_json::value::RawValue;
use worker::Response;

use super::ProfileShard;
use super::visit::Place;
use crate::deliver::{LoadReply, PieceReply, Taken, TakenPiece};
use crate::fault::Fault;
use crate::{answer, clock, snapshots};

impl ProfileShard {
    /// `/parcels`: applies each batch, then tells the identity graph of all of them at once. A batch that cannot be used
    /// is no reason not to apply the others.
    pub(super) async fn parcels_route(&self, body: &[u8]) -> Result<Response, Fault> {
        let taken: Taken<'_> = serde_json::from_slice(body)?;
        let trust = Trust::parse(&taken.trust);
        let snapshot = snapshots::current(&self.env, clock::now()).await?;
        let (mut replies, mut said) = (Vec::with_capacity(taken.parcels.len()), BTreeSet::new());
        for piece in &taken.parcels {
            replies.push(match self.parcel(piece, trust, &snapshot, &mut said).await {
                Ok(reply) => PieceReply::Taken(reply),
                Err(fault) if fault.to_engine().status() < 500 => PieceReply::Refused(fault.to_string()),
                Err(fault) => return Err(fault),
            });
        }
        self.settle_many(&said.iter().map(String::as_str).collect::<Vec<_>>()).await?;
        answer::json(&LoadReply { replies })
    }

    async fn parcel(
        &self,
        piece: &TakenPiece<'_>,
        trust: Trust,
        snapshot: &Snapshot,
        said: &mut BTreeSet<String>,
    ) -> Result<Box<RawValue>, Fault> {
        let profile = ProfileId::parse(&piece.profile_id)?;
        let body = piece.batch.get().as_bytes();
        let batch = ingest_as(body, clock::now(), trust)?;
        let reply = self.deposit(Place::of(profile), (body, batch), snapshot, said).await?;
        Ok(serde_json::from_slice(&reply)?)
    }
}
