//! Durable Objects: what is stored, and what happens to it in one transaction.
//!
//! An object knows no route and no other object's inside; what they say to each other is in `rpc`.

mod graph;
mod shard;
mod shop;
