//! The identity graph.

mod erase;
mod object;
mod peers;
mod person;
mod reassignments;
mod store;
