//! Which stages a person went through, and when.

use serde::{Deserialize, Serialize};

use super::config::{Bounds, Config};
use super::orders::Orders;
use super::stage::{Stage, changes, next_change_at, stage_at};

/// Most entries kept of one person; the oldest go first.
pub const MAX_ENTRIES: usize = 32;

/// A stage with its beginning.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// The stage.
    pub stage: Stage,
    /// When it began, in milliseconds since 1970.
    pub since: i64,
}

/// One step from a stage to another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Movement {
    /// The stage that ended.
    pub from: Stage,
    /// The stage that began.
    pub to: Stage,
    /// When, in milliseconds since 1970.
    pub at: i64,
}

/// A bounded record of stages, never empty, in order of time, no two neighbours the same.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct History {
    current: Entry,
    earlier: Vec<Entry>,
    /// Up to when the record is complete.
    as_of: i64,
}

impl History {
    /// A person first seen at `at`, who has bought nothing yet.
    pub fn starting_at(at: i64) -> Self {
        Self { current: Entry { stage: Stage::Prospect, since: at }, earlier: Vec::new(), as_of: at }
    }

    /// The stage as of the last [`advance`](Self::advance), with its beginning.
    pub fn current(&self) -> Entry {
        self.current
    }

    /// All entries kept, oldest first, the current one last.
    pub fn entries(&self) -> impl Iterator<Item = Entry> + '_ {
        self.earlier.iter().copied().chain([self.current])
    }

    /// Brings the record to `now` and returns what moved.
    ///
    /// Stages that began and ended since the last call get entries with their own times, so it does not matter how
    /// often anyone looked. A change that no passage of time explains (an order, other thresholds, a linked profile)
    /// begins at `now`. A `now` before the last one moves nothing.
    pub fn advance(&mut self, orders: &Orders, bounds: &Bounds, now: i64) -> Vec<Movement> {
        if now < self.as_of {
            return Vec::new();
        }
        let since = self.as_of;
        self.as_of = now;
        let due = changes(orders, bounds).into_iter().flatten().filter(|(at, _)| *at > since && *at <= now);
        let mut movements: Vec<Movement> = due.filter_map(|(at, stage)| self.enter(stage, at)).collect();
        movements.extend(self.enter(stage_at(orders, bounds, now), now));
        movements
    }

    fn enter(&mut self, stage: Stage, at: i64) -> Option<Movement> {
        let from = self.current;
        if from.stage == stage {
            return None;
        }
        self.earlier.push(from);
        // The current entry is kept apart, hence one fewer here.
        if self.earlier.len() >= MAX_ENTRIES {
            self.earlier.remove(0);
        }
        self.current = Entry { stage, since: at };
        Some(Movement { from: from.stage, to: stage, at })
    }
}

/// A person's orders and stages together: what is stored with a profile.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lifecycle {
    orders: Orders,
    history: History,
}

impl Lifecycle {
    /// A person first seen at `at`, who has bought nothing yet.
    pub fn starting_at(at: i64) -> Self {
        Self { orders: Orders::default(), history: History::starting_at(at) }
    }

    /// The orders so far.
    pub fn orders(&self) -> &Orders {
        &self.orders
    }

    /// The stages so far.
    pub fn history(&self) -> &History {
        &self.history
    }

    /// The stage as of the last call that passed time in.
    pub fn stage(&self) -> Stage {
        self.history.current().stage
    }

    /// Takes in an order placed at `at`, in a shop whose cycle is `shop_cycle_ms`. Returns what moved and, for the
    /// shop's [`GapHistogram`](super::cycle::GapHistogram), the gap to the order before it.
    ///
    /// An order that becomes known late counts for the stage, and moves it as of the last moment already recorded:
    /// what was true of the person by then was shown to others and is not rewritten.
    pub fn order(&mut self, at: i64, config: &Config, shop_cycle_ms: i64) -> (Vec<Movement>, Option<i64>) {
        let mut movements = self.advance(at, config, shop_cycle_ms);
        let gap = self.orders.record(at);
        let effective = at.max(self.history.as_of);
        movements.extend(self.advance(effective, config, shop_cycle_ms));
        (movements, gap)
    }

    /// Lets time pass to `now` and returns what moved.
    pub fn advance(&mut self, now: i64, config: &Config, shop_cycle_ms: i64) -> Vec<Movement> {
        let bounds = config.bounds_of(&self.orders, shop_cycle_ms);
        self.history.advance(&self.orders, &bounds, now)
    }

