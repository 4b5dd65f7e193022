//! The Gamma-Gamma model of order values: Fader and Hardie, "The Gamma-Gamma Model of Monetary Value" (2013), after Colombo
//! and Jiang (1999). A customer's orders vary around a mean of their own; the means vary between customers.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

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

/// How many customers there are of each number and sum of repeat orders; those who paid nothing are left out.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SpendCounts(BTreeMap<Spend, u32>);

impl SpendCounts {
    /// Counts a customer.
    pub fn add(&mut self, customer: Spend) {
        if customer.total > 0 && customer.repeats > 0 {
            let count = self.0.entry(customer).or_default();
            *count = count.saturating_add(1);
        }
    }

    /// Adds the counts of other customers.
    pub fn merge(&mut self, other: &Self) {
        for (customer, more) in &other.0 {
            let count = self.0.entry(*customer).or_default();
            *count = count.saturating_add(*more);
        }
    }

    /// Numbers and sums apart: what one evaluation of the likelihood goes through.
    #[must_use]
    pub fn histories(&self) -> usize {
        self.0.len()
    }

    /// Customers counted.
    #[must_use]
    pub fn customers(&self) -> u64 {
        self.0.values().map(|count| u64::from(*count)).sum()
    }

    /// The mean of all repeat orders, in minor units; 1 without any.
    fn mean(&self) -> f64 {
        let (orders, total) = self.0.iter().fold((0.0, 0.0), |(orders, total), (customer, count)| {
            let count = f64::from(*count);
            (orders + count * customer.x(), total + count * customer.total as f64)
        });
        if orders > 0.0 { total / orders } else { 1.0 }
    }
}

impl Extend<Spend> for SpendCounts {
    fn extend<T: IntoIterator<Item = Spend>>(&mut self, customers: T) {
        customers.into_iter().for_each(|customer| self.add(customer));
    }
}

impl FromIterator<Spend> for SpendCounts {
    fn from_iter<T: IntoIterator<Item = Spend>>(customers: T) -> Self {
        let mut counts = Self::default();
        counts.extend(customers);
        counts
    }
}

impl Model for GammaGamma {
    type Counts = SpendCounts;

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
        let unit = counts.mean();
        let constant = q * libm::log(v) - libm::lgamma(q);
        let one = |(customer, count): (&Spend, &u32)| {
            let (x, mean) = (customer.x(), customer.mean() / unit);
            let shape = p * x;
            let gammas = libm::lgamma(shape + q) - libm::lgamma(shape);
            let powers = (shape - 1.0) * libm::log(mean) + shape * libm::log(x);
            f64::from(*count) * (constant + gammas + powers - (shape + q) * libm::log(x * mean + v))
        };
        counts.0.iter().map(one).sum()
    }

    fn customers(counts: &SpendCounts) -> u64 {
        counts.customers()
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
        Fit { model: Self { v: fit.model.v * counts.mean(), ..fit.model }, ..fit }
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
