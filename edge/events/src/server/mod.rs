//! Events that no browser of ours sent: a shop's servers, other vendors' clients, mail pixels, webhooks.
//!
//! Role in the flow of one event: one request can speak of many people, so the worker's entry parses it, and this module
//! sorts what came out: [`ServerEvent`] says who did what, and [`history_batch`] packs what one history gets as the batch
//! that its shard ingests like any other.

pub mod event;
pub mod history_batch;

pub use event::{Action, ServerEvent, Who};
