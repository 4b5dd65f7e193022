//! What a customer is worth: whether they are still one, how many orders to expect of them, and how large.
//!
//! [`BgNbd`] and [`GammaGamma`] are fitted to counts that shards can take apart and add up ([`RepeatCounts`],
//! [`SpendCounts`]): whole numbers, so the fit does not depend on who counted what. A [`Fitting`] goes on in bounded steps and
//! can be stored between them.

mod bg_nbd;
mod counts;
mod fitting;
mod gamma_gamma;
mod hypergeometric;
mod purchase_days;

pub use bg_nbd::BgNbd;
pub use counts::{Counts, History, RepeatCounts, SpendCounts};
pub use fitting::{Fit, Fitting, Model};
pub use gamma_gamma::GammaGamma;
pub use purchase_days::{DAYS_OF_WEEK, PurchaseDay, PurchaseDays, Repeats, Spend};
