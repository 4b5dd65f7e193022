//! A fit of all models, in steps that are bounded and may be stored between them.

use endcap_models::churn::Churn;
use endcap_models::purchase::{PURCHASE_DAYS, PurchaseScore, Verdict};
use endcap_models::value::{BgNbd, Fit, Fitting, GammaGamma};
use endcap_protocol::UnixMillis;
use endcap_validation::DomainError;
use serde::{Deserialize, Serialize};

use super::customers::{Customers, OrderRules};
use super::packed::{pack, unpack};
use super::scores::Scores;

/// Version of the stored form.
const FORMAT: u8 = 1;
/// Terms of a likelihood that one step works out, some milliseconds' worth.
const STEP_TERMS: usize = 50_000;

/// A fit under way.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ScoreFit {
    /// When it began.
    pub begun_at: UnixMillis,
    /// Which orders count, and how.
    pub rules: OrderRules,
    /// Days of the span over which churn is told.
    pub churn_days: i64,
    /// Version of the placement of buckets: one that moved while customers were collected would count twice, or not at all.
    pub placement: u64,
    /// Customers collected.
    pub collected: u64,
    /// Profiles with orders that could not be read.
    pub unreadable: u64,
    /// What is done next.
    pub phase: Phase,
    repeat: Option<Fit<BgNbd>>,
    spend: Option<Fit<GammaGamma>>,
    purchase: Option<PurchaseScore>,
}

/// What a fit does next.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Phase {
    /// Customers are collected, shard by shard.
    Collect {
        /// The shard's number.
        shard: u16,
        /// The last profile that it told of; empty before the first.
        after: String,
    },
    /// Repeat purchase.
    Repeat(Option<Fitting>),
    /// Order values.
    Spend(Option<Fitting>),
    /// Purchase within two weeks.
    Purchase,
    /// Churn, which ends the fit.
    Churn,
}

/// What a step came to.
#[derive(Debug)]
pub enum Worked {
    /// There is more to do.
    More(Box<ScoreFit>),
    /// The models are fitted.
    Done(Box<Scores>),
}

impl ScoreFit {
    /// A fit that begins.
    #[must_use]
    pub fn begun(now: UnixMillis, rules: OrderRules, churn_days: i64, placement: u64) -> Self {
        Self {
            begun_at: now,
            rules,
            churn_days,
            placement,
            collected: 0,
            unreadable: 0,
            phase: Phase::Collect { shard: 0, after: String::new() },
            repeat: None,
            spend: None,
            purchase: None,
        }
    }

    /// One step of fitting to customers who were all collected. They have to be the same each time.
    #[must_use]
    pub fn step(mut self, customers: &Customers, before: &Scores, now: UnixMillis) -> Worked {
        match std::mem::replace(&mut self.phase, Phase::Churn) {
            Phase::Collect { .. } => self.phase = Phase::Repeat(None),
            Phase::Repeat(under_way) => {
                let counts = &customers.repeats;
                let mut fitting = under_way.unwrap_or_else(|| Fitting::of::<BgNbd>(counts));
                self.repeat = fitting.advance::<BgNbd>(counts, evaluations(counts.histories()));
                self.phase = if self.repeat.is_some() { Phase::Spend(None) } else { Phase::Repeat(Some(fitting)) };
            }
            Phase::Spend(under_way) => {
                let counts = &customers.spends;
                let mut fitting = under_way.unwrap_or_else(|| Fitting::of::<GammaGamma>(counts));
                let fit = fitting.advance::<GammaGamma>(counts, evaluations(counts.histories()));
                self.phase = if fit.is_some() { Phase::Purchase } else { Phase::Spend(Some(fitting)) };
                self.spend = fit.filter(|fit| fit.customers > 0).map(|fit| GammaGamma::in_minor_units(fit, counts));
            }
            Phase::Purchase => {
                self.purchase = PurchaseScore::learned(&customers.sample(), self.rules.until, PURCHASE_DAYS);
            }
            Phase::Churn => return Worked::Done(Box::new(self.finish(customers, before, now))),
        }
        Worked::More(Box::new(self))
    }

