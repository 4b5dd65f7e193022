//! What happens while a server runs.

/// What the loop of a running server waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Event {
    /// The server serves the present files.
    Ready,
    /// The server ended by itself.
    Ended,
    /// A source file changed.
    Changed(Changed),
}

/// What has to be built anew.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Changed {
    /// TypeScript, JavaScript or the demo shop: core and worker are as they were.
    Pages,
    /// All of it.
    All,
}
