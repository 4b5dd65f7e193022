//! When a condition changes by the passage of time alone.
//!
//! Role in the flow of one event: the edge knows at each event until when what it worked out holds, and looks again at that moment
//! and at no other.

use endcap_protocol::{DAY_MS, UnixMillis};

use crate::Behaviour;
use crate::condition::{Condition, Fact, Op};
use crate::edge_fact::EdgeFacts;
use crate::evaluate::{PageFacts, evaluate_of};

/// Moments at which some part changes that are tried for one at which the whole does. Someone who looks at the last of them goes on
/// from there.
const TRIED: usize = 32;

/// When the condition next changes from what it is now, if nothing happens until then. It may be an earlier moment where very
/// many parts change without the whole. None where time alone changes nothing. The lifecycle stage and segments are taken as they are.
#[must_use]
pub fn next_change(
    condition: &Condition,
    behaviour: &Behaviour,
    facts: &dyn EdgeFacts,
    now: UnixMillis,
) -> Option<UnixMillis> {
    let holds_at = |now| evaluate_of(condition, behaviour, &PageFacts { path: "", now }, facts).holds;
    let holds = holds_at(now);
    let mut at = part_changes(condition, behaviour, facts, now)?;
    for _ in 0..TRIED {
        if holds_at(at) != holds {
            break;
        }
        at = part_changes(condition, behaviour, facts, at)?;
    }
    Some(at)
}

/// Whether a part of the condition changes by the passage of time alone. The lifecycle stage is taken as it is.
#[must_use]
pub fn asks_of_time(condition: &Condition) -> bool {
    condition.some(&|part| match part {
        Condition::Compare(fact, ..) => matches!(fact, Fact::DaysSinceLastOrder | Fact::DaysSinceFirstSeen),
        Condition::Edge(fact) => fact.asks_of_time(),
        _ => false,
    })
}

/// The first moment after `now` at which a part of the condition changes.
fn part_changes(
    condition: &Condition,
    behaviour: &Behaviour,
    facts: &dyn EdgeFacts,
    now: UnixMillis,
) -> Option<UnixMillis> {
    match condition {
        Condition::Compare(fact, _, op, value) => {
            let since = match fact {
                Fact::DaysSinceLastOrder => behaviour.last_order?,
                Fact::DaysSinceFirstSeen => behaviour.first_seen,
                _ => return None,
            };
            thresholds(*op, *value).filter_map(|days| reached(since, days)).filter(|at| *at > now).min()
        }
        Condition::Edge(fact) => facts.changes(fact, now).filter(|at| *at > now),
        joined => joined.parts().iter().filter_map(|part| part_changes(part, behaviour, facts, now)).min(),
    }
}

/// Numbers of days with which a growing number begins to compare otherwise.
fn thresholds(op: Op, value: i64) -> impl Iterator<Item = i64> {
    let after = value.saturating_add(1);
    let both = match op {
        Op::Equal | Op::NotEqual => [Some(value), Some(after)],
        Op::AtLeast | Op::Below => [Some(value), None],
        Op::Above | Op::AtMost => [Some(after), None],
    };
    both.into_iter().flatten()
}

/// Days beyond which nobody waits: 50 years. Platforms refuse alarms that are much later.
const FARTHEST_DAYS: i64 = 18_262;

