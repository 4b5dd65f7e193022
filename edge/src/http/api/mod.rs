//! The server API: for the shop's servers and its people, with a secret key.

mod admit;
pub(super) mod campaigns;
pub(super) mod conditions;
mod config_body;
pub(super) mod customer_models;
pub(super) mod health;
pub(super) mod identity;
pub(super) mod jobs;
pub(super) mod links;
pub(super) mod people;
pub(super) mod person_export;
pub(super) mod products;
pub(super) mod profiles;
pub(super) mod quarantine;
pub(super) mod scores;
mod segment_export;
mod segment_list;
pub(super) mod segment_named;
mod segment_preview;
pub(super) mod segments;
pub(super) mod settings;
pub(super) mod shards;
pub(super) mod timers;
pub(super) mod webhooks;

pub(super) use admit::admit;
