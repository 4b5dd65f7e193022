//! Keeping refused events, from routes that refuse them before a shard sees them.
//!
//! Role in the flow of one event: vendor routes and webhooks parse at the entry; what they refuse goes from here to a
//! shard, where it lies beside what the shards themselves refuse.

use std::collections::BTreeMap;

use endcap_events::ingest::quarantine::Quarantined;
use endcap_events::ingest::rejection::RejectCode;
use endcap_protocol::bucket_of;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use worker::Env;

use crate::fault::Fault;
use crate::layout::Use;
use crate::{layout, objects};

/// Refused events of one bucket, on their way to its shard.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Keep {
    /// The bucket.
    pub(crate) bucket: u16,
    /// The events.
    pub(crate) events: Vec<Quarantined>,
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

/// Counts events of which nothing is kept.
pub(crate) async fn count(env: &Env, source: &str, code: RejectCode, count: usize) -> Result<(), Fault> {
    if count == 0 {
        return Ok(());
    }
    layout::check(env, Use::Write).await?;
    let count = i64::try_from(count).unwrap_or(i64::MAX);
    let tally = Tally { bucket: bucket_of(source), source: source.to_owned(), code, count };
    let _: Value = objects::ask_bucket(env, tally.bucket, "/quarantine/count", &tally).await?;
    Ok(())
}

/// Keeps refused events for 30 days, and counts them. Of those whose code is not [kept](is_kept) only the count stays.
/// If this fails the whole request should: what is good in it is recognised when it is sent again.
///
/// [is_kept]: endcap_events::ingest::rejection::RejectCode::is_kept
pub(crate) async fn keep(env: &Env, events: Vec<Quarantined>) -> Result<(), Fault> {
    layout::check(env, Use::Write).await?;
    let mut by_bucket: BTreeMap<u16, Vec<Quarantined>> = BTreeMap::new();
    for event in events {
        let place = if event.subject.is_empty() { &event.source } else { &event.subject };
        by_bucket.entry(bucket_of(place)).or_default().push(event);
    }
    for (bucket, events) in by_bucket {
        let _: Value = objects::ask_bucket(env, bucket, "/quarantine/keep", &Keep { bucket, events }).await?;
    }
    Ok(())
}
