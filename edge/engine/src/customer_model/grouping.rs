//! Putting one customer into a model's groups.

use std::collections::BTreeMap;

use endcap_models::lifecycle::{Config, Dciu, IntentCuts, IntentShares, Napl, Nes, Orders, stage_at};
use endcap_models::rfm::{RfmCuts, SecondAxis};
use endcap_profile::timeline::OrderRecord;
use endcap_protocol::{DAY_MS, UnixMillis};
use serde::{Deserialize, Serialize};

use super::customer_orders::{CustomerOrders, Moment, order_days, rfm_values};
use super::model::{CustomerModel, Group};
use super::named_model::NamedModel;
use super::own_grouping;
use crate::shop::{Calendar, Snapshot};

/// A model with all that is a shop's own of it: every shard that is asked groups alike.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Grouping {
    /// The model.
    pub model: NamedModel,
    /// Thresholds of the models that know cycles.
    lifecycle: Config,
    /// The repurchase cycle, in milliseconds.
    pub cycle_ms: i64,
    /// NAPL's window, in days.
    pub window_days: u32,
    /// The shop's currency: what orders in others brought is not known.
    pub currency: String,
    /// The shop's time zone, whose days count.
    pub time_zone: String,
    /// When, the earliest first.
    pub moments: Vec<Moment>,
    /// Where RFM's scores begin at each moment; empty before they were surveyed.
    pub cuts: Vec<RfmCuts>,
    /// The shares of DCIU's first groups.
    #[serde(default)]
    pub(super) shares: IntentShares,
    /// Where DCIU's groups begin; None before they were surveyed.
    #[serde(default)]
    pub(super) intent: Option<IntentCuts>,
}

/// The groups of a customer now, by model: those of the models that need to know nothing of other customers, except the stage, of which
/// a profile has the history.
#[must_use]
pub fn groups_now(orders: &[OrderRecord], shop: &Snapshot, now: UnixMillis) -> BTreeMap<String, String> {
    let orders = CustomerOrders::new(orders, shop);
    let group = |model: NamedModel| {
        let grouping = Grouping::new(model, vec![Moment::now(now, shop)], shop);
        if grouping.needs_survey() || grouping.model.known() == Some(CustomerModel::Nasld) {
            return None;
        }
        let group = grouping.groups(&orders).first().copied().filter(|group| *group != Group::PROSPECT)?;
        Some((grouping.model.id().to_owned(), grouping.model.name(group).to_owned()))
    };
    NamedModel::all(&shop.settings.models).filter_map(group).collect()
}

impl Grouping {
    /// A model with the shop's thresholds, at these moments. Those of RFM, and the cycle of NES, come from a survey
    /// ([`Survey::tell`](super::Survey::tell)).
    #[must_use]
    pub fn new(model: impl Into<NamedModel>, moments: Vec<Moment>, shop: &Snapshot) -> Self {
        Self {
            model: model.into(),
            lifecycle: shop.settings.lifecycle.config(),
            cycle_ms: shop.cycle_ms,
            window_days: shop.settings.lifecycle.napl_days,
            currency: shop.settings.currency.clone(),
            time_zone: shop.settings.time_zone.clone(),
            moments,
            cuts: Vec::new(),
            shares: shop.settings.lifecycle.intent_shares(),
            intent: None,
        }
    }

    /// Whether the model needs to know something of all customers first.
    #[must_use]
    pub fn needs_survey(&self) -> bool {
        matches!(self.model.known(), Some(CustomerModel::Rfm | CustomerModel::Nes | CustomerModel::Dciu))
    }

    /// The shop as far as groups depend on it, with these days: the same at every shard that is asked.
    #[must_use]
    pub fn shop(&self, calendar: Calendar) -> Snapshot {
        let mut shop = Snapshot::empty().with_calendar(calendar);
        shop.settings.currency.clone_from(&self.currency);
        shop.settings.lifecycle.napl_days = self.window_days;
        shop
    }

    /// The cycle of the shop that a median makes, or the configured one while there are too few gaps for it.
    pub(super) fn cycle_of(&self, median_ms: Option<i64>, gaps: u64) -> i64 {
        median_ms.filter(|_| gaps >= self.lifecycle.least_gaps).unwrap_or(self.lifecycle.default_cycle_ms).max(1)
    }

    /// The group of a customer at each moment.
    #[must_use]
    pub fn groups(&self, orders: &CustomerOrders<'_>) -> Vec<Group> {
        let model = match &self.model {
            NamedModel::Known(model) => *model,
            NamedModel::Own { rules, .. } => {
                return own_grouping::groups(rules, orders, &self.moments, (&self.lifecycle, self.cycle_ms));
            }
        };
        let group =
            |(place, moment): (usize, &Moment)| self.group(model, orders, place, moment).unwrap_or(Group::PROSPECT);
        self.moments.iter().enumerate().map(group).collect()
    }

