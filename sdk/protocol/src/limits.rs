//! Bounds on everything that a browser sends. Both sides use them, so a page never builds what the edge refuses.

/// Largest body of an event batch, in bytes.
pub const BATCH_BYTES: usize = 512 * 1024;
/// Most events of one batch.
pub const BATCH_EVENTS: usize = 500;
/// Largest single event, in bytes of JSON.
pub const EVENT_BYTES: usize = 32 * 1024;
/// Longest event name, in bytes.
pub const NAME_BYTES: usize = 200;
/// Longest URL, title or referrer kept, in bytes; longer ones are cut.
pub const URL_BYTES: usize = 2048;
/// Most product lines of one order or cart.
pub const LINES: usize = 100;
/// Largest quantity of one line.
pub const QUANTITY: u32 = 100_000;
/// Most slots of one decision request.
pub const SLOTS: usize = 8;
/// Most products of one slot.
pub const SLOT_ITEMS: usize = 24;
/// How far ahead of the edge's clock an event may lie after skew correction, in milliseconds.
pub const FUTURE_MS: i64 = 60_000;
/// Age at which a browser's event is `too_late`, in milliseconds: the dedupe window.
pub const LATE_MS: i64 = 7 * crate::DAY_MS;
