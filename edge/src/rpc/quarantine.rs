//! Refused events: keeping them, from routes that refuse them before a shard sees them; listing, taking in again, letting
//! go.
//!
//! Role in the flow of one event: vendor routes and webhooks parse at the entry; what they refuse goes from here to a
//! shard, where it lies beside what the shards themselves refuse.

use std::collections::BTreeMap;

use endcap_engine::batch_reply::BatchReply;
use endcap_events::ingest::quarantine::{Counts, Listed, ReplayAsk};
use endcap_events::ingest::warning_log::NotedOf;
use endcap_events::ingest::{Quarantined, RejectCode};
use endcap_protocol::{UnixMillis, bucket_of};
use endcap_validation::Trust;
use serde::{Deserialize, Deserializer, Serialize};
use worker::Env;

use super::message::{Done, Message};
use super::placement::Use;
use super::{placement, shards};
use crate::platform::error::EdgeError;

/// Refused events of one bucket, on their way to its shard.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Keep {
    /// The bucket.
    pub(crate) bucket: u16,
    /// The events.
    pub(crate) events: Vec<Quarantined>,
}

impl Message for Keep {
    const PATH: &'static str = "/quarantine/keep";
    type Reply = Done;
}

/// How many events of a source were refused as a whole, on the way to a shard.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Tally {
    /// The bucket that counts them.
    pub(crate) bucket: u16,
    /// The source.
    pub(crate) source: String,
    /// Why.
    pub(crate) code: RejectCode,
    /// How many.
    pub(crate) count: i64,
}

impl Message for Tally {
    const PATH: &'static str = "/quarantine/count";
    type Reply = Done;
}

/// Asks a shard for some of its refused events.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct ListAsk {
    /// What they have to fit; `ids` alone where there are any.
    pub(crate) ask: ReplayAsk,
    /// Sequence number after which to begin.
    pub(crate) after: i64,
    /// How many at most.
    pub(crate) limit: i64,
}

impl Message for ListAsk {
    const PATH: &'static str = "/quarantine/list";
    type Reply = ListReply;
}

/// Refused events of a shard, with their sequence numbers.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct ListReply {
    /// The events.
    pub(crate) events: Vec<(i64, Listed)>,
}

/// Asks a shard for its counts of refused events.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct CountsAsk {}

impl Message for CountsAsk {
    const PATH: &'static str = "/quarantine/counts";
    type Reply = Counts;
}

/// Asks a shard for what it repaired and warned of.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct WarningsAsk {}

impl Message for WarningsAsk {
    const PATH: &'static str = "/quarantine/warnings";
    type Reply = WarningsReply;
}

/// What a shard repaired and warned of.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct WarningsReply {
    /// By source and code.
    pub(crate) noted: Vec<NotedOf>,
}

/// Refused events that are no longer to be kept, because they were accepted.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Release {
    /// Their names.
    pub(crate) ids: Vec<String>,
}

impl Message for Release {
    const PATH: &'static str = "/quarantine/release";
    type Reply = Done;
}

/// A refused event that is to be taken in again, as a batch of its own.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Replay {
    /// When it was received.
    pub(crate) received_at: UnixMillis,
    /// The batch.
    pub(crate) body: String,
    /// How far its sender was believed.
    #[serde(deserialize_with = "claimed_unless_said")]
    pub(crate) trust: Trust,
}

/// Reads the trust. Older versions send an empty text where none was kept: a claim.
fn claimed_unless_said<'de, D: Deserializer<'de>>(from: D) -> Result<Trust, D::Error> {
    Ok(Trust::parse(&String::deserialize(from)?))
}

impl Message for Replay {
    const PATH: &'static str = "/replay";
    type Reply = BatchReply;
}

/// Counts events of which nothing is kept.
pub(crate) async fn count(env: &Env, source: &str, code: RejectCode, count: usize) -> Result<(), EdgeError> {
    if count == 0 {
        return Ok(());
    }
    placement::check(env, Use::Write).await?;
    let count = i64::try_from(count).unwrap_or(i64::MAX);
    let tally = Tally { bucket: bucket_of(source), source: source.to_owned(), code, count };
    shards::ask_bucket(env, tally.bucket, &tally).await?;
    Ok(())
}

/// Keeps refused events for 30 days, and counts them. Where a code is not kept ([`RejectCode::is_kept`]), only the
/// count stays. If this fails, the whole request should fail: when it is sent again, its accepted events count as
/// duplicates.
pub(crate) async fn keep(env: &Env, events: Vec<Quarantined>) -> Result<(), EdgeError> {
    placement::check(env, Use::Write).await?;
    let mut by_bucket: BTreeMap<u16, Vec<Quarantined>> = BTreeMap::new();
    for event in events {
        // A request that speaks of many people makes one request to one shard of it, and not one for each of them.
        let is_one_of_many = event.code == RejectCode::TooManyPeople;
        let place = if event.subject.is_empty() || is_one_of_many { &event.source } else { &event.subject };
        by_bucket.entry(bucket_of(place)).or_default().push(event);
    }
    for (bucket, events) in by_bucket {
        shards::ask_bucket(env, bucket, &Keep { bucket, events }).await?;
    }
    Ok(())
}
