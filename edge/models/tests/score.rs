//! The models on customers that are drawn from them, and on labels that mean nothing.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use endcap_models::purchase::{PurchaseScore, Refusal, Sample, Trial, Verdict, samples};
use endcap_models::value::{BgNbd, Fitting, GammaGamma, Model, PurchaseDay, PurchaseDays, RepeatCounts, SpendCounts};

/// SplitMix64 (Steele, Lea and Flood, OOPSLA 2014): the same numbers on every machine.
struct Random(u64);

impl Random {
    fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// Between 0 and 1, never either.
    fn unit(&mut self) -> f64 {
        ((self.bits() >> 11) as f64 + 0.5) / (1u64 << 53) as f64
    }

    fn exponential(&mut self, rate: f64) -> f64 {
        -libm::log(self.unit()) / rate
    }

    fn normal(&mut self) -> f64 {
        (-2.0 * libm::log(self.unit())).sqrt() * libm::cos(std::f64::consts::TAU * self.unit())
    }

    /// Marsaglia and Tsang (ACM TOMS 26, 2000); below one by Johnk's power.
    fn gamma(&mut self, shape: f64) -> f64 {
        if shape < 1.0 {
            return self.gamma(shape + 1.0) * libm::pow(self.unit(), 1.0 / shape);
        }
        let d = shape - 1.0 / 3.0;
        let c = 1.0 / (9.0 * d).sqrt();
        loop {
            let x = self.normal();
            let v = libm::pow(1.0 + c * x, 3.0);
            if v > 0.0 && libm::log(self.unit()) < 0.5 * x * x + d - d * v + d * libm::log(v) {
                return d * v;
            }
        }
    }

    fn beta(&mut self, a: f64, b: f64) -> f64 {
        let (x, y) = (self.gamma(a), self.gamma(b));
        x / (x + y)
    }
}

/// Customers who behave as the models say, over a span of weeks; everybody's first order is in its first ten.
fn drawn(random: &mut Random, count: usize, weeks: f64, model: &BgNbd, values: &GammaGamma) -> Vec<PurchaseDays> {
    let one = |random: &mut Random| {
        let (rate, lost) = (random.gamma(model.r) / model.alpha, random.beta(model.a, model.b));
        let scale = values.v / random.gamma(values.q);
        let mut at = random.unit() * 10.0;
        let mut days = PurchaseDays::default();
        let mut is_customer = true;
        while at < weeks && is_customer {
            let amount = (random.gamma(values.p) * scale).max(1.0) as i64;
            days.record(PurchaseDay { day: (at * 7.0) as i64, amount: Some(amount) });
            // After the first order nobody is lost; after each other one some are.
            is_customer = days.until(i64::MAX).len() == 1 || random.unit() >= lost;
            at += random.exponential(rate);
        }
        days
    };
    (0..count).map(|_| one(random)).collect()
}

const MODEL: BgNbd = BgNbd { r: 0.8, alpha: 9.0, a: 0.7, b: 2.5 };
const VALUES: GammaGamma = GammaGamma { p: 6.0, q: 4.0, v: 1_500.0 };

#[test]
fn the_fit_finds_the_parameters_that_customers_were_drawn_from() {
    let customers = drawn(&mut Random(7), 20_000, 78.0, &MODEL, &VALUES);
    let today = 78 * 7;
    let counts: RepeatCounts = customers.iter().filter_map(|customer| customer.repeats(today)).collect();
    let fit = Fitting::whole::<BgNbd>(&counts).unwrap();
    let near = |found: f64, drawn: f64| (found / drawn - 1.0).abs() < 0.15;
    let BgNbd { r, alpha, a, b } = fit.model;
    assert!(
        near(r, MODEL.r) && near(alpha, MODEL.alpha) && near(a / (a + b), MODEL.a / (MODEL.a + MODEL.b)),
        "{fit:?}"
    );
    let spends: SpendCounts = customers.iter().filter_map(|customer| customer.spend(today)).collect();
    let values = GammaGamma::fitted(&spends).unwrap().model;
    let mean = values.expected_value(None).unwrap();
    assert!(
        near(values.p, VALUES.p) && near(values.q, VALUES.q) && near(mean, VALUES.expected_value(None).unwrap()),
        "{values:?}"
    );
}

#[test]
fn what_is_expected_of_a_shop_is_what_comes() {
    let customers = drawn(&mut Random(11), 20_000, 104.0, &MODEL, &VALUES);
    let today = 78 * 7;
    let known: Vec<_> = customers.iter().filter_map(|customer| Some((customer, customer.repeats(today)?))).collect();
    let fit = Fitting::whole::<BgNbd>(&known.iter().map(|(_, repeats)| *repeats).collect()).unwrap();
    let expected: f64 = known.iter().map(|(_, repeats)| fit.model.expected(repeats, 26.0)).sum();
    let came: usize = known.iter().map(|(customer, _)| customer.count_between(today, 104 * 7)).sum();
    assert!((expected / came as f64 - 1.0).abs() < 0.05, "{expected} {came}");
    let back: f64 = known.iter().map(|(_, repeats)| fit.model.any_within(repeats, 26.0)).sum();
    let in_fact = known.iter().filter(|(customer, _)| customer.count_between(today, 104 * 7) > 0).count();
    assert!((back / in_fact as f64 - 1.0).abs() < 0.05, "{back} {in_fact}");
}

