//! The text form of a condition, which a person can write:
//!
//! ```text
//! orders >= 2 and days_since_last_order > 90 and products_viewed(category = "jackets") >= 3
//! stage in (new, active) and not (cart_units = 0 or url_path matches "/checkout*")
//! some_category(products_viewed(category = $) >= 2 and units_bought(category = $) = 0)
//! revenue >= 10000 in 90 days and last_order before 30 days ago and trait("city") = "Paris"
//! viewed(category = "jackets") >= 3 in 14 days and not ordered after viewed(category = "jackets")
//! ```
//!
//! Role in the flow of one event: none; a campaign's condition may be written so when it is saved. Text and JSON say the same
//! ([`parse`] and [`print`] are each other's inverse). `and` binds closer than `or`; parentheses make a part of their own. A list of one
//! part or of none is `all(…)` or `any(…)`.

mod edge_facts;
mod error;
mod events;
mod leaf;
mod parse;
mod print;
mod token;

pub use error::TextError;
pub use parse::{MAX_TEXT, parse};
pub use print::print;