/// When so many whole days have passed. None where that is always so, or never.
fn reached(since: UnixMillis, days: i64) -> Option<UnixMillis> {
    let is_awaited = (1..=FARTHEST_DAYS).contains(&days);
    is_awaited.then(|| since.saturating_add(days.saturating_mul(DAY_MS)))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::edge_fact::Nobody;
    use crate::evaluate::evaluate;
    use crate::text::parse;

    const DAY: UnixMillis = DAY_MS;

    fn buyer(first_seen: UnixMillis, last_order: Option<UnixMillis>) -> Behaviour {
        let orders = u32::from(last_order.is_some());
        Behaviour { first_seen, last_seen: first_seen, last_order, orders, ..Behaviour::default() }
    }

    fn next(text: &str, behaviour: &Behaviour, now: UnixMillis) -> Option<UnixMillis> {
        next_change(&parse(text).unwrap(), behaviour, &Nobody, now)
    }

    #[test]
    fn each_comparison_changes_when_its_number_of_days_is_reached() {
        let buyer = buyer(1_000, Some(5_000));
        for (text, days) in [
            ("days_since_last_order >= 90", 90),
            ("days_since_last_order < 90", 90),
            ("days_since_last_order > 90", 91),
            ("days_since_last_order <= 90", 91),
            ("days_since_last_order = 90", 90),
            ("days_since_last_order != 90", 90),
            ("not days_since_last_order >= 90", 90),
        ] {
            assert_eq!(next(text, &buyer, 6_000), Some(5_000 + days * DAY), "{text}");
        }
        assert_eq!(next("days_since_last_order = 90", &buyer, 5_000 + 90 * DAY), Some(5_000 + 91 * DAY));
        assert_eq!(next("days_since_last_order >= 90", &buyer, 5_000 + 90 * DAY), None);
        assert_eq!(next("days_since_first_seen >= 2", &buyer, 1_000), Some(1_000 + 2 * DAY));
    }

    #[test]
    fn what_time_cannot_change_has_no_moment() {
        for text in ["orders >= 1", "cart_units = 0", "stage = lost", "days_since_last_order >= 0"] {
            assert_eq!(next(text, &buyer(1, Some(5)), 9), None, "{text}");
        }
        assert_eq!(next("days_since_last_order >= 9", &buyer(1, None), 9), None, "nothing to count from");
        assert_eq!(next("days_since_last_order >= 9223372036854775807", &buyer(1, Some(5)), 9), None);
    }

    #[test]
    fn only_days_since_something_ask_of_time() {
        for (text, expected) in [
            ("orders = 1", false),
            ("stage = new or cart_units > 0", false),
            ("not (orders = 1 and days_since_first_seen > 3)", true),
        ] {
            assert_eq!(asks_of_time(&parse(text).unwrap()), expected, "{text}");
        }
    }

    #[test]
    fn a_moment_at_which_only_a_part_changes_is_passed_over() {
        let buyer = buyer(0, Some(0));
        assert_eq!(next("days_since_last_order >= 3 and days_since_first_seen >= 8", &buyer, 1), Some(8 * DAY));
        assert_eq!(next("days_since_last_order >= 3 and orders >= 2", &buyer, 1), None);
        assert_eq!(next("days_since_last_order >= 3 or orders = 1", &buyer, 1), None);
    }

    proptest! {
        /// Whoever looks at each moment that is named, and at no other, sees every change.
        #[test]
        fn no_change_lies_between_two_moments(
            a in 0_i64..6, b in 0_i64..6, first in 0_i64..3, order in prop::option::of(0_i64..4),
            signs in prop::array::uniform2(0_usize..6), joined in 0_usize..3,
        ) {
            let sign = |at: usize| Op::ALL[signs[at]].as_str();
            let (left, right) = (format!("days_since_last_order {} {a}", sign(0)), format!("days_since_first_seen {} {b}", sign(1)));
            let text = match joined {
                0 => format!("{left} and {right}"),
                1 => format!("{left} or not {right}"),
                _ => format!("not ({left} and {right})"),
            };
            let condition = parse(&text).unwrap();
            let behaviour = buyer(first * DAY / 2, order.map(|order| order * DAY / 2));
            let holds = |now| evaluate(&condition, &behaviour, &PageFacts { path: "", now }).holds;
            let (mut looked, mut due) = (holds(0), next_change(&condition, &behaviour, &Nobody, 0));
            for step in 0..40 {
                let now = step * DAY / 4;
                while let Some(at) = due.filter(|at| *at <= now) {
                    looked = holds(at);
                    due = next_change(&condition, &behaviour, &Nobody, at);
                }
                prop_assert_eq!(looked, holds(now), "{} at {}", text, now);
            }
        }
    }
}
