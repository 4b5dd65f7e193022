//! The engine from the outside: bytes of a batch in, profile and decision out, as the edge uses it.
//!
//! One binary, so that it links once. Time is always passed in; [`support`] builds events, batches and shops.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test ends at the first thing that is not as it should be"
)]

mod apart;
mod condition_cases;
mod conditions;
mod decisions;
mod devices;
mod event_segments;
mod facts;
mod identity;
mod ingest;
mod journey;
mod linking;
mod lists;
mod openapi;
mod packed_rows;
mod people;
mod possession;
mod repairs;
mod replay;
mod segments;
mod senders;
mod shop;
mod support;
mod vendors;
mod visits;
