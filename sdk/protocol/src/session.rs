//! Sessions: activity without a gap of 30 minutes.

use crate::UnixMillis;
use crate::text::{integer, push_decimal, split_once};

/// Inactivity after which a new session starts, in milliseconds (the convention of GA4 and Segment).
pub const IDLE_MS: UnixMillis = 30 * 60 * 1000;

/// The stored text of a session: `<last activity ms>.<session id>`.
#[must_use]
pub fn store(id: &str, last_activity: UnixMillis) -> String {
    let mut text = String::new();
    push_decimal(&mut text, last_activity.unsigned_abs());
    text.push_str(".");
    text.push_str(id);
    text
}

/// The session that goes on at `now`, or None when there is none, it lapsed, or the stored text is damaged. A clock
/// that went backwards keeps the session.
#[must_use]
pub fn resume(stored: &str, now: UnixMillis) -> Option<&str> {
    let (last, id) = split_once(stored, ".")?;
    let last = integer(last)?.cast_signed();
    (!id.is_empty() && now.saturating_sub(last) < IDLE_MS).then_some(id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lapses_after_thirty_idle_minutes() {
        let stored = store("s1", 1_000);
        assert_eq!(resume(&stored, 1_000 + IDLE_MS - 1), Some("s1"));
        assert_eq!(resume(&stored, 1_000 + IDLE_MS), None);
        assert_eq!(resume(&stored, 0), Some("s1"));
        assert_eq!(resume("nonsense", 0), None);
    }
}
