//! The scores of one person.

use endcap_models::purchase::{PurchaseFeatures, Verdict};
use endcap_models::rfm::SecondAxis;
use endcap_protocol::UnixMillis;
use schemars::JsonSchema;
use serde::Serialize;

use super::customers::Customer;
use super::scores::Scores;

/// Weeks of the year for which orders and value are expected.
const YEAR_WEEKS: f64 = 52.0;

/// What a customer is likely to do.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct PersonScores {
    /// When the models were fitted, Unix milliseconds. Null: they are what is assumed of a new shop.
    pub fitted_at: Option<UnixMillis>,
    /// The probability that they are still a customer; 1 for everyone who bought once.
    pub alive: f64,
    /// Orders to expect within 52 weeks.
    pub expected_orders: f64,
    /// What their next order is expected to bring, in minor units of the shop's currency. Null before repeat orders.
    pub expected_order_minor: Option<i64>,
    /// What they are expected to bring within 52 weeks, in minor units of the shop's currency. Null before repeat orders.
    pub lifetime_value_minor: Option<i64>,
    /// Purchase within two weeks. Null while that score declines to speak.
    pub purchase: Option<PurchaseLikelihood>,
    /// Churn.
    pub churn: ChurnRisk,
    /// RFM. Null before the first fit.
    pub rfm: Option<RfmView>,
}

/// How likely somebody buys within two weeks.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, JsonSchema)]
pub struct PurchaseLikelihood {
    /// The probability.
    pub probability: f64,
    /// 1 to 5; the first 5 % of customers have five.
    pub stars: u8,
}

/// How likely somebody does not come back.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, JsonSchema)]
pub struct ChurnRisk {
    /// Days of the span.
    pub days: i64,
    /// The probability that they order nothing in it.
    pub risk: f64,
}

/// RFM of somebody.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct RfmView {
    /// How lately, 1 to 5.
    pub recency: u8,
    /// How often, 1 to 5.
    pub frequency: u8,
    /// For how much, 1 to 5.
    pub monetary: u8,
    /// The named group.
    pub group: String,
}

impl PersonScores {
    /// The scores of a customer as of the end of a day. None for a customer without an order by that day.
    #[must_use]
    pub fn of(customer: &Customer, scores: &Scores, today: i64) -> Option<Self> {
        let repeats = customer.days.repeats(today)?;
        let model = &scores.repeat.model;
        let expected_orders = model.expected(&repeats, YEAR_WEEKS);
        let spend = customer.days.spend(today).filter(|spend| spend.total > 0);
        let value = scores.spend.and_then(|fit| fit.model.expected_value(spend.as_ref()));
        let minor = |value: f64| value.round() as i64;
        let speaks = scores.purchase.as_ref().filter(|score| matches!(score.trial.verdict, Verdict::Speaks(_)));
        let purchase = speaks.zip(PurchaseFeatures::of(&customer.days, today)).map(|(score, features)| {
            let probability = score.probability(&features);
            PurchaseLikelihood { probability, stars: score.stars.stars(probability) }
        });
        let rfm = scores.rfm.zip(customer.rfm()).map(|(cuts, values)| cuts.score(&values));
        Some(Self {
            fitted_at: Some(scores.fitted_at).filter(|at| *at > 0),
            alive: model.p_alive(&repeats),
            expected_orders,
            expected_order_minor: value.map(minor),
            lifetime_value_minor: value.map(|value| minor(value * expected_orders)),
            purchase,
            churn: ChurnRisk { days: scores.churn.days(), risk: scores.churn.risk(&customer.days, today)? },
            rfm: rfm.map(|score| RfmView {
                recency: score.recency,
                frequency: score.frequency,
                monetary: score.monetary,
                group: score.group(SecondAxis::FrequencyAndMonetary).as_str().to_owned(),
            }),
        })
    }
}

#[cfg(test)]
mod tests {
    use endcap_models::value::PurchaseDay;

    use super::*;

    #[test]
    fn a_new_shops_customer_has_what_the_prior_says_and_no_stars() {
        let days = [(10, 500), (40, 700)].map(|(day, amount)| PurchaseDay { day, amount: Some(amount) });
        let customer = Customer { lot: 0, orders: 2, days: days.into_iter().collect() };
        let found = PersonScores::of(&customer, &Scores::prior(60), 50).unwrap();
        assert_eq!(
            (found.fitted_at, found.purchase, &found.rfm, found.expected_order_minor),
            (None, None, &None, None)
        );
        assert!(found.alive > 0.5 && found.alive < 1.0 && found.expected_orders > 0.0, "{found:?}");
        assert!(found.churn.days == 60 && found.churn.risk > 0.0 && found.churn.risk < 1.0);
        assert_eq!(PersonScores::of(&customer, &Scores::prior(60), 9), None);
    }
}
