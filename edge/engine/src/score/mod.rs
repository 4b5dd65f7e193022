//! Scores: what a shop's customers are likely to do, fitted to the shop's own orders.
//!
//! Role in the flow of one event: none. Once a day the `Shop` object that is named after the models collects what its
//! customers ordered ([`customers`]), fits the models in bounded steps ([`fit`]) and hands [`Scores`] to the shop, whose
//! snapshot carries them to the shards. Whoever looks at a person gets theirs ([`person`]).

pub mod customers;
pub mod fit;
mod packed;
pub mod person;
pub mod scores;
pub mod view;

pub use scores::Scores;
