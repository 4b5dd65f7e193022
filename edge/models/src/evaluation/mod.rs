//! How good the models are on a shop's orders: what `cargo xtask eval` prints. Everything is foretold from the past alone and
//! held against what happened after it.

mod purchase;
mod score;
mod stages;

pub use purchase::{NoReport, PurchaseReport, VerdictReport, purchase};
pub use score::{BgNbdReport, ChurnReport, GammaGammaReport, Holdout, ScoreReport, score};
pub use stages::{PlacedOrder, StageReport, stages};
