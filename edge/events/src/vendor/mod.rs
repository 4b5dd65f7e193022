//! The tracking APIs of Segment and RudderStack, as their own clients speak them.
//!
//! Role in the flow of one event: a shop that comes from one of them changes the host name and nothing else. The routes
//! are in [`endpoint`], whose key speaks in [`keys`]; [`request`] reads a body, [`message`] turns each call into a
//! [`crate::server::ServerEvent`] with the help of [`commerce`], [`consent`] and [`context`]; [`answers`] holds what the clients read
//! before they start.
//!
//! Sources: Segment's *HTTP Tracking API* and *Spec*, RudderStack's *HTTP API*; the clients that the tests run.

pub mod answers;
mod commerce;
pub mod consent;
mod context;
pub mod endpoint;
pub mod keys;
pub mod message;
mod name_text;
pub mod request;
mod traits;

pub use crate::vendor::consent::Categories;
pub use crate::vendor::endpoint::{CallType, Endpoint};
pub use crate::vendor::keys::{ServerKeys, basic_user};
pub use crate::vendor::request::{Request, read};
