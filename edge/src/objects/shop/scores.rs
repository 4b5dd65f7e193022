//! Fitting scores, and giving them to the shards.
//!
//! The object that is named after the models collects customers from the shards, fits in steps and tells the shop's object, whose
//! snapshot carries the result. After each step it stores how far it has come, so a crash anywhere costs one step. It is not on the
//! way of any visitor.

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use endcap_engine::score::Scores;
use endcap_engine::score::customers::{Customer, Customers};
use endcap_engine::score::fit::{Phase, ScoreFit, Worked};
use endcap_engine::score::view::ScoresView;
use endcap_engine::shop::Settings;
use endcap_engine::shop::snapshot::WireScores;
use endcap_protocol::{DAY_MS, UnixMillis};
use endcap_validation::DomainError;
use worker::Response;

use super::object::Shop;
use crate::platform::error::EdgeError;
use crate::platform::zone::Zone;
use crate::platform::{clock, response};
use crate::rpc::message::Done;
use crate::rpc::placement::Use;
use crate::rpc::scores::{CustomersAsk, FitScores, PublishScores};
use crate::rpc::shop::GetSettings;
use crate::rpc::{call, namespace, placement};

/// Steps of one run of the alarm.
const STEPS: usize = 20;
/// The pause before what failed is tried again, in milliseconds; also after a crash.
const PAUSE_MS: UnixMillis = 5_000;
/// The earliest fit after orders came, in milliseconds: more of them may come.
const SOON_MS: UnixMillis = 3_600_000;

/// Values by name: when a fit is due, and how many of its runs failed.
const DUE: &str = "scores_due";
const FAILURES: &str = "scores_failures";
/// Packed values by name.
const FIT: &str = "fit";
const FITTED: &str = "fitted";
/// Version of what shards get.
const VERSION: &str = "scores_version";

impl Shop {
    /// How the scores are.
    pub(super) fn get_scores(&self) -> Result<Response, EdgeError> {
        let mut view = ScoresView::of(&self.fitted()?, self.fit()?.as_ref());
        view.failed_runs = self.number(FAILURES)?.unsigned_abs();
        view.next_fit_at = Some(self.number(DUE)?).filter(|due| *due > 0 && view.fit.is_none());
        response::json(&view)
    }

    /// Has the models fitted, at once or in time.
    pub(super) fn fit_scores(&self, ask: &FitScores) -> Result<Response, EdgeError> {
        let now = clock::now();
        let last = self.fitted()?.fitted_at;
        let due = if ask.at_once { now } else { (now + SOON_MS).max(last.saturating_add(DAY_MS)) };
        let held = self.number(DUE)?;
        if self.fit()?.is_none() && (held == 0 || due < held) {
            self.db.transaction(|| self.set_meta(DUE, &due.to_string()))?;
            drop(self.db.set_alarm(due)?);
        }
        self.get_scores()
    }

    /// The alarm: begins a fit that is due, or goes on with one.
    pub(super) async fn go_on_fitting(&self) -> Result<(), EdgeError> {
        let due = self.number(DUE)?;
        if due == 0 && self.fit()?.is_none() {
            return Ok(());
        }
        let now = clock::now();
        if self.fit()?.is_none() && now < due {
            drop(self.db.set_alarm(due)?);
            return Ok(());
        }
        // It rings after a crash in the middle of this run.
        drop(self.db.set_alarm(now + PAUSE_MS)?);
        match self.fit_for_a_while().await {
            Ok(true) => drop(self.db.set_alarm(clock::now())?),
            Ok(false) => {}
            Err(error) => {
                worker::console_error!("fitting scores: {error}");
                let failures = self.number(FAILURES)?.saturating_add(1);
                self.db.transaction(|| self.set_meta(FAILURES, &failures.to_string()))?;
                drop(self.db.set_alarm(clock::now() + PAUSE_MS)?);
            }
        }
        Ok(())
    }

    /// Some steps. Whether there are more.
    async fn fit_for_a_while(&self) -> Result<bool, EdgeError> {
        for _ in 0..STEPS {
            let more = match self.fit()? {
                None => self.begin_fit().await?,
                Some(fit) => match &fit.phase {
                    Phase::Collect { shard, after } => {
                        let (shard, after) = (*shard, after.clone());
                        self.collect(fit, shard, after).await?
                    }
                    _ => self.work(fit).await?,
                },
            };
            if !more {
                return Ok(false);
            }
        }
        Ok(true)
    }

    async fn begin_fit(&self) -> Result<bool, EdgeError> {
        let now = clock::now();
        let settings: Settings =
            serde_json::from_value(call::ask(&namespace::shop(&self.env)?, &GetSettings {}).await?)?;
        // The day that is not over would count for less than a day.
        let yesterday = Zone::parse(&settings.time_zone)?.day(now).saturating_sub(1);
        let fit = ScoreFit::begun(now, yesterday, i64::from(settings.scores.churn_days));
        self.collected.take();
        self.db.transaction(|| {
            self.db.run("DELETE FROM score_page", Vec::new())?;
            self.put_packed(FIT, fit.pack()?)
        })?;
        Ok(true)
    }

