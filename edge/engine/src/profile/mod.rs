//! Profiles: a person is the fold of their fragments.
//!
//! Role in the flow of one event: after ingestion, the event is applied to the fragment of its browser
//! ([`fragment::Fragment`]), the packed row ([`row::ProfileRow`]) is written, and the fold ([`person::Person`]) answers
//! what is known about the person. Fragments are folded in canonical order, so the result depends only on which
//! fragments there are; dropping one and folding again is an exact unmerge.

pub mod bounded;
pub mod computed;
pub mod consents;
pub mod dedupe;
mod earlier;
pub mod erase;
pub mod fragment;
pub mod packed;
pub mod person;
pub mod row;
pub mod seating;
pub mod sessions;
pub mod signal;
pub mod timeline;
pub mod touchpoint;
pub mod traits;
pub mod view;
pub mod visit;

pub use fragment::Fragment;
pub use person::Person;
pub use row::ProfileRow;
pub use seating::{Parcelled, Seating};
pub use signal::Signal;
pub use traits::{Trait, Traits};
