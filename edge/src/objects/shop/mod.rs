//! The shop's object; the registry and the object that fits models are the same class under other names.

mod campaigns;
mod configuration;
mod event_queries;
mod health;
mod learning;
mod object;
mod registry;
mod scores;
mod segments;
mod webhooks;