    fn finish(self, customers: &Customers, before: &Scores, now: UnixMillis) -> Scores {
        let prior = Scores::prior(self.churn_days);
        let repeat = self.repeat.unwrap_or(prior.repeat);
        let speaks =
            |score: Option<&PurchaseScore>| score.is_some_and(|it| matches!(it.trial.verdict, Verdict::Speaks(_)));
        let is_as_before = before.fitted_at > 0 && speaks(before.purchase.as_ref()) == speaks(self.purchase.as_ref());
        Scores {
            fitted_at: now,
            today: self.rules.until,
            customers: customers.count,
            unreadable: self.unreadable,
            repeat,
            spend: self.spend,
            rfm: (customers.rfm.customers() > 0).then(|| customers.rfm.cuts()),
            purchase: self.purchase,
            verdict_since: if is_as_before { before.verdict_since } else { now },
            churn: Churn::learned(repeat.model, &customers.sample(), self.rules.until, self.churn_days),
        }
    }

    /// The stored form.
    ///
    /// # Errors
    /// Never in practice; the serialiser's own failure is passed on.
    pub fn pack(&self) -> Result<Vec<u8>, DomainError> {
        pack(FORMAT, self)
    }

    /// Reads the stored form. None for one of another version: such a fit begins again.
    #[must_use]
    pub fn unpack(bytes: &[u8]) -> Option<Self> {
        unpack(FORMAT, bytes)
    }
}

/// How often one step works a likelihood out that has so many terms.
fn evaluations(terms: usize) -> u32 {
    u32::try_from(STEP_TERMS / terms.max(1)).unwrap_or(u32::MAX).max(1)
}

#[cfg(test)]
mod tests {
    use endcap_models::value::{PurchaseDay, PurchaseDays};

    use super::super::customers::Customer;
    use super::*;

    fn begun(now: UnixMillis) -> ScoreFit {
        let rules = OrderRules { until: 120, time_zone: "UTC".to_owned(), currency: "EUR".to_owned() };
        ScoreFit::begun(now, rules, 30, 1)
    }

    /// Customers with rhythms of their own.
    fn customers(today: i64) -> Customers {
        let of = |n: i64| {
            let days = (0..1 + n % 7).map(|at| (n % 50) + at * (3 + n % 23)).filter(|day| *day <= today);
            let days: PurchaseDays = days.map(|day| PurchaseDay { day, amount: Some(1000 + n % 90) }).collect();
            Customer { lot: n as u32, orders: u32::try_from(days.until(today).len()).unwrap(), days }
        };
        let mut all = Customers::default();
        all.add((0..600).map(of).collect(), today, 600);
        all
    }

    /// Runs a fit, stored and read after each step or not, and counts steps.
    fn run(customers: &Customers, stored: bool) -> (Scores, u32) {
        let before = Scores::prior(30);
        let mut fit = begun(5);
        for steps in 1.. {
            match fit.step(customers, &before, 9) {
                Worked::Done(scores) => return (*scores, steps),
                Worked::More(next) if stored => fit = ScoreFit::unpack(&next.pack().unwrap()).unwrap(),
                Worked::More(next) => fit = *next,
            }
        }
        unreachable!()
    }

    #[test]
    fn a_fit_that_is_stored_after_each_step_finds_the_same() {
        let customers = customers(120);
        let (whole, steps) = run(&customers, false);
        let (stored, stored_steps) = run(&customers, true);
        assert_eq!((&stored, stored_steps), (&whole, steps));
        assert!(steps > 5, "{steps}");
        assert_eq!((whole.customers, whole.fitted_at, whole.today, whole.churn.days()), (600, 9, 120, 30));
        assert!(whole.spend.is_some() && whole.rfm.is_some() && whole.purchase.is_some());
    }

    #[test]
    fn a_shop_without_customers_keeps_the_prior() {
        let (scores, _) = run(&Customers::default(), true);
        let prior = Scores::prior(30).repeat.model;
        assert!((scores.repeat.model.r / prior.r - 1.0).abs() < 1e-4, "{scores:?}");
        assert_eq!((scores.spend, scores.rfm, scores.purchase), (None, None, None));
    }

    #[test]
    fn since_when_a_score_declines_does_not_move_while_it_does() {
        let customers = customers(120);
        let (first, _) = run(&customers, false);
        let again = ScoreFit { phase: Phase::Churn, purchase: first.purchase.clone(), ..begun(50) };
        let Worked::Done(second) = again.step(&customers, &first, 60) else { panic!("it is done") };
        assert_eq!((first.verdict_since, second.verdict_since, second.fitted_at), (9, 9, 60));
    }

    #[test]
    fn a_fit_of_another_version_begins_again() {
        let mut bytes = begun(5).pack().unwrap();
        assert!(ScoreFit::unpack(&bytes).is_some());
        bytes[0] = 9;
        assert_eq!(ScoreFit::unpack(&bytes), None);
    }
}
