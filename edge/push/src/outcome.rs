//! What a push service's answer means for the message and for the subscription.

use crate::http_date::parse_http_date;

/// First pause before a retry, in milliseconds; it doubles with each attempt.
const FIRST_PAUSE_MS: i64 = 30_000;

/// Longest pause that we choose ourselves, in milliseconds: one hour.
const LONGEST_PAUSE_MS: i64 = 3_600_000;

/// Longest pause that a push service can ask for, in milliseconds: a day. Messages are worth less after that.
const LONGEST_RETRY_AFTER_MS: i64 = 24 * 3_600_000;

/// Most attempts for one message, the first included.
const MAX_ATTEMPTS: u32 = 6;

/// The parts of an HTTP response that matter.
#[derive(Debug, Clone, Copy)]
pub struct Reply<'a> {
    /// Status code; redirects are not followed, so 3xx is an answer too.
    pub status: u16,
    /// The `Retry-After` header.
    pub retry_after: Option<&'a str>,
    /// The beginning of the body; a few hundred bytes suffice.
    pub body: &'a str,
}

/// Which try of a message a reply belongs to.
#[derive(Debug, Clone, Copy)]
pub struct Attempt {
    /// How many attempts there were, this one included: 1 for the first.
    pub number: u32,
    /// Any number that differs between messages, for instance a hash of the message ID. It spreads retries, so that
    /// messages that failed together do not come back together.
    pub spread: u64,
    /// The time of the reply, in milliseconds since 1970.
    pub now: i64,
}

/// What became of one attempt, exhaustively.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// The push service took the message.
    Sent,
    /// The subscription has ended: delete it.
    Gone,
    /// The subscription belongs to another key: the browser must subscribe again at its next visit.
    Resubscribe,
    /// Try again after this many milliseconds.
    Retry {
        /// Pause from now.
        after_ms: i64,
    },
    /// Out of attempts: the push service kept asking to try later.
    GivenUp,
    /// The request itself was wrong (too large, malformed, redirected): a fault of ours; trying again cannot help.
    Refused,
}

impl Outcome {
    /// Reads a reply of a push service.
    pub fn of(reply: &Reply<'_>, attempt: &Attempt) -> Self {
        match reply.status {
            200..=299 => Self::Sent,
            404 | 410 => Self::Gone,
            401 | 403 => Self::Resubscribe,
            // Apple says with 400 what others say with 403.
            400 if reply.body.contains("VapidPkHashMismatch") => Self::Resubscribe,
            // 406 is how the Windows service says 429.
            406 | 408 | 425 | 429 | 500..=599 => Self::retry(reply, attempt),
            _ => Self::Refused,
        }
    }

    /// No reply at all (connection failed, timed out): the same as a server error.
    pub fn of_no_reply(attempt: &Attempt) -> Self {
        Self::retry(&Reply { status: 0, retry_after: None, body: "" }, attempt)
    }

    /// The name under which the outcome is recorded.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Sent => "sent",
            Self::Gone => "gone",
            Self::Resubscribe => "resubscribe",
            Self::Retry { .. } => "retry",
            Self::GivenUp => "given_up",
            Self::Refused => "refused",
        }
    }

    fn retry(reply: &Reply<'_>, attempt: &Attempt) -> Self {
        if attempt.number >= MAX_ATTEMPTS {
            return Self::GivenUp;
        }
        let asked = reply.retry_after.and_then(|value| retry_after_ms(value, attempt.now)).unwrap_or(0);
        Self::Retry { after_ms: asked.max(backoff_ms(attempt.number, attempt.spread)) }
    }
}

/// Pause before attempt `number + 1`, in milliseconds: 30 s doubling to one hour, of which the upper half is spread
/// by `spread`.
pub fn backoff_ms(number: u32, spread: u64) -> i64 {
    let doublings = number.saturating_sub(1).min(16);
    let ceiling = FIRST_PAUSE_MS.saturating_mul(1 << doublings).min(LONGEST_PAUSE_MS);
    let half = ceiling / 2;
    let offset = spread % u64::try_from(half).unwrap_or(1).saturating_add(1);
    half + i64::try_from(offset).unwrap_or(0)
}

