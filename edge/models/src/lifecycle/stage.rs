//! The stages and the rule that tells them apart.

use super::config::Bounds;
use super::orders::Orders;

/// The stages are named by the rule engine, since conditions ask for them in the page too.
pub use endcap_targeting::Stage;

/// The stage at `now` of someone with these orders. A last order in the future (a clock that was wrong) counts as
/// now.
pub fn stage_at(orders: &Orders, bounds: &Bounds, now: i64) -> Stage {
    let Some(last) = orders.last() else { return Stage::Prospect };
    let age = now.saturating_sub(last);
    if age <= bounds.awake {
        return if orders.count() == 1 { Stage::New } else { Stage::Active };
    }
    // The first end that has not passed; beyond all of them it is Deep.
    [(bounds.sleep, Stage::Sleep), (bounds.lost, Stage::Lost)]
        .into_iter()
        .find(|(end, _)| age <= *end)
        .map_or(Stage::Deep, |(_, stage)| stage)
}

/// When time alone will move the stage next, later than `now`; `None` for prospects and in Deep.
pub fn next_change_at(orders: &Orders, bounds: &Bounds, now: i64) -> Option<i64> {
    changes(orders, bounds).into_iter().flatten().map(|(at, _)| at).find(|at| *at > now)
}

/// The three moments at which time alone moves the stage, each with the stage that begins; ascending.
pub(super) fn changes(orders: &Orders, bounds: &Bounds) -> Option<[(i64, Stage); 3]> {
    let last = orders.last()?;
    // A stage holds up to and including its end, so the next begins one millisecond later.
    let begins = |end: i64| last.saturating_add(end).saturating_add(1);
    Some([
        (begins(bounds.awake), Stage::Sleep),
        (begins(bounds.sleep), Stage::Lost),
        (begins(bounds.lost), Stage::Deep),
    ])
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::lifecycle::DAY_MS;
    use crate::lifecycle::config::{Bounds, Config};

    fn bounds() -> Bounds {
        Config::default().bounds(30 * DAY_MS)
    }

    #[test]
    fn a_cycle_of_thirty_days_gives_these_stages() {
        let once = Orders::from_iter([0]);
        let twice = Orders::from_iter([-DAY_MS, 0]);
        let table = [
            (0, Stage::New, Stage::Active),
            (30 * DAY_MS, Stage::New, Stage::Active),
            (30 * DAY_MS + 1, Stage::Sleep, Stage::Sleep),
            (60 * DAY_MS, Stage::Sleep, Stage::Sleep),
            (60 * DAY_MS + 1, Stage::Lost, Stage::Lost),
            (180 * DAY_MS, Stage::Lost, Stage::Lost), // three cycles are 90 days, but half a year is the least
            (180 * DAY_MS + 1, Stage::Deep, Stage::Deep),
        ];
        for (now, for_one, for_two) in table {
            assert_eq!(
                (stage_at(&once, &bounds(), now), stage_at(&twice, &bounds(), now)),
                (for_one, for_two),
                "{now}"
            );
        }
        assert_eq!(stage_at(&Orders::default(), &bounds(), 0), Stage::Prospect);
        assert_eq!(stage_at(&once, &bounds(), -5), Stage::New);
    }

    #[test]
    fn a_long_cycle_takes_three_of_itself_to_deep() {
        let bounds = Config::default().bounds(90 * DAY_MS);
        let once = Orders::from_iter([0]);
        assert_eq!(stage_at(&once, &bounds, 270 * DAY_MS), Stage::Lost);
        assert_eq!(stage_at(&once, &bounds, 270 * DAY_MS + 1), Stage::Deep);
    }

    proptest! {
        #[test]
        fn without_orders_time_only_moves_a_stage_on(
            times in proptest::collection::vec(0i64..1000 * DAY_MS, 1..8),
            cycle in DAY_MS..400 * DAY_MS, wait in 0i64..800 * DAY_MS, more in 0i64..800 * DAY_MS,
        ) {
            let orders = Orders::from_iter(times);
            let bounds = Config::default().bounds(cycle);
            let now = orders.last().unwrap() + wait;
            prop_assert!(stage_at(&orders, &bounds, now) <= stage_at(&orders, &bounds, now + more));
        }

        #[test]
        fn the_next_change_is_the_first_moment_with_another_stage(
            last in -1000 * DAY_MS..1000 * DAY_MS, cycle in 1i64..400 * DAY_MS, wait in 0i64..1500 * DAY_MS,
        ) {
            let orders = Orders::from_iter([last]);
            let bounds = Config::default().bounds(cycle);
            let now = last + wait;
            let stage = stage_at(&orders, &bounds, now);
            match next_change_at(&orders, &bounds, now) {
                Some(at) => {
                    prop_assert!(at > now);
                    prop_assert_eq!(stage_at(&orders, &bounds, at - 1), stage);
                    prop_assert!(stage_at(&orders, &bounds, at) > stage);
                }
                None => prop_assert_eq!(stage, Stage::Deep),
            }
        }

        #[test]
        fn an_order_makes_new_or_active(times in proptest::collection::vec(0i64..1000 * DAY_MS, 0..5), later in 0i64..DAY_MS) {
            let mut orders = Orders::from_iter(times);
            let first = orders.count() == 0;
            let now = orders.last().unwrap_or(0) + later;
            orders.record(now);
            prop_assert_eq!(stage_at(&orders, &bounds(), now), if first { Stage::New } else { Stage::Active });
        }
    }
}
