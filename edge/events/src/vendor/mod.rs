//! The tracking APIs of Segment and RudderStack, as their own clients speak them.
//!
//! Role in the flow of one event: a shop that comes from one of them changes the host name and nothing else. The routes
//! are in the table of routes, the kinds of calls in [`call_type`], write keys in [`keys`]; [`request`] reads a body, [`message`] turns each call into a
//! [`crate::server::ServerEvent`] with the help of [`commerce`], [`consent`] and [`context`]; [`answers`] holds what the clients read
//! before they start.
//!
//! Sources: Segment's *HTTP Tracking API* and *Spec*, RudderStack's *HTTP API*; the clients that the tests run.

pub mod answers;
pub mod call_type;
mod commerce;
pub mod consent;
mod context;
pub mod keys;
pub mod message;
mod name_text;
pub mod request;

pub use call_type::CallType;
pub use consent::Categories;
pub use keys::{ServerKeys, basic_user};
pub use request::{Request, read};
