//! Fits a model to counts, in steps.

use serde::{Deserialize, Serialize};

use super::counts::{Counts, History};
use crate::statistics::Search;

/// Customers at whom a distance of one from the prior, in the logarithm of a parameter, costs one unit of the log-likelihood. The
/// cost falls with the square of their number: ten stay near the prior, at a thousand it does not show.
const PRIOR_CUSTOMERS: f64 = 30.0;
/// The least and the greatest cost. Without the least, the parameters of a large shop whose customers are all alike would grow
/// without end.
const PRIOR_COST: [f64; 2] = [1e-4, 10.0];
/// Logarithms of parameters beyond this are out of bounds.
const LOG_BOUND: f64 = 15.0;

/// A model whose parameters are positive numbers.
pub trait Model: Sized {
    /// What of each customer it is fitted to.
    type History: History;

    /// What is assumed before there are data.
    fn prior() -> Self;

    /// The parameters in a fixed order.
    fn parameters(&self) -> Vec<f64>;

    /// The model with such parameters. None with another number of them.
    fn with(parameters: &[f64]) -> Option<Self>;

    /// Logarithm of the likelihood of what was counted.
    fn log_likelihood(&self, counts: &Counts<Self::History>) -> f64;
}

/// What a fit found.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Fit<M> {
    /// The model.
    pub model: M,
    /// Logarithm of its likelihood, without the prior.
    pub log_likelihood: f64,
    /// Customers that it was fitted to.
    pub customers: u64,
    /// How often the likelihood was worked out.
    pub evaluations: u32,
    /// Whether the search ended where the likelihood is greatest, and not at the most evaluations that it may make.
    pub converged: bool,
}

/// A fit under way: the most likely parameters, with a weak prior so that there is a single answer even where the data leave
/// it open (plain maximum likelihood does not end on some shops). The search is over logarithms.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Fitting {
    search: Search,
}

impl Fitting {
    /// Begins at the prior.
    pub fn of<M: Model>(counts: &Counts<M::History>) -> Self {
        let start: Vec<f64> = M::prior().parameters().into_iter().map(libm::log).collect();
        Self { search: Search::around(&start, &mut |at| loss::<M>(at, counts)) }
    }

    /// Goes on for about so many evaluations of the likelihood. The fit, once it is done. The counts have to be the same
    /// each time.
    pub fn advance<M: Model>(&mut self, counts: &Counts<M::History>, evaluations: u32) -> Option<Fit<M>> {
        let is_done = self.search.advance(evaluations, &mut |at| loss::<M>(at, counts));
        let model = at::<M>(self.search.best()).filter(|_| is_done)?;
        let log_likelihood = model.log_likelihood(counts);
        Some(Fit {
            model,
            log_likelihood,
            customers: counts.customers(),
            evaluations: self.search.evaluations(),
            converged: self.search.has_converged(),
        })
    }

    /// Fits in one go.
    #[must_use]
    pub fn whole<M: Model>(counts: &Counts<M::History>) -> Option<Fit<M>> {
        Self::of::<M>(counts).advance(counts, u32::MAX)
    }
}

fn at<M: Model>(logarithms: &[f64]) -> Option<M> {
    M::with(&logarithms.iter().copied().map(libm::exp).collect::<Vec<f64>>())
}

/// What the search makes least.
fn loss<M: Model>(logarithms: &[f64], counts: &Counts<M::History>) -> f64 {
    if logarithms.iter().any(|value| value.abs() > LOG_BOUND) {
        return f64::INFINITY;
    }
    let Some(model) = at::<M>(logarithms) else { return f64::INFINITY };
    let [least, most] = PRIOR_COST;
    let share = PRIOR_CUSTOMERS / (counts.customers() as f64).max(1.0);
    let cost = (share * share).clamp(least, most);
    let prior = M::prior().parameters();
    let distance: f64 =
        logarithms.iter().zip(prior).map(|(value, prior)| value - libm::log(prior)).map(|d| d * d).sum();
    cost * distance - model.log_likelihood(counts)
}
