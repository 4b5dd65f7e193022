//! The OpenAPI 3.1 document of the edge, generated from the table of routes and the types that parse and answer.

mod answers;
mod browser;
mod builder;
mod conditions;
mod configuration;
mod customer_models;
mod describe;
mod document;
mod examples;
mod hand_written;
mod identity;
mod outside;
mod people;
mod push;
mod quarantine;
mod schema;
mod segments;
mod tidy;
mod vendor;

pub use answers::{CampaignView, Campaigns, Erased, ErasedRows, ErrorBody, ErrorDetail, NotTaken, Saved, Taken};
pub use document::document;
