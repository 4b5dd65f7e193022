//! Events that no browser of ours sent: a shop's servers, other vendors' clients, mail pixels, webhooks.
//!
//! Role in the flow of one event: one request can speak of many people, so the worker's entry parses it, and this module
//! sorts what came out: [`ServerEvent`] says who did what, [`fragment`] names the history it belongs to, and [`parcel`]
//! packs what one history gets as the batch that its shard ingests like any other.

pub mod event;
pub mod fragment;
pub mod parcel;
mod trust;

pub use event::{Action, ServerEvent, Who};
pub use trust::Trust;
