//! Profiles: a person is the fold of their fragments.
//!
//! Role in the flow of one event: after ingestion, the event is applied to the fragment of its browser
//! ([`fragment::Fragment`]), the packed row ([`row::ProfileRow`]) is written, and the fold ([`person::Person`]) answers
//! what is known about the person. Fragments are folded in canonical order, so the result depends only on which
//! fragments there are; dropping one and folding again is an exact unmerge.
//!
//! Knows nothing of what a shop configured.

pub mod apart;
pub mod bounded;
pub mod compaction;
pub mod consents;
pub mod dedupe;
pub mod device_context;
pub mod digest;
pub mod digest_cache;
pub mod erase;
pub mod evidence_policy;
pub mod fold;
pub mod fragment;
pub mod fragment_rows;
mod fragment_succession;
mod legacy_formats;
pub mod list_mark;
pub mod log_tail;
pub mod memberships;
pub mod memory_rows;
pub mod occurrences;
pub mod packed;
pub mod packed_row;
pub mod person;
mod push_history;
pub mod push_record;
pub mod reassignment;
pub mod resolution;
pub mod row;
pub mod row_cache;
mod row_devices;
pub mod row_lists;
mod row_occurrences;
pub mod sessions;
pub mod signal;
pub mod timeline;
pub mod timers;
pub mod touchpoint;
mod two_timers;

pub use fragment::Fragment;
pub use person::Person;
pub use reassignment::{PackedFragment, Reassigned};
pub use row::ProfileRow;
pub use signal::Signal;