    /// Collects some customers of a shard.
    async fn collect(&self, mut fit: ScoreFit, shard: u16, after: String) -> Result<bool, EdgeError> {
        let shards: Vec<u16> = placement::ask(&self.env, Use::Read).await?.all_shards().collect();
        let Some(number) = shards.iter().copied().find(|number| *number >= shard) else {
            fit.phase = Phase::Repeat(None);
            self.db.transaction(|| self.put_packed(FIT, fit.pack()?))?;
            return Ok(true);
        };
        let after = if number == shard { after } else { String::new() };
        let page = call::ask(&namespace::numbered_shard(&self.env, number)?, &CustomersAsk { after }).await?;
        fit.phase = match page.next {
            Some(after) => Phase::Collect { shard: number, after },
            None => Phase::Collect { shard: number.saturating_add(1), after: String::new() },
        };
        fit.collected = fit.collected.saturating_add(page.count);
        let packed = BASE64.decode(&page.customers).map_err(|error| DomainError::Internal(error.to_string()))?;
        self.db.transaction(|| {
            if page.count > 0 {
                self.db.run("INSERT INTO score_page(data) VALUES(?)", vec![packed.into()])?;
            }
            self.put_packed(FIT, fit.pack()?)
        })?;
        Ok(true)
    }

    /// One step of fitting to what was collected.
    async fn work(&self, fit: ScoreFit) -> Result<bool, EdgeError> {
        let before = self.fitted()?;
        let worked = self.with_customers(&fit, |customers| fit.clone().step(customers, &before, clock::now()))?;
        match worked {
            Worked::More(next) => {
                self.db.transaction(|| self.put_packed(FIT, next.pack()?))?;
                Ok(true)
            }
            Worked::Done(scores) => {
                let packed = scores.pack()?;
                // If it ends here, the last step is done again, and the shop gets the same once more.
                let publish = PublishScores { packed: BASE64.encode(&packed) };
                call::ask(&namespace::shop(&self.env)?, &publish).await?;
                self.db.transaction(|| {
                    self.put_packed(FITTED, packed)?;
                    self.db.run("DELETE FROM score_packed WHERE name = ?", vec![FIT.into()])?;
                    self.db.run("DELETE FROM score_page", Vec::new())?;
                    self.set_meta(DUE, "0")
                })?;
                self.collected.take();
                Ok(false)
            }
        }
    }

    /// Runs `work` on what was collected, which is counted once for all steps.
    fn with_customers<T>(&self, fit: &ScoreFit, work: impl FnOnce(&Customers) -> T) -> Result<T, EdgeError> {
        let busy = || DomainError::Internal("the models are being fitted".to_owned());
        let mut held = self.collected.try_borrow_mut().map_err(|_| busy())?;
        if let Some(customers) = held.as_ref() {
            return Ok(work(customers));
        }
        let mut customers = Customers::default();
        for row in self.db.rows("SELECT data FROM score_page ORDER BY seq", Vec::new())? {
            let page: Vec<Customer> = postcard::from_bytes(&row.blob(0)).map_err(|_| busy())?;
            customers.add(page, fit.today);
        }
        Ok(work(held.insert(customers)))
    }

    /// Takes fitted models, for the shards.
    pub(super) fn publish_scores(&self, publish: &PublishScores) -> Result<Response, EdgeError> {
        let packed = BASE64.decode(&publish.packed).map_err(|error| DomainError::Internal(error.to_string()))?;
        let next = self.number(VERSION)?.saturating_add(1);
        self.db.transaction(|| {
            self.put_packed(FITTED, packed)?;
            self.set_meta(VERSION, &next.to_string())
        })?;
        response::json(&Done {})
    }

    /// The fitted models, where a shard has others. Before the first fit their version is 0, as that of a shard without any.
    pub(super) fn scores_newer_than(&self, held: u64) -> Result<Option<WireScores>, EdgeError> {
        let version = self.number(VERSION)?.unsigned_abs();
        if version == held {
            return Ok(None);
        }
        Ok(self.packed(FITTED)?.map(|packed| WireScores { version, packed: BASE64.encode(packed) }))
    }

    fn fitted(&self) -> Result<Scores, EdgeError> {
        Ok(self.packed(FITTED)?.map(|packed| Scores::unpack(&packed)).transpose()?.unwrap_or_default())
    }

    fn fit(&self) -> Result<Option<ScoreFit>, EdgeError> {
        Ok(self.packed(FIT)?.and_then(|packed| ScoreFit::unpack(&packed)))
    }

    fn packed(&self, name: &str) -> Result<Option<Vec<u8>>, EdgeError> {
        let row = self.db.first("SELECT data FROM score_packed WHERE name = ?", vec![name.into()])?;
        Ok(row.map(|row| row.blob(0)))
    }

    fn put_packed(&self, name: &str, data: Vec<u8>) -> Result<(), EdgeError> {
        let upsert =
            "INSERT INTO score_packed(name, data) VALUES(?, ?) ON CONFLICT(name) DO UPDATE SET data = excluded.data";
        self.db.run(upsert, vec![name.into(), data.into()])
    }

    fn number(&self, key: &str) -> Result<i64, EdgeError> {
        Ok(self.meta(key)?.and_then(|text| text.parse().ok()).unwrap_or_default())
    }
}
