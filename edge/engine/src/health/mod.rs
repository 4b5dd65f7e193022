//! How a deployment is, for who operates it: each object's figures, and what of them needs a person.
//!
//! Role in the flow of one event: none. Objects fill these in when they are asked, and once a minute for the log, with an
//! alarm that rings anyway.

pub mod awake;
pub mod configuration;
pub mod deployment;
pub mod finding;
pub mod objects;

pub use deployment::Health;
pub use objects::{
    Counted, GraphHealth, LearningHealth, OutboxHealth, QuarantineHealth, ShardHealth, ShopHealth, TimerHealth,
};
