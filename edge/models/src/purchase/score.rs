//! Learns the score, and says whether it is worth hearing.

use serde::{Deserialize, Serialize};

use super::features::{FEATURES, PurchaseFeatures};
use super::logistic::Logistic;
use super::stars::{Star, StarCuts};
use crate::statistics::{Comparison, calibration_error, compare};
use crate::value::PurchaseDays;

/// Days of the span in which a purchase is foretold.
pub const PURCHASE_DAYS: i64 = 14;
/// Samples of each outcome, bought and did not, without which nothing is learned or judged.
const MIN_SAMPLES_PER_OUTCOME: usize = 30;
/// Standard errors by which the score has to be better than recency: by chance alone it is in one case of a hundred.
const CONVINCING: f64 = 2.33;

/// A customer as of a day, and whether they bought within the span after it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Sample {
    /// What was known.
    pub features: PurchaseFeatures,
    /// What happened.
    pub bought: bool,
}

/// Everyone who had bought by the end of a day, with what they did in the `span` days after it.
#[must_use]
pub fn samples(customers: &[PurchaseDays], day: i64, span: i64) -> Vec<Sample> {
    let of = |customer: &PurchaseDays| {
        let features = PurchaseFeatures::of(customer, day)?;
        Some(Sample { features, bought: customer.count_between(day, day.saturating_add(span)) > 0 })
    };
    customers.iter().filter_map(of).collect()
}

/// Why a score declines to speak.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Refusal {
    /// There are fewer than 30 samples of customers who bought in a span, or who did not.
    TooFew,
    /// It does not order the shop's own customers better than the time since their last order.
    NoBetterThanRecency,
}

impl Refusal {
    /// The name in the API.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::TooFew => "too_few",
            Self::NoBetterThanRecency => "no_better_than_recency",
        }
    }
}

/// Whether a score speaks, by what it would have said of the last span before today.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub enum Verdict {
    /// It does, and is better by this.
    Speaks(Comparison),
    /// It does not. None: no comparison could be made.
    Declines(Refusal, Option<Comparison>),
}

/// What a score would have said of a span that is over, held against what happened in it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Trial {
    /// Whether the score speaks.
    pub verdict: Verdict,
    /// Expected calibration error. None where nothing could be held against anything.
    pub calibration_error: Option<f64>,
    /// Customers by stars, five first, and how many of each bought.
    pub stars: Vec<Star>,
}

impl Trial {
    /// Tries a model that learned from some customers on others, or on the same at another time.
    #[must_use]
    pub fn of(training: &[Sample], held_out: &[Sample]) -> Self {
        let both = has_both_outcomes(training) && has_both_outcomes(held_out);
        let Some(model) = fitted(training).filter(|_| both) else {
            let verdict = Verdict::Declines(Refusal::TooFew, None);
            return Self { verdict, calibration_error: None, stars: Vec::new() };
        };
        let scores: Vec<f64> = held_out.iter().map(|sample| model.probability(sample.features.figures())).collect();
        let recency: Vec<f64> = held_out.iter().map(|sample| sample.features.recency()).collect();
        let bought: Vec<bool> = held_out.iter().map(|sample| sample.bought).collect();
        let verdict = match compare(&scores, &recency, &bought) {
            // A score that beats a bad recency by luck alone is no score: it has to be better than none too.
            Some(comparison) if comparison.z() >= CONVINCING && comparison.auc > 0.5 => Verdict::Speaks(comparison),
            comparison => Verdict::Declines(Refusal::NoBetterThanRecency, comparison),
        };
        Self {
            verdict,
            calibration_error: calibration_error(&scores, &bought),
            stars: StarCuts::of(&scores).observed(&scores, &bought),
        }
    }
}

fn has_both_outcomes(samples: &[Sample]) -> bool {
    let bought = samples.iter().filter(|sample| sample.bought).count();
    bought >= MIN_SAMPLES_PER_OUTCOME && samples.len() - bought >= MIN_SAMPLES_PER_OUTCOME
}

fn fitted(samples: &[Sample]) -> Option<Logistic> {
    let rows: Vec<[f64; FEATURES]> = samples.iter().map(|sample| *sample.features.figures()).collect();
    let bought: Vec<bool> = samples.iter().map(|sample| sample.bought).collect();
    Logistic::fitted(&rows, &bought)
}

/// A learned score.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PurchaseScore {
    model: Logistic,
    /// What it would have said of the last span.
    pub trial: Trial,
    /// Where stars begin, among the shop's customers as they are today.
    pub stars: StarCuts,
}

impl PurchaseScore {
    /// Learns from the two spans of so many days before today, up to and including it. What it would have said a span ago, from
    /// the two before, is held against what happened since. None where fewer than 30 of the samples bought, or did not.
    #[must_use]
    pub fn learned(customers: &[PurchaseDays], today: i64, span: i64) -> Option<Self> {
        let ago = |spans: i64| today.saturating_sub(span.saturating_mul(spans));
        let at = |spans: i64| samples(customers, ago(spans), span);
        let (last, second, third) = (at(1), at(2), at(3));
        let trial = Trial::of(&[second.as_slice(), &third].concat(), &last);
        let latest = [last, second].concat();
        let model = fitted(&latest).filter(|_| has_both_outcomes(&latest))?;
        let now = customers.iter().filter_map(|customer| PurchaseFeatures::of(customer, today));
        let probabilities: Vec<f64> = now.map(|features| model.probability(features.figures())).collect();
        Some(Self { model, trial, stars: StarCuts::of(&probabilities) })
    }

    /// The probability that a customer buys within the span.
    #[must_use]
    pub fn probability(&self, features: &PurchaseFeatures) -> f64 {
        self.model.probability(features.figures())
    }
}
