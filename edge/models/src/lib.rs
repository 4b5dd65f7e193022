//! What is computed from what people did: lifecycle stages and recommendations.
//!
//! Knows no profile and no HTTP: a model takes times, products and counts.

pub mod lifecycle;
pub mod recommend;
