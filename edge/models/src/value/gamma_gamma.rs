//! The Gamma-Gamma model of order values: Fader and Hardie, "The Gamma-Gamma Model of Monetary Value" (2013), after Colombo
//! and Jiang (1999). A customer's orders vary around a mean of their own; the means vary between customers.

use serde::{Deserialize, Serialize};

use super::counts::SpendCounts;
use super::fitting::{Fit, Fitting, Model};
use super::purchase_days::Spend;

/// The model's three parameters. `v` is in the unit of the amounts.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct GammaGamma {
    /// Shape of a customer's own orders.
    pub p: f64,
    /// Shape of the distribution of customers' scales.
    pub q: f64,
    /// Its scale.
    pub v: f64,
}

/// The mean of all repeat orders, in minor units; 1 without any.
fn mean_order(counts: &SpendCounts) -> f64 {
    let (orders, total) = counts.each().fold((0.0, 0.0), |(orders, total), (customer, count)| {
        (orders + count * customer.x(), total + count * customer.total as f64)
    });
    if orders > 0.0 { total / orders } else { 1.0 }
}

impl Model for GammaGamma {
    type History = Spend;

    /// Orders of a customer, and customers' means, that vary by about a half.
    fn prior() -> Self {
        Self { p: 4.0, q: 4.0, v: 0.75 }
    }

    fn parameters(&self) -> Vec<f64> {
        vec![self.p, self.q, self.v]
    }

    fn with(parameters: &[f64]) -> Option<Self> {
        let [p, q, v] = *parameters else { return None };
        Some(Self { p, q, v })
    }

    /// Equation 1a of the note, in the shop's own unit, the mean order: so the prior means the same in every currency.
    fn log_likelihood(&self, counts: &SpendCounts) -> f64 {
        let Self { p, q, v } = *self;
        let unit = mean_order(counts);
        let constant = q * libm::log(v) - libm::lgamma(q);
        let one = |(customer, count): (&Spend, f64)| {
            let (x, mean) = (customer.x(), customer.mean() / unit);
            let shape = p * x;
            let gammas = libm::lgamma(shape + q) - libm::lgamma(shape);
            let powers = (shape - 1.0) * libm::log(mean) + shape * libm::log(x);
            count * (constant + gammas + powers - (shape + q) * libm::log(x * mean + v))
        };
        counts.each().map(one).sum()
    }
}

impl GammaGamma {
    /// Fits the model. Its `v` is in minor units, its log-likelihood is that of amounts in units of the mean order.
    #[must_use]
    pub fn fitted(counts: &SpendCounts) -> Option<Fit<Self>> {
        Fitting::whole::<Self>(counts).map(|fit| Self::in_minor_units(fit, counts))
    }

    /// Brings a fit back from the shop's mean order to minor units.
    #[must_use]
    pub fn in_minor_units(fit: Fit<Self>, counts: &SpendCounts) -> Fit<Self> {
        Fit { model: Self { v: fit.model.v * mean_order(counts), ..fit.model }, ..fit }
    }

    /// The value to expect of a customer's orders, in the unit of `v` (equation 5 of the note): their own mean, drawn towards
    /// everybody's the more the fewer orders it is of. None where the parameters give no finite mean.
    #[must_use]
    pub fn expected_value(&self, customer: Option<&Spend>) -> Option<f64> {
        let (x, total) = customer.map_or((0.0, 0.0), |spend| (spend.x(), spend.total as f64));
        let weight = self.p * x + self.q - 1.0;
        (weight > 0.0).then(|| self.p * (self.v + total) / weight)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_expected_value_lies_between_ones_own_mean_and_everybodys() {
        let model = GammaGamma { p: 6.25, q: 3.74, v: 1544.0 };
        let everybody = model.expected_value(None).unwrap();
        let one = model.expected_value(Some(&Spend { repeats: 1, total: 9_000 })).unwrap();
        let many = model.expected_value(Some(&Spend { repeats: 20, total: 180_000 })).unwrap();
        assert!(everybody < one && one < many && many < 9_000.0, "{everybody} {one} {many}");
        assert_eq!(GammaGamma { p: 1.0, q: 0.5, v: 1.0 }.expected_value(None), None);
    }

    #[test]
    fn a_currency_with_smaller_units_changes_only_the_unit() {
        let counts = |factor: i64| -> SpendCounts {
            (1..200).map(|n| Spend { repeats: 1 + n % 5, total: factor * i64::from(900 + (n * 37) % 800) }).collect()
        };
        let (cents, yen) = (GammaGamma::fitted(&counts(1)).unwrap(), GammaGamma::fitted(&counts(1000)).unwrap());
        assert!((cents.model.p / yen.model.p - 1.0).abs() < 1e-3, "{cents:?} {yen:?}");
        assert!((1000.0 * cents.model.v / yen.model.v - 1.0).abs() < 1e-3, "{cents:?} {yen:?}");
    }

    #[test]
    fn who_paid_nothing_says_nothing_of_values() {
        let counts: SpendCounts =
            [Spend { repeats: 3, total: 0 }, Spend { repeats: 1, total: -5 }].into_iter().collect();
        assert_eq!(counts.customers(), 0);
        assert!(GammaGamma::fitted(&counts).is_some());
    }
}
