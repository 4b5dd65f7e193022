//! The tables of a profile shard, each in a file of its own.
//!
//! Every row carries its bucket, so that buckets can move between shards. What has to be queried as a set (timers,
//! subscriptions, stages) is a table that is written only when it changes; everything else of a profile is packed into one
//! row. `WITHOUT ROWID` tables write one row where others write one more for their index.

pub(super) mod all;
pub(super) mod contract;
pub(super) mod dedupe_overflow;
pub(super) mod event_log;
pub(super) mod fragment;
pub(super) mod holding;
pub(super) mod membership;
pub(super) mod meta;
pub(super) mod outbox;
pub(super) mod parked_job;
pub(super) mod profile;
pub(super) mod quarantine;
pub(super) mod refused;
mod rows;
pub(super) mod segment_day;
pub(super) mod segment_fill;
pub(super) mod segment_member;
pub(super) mod subscription;
pub(super) mod timer;
pub(super) mod tombstone;
pub(super) mod warning;
