//! Adapters of the Workers runtime. They know nothing of the product.

pub(crate) mod backoff;
pub(crate) mod client_address;
pub(crate) mod client_place;
pub(crate) mod clock;
pub(crate) mod config;
pub(crate) mod cookie;
pub(crate) mod cors;
pub(crate) mod db;
pub(crate) mod error;
mod gaps;
pub(crate) mod outgoing;
pub(crate) mod query;
pub(crate) mod queue;
pub(crate) mod response;
mod variable;
pub(crate) mod webcrypto;
pub(crate) mod zone;