    fn group(&self, model: CustomerModel, orders: &CustomerOrders<'_>, place: usize, moment: &Moment) -> Option<Group> {
        match model {
            CustomerModel::Nasld => {
                let orders = orders.summary_by(moment);
                let bounds = self.lifecycle.bounds_of(&orders, self.cycle_ms);
                Some(stage_at(&orders, &bounds, moment.at).into())
            }
            CustomerModel::Napl => {
                let window = i64::from(self.window_days).saturating_mul(DAY_MS);
                Napl::of(&orders.sold_summary_by(moment), window, moment.at).map(Group::from)
            }
            CustomerModel::Nes => {
                let days = Orders::of_sorted(&order_days(orders.sold_by(moment)));
                // Whole days, up to the last one that is over.
                let over = moment.day.saturating_sub(1).saturating_mul(DAY_MS);
                Nes::of(&days, self.lifecycle.cycle_of(&days, self.cycle_ms), over).map(Group::from)
            }
            CustomerModel::Dciu => {
                orders.sold_by(moment).last()?;
                Some(Dciu::of(orders.intent_by(moment), self.intent.as_ref()?).into())
            }
            CustomerModel::Rfm => {
                let values = rfm_values(orders.sold_by(moment))?;
                let score = self.cuts.get(place)?.score(&values);
                Some(score.group(SecondAxis::FrequencyAndMonetary).into())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;
    use crate::test_orders::order as ordered;

    fn order(day: i64, revenue_minor: i64) -> OrderRecord {
        ordered(day * DAY_MS + 5, revenue_minor, "EUR")
    }

    fn groups(model: CustomerModel, orders: &[OrderRecord], days: &[i64]) -> Vec<String> {
        let shop = Snapshot::empty();
        let moments = days.iter().map(|day| Moment::of_day(*day, &shop)).collect();
        let grouping = Grouping::new(model, moments, &shop);
        let orders = CustomerOrders::new(orders, &shop);
        grouping.groups(&orders).into_iter().map(|group| grouping.model.name(group).to_owned()).collect()
    }

    #[test]
    fn somebody_is_in_the_group_that_their_orders_by_then_make() {
        let orders = [order(100, 50), order(120, 60)];
        let days = [100, 101, 120, 121, 160, 300, 400];
        assert_eq!(
            groups(CustomerModel::Nasld, &orders, &days),
            ["prospect", "new", "new", "active", "sleep", "lost", "deep"]
        );
        assert_eq!(groups(CustomerModel::Napl, &orders, &days), ["prospect", "N", "N", "A", "A", "P", "P"]);
        assert_eq!(
            groups(CustomerModel::Nes, &orders, &[100, 101, 121, 160, 300]),
            ["prospect", "N", "E0", "S1", "S3"]
        );
    }

    #[test]
    fn a_return_makes_nobody_a_customer_of_the_models_that_leave_it_out() {
        let orders = [order(100, -50)];
        assert_eq!(groups(CustomerModel::Napl, &orders, &[101]), ["prospect"]);
        assert_eq!(groups(CustomerModel::Nes, &orders, &[101]), ["prospect"]);
    }

    #[test]
    fn now_counts_an_order_of_a_clock_that_was_wrong() {
        let shop = Snapshot::empty();
        let orders = [order(500, 50)];
        let orders = CustomerOrders::new(&orders, &shop);
        let moments = vec![Moment::of_day(100, &shop), Moment::now(100 * DAY_MS + 1, &shop)];
        let grouping = Grouping::new(CustomerModel::Nasld, moments, &shop);
        let found = grouping.groups(&orders);
        assert_eq!(found.into_iter().map(|group| grouping.model.name(group)).collect::<Vec<_>>(), ["prospect", "new"]);
    }

    fn own() -> NamedModel {
        let rules = serde_json::from_value(json!({"groups": [
            {"group": "vip", "condition": "revenue >= 1000 in 100 days"},
            {"group": "fresh", "condition": "last_order within 10 days and orders = 1"},
            {"group": "stage", "condition": "stage in (sleep, lost)"},
            {"group": "often", "condition": "orders >= 3 or napl = P"},
        ]}));
        NamedModel::Own { id: "own".to_owned(), rules: rules.unwrap() }
    }

    fn grouped(orders: &[(i64, i64)], days: &[i64]) -> Vec<String> {
        let shop = Snapshot::empty();
        let moments = days.iter().map(|day| Moment::of_day(*day, &shop)).collect();
        let grouping = Grouping::new(own(), moments, &shop);
        let orders: Vec<_> = orders.iter().map(|(day, spent)| ordered(day * DAY_MS + 5, *spent, "EUR")).collect();
        let groups = grouping.groups(&CustomerOrders::new(&orders, &shop));
        groups.into_iter().map(|group| grouping.model.name(group).to_owned()).collect()
    }

    #[test]
    fn the_first_group_counts_whose_condition_holds_on_the_day() {
        let days = [100, 101, 110, 111, 131, 150, 191, 700];
        assert_eq!(
            grouped(&[(100, 500)], &days),
            ["prospect", "fresh", "fresh", "other", "stage", "stage", "stage", "other"]
        );
        assert_eq!(grouped(&[(100, 500), (105, 500)], &[106, 204, 205]), ["vip", "stage", "stage"]);
        assert_eq!(grouped(&[(100, 1), (101, 1), (102, 1)], &[103, 700]), ["often", "often"]);
    }

    proptest! {
        #[test]
        fn what_is_not_worked_out_again_is_the_same(
            mut orders in proptest::collection::vec((0_i64..300, 0_i64..900), 0..6),
        ) {
            orders.sort_unstable();
            let days: Vec<i64> = (0..420).collect();
            let alone: Vec<String> = days.iter().flat_map(|day| grouped(&orders, &[*day])).collect();
            prop_assert_eq!(grouped(&orders, &days), alone);
        }
    }
}
