//! How long an object is awake, worked out from the times of its requests and alarms.
//!
//! The platform may put an idle object to sleep ten seconds after its last request or alarm (Cloudflare, "Lifecycle of a
//! Durable Object"). So each of them keeps it awake that long. What is billed is at most this.

use endcap_protocol::UnixMillis;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How long an object stays awake after a request or an alarm, in milliseconds.
pub const LINGER_MS: UnixMillis = 10_000;
/// An hour, in milliseconds.
const HOUR_MS: UnixMillis = 3_600_000;
/// How soon the alarm rings that only learns, in milliseconds: while the object is awake anyway.
const SOON_MS: UnixMillis = 2_000;
/// How many learning intervals something may wait to be learned where the object would have to wake for it, and the longest
/// time.
const PATIENCE: UnixMillis = 60;
const LONGEST_MS: UnixMillis = HOUR_MS;

/// Adds up how long an object is awake, by the hours of the clock.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct AwakeMeter {
    /// The present hour, counted from 1970.
    pub hour: i64,
    /// Milliseconds awake within the present hour.
    pub awake_ms: i64,
    /// Milliseconds awake within the hour before.
    pub before_ms: i64,
    /// Until when it stays awake.
    until: UnixMillis,
}

/// How long an object was awake.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AwakeView {
    /// When the present hour began.
    pub hour_began: UnixMillis,
    /// Milliseconds awake since then.
    pub awake_ms: i64,
    /// Milliseconds awake within the whole hour before; of 3,600,000.
    pub hour_before_ms: i64,
}

impl AwakeMeter {
    /// What was stored, when the object starts again.
    #[must_use]
    pub fn stored(hour: i64, awake_ms: i64, before_ms: i64) -> Self {
        Self { hour, awake_ms, before_ms, until: 0 }
    }

    /// The object answers a request, or its alarm rings.
    pub fn note(&mut self, now: UnixMillis) {
        let mut from = self.until.max(now);
        let until = from.max(now.saturating_add(LINGER_MS));
        self.until = until;
        while from < until {
            let hour = from.div_euclid(HOUR_MS);
            self.turn_to(hour);
            let end = until.min((hour + 1) * HOUR_MS);
            self.awake_ms += end - from;
            from = end;
        }
    }

    /// How long it was awake, as of now.
    #[must_use]
    pub fn view(mut self, now: UnixMillis) -> AwakeView {
        self.turn_to(now.div_euclid(HOUR_MS));
        AwakeView { hour_began: self.hour * HOUR_MS, awake_ms: self.awake_ms, hour_before_ms: self.before_ms }
    }

    /// Another hour begins.
    fn turn_to(&mut self, hour: i64) {
        if hour <= self.hour {
            return;
        }
        self.before_ms = if hour == self.hour + 1 { self.awake_ms } else { 0 };
        self.awake_ms = 0;
        self.hour = hour;
    }
}

/// When the alarm has to ring that only learns. A busy object learns once in an `interval`. A quiet one learns while it is
/// awake anyway, or with the next alarm, and is woken for it only after 60 intervals, at most an hour: waking costs more than
/// a recommendation that is an hour old.
#[must_use]
pub fn learning_due(now: UnixMillis, reported_at: UnixMillis, interval: UnixMillis) -> UnixMillis {
    let ready = reported_at.saturating_add(interval).max(now.saturating_add(interval.min(SOON_MS)));
    if ready - now <= LINGER_MS {
        return ready;
    }
    now.saturating_add(interval.saturating_mul(PATIENCE).min(LONGEST_MS).max(interval))
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: UnixMillis = 500_000 * HOUR_MS;

    #[test]
    fn overlapping_requests_count_once_and_hours_are_kept_apart() {
        let mut meter = AwakeMeter::default();
        for at in [0, 4_000, 9_999, 60_000, HOUR_MS - 4_000] {
            meter.note(HOUR + at);
        }
        let view = meter.view(HOUR + HOUR_MS);
        assert_eq!((view.hour_before_ms, view.awake_ms), (19_999 + 10_000 + 4_000, 6_000));
        assert_eq!(view.hour_began, HOUR + HOUR_MS);
        assert_eq!(meter.view(HOUR + 3 * HOUR_MS).hour_before_ms, 0);
    }

    #[test]
    fn what_was_stored_goes_on() {
        let mut meter = AwakeMeter::stored(HOUR / HOUR_MS, 7_000, 1);
        meter.note(HOUR + 20_000);
        assert_eq!(meter.view(HOUR + 30_000).awake_ms, 17_000);
        assert_eq!(meter.view(HOUR + 30_000).hour_before_ms, 1);
    }

    /// Lives an hour in which somebody comes every `gap` milliseconds, with the alarm as `plan` sets it.
    fn hour(gap: UnixMillis, plan: fn(UnixMillis, UnixMillis) -> UnixMillis) -> i64 {
        let (mut meter, mut alarm, mut reported) = (AwakeMeter::default(), None::<UnixMillis>, 0);
        let mut at = HOUR;
        while at < HOUR + HOUR_MS {
            let visit = (at - HOUR) % gap == 0;
            if alarm.is_some_and(|due| due <= at) {
                (alarm, reported) = (None, at);
                meter.note(at);
            }
            if visit {
                meter.note(at);
                let due = plan(at, reported);
                alarm = Some(alarm.map_or(due, |set| set.min(due)));
            }
            at += 1_000;
        }
        meter.view(HOUR + HOUR_MS - 1).awake_ms
    }

    #[test]
    fn a_quiet_object_is_not_woken_to_learn() {
        const MINUTE: UnixMillis = 60_000;
        println!("{:>20} {:>22} {:>16}", "a visitor every", "woken a minute later", "as it is");
        for seconds in [90, 120, 300, 900] {
            let woken = hour(seconds * 1_000, |now, _| now + MINUTE);
            let ours = hour(seconds * 1_000, |now, reported| learning_due(now, reported, MINUTE));
            let share = |ms: i64| ms as f64 * 100.0 / HOUR_MS as f64;
            println!("{seconds:>18} s {:>20.1} % {:>14.1} %", share(woken), share(ours));
            // The alarm rings while the visitor's own ten seconds last, so it adds at most two.
            let visits = 3_600 / seconds;
            assert!(ours <= visits * (LINGER_MS + SOON_MS) + LINGER_MS, "{seconds}: {ours}");
            assert!(ours < woken, "{seconds}: {ours} and {woken}");
        }
    }

    #[test]
    fn a_busy_object_learns_once_in_an_interval() {
        assert_eq!(learning_due(HOUR, HOUR - 60_000, 60_000), HOUR + SOON_MS);
        assert_eq!(learning_due(HOUR + 52_000, HOUR, 60_000), HOUR + 60_000);
        assert_eq!(learning_due(HOUR + 1_000, HOUR, 60_000), HOUR + 1_000 + HOUR_MS);
        assert_eq!(learning_due(HOUR, HOUR, 100), HOUR + 100);
        assert_eq!(learning_due(HOUR + 1_000, HOUR, 600_000), HOUR + 1_000 + HOUR_MS);
        assert_eq!(learning_due(HOUR + 1_000, HOUR, 2 * HOUR_MS), HOUR + 1_000 + 2 * HOUR_MS);
    }
}
