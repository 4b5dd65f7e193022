//! What routes and objects say to each other: every message with its answer, and how its object is found.
//!
//! An object gets parsed, valid values, never a public address.

pub(crate) mod bucket_transfer;
pub(crate) mod call;
pub(crate) mod crossing;
pub(crate) mod customer_models;
pub(crate) mod delivery;
pub(crate) mod erasure;
pub(crate) mod fit_published;
pub(crate) mod graph;
pub(crate) mod health;
pub(crate) mod learning;
pub(crate) mod message;
pub(crate) mod namespace;
pub(crate) mod parked_jobs;
pub(crate) mod past_events;
pub(crate) mod person_export;
pub(crate) mod placement;
pub(crate) mod profile;
pub(crate) mod quarantine;
pub(crate) mod rows;
pub(crate) mod scores;
pub(crate) mod segments;
pub(crate) mod shards;
pub(crate) mod shop;
pub(crate) mod snapshots;
pub(crate) mod timers;
