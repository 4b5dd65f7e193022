//! The BG/NBD model of repeat purchase: Fader, Hardie and Lee, "Counting Your Customers the Easy Way", Marketing Science 24
//! (2005). While a customer is one, orders come at random at a rate of their own; after each repeat order they may be lost for good.
//! Rates vary between customers by a gamma distribution, chances to be lost by a beta distribution.

use serde::{Deserialize, Serialize};

use super::counts::RepeatCounts;
use super::fitting::Model;
use super::hypergeometric::weighted_series;
use super::purchase_days::Repeats;

/// The least scale, in weeks: nobody orders again within two hours on average.
const LEAST_SCALE: f64 = 0.01;

/// The model's four parameters; time is in weeks.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct BgNbd {
    /// Shape of the distribution of rates.
    pub r: f64,
    /// Its scale, in weeks: the mean rate is `r / alpha` orders a week.
    pub alpha: f64,
    /// First parameter of the distribution of chances to be lost at an order.
    pub a: f64,
    /// The second: the mean chance is `a / (a + b)`.
    pub b: f64,
}

impl Model for BgNbd {
    type History = Repeats;

    /// A shop whose customers buy every four months or so, and are lost at one order of four.
    fn prior() -> Self {
        Self { r: 0.5, alpha: 8.0, a: 1.0, b: 3.0 }
    }

    fn parameters(&self) -> Vec<f64> {
        vec![self.r, self.alpha, self.a, self.b]
    }

    fn with(parameters: &[f64]) -> Option<Self> {
        let [r, alpha, a, b] = *parameters else { return None };
        (alpha >= LEAST_SCALE).then_some(Self { r, alpha, a, b })
    }

    fn log_likelihood(&self, counts: &RepeatCounts) -> f64 {
        let mut of_count = OfCount::default();
        // The counts are in order of x, so what only x decides is worked out once for each.
        let sum = counts.each().map(|(customer, count)| {
            if of_count.repeats != Some(customer.repeats) {
                of_count = self.of_count(customer);
            }
            count * self.likelihood_of(customer, &of_count)
        });
        sum.sum()
    }
}

/// What only the number of repeat purchases decides.
#[derive(Debug, Default)]
struct OfCount {
    repeats: Option<u32>,
    constant: f64,
    /// ln(a / (b + x − 1)), for x > 0.
    lost: f64,
}

impl BgNbd {
    fn of_count(&self, customer: &Repeats) -> OfCount {
        let Self { r, alpha, a, b } = *self;
        let x = customer.x();
        let rate = libm::lgamma(r + x) - libm::lgamma(r) + r * libm::log(alpha);
        let chance = libm::lgamma(a + b) + libm::lgamma(b + x) - libm::lgamma(b) - libm::lgamma(a + b + x);
        let lost = if x > 0.0 { libm::log(a / (b + x - 1.0)) } else { f64::NEG_INFINITY };
        OfCount { repeats: Some(customer.repeats), constant: rate + chance, lost }
    }

    /// Equation 3 of Fader, Hardie and Lee's note on implementing the model in Excel (2005).
    fn likelihood_of(&self, customer: &Repeats, of_count: &OfCount) -> f64 {
        let shape = self.r + customer.x();
        let alive = -shape * libm::log(self.alpha + customer.age());
        if customer.repeats == 0 {
            return of_count.constant + alive;
        }
        let lost = of_count.lost - shape * libm::log(self.alpha + customer.last());
        let (more, less) = if alive > lost { (alive, lost) } else { (lost, alive) };
        of_count.constant + more + libm::log1p(libm::exp(less - more))
    }

    /// The probability that somebody is still a customer. It is 1 for everyone who bought once, since the model loses nobody
    /// before a repeat order: as a sign of churn use [`BgNbd::any_within`].
    #[must_use]
    pub fn p_alive(&self, customer: &Repeats) -> f64 {
        let Self { r, alpha, a, b } = *self;
        if customer.repeats == 0 {
            return 1.0;
        }
        let silence = libm::pow((alpha + customer.age()) / (alpha + customer.last()), r + customer.x());
        1.0 / (1.0 + a / (b + customer.x() - 1.0) * silence)
    }

    /// The number of orders to expect within so many weeks (equation 10 of the paper).
    #[must_use]
    pub fn expected(&self, customer: &Repeats, weeks: f64) -> f64 {
        let Self { r, alpha, b, .. } = *self;
        // The formula divides by a − 1.
        let a = if (self.a - 1.0).abs() < 1e-6 { 1.0 + 1e-6 } else { self.a };
        let (x, now) = (customer.x(), alpha + customer.age());
        let (shape, z) = (r + x, weeks / (now + weeks));
        let c = a + b + x - 1.0;
        // The paper's c · (1 − (1 − z)^(r + x) · ₂F₁), without what cancels and without a division by c.
        let some = c * -libm::expm1(shape * libm::log1p(-z)) - weighted_series(shape, b + x, c, z);
        (some / (a - 1.0)).max(0.0) * self.p_alive(customer)
    }

