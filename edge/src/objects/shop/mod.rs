//! The shop's object, and the registry, which is the same class under another name.

mod campaigns;
mod configuration;
mod health;
mod learning;
mod object;
mod registry;
mod webhooks;
