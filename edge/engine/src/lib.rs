//! Pure domain logic of the edge: it takes time and randomness as arguments and does no I/O.
//!
//! One event, in the order of the modules: [`ingest`] turns bytes into a typed event, [`profile`] applies it to a
//! fragment and folds the person ([`lifecycle`] says their stage), [`journey`] says what should happen later, [`decide`]
//! answers what to show now ([`recommend`] fills slots), and [`push`] speaks to push services when a timer fires.
//! [`shop`] holds what was configured, [`identity`] says who somebody is. [`link`] and [`webhook`] make events of what
//! happens where our script does not run. [`path`], [`limit`] and [`layout`] stand at the door of all of it.

pub mod channel;
pub mod decide;
pub mod dossier;
pub mod error;
pub mod identity;
pub mod ingest;
pub mod journey;
pub mod layout;
pub mod lifecycle;
pub mod limit;
pub mod link;
pub mod openapi;
pub mod path;
pub mod profile;
pub mod push;
pub mod recommend;
pub mod server;
pub mod shop;
pub mod vendor;
pub mod webhook;

pub use error::EngineError;
