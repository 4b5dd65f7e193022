//! Figures that say how good a model is, and the sums that models are made of. Pure, and in `libm` where a function is
//! transcendental, so that a figure has the same bits wherever it is worked out.

mod auc;
mod calibration;
mod linear_system;
mod nelder_mead;
mod ranks;

pub use auc::{Comparison, auc, compare};
pub use calibration::calibration_error;
pub use linear_system::solve;
pub use nelder_mead::Search;
pub use ranks::mean_ranks;
