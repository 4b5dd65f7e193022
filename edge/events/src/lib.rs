//! Outside bytes to typed events, whoever sent them: our own page, other vendors' clients, webhooks, pixels and links of
//! messages, and the shop's servers.
//!
//! Role in the flow of one event: [`ingest`] turns a batch into events, or keeps what it refuses in quarantine.
//! [`vendor`], [`webhook`] and [`link`] make [`server`] events of what happens where our script does not run.

pub mod ingest;
pub mod link;
pub mod server;
pub mod timestamp;
pub mod traits;
pub mod vendor;
pub mod webhook;

pub use traits::{Trait, Traits};
