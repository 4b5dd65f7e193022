//! When events are sent.

/// When events are sent. Times are Unix milliseconds, 0 where there is none.
#[derive(Default)]
pub(crate) struct Sender {
    /// When the queue is sent.
    pub(crate) due: f64,
    /// The lock is held or waited for.
    pub(crate) running: bool,
    /// Requests that failed, one after the other.
    pub(crate) failures: u32,
    /// No request before this time.
    pub(crate) not_before: f64,
    /// Most events per request, halved when the edge says that one was too large; 0 means no such limit.
    pub(crate) max_events: u32,
    /// A decision is wanted even if there are no events.
    pub(crate) wants_decision: bool,
}
