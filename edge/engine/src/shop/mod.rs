//! What the shop configured: products, campaigns, settings, webhooks, and the snapshot of all that shards decide with.
//!
//! Role in the flow of one event: parsed when saved; shards hold an immutable, versioned [`Snapshot`] and never ask for
//! anything while they decide.

pub mod calendar;
pub mod campaign;
mod edge_fact_schemas;
pub mod event_queries;
mod event_schemas;
pub mod locale;
pub mod product;
pub(crate) mod rule_schemas;
pub mod settings;
pub mod snapshot;
pub mod webhooks;

pub use calendar::Calendar;
pub use campaign::Campaign;
pub use product::Product;
pub use settings::Settings;
pub use snapshot::Snapshot;
