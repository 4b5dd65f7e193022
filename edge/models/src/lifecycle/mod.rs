//! Where a person stands with the shop, from the orders alone: the NASLD lifecycle.
//!
//! On an event's way this module runs when a profile is folded: an order moves a person to New or Active at once,
//! and the passage of time moves them on through Sleep and Lost to Deep. Since time alone changes a stage, the
//! module also says when it will ([`Lifecycle::next_change_at`]), so that a timer can look again exactly then.
//!
//! The model was described by beBit TECH (New, Active, Sleep, Lost, Deep, with prospects before them), its numbers
//! were not; those here are this project's own and configurable, see [`Config`]. All times are milliseconds since
//! 1970 UTC, all durations milliseconds, all arithmetic is in integers.

mod config;
mod cycle;
mod dciu;
mod history;
mod napl;
mod nes;
mod orders;
mod stage;

pub use endcap_protocol::DAY_MS;

pub use config::{Bounds, Config};
pub use cycle::GapHistogram;
pub use dciu::{Dciu, Intent, IntentCounts, IntentCuts, IntentShares, intent_score};
pub use history::{Entry, History, Lifecycle, MAX_ENTRIES, Movement};
pub use napl::{NAPL_DAYS, Napl};
pub use nes::Nes;
pub use orders::Orders;
pub use stage::{Stage, next_change_at, stage_at};