/// A shop with rhythms that the time since the last order does not tell.
fn shop() -> Vec<PurchaseDays> {
    let steady = BgNbd { r: 0.6, alpha: 4.0, a: 0.3, b: 4.0 };
    drawn(&mut Random(3), 4_000, 60.0, &steady, &VALUES)
}

#[test]
fn a_score_speaks_of_customers_and_declines_of_shuffled_ones() {
    let (customers, today) = (shop(), 60 * 7 - 1);
    let score = PurchaseScore::learned(&customers, today, 14).unwrap();
    assert!(
        matches!(score.trial.verdict, Verdict::Speaks(found) if found.auc > found.other),
        "{:?}",
        score.trial.verdict
    );

    let observed: Vec<f64> = score.trial.stars.iter().filter_map(|star| star.observed).collect();
    assert!(observed.len() == 5 && observed[0] > 2.0 * observed[4], "{:?}", score.trial.stars);
    assert!(score.trial.calibration_error.is_some_and(|error| error < 0.05), "{:?}", score.trial.calibration_error);

    let at = |spans: i64| samples(&customers, today - 14 * spans, 14);
    let (training, held_out) = ([at(2), at(3)].concat(), at(1));
    let mut random = Random(5);
    let mut spoke = 0;
    for _ in 0..40 {
        let shuffled: Vec<Sample> = shuffle(&mut random, &training);
        let others = shuffle(&mut random, &held_out);
        match Trial::of(&shuffled, &others).verdict {
            Verdict::Speaks(_) => spoke += 1,
            Verdict::Declines(because, comparison) => {
                assert_eq!((because, comparison.is_some()), (Refusal::NoBetterThanRecency, true));
            }
        }
    }
    // By chance one in a hundred would.
    assert!(spoke <= 2, "{spoke} of 40");
}

/// The same customers with each other's outcomes.
fn shuffle(random: &mut Random, samples: &[Sample]) -> Vec<Sample> {
    let mut bought: Vec<bool> = samples.iter().map(|sample| sample.bought).collect();
    for last in (1..bought.len()).rev() {
        bought.swap(last, (random.bits() % (last as u64 + 1)) as usize);
    }
    samples.iter().zip(bought).map(|(sample, bought)| Sample { bought, ..*sample }).collect()
}

#[test]
fn a_shop_with_few_customers_is_not_judged() {
    let (shop, today) = (shop(), 60 * 7 - 1);
    assert_eq!(PurchaseScore::learned(&shop[..40], today, 14), None);
    assert_eq!(PurchaseScore::learned(&[], 100, 14), None);
    let (few, all) = (samples(&shop[..40], today - 14, 14), samples(&shop, today - 14, 14));
    assert_eq!(Trial::of(&all, &few).verdict, Verdict::Declines(Refusal::TooFew, None));
    assert_eq!(Trial::of(&few, &all), Trial::of(&all, &few));
}

#[test]
fn ten_customers_stay_near_the_prior_and_many_alike_do_not_run_away() {
    let near = |found: f64, prior: f64| (found / prior).max(prior / found) < 3.0;
    for (gap, repeats) in [(7, 10), (7, 1)] {
        let days = || (0..=repeats).map(|n| PurchaseDay { day: n * gap, amount: Some(100) }).collect::<PurchaseDays>();
        let counts: RepeatCounts = (0..10).filter_map(|_| days().repeats(80)).collect();
        let (found, prior) = (Fitting::whole::<BgNbd>(&counts).unwrap().model, BgNbd::prior());
        for (found, prior) in found.parameters().iter().zip(prior.parameters()) {
            assert!(near(*found, prior), "{found} for {prior}");
        }
    }
    // Everybody is lost with one chance in four: the model's two parameters want to be infinite.
    let alike = BgNbd { r: 0.8, alpha: 9.0, a: 2_500.0, b: 7_500.0 };
    let customers = drawn(&mut Random(13), 30_000, 78.0, &alike, &VALUES);
    let counts: RepeatCounts = customers.iter().filter_map(|customer| customer.repeats(78 * 7)).collect();
    let fit = Fitting::whole::<BgNbd>(&counts).unwrap();
    assert!(fit.converged && (fit.model.a / (fit.model.a + fit.model.b) - 0.25).abs() < 0.02, "{fit:?}");
}
