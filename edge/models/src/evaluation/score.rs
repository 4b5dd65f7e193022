//! The models of value, fitted up to a day and held against all that came after it.

use serde::Serialize;

use super::purchase::{PurchaseReport, purchase};
use crate::churn::Churn;
use crate::purchase::PURCHASE_DAYS;
use crate::statistics::auc;
use crate::value::{BgNbd, DAYS_OF_WEEK, Fit, Fitting, GammaGamma, PurchaseDays, RepeatCounts, Repeats, SpendCounts};

/// Spans over which churn is looked at, in days.
const CHURN_DAYS: [i64; 2] = [60, 90];

/// Everything that is said of a file of orders.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ScoreReport {
    /// Customers who had bought by the day.
    pub customers: usize,
    /// The model of repeat purchase.
    pub bg_nbd: BgNbdReport,
    /// The model of order values. None without repeat orders.
    pub gamma_gamma: Option<GammaGammaReport>,
    /// What happened after the day. None where the data end with it.
    pub holdout: Option<Holdout>,
    /// Who was foretold not to come back. A span is left out that the data do not cover.
    pub churn: Vec<ChurnReport>,
    /// The score of purchase within two weeks. None where the data do not cover them.
    pub purchase_14d: Option<PurchaseReport>,
}

/// A fitted [`BgNbd`]; time is in weeks.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct BgNbdReport {
    #[serde(flatten)]
    model: BgNbd,
    /// Logarithm of the likelihood.
    pub log_likelihood: f64,
    /// How often it was worked out.
    pub evaluations: u32,
    /// Whether the fit ended where it is greatest.
    pub converged: bool,
}

/// A fitted [`GammaGamma`].
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct GammaGammaReport {
    /// Shape of a customer's own orders.
    pub p: f64,
    /// Shape of the distribution of customers' scales.
    pub q: f64,
    /// Its scale, in the currency of the file.
    pub v: f64,
    /// Customers with repeat orders.
    pub customers: u64,
    /// The mean, over all customers, of the value to expect of their orders, in the currency of the file. None where the
    /// parameters give those without repeat orders no finite one.
    pub mean_expected_value: Option<f64>,
    /// Whether the fit ended where the likelihood is greatest.
    pub converged: bool,
}

/// What was expected of the time after the day, against what happened.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Holdout {
    /// Days from the day to the last order of the file.
    pub days: i64,
    /// Orders expected in all.
    pub total: f64,
    /// Orders in fact.
    pub actual: usize,
    /// Mean absolute error of a customer's orders.
    pub mae: f64,
    /// Root of the mean squared error.
    pub rmse: f64,
    /// How well expected orders tell who bought at all. None where all did, or nobody.
    pub auc: Option<f64>,
}

/// How well it is told who will not order within a span.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct ChurnReport {
    /// Days of the span.
    pub days: i64,
    /// Area under the ROC curve.
    pub auc: f64,
}

/// Fits the models to orders up to the end of a day. `minor` is how many minor units the currency of the file has to one
/// of its own. None where nobody had bought.
#[must_use]
pub fn score(customers: &[PurchaseDays], day: i64, minor: f64) -> Option<ScoreReport> {
    let known: Vec<(&PurchaseDays, Repeats)> =
        customers.iter().filter_map(|customer| Some((customer, customer.repeats(day)?))).collect();
    let counts: RepeatCounts = known.iter().map(|(_, repeats)| *repeats).collect();
    let Fit { model, log_likelihood, evaluations, converged, .. } = Fitting::whole::<BgNbd>(&counts)?;
    let last = customers.iter().filter_map(|customer| customer.until(i64::MAX).last()).map(|last| last.day).max()?;
    let left = last.saturating_sub(day);
    let churn = CHURN_DAYS.into_iter().filter(|days| *days <= left);
    (!known.is_empty()).then(|| ScoreReport {
        customers: known.len(),
        bg_nbd: BgNbdReport { model, log_likelihood, evaluations, converged },
        gamma_gamma: gamma_gamma(customers, day, minor),
        holdout: (left > 0).then(|| holdout(&known, &model, (day, last))),
        churn: churn.filter_map(|days| churned(customers, &model, (day, days))).collect(),
        purchase_14d: (left >= PURCHASE_DAYS).then(|| purchase(customers, day).ok()).flatten(),
    })
}

fn gamma_gamma(customers: &[PurchaseDays], day: i64, minor: f64) -> Option<GammaGammaReport> {
    let spends: Vec<_> =
        customers.iter().filter_map(|customer| customer.spend(day)).filter(|it| it.total > 0).collect();
    let fit = GammaGamma::fitted(&spends.iter().copied().collect::<SpendCounts>()).filter(|fit| fit.customers > 0)?;
    let known = customers.iter().filter(|customer| !customer.until(day).is_empty());
    let of = |customer: &PurchaseDays| fit.model.expected_value(customer.spend(day).filter(|it| it.total > 0).as_ref());
    let expected: Option<Vec<f64>> = known.map(of).collect();
    Some(GammaGammaReport {
        p: fit.model.p,
        q: fit.model.q,
        v: fit.model.v / minor,
        customers: fit.customers,
        mean_expected_value: expected.map(|of| of.iter().sum::<f64>() / of.len() as f64 / minor),
        converged: fit.converged,
    })
}

fn holdout(known: &[(&PurchaseDays, Repeats)], model: &BgNbd, (day, last): (i64, i64)) -> Holdout {
    let weeks = last.saturating_sub(day) as f64 / DAYS_OF_WEEK;
    let expected: Vec<f64> = known.iter().map(|(_, repeats)| model.expected(repeats, weeks)).collect();
    let actual: Vec<usize> = known.iter().map(|(customer, _)| customer.count_between(day, last)).collect();
    let off = expected.iter().zip(&actual).map(|(expected, actual)| expected - *actual as f64);
    let customers = known.len() as f64;
    Holdout {
        days: last.saturating_sub(day),
        total: expected.iter().sum(),
        actual: actual.iter().sum(),
        mae: off.clone().map(f64::abs).sum::<f64>() / customers,
        rmse: (off.map(|off| off * off).sum::<f64>() / customers).sqrt(),
        auc: auc(&expected, &actual.iter().map(|count| *count > 0).collect::<Vec<bool>>()),
    }
}

fn churned(customers: &[PurchaseDays], model: &BgNbd, (day, days): (i64, i64)) -> Option<ChurnReport> {
    let churn = Churn::learned(*model, customers, day, days);
    let known = customers.iter().filter_map(|customer| {
        let gone = customer.count_between(day, day.saturating_add(days)) == 0;
        Some((churn.risk(customer, day)?, gone))
    });
    let (risk, gone): (Vec<f64>, Vec<bool>) = known.unzip();
    Some(ChurnReport { days, auc: auc(&risk, &gone)? })
}
