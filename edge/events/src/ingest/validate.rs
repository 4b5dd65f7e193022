//! Stages 4 to 6: consent, clock and age.

use endcap_protocol::limits::{FUTURE_MS, LATE_MS};
use endcap_protocol::{Consent, FieldError, UnixMillis};
use endcap_validation::Trust;

use super::event::{Event, Kind};
use super::rejection::{RejectCode, Rejection};

/// Stage 4: drops what the visitor did not agree to. Logging out is always honoured.
///
/// # Errors
/// [`RejectCode::NoConsent`] where analytics is refused.
pub fn filter(event: Event, consent: Option<Consent>) -> Result<Event, Rejection> {
    let refused = consent.is_some_and(|consent| !consent.analytics) && event.kind != Kind::Reset;
    if refused {
        let error = FieldError::new("", "the visitor did not consent to analytics");
        return Err(Rejection::new(RejectCode::NoConsent, error).of(event.message_id.as_str()));
    }
    Ok(event)
}

/// Stage 5: puts the event on the edge's clock. An event without a time happened now.
#[must_use]
pub fn normalise(mut event: Event, skew: UnixMillis, now: UnixMillis) -> Event {
    event.at = if event.at == 0 { now } else { event.at.saturating_add(skew) };
    event
}

/// Stage 6: refuses events that are too old to be deduplicated, or lie in the future. A shop's server may report events
/// that are years old.
///
/// # Errors
/// [`RejectCode::TooLate`] or [`RejectCode::InFuture`].
pub fn limit(event: Event, trust: Trust, now: UnixMillis) -> Result<Event, Rejection> {
    let late = trust == Trust::Claim && event.at < now.saturating_sub(LATE_MS);
    let (code, message) = if late {
        (RejectCode::TooLate, "is over 7 days old")
    } else if event.at > now.saturating_add(FUTURE_MS) {
        (RejectCode::InFuture, "lies in the future")
    } else {
        return Ok(event);
    };
    Err(Rejection::new(code, FieldError::new("timestamp", message)).of(event.message_id.as_str()))
}
