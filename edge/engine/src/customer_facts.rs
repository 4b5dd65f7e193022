//! What models tell of a person, as conditions ask for it: scores as of the latest fit, and groups.

use std::cell::OnceCell;

use endcap_models::lifecycle::{Napl, Orders};
use endcap_profile::Person;
use endcap_protocol::{DAY_MS, UnixMillis};
use endcap_targeting::customer_score::{GroupModel, ScoreNumber};

use crate::score::customers::Customer;
use crate::score::person::PersonScores;
use crate::shop::Snapshot;

/// What is told of a person. Scores are worked out once, when something asks for them.
#[derive(Debug, Clone)]
pub(crate) struct CustomerFacts<'a> {
    person: &'a Person,
    shop: &'a Snapshot,
    scores: OnceCell<Option<PersonScores>>,
}

impl<'a> CustomerFacts<'a> {
    /// Of a person, folded.
    pub(crate) fn new(person: &'a Person, shop: &'a Snapshot) -> Self {
        Self { person, shop, scores: OnceCell::new() }
    }

    /// As of the day up to which the latest fit counted: so they change with an order or a fit, and never by the hour.
    fn scores(&self) -> Option<&PersonScores> {
        let scores = self.scores.get_or_init(|| {
            let Snapshot { scores, settings, calendar, .. } = self.shop;
            if scores.fitted_at == 0 {
                return None;
            }
            let day_of = |at| calendar.day(at);
            let customer = Customer::ordered(&self.person.orders, scores.today, &settings.currency, &day_of)?;
            PersonScores::of(&customer, scores, scores.today)
        });
        scores.as_ref()
    }

    /// A score in thousandths, so that fractions compare too. None where there is none.
    pub(crate) fn score(&self, fact: ScoreNumber) -> Option<i64> {
        let scores = self.scores()?;
        let percent = |probability: f64| probability * 100.0;
        let number = match fact {
            ScoreNumber::Stars => f64::from(scores.purchase?.stars),
            ScoreNumber::ChurnRisk => percent(scores.churn.risk),
            ScoreNumber::Alive => percent(scores.alive),
            ScoreNumber::ExpectedOrders => scores.expected_orders,
            ScoreNumber::LifetimeValue => scores.lifetime_value_minor? as f64,
            ScoreNumber::Recency => f64::from(scores.rfm.as_ref()?.recency),
            ScoreNumber::Frequency => f64::from(scores.rfm.as_ref()?.frequency),
            ScoreNumber::Monetary => f64::from(scores.rfm.as_ref()?.monetary),
        };
        Some((number * 1_000.0).round() as i64)
    }

    /// The group of a model. None for somebody without an order that counts.
    pub(crate) fn group(&self, model: GroupModel, now: UnixMillis) -> Option<&'static str> {
        match model {
            GroupModel::Rfm => model.group(&self.scores()?.rfm.as_ref()?.group),
            GroupModel::Napl => Some(Napl::of(&self.sold(), self.window(), now)?.as_str()),
        }
    }

    /// When the group next changes by the passage of time alone.
    pub(crate) fn group_changes(&self, model: GroupModel, now: UnixMillis) -> Option<UnixMillis> {
        match model {
            GroupModel::Rfm => None,
            GroupModel::Napl => {
                let leaves = self.sold().last()?.saturating_add(self.window()).saturating_add(1);
                Some(leaves).filter(|at| *at > now)
            }
        }
    }

    /// Orders that are no returns.
    fn sold(&self) -> Orders {
        let sold = self.person.orders.iter().filter(|order| !order.is_return());
        sold.map(|order| order.at).collect()
    }

    /// NAPL's window, in milliseconds.
    fn window(&self) -> i64 {
        i64::from(self.shop.settings.lifecycle.napl_days).saturating_mul(DAY_MS)
    }
}

#[cfg(test)]
mod tests {
    use endcap_models::purchase::{PurchaseFeatures, PurchaseScore, Verdict};
    use endcap_models::rfm::{RfmCounts, RfmGroup, RfmValues};
    use endcap_models::value::{PurchaseDay, PurchaseDays};

    use super::*;
    use crate::score::Scores;
    use crate::test_orders::order;

    const TODAY: i64 = 1_000;

    /// Customers of whom those who buy often and lately go on buying: the score of purchase has something to learn.
    fn customers() -> Vec<PurchaseDays> {
        let of = |n: i64| {
            let pace = 3 + n % 60;
            let days = (1..).map(|k| TODAY - 400 + k * pace + (n * 7 + k * k) % 3).take_while(|day| *day <= TODAY);
            let lost = if n % 3 == 0 { 4 } else { usize::MAX };
            days.take(lost).map(|day| PurchaseDay { day, amount: Some(1_000 + n) }).collect()
        };
        (0..600).map(of).collect()
    }

