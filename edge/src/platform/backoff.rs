//! How long to wait before something that failed is tried again.

use endcap_protocol::UnixMillis;

/// The first pause, in milliseconds.
const FIRST_MS: UnixMillis = 2_000;
/// The longest pause, in milliseconds.
const LONGEST_MS: UnixMillis = 3_600_000;

/// The pause before an alarm rings again whose run failed as a whole, in milliseconds. The platform gives up after six
/// failed runs, so an object sets its alarm again by itself.
pub(crate) const FAILED_ALARM_MS: UnixMillis = 30_000;

/// The pause after so many failed tries, in milliseconds: from two seconds, doubled each time, to an hour.
pub(crate) fn pause_ms(failures: u32) -> UnixMillis {
    (FIRST_MS << failures.min(11)).min(LONGEST_MS)
}
