//! E-commerce events, by the names of Segment's E-commerce spec v2.
//!
//! Role in the flow of one event: right after the envelope is known, in the page and at the edge alike. What comes out
//! is typed and bounded. Shops send odd values, and one of them never costs the event: it is repaired or left out, and the
//! edge says so.

mod brief;
mod event;
#[cfg(feature = "serde")]
mod reader;
#[cfg(all(test, feature = "serde"))]
#[allow(clippy::unwrap_used, clippy::panic, reason = "a test ends at the first thing that is not as it should be")]
mod tests;

pub use brief::parse_brief;
pub use event::{Commerce, DEFAULT_CURRENCY, Line, Order, is_order_id, major_parts};
#[cfg(feature = "serde")]
pub use reader::{order_number, parse};
