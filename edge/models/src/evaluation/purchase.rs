//! The score of purchase within two weeks, at one day.

use serde::Serialize;

use crate::purchase::{PURCHASE_DAYS, PurchaseScore, Refusal, Star, Verdict, samples};
use crate::statistics::{auc, calibration_error};
use crate::value::PurchaseDays;

/// What was foretold at a day, against what happened in the two weeks after it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PurchaseReport {
    /// Customers by then.
    pub customers: usize,
    /// Those of them who bought within the two weeks.
    pub bought: usize,
    /// Area under the ROC curve.
    pub auc: f64,
    /// That of the time since the last order alone.
    pub recency_auc: f64,
    /// Expected calibration error, over ten bins.
    pub ece: f64,
    /// Customers by stars, five first.
    pub stars: Vec<Star>,
    /// Whether the score would have spoken at the day, by what was known then.
    pub verdict: VerdictReport,
}

/// Whether a score speaks, and why.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct VerdictReport {
    /// Whether it does.
    pub speaks: bool,
    /// Why it does not.
    pub because: Option<Refusal>,
    /// Its area under the curve in the last span before the day.
    pub auc: Option<f64>,
    /// That of the time since the last order.
    pub recency_auc: Option<f64>,
    /// Their difference in standard errors.
    pub z: Option<f64>,
}

impl VerdictReport {
    fn of(verdict: Verdict) -> Self {
        let (because, comparison) = match verdict {
            Verdict::Speaks(comparison) => (None, Some(comparison)),
            Verdict::Declines(refusal, comparison) => (Some(refusal), comparison),
        };
        Self {
            speaks: because.is_none(),
            because,
            auc: comparison.map(|it| it.auc),
            recency_auc: comparison.map(|it| it.other),
            z: comparison.map(|it| it.z()),
        }
    }
}

/// Why nothing is said of a day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum NoReport {
    /// In the four weeks before it fewer than 30 customers bought, or did not.
    TooFewBefore,
    /// In the two weeks after it everybody bought, or nobody.
    OneOutcomeAfter,
}

/// Learns up to the end of a day and looks at the two weeks after it.
///
/// # Errors
/// Where there is too little to learn from, or to look at.
pub fn purchase(customers: &[PurchaseDays], day: i64) -> Result<PurchaseReport, NoReport> {
    let score = PurchaseScore::learned(customers, day, PURCHASE_DAYS).ok_or(NoReport::TooFewBefore)?;
    looked_at(customers, day, score).ok_or(NoReport::OneOutcomeAfter)
}

fn looked_at(customers: &[PurchaseDays], day: i64, score: PurchaseScore) -> Option<PurchaseReport> {
    let after = samples(customers, day, PURCHASE_DAYS);
    let bought: Vec<bool> = after.iter().map(|sample| sample.bought).collect();
    let probabilities: Vec<f64> = after.iter().map(|sample| score.probability(&sample.features)).collect();
    let recency: Vec<f64> = after.iter().map(|sample| sample.features.recency()).collect();
    Some(PurchaseReport {
        customers: after.len(),
        bought: bought.iter().filter(|it| **it).count(),
        auc: auc(&probabilities, &bought)?,
        recency_auc: auc(&recency, &bought)?,
        ece: calibration_error(&probabilities, &bought)?,
        stars: score.stars.observed(&probabilities, &bought),
        verdict: VerdictReport::of(score.trial.verdict),
    })
}
