//! One rule engine, two places: what a visitor did, the conditions over it, triggers and frequency caps.
//!
//! Role in the flow of one event: the edge folds it into the visitor's [`Behaviour`] and answers with that behaviour and
//! the compiled [`Program`]s of its campaigns; the page goes on with the same code, so that a pop-up that depends on
//! what the visitor does right now opens with no round trip and the answer is the one that the edge would give.

pub mod act;
pub mod behaviour;
pub mod cart;
pub mod codec;
#[cfg(feature = "serde")]
pub mod compile;
pub mod condition;
#[cfg(feature = "serde")]
pub mod condition_json;
#[cfg(feature = "serde")]
pub mod customer_score;
#[cfg(feature = "serde")]
pub mod decided;
#[cfg(feature = "serde")]
pub mod device;
#[cfg(feature = "serde")]
pub mod edge_fact;
#[cfg(feature = "serde")]
pub mod edge_fact_json;
pub mod evaluate;
#[cfg(feature = "serde")]
pub mod event_query;
#[cfg(feature = "serde")]
pub(crate) mod event_query_json;
#[cfg(feature = "serde")]
pub mod explain;
#[cfg(feature = "serde")]
mod fact_names;
pub mod frequency;
pub mod judge;
#[cfg(feature = "serde")]
mod leaf_json;
#[cfg(feature = "serde")]
pub mod next_change;
pub mod op;
pub mod pattern;
pub mod program;
#[cfg(feature = "serde")]
pub mod span;
pub mod stage;
pub mod table;
#[cfg(feature = "serde")]
pub mod text;
#[cfg(feature = "serde")]
pub mod text_test;
pub mod trigger;

pub use act::Act;
pub use behaviour::Behaviour;
pub use cart::{Cart, CartLine};
pub use evaluate::{PageFacts, Verdict};
pub use frequency::{Frequency, Seen};
pub use judge::{Eligibility, judge};
pub use program::Program;
pub use stage::Stage;
pub use table::Table;
pub use trigger::Trigger;
