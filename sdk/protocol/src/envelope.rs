//! What kinds of messages an event can be.
//!
//! Role in the flow of one event: the page puts the envelope together (`sdk/js/event.js`), the edge reads it in
//! `engine::ingest`; the kind is what both decide by.

/// What kind of message an event is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
pub enum EventType {
    /// Something the visitor did, with a name.
    Track,
    /// A page view.
    Page,
    /// Who the visitor is.
    Identify,
    /// The visitor logged out; what follows belongs to a new anonymous ID.
    Reset,
    /// Something of ours was shown, clicked or dismissed.
    Impression,
}

impl EventType {
    /// Every kind, in the order that the page numbers them.
    pub const ALL: [Self; 5] = [Self::Track, Self::Page, Self::Identify, Self::Reset, Self::Impression];
}
