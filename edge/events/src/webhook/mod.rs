//! Webhooks: what a shop's other systems tell the edge, by a signature and a mapping that the shop writes as data.
//!
//! Role in the flow of one event: [`signature`] believes a delivery, [`mapping`] holds the rules as they were saved, and
//! [`delivery`] makes events of it. [`preset`] has ready mappings.

pub mod delivery;
pub mod mapping;
pub mod one_or_many;
pub mod pointer;
pub mod preset;
pub mod signature;
pub mod template;

pub use delivery::Delivery;
pub use mapping::Mapping;
pub use preset::Preset;
pub use signature::Scheme;
