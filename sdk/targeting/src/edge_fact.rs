//! What a condition asks that a page cannot know.

use endcap_protocol::SegmentId;

/// A question that only the edge can answer.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum EdgeFact {
    /// Whether the person is in a segment.
    Segment(SegmentId),
}

/// What answers such questions of a person.
pub trait EdgeFacts {
    /// Whether the answer is yes.
    fn holds(&self, fact: &EdgeFact) -> bool;
}

/// Somebody of whom the edge knows nothing: every answer is no.
#[derive(Debug, Clone, Copy)]
pub struct Nobody;

impl EdgeFacts for Nobody {
    fn holds(&self, _: &EdgeFact) -> bool {
        false
    }
}
