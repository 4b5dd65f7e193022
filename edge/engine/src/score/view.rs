//! How the scores are, for people: which models, from when, and whether they are worth hearing.

use endcap_models::purchase::{Refusal, Star, Verdict};
use endcap_protocol::UnixMillis;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::fit::{Phase, ScoreFit};
use super::scores::Scores;

/// The scores.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ScoresView {
    /// When the models were fitted, Unix milliseconds. Null: they are what is assumed of a new shop.
    pub fitted_at: Option<UnixMillis>,
    /// The shop's customers then. Models of value are fitted to some 200,000 of them at most, the learned scores to 5,000.
    pub customers: u64,
    /// Profiles with orders that could not be read, and count for nothing.
    pub unreadable: u64,
    /// A fit under way. Null where there is none.
    pub fit: Option<FitView>,
    /// When the next fit is due, Unix milliseconds. Null while none is: they are fitted once a day where orders come.
    pub next_fit_at: Option<UnixMillis>,
    /// Runs that failed since a fit last ended well; they are tried again.
    pub failed_runs: u64,
    /// Repeat purchase.
    pub bg_nbd: BgNbdView,
    /// Order values. Null before there are repeat orders.
    pub gamma_gamma: Option<GammaGammaView>,
    /// Purchase within two weeks.
    pub purchase: PurchaseView,
    /// Days of the span over which churn is told.
    pub churn_days: i64,
}

/// A fit under way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct FitView {
    /// When it began, Unix milliseconds.
    pub begun_at: UnixMillis,
    /// Customers collected so far.
    pub collected: u64,
    /// What it does.
    pub phase: FitPhase,
}

/// What a fit does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum FitPhase {
    /// Customers are collected.
    Collecting,
    /// The models are fitted to them.
    Fitting,
}

/// The BG/NBD model; time is in weeks.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct BgNbdView {
    /// Shape of the distribution of rates.
    pub r: f64,
    /// Its scale.
    pub alpha: f64,
    /// First parameter of the distribution of chances to be lost.
    pub a: f64,
    /// The second.
    pub b: f64,
    /// Logarithm of the likelihood.
    pub log_likelihood: f64,
    /// Whether the fit ended where the likelihood is greatest. If not, the figures are the best that it found.
    pub converged: bool,
}

/// The Gamma-Gamma model.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct GammaGammaView {
    /// Shape of a customer's own orders.
    pub p: f64,
    /// Shape of the distribution of customers' scales.
    pub q: f64,
    /// Its scale, in minor units of the shop's currency.
    pub v_minor: f64,
    /// Customers with repeat orders.
    pub customers: u64,
    /// Whether the fit ended where the likelihood is greatest.
    pub converged: bool,
}

/// Whether the score of purchase speaks.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct PurchaseView {
    /// Whether it does.
    pub speaks: bool,
    /// Since when it does, or does not, Unix milliseconds. Null before the first fit.
    pub since: Option<UnixMillis>,
    /// Why it does not: `too_few` customers who bought within two weeks or did not, or `no_better_than_recency`.
    pub because: Option<String>,
    /// Its area under the ROC curve in the two weeks before the fit, told from what came before them.
    pub auc: Option<f64>,
    /// That of the time since the last order alone.
    pub recency_auc: Option<f64>,
    /// Their difference in standard errors; it speaks from 2.33 on.
    pub z: Option<f64>,
    /// How far its probabilities were from what happened, in the mean: the expected calibration error over ten bins.
    pub calibration_error: Option<f64>,
    /// What became in these two weeks of the customers with five stars, four, and so on; empty while there are too few.
    pub stars: Vec<StarView>,
}

/// What became of the customers with as many stars.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct StarView {
    /// How many stars.
    pub stars: u8,
    /// The share of customers who had as many.
    pub share: f64,
    /// The share of these who bought. Null where nobody had as many stars.
    pub observed: Option<f64>,
}

impl StarView {
    fn of(star: &Star) -> Self {
        Self { stars: star.stars, share: star.share, observed: star.observed }
    }
}

impl ScoresView {
    /// What is said of scores, and of a fit under way.
    #[must_use]
    pub fn of(scores: &Scores, fit: Option<&ScoreFit>) -> Self {
        let model = &scores.repeat.model;
        Self {
            fitted_at: Some(scores.fitted_at).filter(|at| *at > 0),
            customers: scores.customers,
            unreadable: scores.unreadable,
            fit: fit.map(|fit| FitView {
                begun_at: fit.begun_at,
                collected: fit.collected,
                phase: if matches!(fit.phase, Phase::Collect { .. }) {
                    FitPhase::Collecting
                } else {
                    FitPhase::Fitting
                },
            }),
            next_fit_at: None,
            failed_runs: 0,
            bg_nbd: BgNbdView {
                r: model.r,
                alpha: model.alpha,
                a: model.a,
                b: model.b,
                log_likelihood: scores.repeat.log_likelihood,
                converged: scores.repeat.converged,
            },
            gamma_gamma: scores.spend.map(|fit| GammaGammaView {
                p: fit.model.p,
                q: fit.model.q,
                v_minor: fit.model.v,
                customers: fit.customers,
                converged: fit.converged,
            }),
            purchase: purchase(scores),
            churn_days: scores.churn.days(),
        }
    }
}

fn purchase(scores: &Scores) -> PurchaseView {
    let trial = scores.purchase.as_ref().map(|score| &score.trial);
    let (because, comparison) = match trial.map(|trial| trial.verdict) {
        Some(Verdict::Speaks(comparison)) => (None, Some(comparison)),
        Some(Verdict::Declines(refusal, comparison)) => (Some(refusal), comparison),
        None => (Some(Refusal::TooFew), None),
    };
    PurchaseView {
        speaks: because.is_none(),
        since: Some(scores.verdict_since).filter(|at| *at > 0),
        because: because.map(|refusal| refusal.as_str().to_owned()),
        auc: comparison.map(|it| it.auc),
        recency_auc: comparison.map(|it| it.other),
        z: comparison.map(|it| it.z()),
        calibration_error: trial.and_then(|trial| trial.calibration_error),
        stars: trial.map_or_else(Vec::new, |trial| trial.stars.iter().map(StarView::of).collect()),
    }
}

#[cfg(test)]
mod tests {
    use super::super::customers::OrderRules;
    use super::*;

    #[test]
    fn a_new_shop_says_that_its_models_are_assumed() {
        let rules = OrderRules { until: 120, time_zone: "UTC".to_owned(), currency: "EUR".to_owned() };
        let fit = ScoreFit::begun(5, rules, 60, 1);
        let view = ScoresView::of(&Scores::prior(60), Some(&fit));
        assert_eq!((view.fitted_at, view.customers, view.gamma_gamma), (None, 0, None));
        assert_eq!(view.fit, Some(FitView { begun_at: 5, collected: 0, phase: FitPhase::Collecting }));
        assert_eq!((view.purchase.speaks, view.purchase.because.as_deref()), (false, Some("too_few")));
    }
}
