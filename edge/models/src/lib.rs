//! What is computed from what people did: lifecycle stages, RFM, value, purchase and churn, and recommendations.
//!
//! Knows no profile and no HTTP: a model takes times, products and counts.
//!
//! # How it learns
//!
//! Each batch's log row holds what its events teach: steps between products, additions, purchases, gaps between orders
//! (`edge/profile/src/signal.rs`). The shard's alarm reports them to the `Shop` (in a quiet hour at its end, so that
//! nothing is woken for it) in order, with a cursor on both sides, so each is learned once whatever crashes, and the
//! event path makes no hop for it. `edge/models/src/recommend/` keeps bounded rows of what was visited together and a
//! decaying count of what sells; `lifecycle/` keeps a histogram of order gaps, from which the shop's repurchase cycle
//! follows. Both are integers; ties go by product ID.

pub mod churn;
pub mod evaluation;
pub mod lifecycle;
pub mod purchase;
pub mod recommend;
pub mod rfm;
pub mod statistics;
pub mod value;