    fn shop() -> Snapshot {
        let all = customers();
        let mut rfm = RfmCounts::default();
        for n in 1..=100 {
            rfm.add(&RfmValues { last_day: TODAY - n, orders: u32::try_from(n).unwrap(), spent: n * 1_000 });
        }
        let purchase = PurchaseScore::learned(&all, TODAY, 14);
        let scores = Scores { fitted_at: 1, today: TODAY, rfm: Some(rfm.cuts()), purchase, ..Scores::prior(60) };
        Snapshot { scores, ..Snapshot::empty() }
    }

    fn person(orders: &[(i64, i64)]) -> Person {
        let record = |(day, revenue_minor): &(i64, i64)| order(day * DAY_MS, *revenue_minor, "EUR");
        Person { orders: orders.iter().map(record).collect(), ..Person::default() }
    }

    #[test]
    fn scores_are_those_of_the_person_as_of_the_fit() {
        let (shop, someone) = (shop(), person(&[(TODAY - 30, 500), (TODAY - 2, 1_500), (TODAY + 1, 9_000)]));
        let facts = CustomerFacts::new(&someone, &shop);
        let scores = facts.scores().unwrap().clone();
        assert_eq!(facts.score(ScoreNumber::ChurnRisk), Some((scores.churn.risk * 100_000.0).round() as i64));
        assert_eq!(facts.score(ScoreNumber::Alive), Some((scores.alive * 100_000.0).round() as i64));
        assert_eq!(facts.score(ScoreNumber::ExpectedOrders), Some((scores.expected_orders * 1_000.0).round() as i64));
        assert_eq!(facts.score(ScoreNumber::LifetimeValue), None, "no value was fitted");
        // Lately, seldom, little; what was bought after the day of the fit does not count yet.
        let rfm = [ScoreNumber::Recency, ScoreNumber::Frequency, ScoreNumber::Monetary].map(|fact| facts.score(fact));
        assert_eq!(rfm, [Some(5_000), Some(1_000), Some(1_000)]);
        assert_eq!(facts.group(GroupModel::Rfm, 0), Some("new"));
    }

    #[test]
    fn stars_are_there_where_the_score_speaks() {
        let mut shop = shop();
        let days: Vec<(i64, i64)> = (0..40).map(|n| (TODAY - 3 * n, 1_000)).rev().collect();
        let someone = person(&days);
        let purchase = shop.scores.purchase.clone().unwrap();
        let features = PurchaseFeatures::of(
            &days.iter().map(|(day, amount)| PurchaseDay { day: *day, amount: Some(*amount) }).collect(),
            TODAY,
        );
        let stars = purchase.stars.stars(purchase.probability(&features.unwrap()));
        assert!(matches!(purchase.trial.verdict, Verdict::Speaks(_)), "{:?}", purchase.trial);
        assert_eq!(CustomerFacts::new(&someone, &shop).score(ScoreNumber::Stars), Some(i64::from(stars) * 1_000));
        shop.scores.purchase = None;
        assert_eq!(CustomerFacts::new(&someone, &shop).score(ScoreNumber::Stars), None);
    }

    #[test]
    fn who_has_no_order_by_the_fit_and_a_shop_before_it_have_none() {
        let (shop, late) = (shop(), person(&[(TODAY + 1, 500)]));
        let facts = CustomerFacts::new(&late, &shop);
        assert_eq!((facts.score(ScoreNumber::Alive), facts.group(GroupModel::Rfm, 0)), (None, None));
        let (empty, early) = (Snapshot::empty(), person(&[(1, 500)]));
        assert_eq!(CustomerFacts::new(&early, &empty).score(ScoreNumber::Alive), None);
    }

    #[test]
    fn the_window_ends_by_itself() {
        let (shop, someone) = (Snapshot::empty(), person(&[(100, 500), (101, -500)]));
        let facts = CustomerFacts::new(&someone, &shop);
        let leaves = 190 * DAY_MS + 1;
        assert_eq!(
            (facts.group(GroupModel::Napl, leaves - 1), facts.group(GroupModel::Napl, leaves)),
            (Some("N"), Some("L"))
        );
        assert_eq!(facts.group_changes(GroupModel::Napl, leaves - 1), Some(leaves));
        assert_eq!(facts.group_changes(GroupModel::Napl, leaves), None);
        let nobody = Person::default();
        assert_eq!(CustomerFacts::new(&nobody, &shop).group(GroupModel::Napl, 0), None);
    }

    #[test]
    fn conditions_and_models_name_the_same_groups() {
        assert_eq!(GroupModel::Rfm.groups(), RfmGroup::ALL.map(RfmGroup::as_str));
        assert_eq!(GroupModel::Napl.groups(), Napl::ALL.map(Napl::as_str));
    }
}