    /// The probability of at least one order within so many weeks, `p_alive · (1 − ((α + T) / (α + T + weeks))^(r + x))`.
    #[must_use]
    pub fn any_within(&self, customer: &Repeats, weeks: f64) -> f64 {
        let now = self.alpha + customer.age();
        let none = libm::pow(now / (now + weeks), self.r + customer.x());
        self.p_alive(customer) * (1.0 - none)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::fitting::Fitting;
    use super::*;

    /// Published for the CDNOW sample.
    const CDNOW: BgNbd = BgNbd { r: 0.242593, alpha: 4.413532, a: 0.792886, b: 2.425752 };

    /// Published: 1.22591 and 0.726609, for 30.43 and 38.86 weeks; ours are whole days, 30.4286 and 38.8571.
    #[test]
    fn the_papers_customer_is_expected_to_order_as_often_as_it_says() {
        let customer = Repeats { repeats: 2, last_day: 213, age_days: 272 };
        assert!((CDNOW.expected(&customer, 39.0) - 1.22591).abs() < 2e-4, "{}", CDNOW.expected(&customer, 39.0));
        assert!((CDNOW.p_alive(&customer) - 0.726609).abs() < 5e-5, "{}", CDNOW.p_alive(&customer));
    }

    /// Worked out with 60 digits.
    #[test]
    fn shops_of_one_chance_and_of_one_rhythm_have_expectations_too() {
        let rhythm = BgNbd { r: 96_045.8, alpha: 43_124.1, a: 0.0376, b: 3.422 };
        let found = rhythm.expected(&Repeats { repeats: 15, last_day: 49, age_days: 49 }, 64.0);
        assert!((found - 134.655_637_48).abs() < 1e-6, "{found}");
        let one_chance = BgNbd { r: 0.8, alpha: 9.0, a: 400_000.0, b: 1_200_000.0 };
        let often_lost = BgNbd { r: 0.3, alpha: 9.0, a: 0.2, b: 0.5 };
        let (once, four) =
            (Repeats { repeats: 0, last_day: 0, age_days: 350 }, Repeats { repeats: 3, last_day: 336, age_days: 350 });
        for (model, customer, orders) in [
            (&one_chance, &once, 0.320_840_973_08),
            (&one_chance, &four, 0.950_041_235_42),
            (&often_lost, &once, 0.123_386_170_01),
        ] {
            let found = model.expected(customer, 26.0);
            assert!((found - orders).abs() < 1e-7, "{found} for {orders}");
        }
    }

    #[test]
    fn counts_of_parts_add_up() {
        let all: Vec<Repeats> =
            (0..50).map(|n| Repeats { repeats: n % 4, last_day: (n % 4) * 7, age_days: 60 + n % 3 }).collect();
        let (left, right) = all.split_at(20);
        let mut merged = RepeatCounts::from_iter(right.iter().copied());
        merged.merge(&RepeatCounts::from_iter(left.iter().copied()));
        assert_eq!((&merged, merged.customers()), (&RepeatCounts::from_iter(all.iter().copied()), 50));
    }

    #[test]
    fn without_customers_the_prior_is_the_answer() {
        let fit = Fitting::whole::<BgNbd>(&RepeatCounts::default()).unwrap();
        for (found, prior) in fit.model.parameters().iter().zip(BgNbd::prior().parameters()) {
            assert!((found / prior - 1.0).abs() < 1e-4, "{fit:?}");
        }
    }

    #[test]
    fn a_fit_that_is_stored_between_steps_ends_where_one_in_one_go_does() {
        let counts: RepeatCounts = (0..300)
            .map(|n| Repeats { repeats: n % 5, last_day: (n % 5) * (10 + n % 7), age_days: 120 + n % 90 })
            .collect();
        let whole = Fitting::whole::<BgNbd>(&counts).unwrap();
        let mut fitting = Fitting::of::<BgNbd>(&counts);
        let halted = loop {
            if let Some(fit) = fitting.advance::<BgNbd>(&counts, 25) {
                break fit;
            }
            fitting = postcard::from_bytes(&postcard::to_allocvec(&fitting).unwrap()).unwrap();
        };
        assert_eq!(halted, whole);
    }

    proptest! {
        #[test]
        fn expectations_are_finite_and_grow_with_time_whatever_was_fitted(
            repeats in 0u32..60, last in 0u32..400, more in 0u32..400, weeks in 0.5f64..104.0,
            r in -4.0f64..12.0, alpha in -4.0f64..12.0, a in -7.0f64..13.0, b in -7.0f64..13.0,
        ) {
            let last_day = if repeats == 0 { 0 } else { last.max(repeats) };
            let customer = Repeats { repeats, last_day, age_days: last_day + more };
            let model = BgNbd { r: libm::exp(r), alpha: libm::exp(alpha), a: libm::exp(a), b: libm::exp(b) };
            // Nobody orders more than ten times a day.
            prop_assume!(model.r / model.alpha < 70.0);
            let (soon, later) = (model.expected(&customer, weeks), model.expected(&customer, weeks + 4.0));
            prop_assert!(soon.is_finite() && soon >= 0.0 && later >= soon * (1.0 - 1e-6) - 1e-6, "{soon} {later}");
            // Somebody who is never lost orders at this rate.
            let most = (model.r + customer.x()) / (model.alpha + customer.age()) * weeks;
            prop_assert!(soon <= most * (1.0 + 1e-6) + 1e-6, "{soon} of {most}");
        }

        #[test]
        fn probabilities_are_probabilities_and_grow_with_time(
            repeats in 0u32..200, last in 0u32..2000, more in 0u32..2000, weeks in 0.1f64..100.0,
        ) {
            let last_day = if repeats == 0 { 0 } else { last.max(repeats) };
            let customer = Repeats { repeats, last_day, age_days: last_day + more };
            let (soon, later) = (CDNOW.any_within(&customer, weeks), CDNOW.any_within(&customer, weeks + 1.0));
            prop_assert!(0.0 <= soon && soon <= later && later <= 1.0);
            let alive = CDNOW.p_alive(&customer);
            prop_assert!((0.0..=1.0).contains(&alive) && CDNOW.expected(&customer, weeks) >= 0.0);
        }
    }
}