/// Seconds or an HTTP date (RFC 9110, section 10.2.3) as a pause in milliseconds, at most a day.
fn retry_after_ms(value: &str, now: i64) -> Option<i64> {
    let value = value.trim();
    let digits = !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit());
    let pause = if digits {
        // More digits than fit means longer than the longest.
        value.parse::<i64>().map_or(i64::MAX, |seconds| seconds.saturating_mul(1000))
    } else {
        parse_http_date(value)?.saturating_sub(now)
    };
    Some(pause.clamp(0, LONGEST_RETRY_AFTER_MS))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const FIRST: Attempt = Attempt { number: 1, spread: 0, now: 784_111_777_000 };

    fn of(status: u16, retry_after: Option<&str>, body: &str) -> Outcome {
        Outcome::of(&Reply { status, retry_after, body }, &FIRST)
    }

    #[test]
    fn each_status_has_its_outcome() {
        let retry = Outcome::Retry { after_ms: 15_000 };
        let table = [
            (200, Outcome::Sent),
            (201, Outcome::Sent),
            (202, Outcome::Sent),
            (404, Outcome::Gone),
            (410, Outcome::Gone),
            (401, Outcome::Resubscribe),
            (403, Outcome::Resubscribe),
            (406, retry),
            (408, retry),
            (429, retry),
            (500, retry),
            (503, retry),
            (301, Outcome::Refused),
            (307, Outcome::Refused),
            (400, Outcome::Refused),
            (413, Outcome::Refused),
        ];
        for (status, outcome) in table {
            assert_eq!(of(status, None, ""), outcome, "{status}");
        }
        assert_eq!(of(400, None, r#"{"reason":"VapidPkHashMismatch"}"#), Outcome::Resubscribe);
        assert_eq!(of(400, None, r#"{"reason":"BadWebPushTopic"}"#), Outcome::Refused);
        assert_eq!(Outcome::of_no_reply(&FIRST), retry);
    }

    #[test]
    fn retry_after_is_read_as_seconds_and_as_a_date() {
        let table = [
            ("120", 120_000),
            (" 120 ", 120_000),
            ("Sun, 06 Nov 1994 08:59:37 GMT", 600_000),
            ("Sun, 06 Nov 1994 08:00:00 GMT", 15_000), // in the past: our own pause
            ("0", 15_000),
            ("-5", 15_000),
            ("soon", 15_000),
            ("99999999999999999999", LONGEST_RETRY_AFTER_MS),
        ];
        for (value, after_ms) in table {
            assert_eq!(of(429, Some(value), ""), Outcome::Retry { after_ms }, "{value}");
        }
    }

    #[test]
    fn the_last_attempt_gives_up() {
        let attempt =
            |number| Outcome::of(&Reply { status: 503, retry_after: None, body: "" }, &Attempt { number, ..FIRST });
        assert!(matches!(attempt(MAX_ATTEMPTS - 1), Outcome::Retry { .. }));
        assert_eq!(attempt(MAX_ATTEMPTS), Outcome::GivenUp);
    }

    proptest! {
        #[test]
        fn pauses_grow_to_the_cap_and_never_below_half_of_it(number in 1u32..200, spread in any::<u64>()) {
            let pause = backoff_ms(number, spread);
            let ceiling = (FIRST_PAUSE_MS << (number - 1).min(16)).min(LONGEST_PAUSE_MS);
            prop_assert!(pause >= ceiling / 2 && pause <= ceiling);
        }

        #[test]
        fn no_header_panics_and_no_pause_exceeds_a_day(value in ".*", now in any::<i64>()) {
            if let Some(pause) = retry_after_ms(&value, now) {
                prop_assert!((0..=LONGEST_RETRY_AFTER_MS).contains(&pause));
            }
        }
    }
}
