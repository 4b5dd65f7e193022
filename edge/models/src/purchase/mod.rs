//! Whether a customer will buy soon: a probability, and one to five stars.
//!
//! [`PurchaseScore::learned`] fits a logistic regression to what customers did in the two spans before today, of which each
//! is as long as the one foretold. On transactions, boosted trees were no better (see the book's page on models). The score
//! speaks only where it orders the shop's own customers better than the time since their last order does ([`Verdict`]).

mod features;
mod logistic;
mod score;
mod stars;

pub use features::{FEATURES, PurchaseFeatures};
pub use logistic::Logistic;
pub use score::{PURCHASE_DAYS, PurchaseScore, Refusal, Sample, Trial, Verdict, samples};
pub use stars::{STAR_SHARES, Star, StarCuts};
