//! What happens while a server runs.

/// What the loop of a running server waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Event {
    /// The server serves the present files.
    Ready,
    /// The server ended by itself.
    Ended,
    /// A source file changed.
    Changed,
}
