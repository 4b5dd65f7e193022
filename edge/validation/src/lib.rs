//! What every crate of the domain needs to judge what comes from outside: the error that it answers with, how far a sender
//! is believed, checks of texts and JSON, lists that others maintain, and hashes.
//!
//! Knows none of the other crates of the edge.

pub mod error;
pub mod hash;
pub mod json;
pub mod maintained_list;
pub mod path;
pub mod placeholder;
pub mod text;
pub mod trust;
pub mod url;

pub use error::DomainError;
pub use json::read_json;
pub use trust::Trust;
