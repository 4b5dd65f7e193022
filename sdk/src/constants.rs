//! Every delay, limit and storage key of the core in one place. Times are in milliseconds.

/// A page view, `init` and what the visitor sees are sent after this long, so that what a page does at once goes together.
pub(crate) const PROMPT_MS: u32 = 50;
/// Everything else is sent after this long.
pub(crate) const RELAXED_MS: u32 = 1000;
/// First wait after a failed request, doubled each time.
pub(crate) const BACKOFF_BASE_MS: u32 = 1000;
/// Longest wait after a failed request.
pub(crate) const BACKOFF_CAP_MS: u32 = 60_000;
/// Events whose effect is remembered until the edge answers for them.
pub(crate) const PENDING: usize = 500;
/// The identity, the same text as the cookie.
pub(crate) const IDENTITY: &str = "ec.id";
/// The session.
pub(crate) const SESSION: &str = "ec.s";