    /// When to look again, later than `now`; `None` where time alone changes nothing any more.
    pub fn next_change_at(&self, now: i64, config: &Config, shop_cycle_ms: i64) -> Option<i64> {
        next_change_at(&self.orders, &config.bounds_of(&self.orders, shop_cycle_ms), now)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::lifecycle::DAY_MS;

    const CYCLE: i64 = 30 * DAY_MS;

    fn stages(lifecycle: &Lifecycle) -> Vec<(&'static str, i64)> {
        lifecycle.history().entries().map(|entry| (entry.stage.as_str(), entry.since)).collect()
    }

    #[test]
    fn a_year_of_silence_leaves_every_stage_with_its_time() {
        let config = Config::default();
        let mut lifecycle = Lifecycle::starting_at(0);
        assert_eq!(
            lifecycle.order(1000, &config, CYCLE),
            (vec![Movement { from: Stage::Prospect, to: Stage::New, at: 1000 }], None)
        );
        assert_eq!(lifecycle.advance(365 * DAY_MS, &config, CYCLE).len(), 3);
        let expected = [
            ("prospect", 0),
            ("new", 1000),
            ("sleep", 1001 + CYCLE),
            ("lost", 1001 + 2 * CYCLE),
            ("deep", 1001 + 180 * DAY_MS),
        ];
        assert_eq!(stages(&lifecycle), expected);
        assert_eq!(lifecycle.next_change_at(365 * DAY_MS, &config, CYCLE), None);
    }

    #[test]
    fn an_order_wakes_a_sleeper_at_its_own_time() {
        let config = Config::default();
        let mut lifecycle = Lifecycle::starting_at(0);
        lifecycle.order(0, &config, CYCLE);
        let (movements, gap) = lifecycle.order(40 * DAY_MS, &config, CYCLE);
        assert_eq!(gap, Some(40 * DAY_MS));
        assert_eq!(
            movements,
            [
                Movement { from: Stage::New, to: Stage::Sleep, at: CYCLE + 1 },
                Movement { from: Stage::Sleep, to: Stage::Active, at: 40 * DAY_MS },
            ]
        );
        // Their own cycle is now (40 + 3 · 30) / 4 days.
        assert_eq!(lifecycle.next_change_at(40 * DAY_MS, &config, CYCLE), Some(40 * DAY_MS + 130 * DAY_MS / 4 + 1));
    }

    #[test]
    fn a_late_order_counts_without_rewriting_what_was_recorded() {
        let config = Config::default();
        let mut lifecycle = Lifecycle::starting_at(0);
        lifecycle.order(10 * DAY_MS, &config, CYCLE);
        let (movements, gap) = lifecycle.order(5 * DAY_MS, &config, CYCLE);
        assert_eq!(gap, None);
        assert_eq!(movements, [Movement { from: Stage::New, to: Stage::Active, at: 10 * DAY_MS }]);
    }

    #[test]
    fn a_longer_cycle_can_wake_and_a_shorter_one_can_put_to_sleep() {
        let config = Config::default();
        let mut lifecycle = Lifecycle::starting_at(0);
        lifecycle.order(0, &config, CYCLE);
        assert!(lifecycle.advance(20 * DAY_MS, &config, CYCLE).is_empty());
        let asleep = lifecycle.advance(21 * DAY_MS, &config, 15 * DAY_MS);
        assert_eq!(asleep, [Movement { from: Stage::New, to: Stage::Sleep, at: 21 * DAY_MS }]);
        let awake = lifecycle.advance(22 * DAY_MS, &config, CYCLE);
        assert_eq!(awake, [Movement { from: Stage::Sleep, to: Stage::New, at: 22 * DAY_MS }]);
    }

    #[test]
    fn the_record_is_bounded_and_keeps_the_newest() {
        let config = Config::default();
        let mut lifecycle = Lifecycle::starting_at(0);
        (0..100).for_each(|n| {
            drop(lifecycle.order(n * 200 * DAY_MS, &Config { personal: false, ..config.clone() }, CYCLE))
        });
        assert_eq!(lifecycle.history().entries().count(), MAX_ENTRIES);
        assert_eq!(lifecycle.history().current(), Entry { stage: Stage::Active, since: 99 * 200 * DAY_MS });
    }

    #[test]
    fn time_that_runs_backwards_moves_nothing() {
        let config = Config::default();
        let mut lifecycle = Lifecycle::starting_at(0);
        lifecycle.order(0, &config, CYCLE);
        lifecycle.advance(100 * DAY_MS, &config, CYCLE);
        let before = lifecycle.clone();
        assert!(lifecycle.advance(50 * DAY_MS, &config, CYCLE).is_empty());
        assert_eq!(lifecycle, before);
    }

    proptest! {
        #[test]
        fn how_often_anyone_looks_does_not_change_the_record(
            gaps in proptest::collection::vec(0i64..250 * DAY_MS, 1..6),
            looks in proptest::collection::vec(0i64..1500 * DAY_MS, 0..40),
        ) {
            let config = Config::default();
            let orders: Vec<i64> = gaps.iter().scan(0, |at, gap| { *at += gap; Some(*at) }).collect();
            let end = 1500 * DAY_MS;
            let mut seldom = Lifecycle::starting_at(0);
            orders.iter().for_each(|at| drop(seldom.order(*at, &config, CYCLE)));
            seldom.advance(end, &config, CYCLE);

            let mut often = Lifecycle::starting_at(0);
            let mut times: Vec<(i64, bool)> = looks.iter().map(|at| (*at, false)).chain(orders.iter().map(|at| (*at, true))).collect();
            times.sort_unstable();
            for (at, is_order) in times {
                if is_order { often.order(at, &config, CYCLE); } else { often.advance(at, &config, CYCLE); }
            }
            often.advance(end, &config, CYCLE);
            prop_assert_eq!(&often, &seldom);
        }

        #[test]
        fn the_record_is_ordered_and_without_repeats(
            steps in proptest::collection::vec((0i64..200 * DAY_MS, any::<bool>(), DAY_MS..100 * DAY_MS), 1..60),
        ) {
            let config = Config::default();
            let mut lifecycle = Lifecycle::starting_at(0);
            let mut now = 0;
            for (wait, is_order, cycle) in steps {
                now += wait;
                if is_order { lifecycle.order(now, &config, cycle); } else { lifecycle.advance(now, &config, cycle); }
                let bounds = config.bounds_of(lifecycle.orders(), cycle);
                prop_assert_eq!(lifecycle.stage(), stage_at(lifecycle.orders(), &bounds, now));
                let entries: Vec<Entry> = lifecycle.history().entries().collect();
                prop_assert!(entries.windows(2).all(|pair| pair[0].since <= pair[1].since && pair[0].stage != pair[1].stage));
                prop_assert!(entries.len() <= MAX_ENTRIES);
            }
        }
    }
}
