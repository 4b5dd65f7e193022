//! The numbers of the model, each of them a shop's to change.

use endcap_protocol::DAY_MS;
use serde::{Deserialize, Serialize};

use super::orders::Orders;

/// Thresholds of the lifecycle. The defaults are the project's own definition.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Config {
    /// The cycle until the shop has enough gaps between orders to estimate one; 30 days.
    pub default_cycle_ms: i64,
    /// How many gaps are enough; 100.
    pub least_gaps: u64,
    /// How many gaps the shop's cycle counts for when a person's own is estimated; 3. See [`Config::cycle_of`].
    pub prior_gaps: u32,
    /// Whether a person's own rhythm counts at all; true. Otherwise everyone has the shop's cycle.
    pub personal: bool,
    /// End of Sleep, in cycles; 2.
    pub sleep_cycles: u32,
    /// End of Lost, in cycles; 3.
    pub lost_cycles: u32,
    /// Least end of Lost; 180 days.
    pub least_lost_ms: i64,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            default_cycle_ms: 30 * DAY_MS,
            least_gaps: 100,
            prior_gaps: 3,
            personal: true,
            sleep_cycles: 2,
            lost_cycles: 3,
            least_lost_ms: 180 * DAY_MS,
        }
    }
}

impl Config {
    /// A person's repurchase cycle: the mean of their own gaps shrunk towards the shop's cycle,
    /// `(n · own + prior · shop) / (n + prior)` with n gaps. At least a millisecond.
    ///
    /// Since `n · own` is the time from the first to the last order, no list of orders is needed.
    pub fn cycle_of(&self, orders: &Orders, shop_cycle_ms: i64) -> i64 {
        let gaps = i64::from(orders.count().saturating_sub(1));
        let prior = i64::from(self.prior_gaps);
        if !self.personal || gaps == 0 {
            return shop_cycle_ms.max(1);
        }
        let total = orders.span().saturating_add(shop_cycle_ms.saturating_mul(prior));
        (total / gaps.saturating_add(prior).max(1)).max(1)
    }

    /// Where the stages end for a cycle.
    pub fn bounds(&self, cycle_ms: i64) -> Bounds {
        let awake = cycle_ms.max(1);
        let sleep = awake.saturating_mul(i64::from(self.sleep_cycles)).max(awake);
        let lost = awake.saturating_mul(i64::from(self.lost_cycles)).max(self.least_lost_ms).max(sleep);
        Bounds { awake, sleep, lost }
    }

    /// Where the stages end for a person with these orders in a shop with this cycle.
    pub fn bounds_of(&self, orders: &Orders, shop_cycle_ms: i64) -> Bounds {
        self.bounds(self.cycle_of(orders, shop_cycle_ms))
    }
}

/// Ends of the stages, as time since the last order; each end belongs to the stage before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    /// End of New and Active.
    pub awake: i64,
    /// End of Sleep.
    pub sleep: i64,
    /// End of Lost.
    pub lost: i64,
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_persons_cycle_is_their_mean_gap_shrunk_to_the_shops() {
        let config = Config::default();
        let shop = 30 * DAY_MS;
        let weekly = Orders::from_iter((0..4).map(|week| week * 7 * DAY_MS));
        // Three gaps of 7 days against a prior of three of 30.
        assert_eq!(config.cycle_of(&weekly, shop), (3 * 7 + 3 * 30) * DAY_MS / 6);
        assert_eq!(config.cycle_of(&Orders::from_iter([5]), shop), shop);
        assert_eq!(config.cycle_of(&Orders::default(), shop), shop);
        assert_eq!(Config { personal: false, ..config }.cycle_of(&weekly, shop), shop);
    }

    #[test]
    fn missing_settings_take_their_defaults() {
        let config: Config = serde_json::from_str(r#"{"default_cycle_ms":604800000}"#).unwrap();
        assert_eq!(config, Config { default_cycle_ms: 7 * DAY_MS, ..Config::default() });
    }

    proptest! {
        #[test]
        fn a_cycle_lies_between_the_persons_and_the_shops(
            times in proptest::collection::vec(0i64..1000 * DAY_MS, 2..20), shop in 1i64..400 * DAY_MS,
        ) {
            let orders = Orders::from_iter(times);
            let own = orders.span() / i64::from(orders.count() - 1);
            let cycle = Config::default().cycle_of(&orders, shop);
            prop_assert!(cycle >= own.min(shop) && cycle <= own.max(shop).saturating_add(1));
        }

        #[test]
        fn ends_never_cross_whatever_is_configured(
            cycle in any::<i64>(), sleep_cycles in any::<u32>(), lost_cycles in any::<u32>(), least_lost_ms in any::<i64>(),
        ) {
            let bounds = Config { sleep_cycles, lost_cycles, least_lost_ms, ..Config::default() }.bounds(cycle);
            prop_assert!(0 < bounds.awake && bounds.awake <= bounds.sleep && bounds.sleep <= bounds.lost);
        }
    }
}
