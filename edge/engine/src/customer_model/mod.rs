//! Models of the customers' life: in which group somebody is at any moment, and how many move from which group to which.
//!
//! Role in the flow of one event: none; groups are worked out when somebody asks. They follow from a customer's orders alone, so those of
//! any day gone by are as exact as today's, also after profiles were linked or orders came late. The caller fixes the thresholds once
//! ([`Grouping`]) and asks every shard with them; what a model needs of all customers together is a [`Survey`] that comes first.

pub mod customer_orders;
pub mod grouping;
pub mod model;
pub mod named_model;
mod own_grouping;
pub mod own_model;
pub mod people;
pub mod survey;
pub mod tally;
pub mod view;

pub use customer_orders::Moment;
pub use grouping::Grouping;
pub use model::CustomerModel;
pub use named_model::NamedModel;
pub use survey::Survey;
pub use tally::GroupTally;
