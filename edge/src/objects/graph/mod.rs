//! The identity graph.

mod erase;
mod health;
mod object;
mod peers;
mod person;
mod reassignments;
mod store;
