//! Segments: groups of people that a condition describes, right at every moment.
//!
//! Role in the flow of one event: after an event was applied, [`judge`](membership::judge) says which segments the person enters and
//! leaves, and when time alone will next change that. The shard writes the changes beside the row, and arms one timer for that moment.
//! People whom nothing happens to when a segment is saved are looked at by each shard's fill.

pub mod definition;
pub mod estimate;
pub mod fill;
pub mod history;
pub mod list_change;
pub mod members;
pub mod membership;
pub mod preview;
pub mod view;

pub use definition::{SavedSegment, Segment, Segments};
pub use membership::{MembershipChanges, judge};
