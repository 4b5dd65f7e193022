//! The browser's core: what decides in a shop's page, loaded once the page is idle.
//!
//! Role in the flow of one event: the loader hands a call over, `sdk/js` puts the event together and asks [`capture`]
//! whether it may be kept; [`send`] says when the queue goes to the edge and what an answer means; [`decide`] reads the
//! edge's decision and goes on deciding between answers with the same rules. Here is what has to be right; what is a
//! call into the browser (storage, requests, dialogs, timers) is JavaScript in `sdk/js`, where it costs a third of the
//! bytes, and decides nothing.
//!
//! One piece of work at a time: `sdk/js/turn.js` never enters the core while it is at work.

mod app;
#[cfg(any(test, target_arch = "wasm32"))]
#[allow(unsafe_code, reason = "an allocator hands out memory")]
mod blocks;
mod capture;
mod consent;
mod constants;
mod decide;
mod decisions;
mod host;
mod identity;
mod props;
mod retry;
mod send;
mod sender;
mod types;

pub use capture::capture;
pub use consent::consent;
pub use decide::{decided, judge, subscribed};
pub use identity::renamed;
pub use send::{answered, bucket, due, flush, next, online, stop, wanted};

#[cfg(target_arch = "wasm32")]
#[global_allocator]
static ALLOCATOR: blocks::Blocks<blocks::OfModule> = blocks::Blocks::new(blocks::OfModule);
