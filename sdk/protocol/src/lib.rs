//! The shared language of page and edge: identifiers, the event envelope, e-commerce events, consent, touchpoints.
//!
//! Role in the flow of one event: the page builds it with these types and writes it as JSON; the edge reads the same
//! JSON back into the same types. Nothing here reads a clock, draws a random number or names JavaScript, so both sides
//! give the same answer for the same input.

#![allow(clippy::single_char_add_str, reason = "pushing a char brings its UTF-8 encoder into every page")]

#[cfg(feature = "serde")]
pub mod amount;
pub mod bucket;
pub mod commerce;
pub mod consent;
pub mod cookie;
#[cfg(feature = "serde")]
pub mod currency;
pub mod date;
pub mod envelope;
pub mod error;
pub mod id;
pub mod limits;
pub mod money;
pub mod props;
#[cfg(feature = "serde")]
pub mod repair;
pub mod session;
pub mod text;
pub mod touch;
pub mod uuid;

pub use bucket::{BUCKETS, bucket_of};
pub use consent::Consent;
pub use date::Date;
pub use envelope::EventType;
pub use error::FieldError;
pub use id::{
    AnonymousId, CampaignId, CategoryId, DeviceId, MessageId, ProductId, ProfileId, SegmentId, SessionId, SourceId,
    UserId,
};
pub use money::Money;
pub use props::Props;

/// Milliseconds since 1970-01-01T00:00:00Z, the only time unit of the project.
pub type UnixMillis = i64;

/// One day in milliseconds.
pub const DAY_MS: UnixMillis = 86_400_000;
