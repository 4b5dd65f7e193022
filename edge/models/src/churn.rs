//! The risk that a customer does not come back within a span, of two estimates: the model of repeat purchase, and a score that
//! learned from this shop.

use serde::{Deserialize, Serialize};

use crate::purchase::{PurchaseFeatures, PurchaseScore};
use crate::value::{BgNbd, DAYS_OF_WEEK, PurchaseDays};

/// The least probability of either outcome that an estimate may give, so that none outweighs every other.
const LEAST_PROBABILITY: f64 = 1e-9;

/// What tells the risk of one span.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Churn {
    model: BgNbd,
    learned: Option<PurchaseScore>,
    days: i64,
}

impl Churn {
    /// Learns from the two spans of `days` before today. Where there is too little to learn from, the model's estimate stands
    /// alone.
    #[must_use]
    pub fn learned(model: BgNbd, customers: &[PurchaseDays], today: i64, days: i64) -> Self {
        Self { model, learned: PurchaseScore::learned(customers, today, days), days }
    }

    /// The model's estimate alone.
    #[must_use]
    pub fn of_model(model: BgNbd, days: i64) -> Self {
        Self { model, learned: None, days }
    }

    /// Days of the span.
    #[must_use]
    pub fn days(&self) -> i64 {
        self.days
    }

    /// The probability that a customer orders nothing in the span after today: the mean of the log odds of [`BgNbd::any_within`]
    /// and of the learned score (a logarithmic opinion pool with equal weights: Genest and Zidek, Statistical Science 1,
    /// 1986). None for a customer without an order.
    #[must_use]
    pub fn risk(&self, customer: &PurchaseDays, today: i64) -> Option<f64> {
        let returns = self.model.any_within(&customer.repeats(today)?, self.days as f64 / DAYS_OF_WEEK);
        let learned = self.learned.as_ref().zip(PurchaseFeatures::of(customer, today));
        let odds = match learned.map(|(score, features)| score.probability(&features)) {
            Some(learned) => (log_odds(returns) + log_odds(learned)) / 2.0,
            None => log_odds(returns),
        };
        Some(1.0 / (1.0 + libm::exp(odds)))
    }
}

fn log_odds(probability: f64) -> f64 {
    let bounded = probability.clamp(LEAST_PROBABILITY, 1.0 - LEAST_PROBABILITY);
    libm::log(bounded / (1.0 - bounded))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::{Model, PurchaseDay};

    fn customer(days: &[i64]) -> PurchaseDays {
        days.iter().map(|day| PurchaseDay { day: *day, amount: Some(100) }).collect()
    }

    #[test]
    fn a_new_shop_has_the_models_estimate() {
        let churn = Churn::learned(BgNbd::prior(), &[], 100, 60);
        let one = customer(&[40, 70]);
        let returns = BgNbd::prior().any_within(&one.repeats(100).unwrap(), 60.0 / DAYS_OF_WEEK);
        assert!((churn.risk(&one, 100).unwrap() - (1.0 - returns)).abs() < 1e-9);
        assert_eq!(churn.risk(&one, 39), None);
    }

    /// One customer who did not return is nothing to learn from.
    #[test]
    fn a_young_shop_keeps_the_models_estimate() {
        let mut shop = vec![customer(&[0])];
        shop.extend((0..500).map(|n| customer(&[80 + n % 20])));
        let (churn, model) = (Churn::learned(BgNbd::prior(), &shop, 100, 60), Churn::of_model(BgNbd::prior(), 60));
        assert_eq!(churn, model);
    }

    #[test]
    fn who_was_here_lately_is_at_less_risk() {
        let shop: Vec<PurchaseDays> = (0..200).map(|n| customer(&[n % 90, n % 90 + 5 + n % 40])).collect();
        let churn = Churn::learned(BgNbd::prior(), &shop, 150, 30);
        let risk = |days: &[i64]| churn.risk(&customer(days), 150).unwrap();
        assert!(risk(&[10, 145]) < risk(&[10, 20]), "{} {}", risk(&[10, 145]), risk(&[10, 20]));
        assert!((0.0..=1.0).contains(&risk(&[150])));
    }
}
