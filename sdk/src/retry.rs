//! When a failed request is tried again: exponential backoff with full jitter, unless the edge named a time.

use crate::constants::{BACKOFF_BASE_MS, BACKOFF_CAP_MS};

/// What an answer means for the events that were sent (`sdk/js/net.js` reads the numbers).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SendOutcome {
    /// The body says what became of each.
    Answered,
    /// Try again later.
    Retry,
    /// Too large: halves may pass.
    Split,
    /// Never going to pass.
    Drop,
}

/// Reads the status of the answer to a request of so many events; 0 where nobody answered.
pub(crate) fn outcome(status: u16, events: u32) -> SendOutcome {
    match status {
        200..=299 | 400 => SendOutcome::Answered,
        413 if events > 1 => SendOutcome::Split,
        0 | 408 | 429 | 500.. => SendOutcome::Retry,
        _ => SendOutcome::Drop,
    }
}

/// Milliseconds to wait after `failures` failures in a row (at least 1). `random` lies in 0..1; `retry_after` is what the
/// edge asked for, and is added to, never shortened, by the jitter.
pub(crate) fn wait(failures: u32, random: f64, retry_after: Option<u32>) -> u32 {
    let doubled = BACKOFF_BASE_MS.saturating_mul(1 << failures.saturating_sub(1).min(16));
    let jitter = (f64::from(doubled.min(BACKOFF_CAP_MS)) * random) as u32;
    match retry_after {
        Some(asked) => asked.saturating_add((f64::from(BACKOFF_BASE_MS) * random) as u32),
        None => jitter,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_longer_each_time_up_to_a_cap() {
        assert_eq!([1, 2, 3].map(|n| wait(n, 1.0, None)), [1000, 2000, 4000]);
        assert_eq!(wait(30, 1.0, None), BACKOFF_CAP_MS);
        assert_eq!(wait(5, 0.0, None), 0);
    }

    #[test]
    fn never_comes_before_the_edge_asked() {
        assert_eq!(wait(1, 0.0, Some(90_000)), 90_000);
        assert_eq!(wait(1, 0.5, Some(90_000)), 90_500);
    }

    #[test]
    fn retries_only_what_can_pass_later() {
        let of = |status| outcome(status, 2);
        assert_eq!([0, 408, 429, 500, 503].map(of), [SendOutcome::Retry; 5]);
        assert_eq!([401, 403, 404, 415].map(of), [SendOutcome::Drop; 4]);
        assert_eq!((of(413), outcome(413, 1)), (SendOutcome::Split, SendOutcome::Drop));
        assert_eq!([200, 400].map(of), [SendOutcome::Answered; 2]);
    }
}
