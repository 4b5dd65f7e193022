//! Fitting scores, and giving them to the shards.
//!
//! The object that is named after the models collects customers from the shards, fits in steps and tells the shop's object, whose
//! snapshot carries the result. Each step is stored before the next begins, so a crash anywhere costs one step. It is not on the
//! way of any visitor, and rests between steps, because objects may share a thread.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use endcap_engine::score::Scores;
use endcap_engine::score::customers::{Customers, unpack};
use endcap_engine::score::fit::{Phase, ScoreFit, Worked};
use endcap_engine::score::view::ScoresView;
use endcap_engine::shop::Settings;
use endcap_engine::shop::snapshot::WireScores;
use endcap_protocol::{DAY_MS, UnixMillis};
use endcap_validation::DomainError;
use futures_util::future::join_all;
use wasm_bindgen_futures::JsFuture;
use worker::{Delay, Response};

use super::object::Shop;
use crate::platform::error::EdgeError;
use crate::platform::zone::Zone;
use crate::platform::{clock, response};
use crate::rpc::fit_published::FitPublished;
use crate::rpc::message::Done;
use crate::rpc::placement::Use;
use crate::rpc::scores::{CustomersAsk, FitScores, GetScores, PublishScores};
use crate::rpc::shop::GetSettings;
use crate::rpc::{call, namespace, placement, shards};

/// How long one run of the alarm goes on, in milliseconds.
const RUN_MS: UnixMillis = 10_000;
/// The rest between two steps, in milliseconds.
const REST_MS: u64 = 2;
/// The pause after a run that failed, in milliseconds, doubled each time up to the longest; the first also after a crash.
const PAUSE_MS: UnixMillis = 5_000;
const LONGEST_PAUSE_MS: UnixMillis = 3_600_000;
/// The earliest fit after orders came, in milliseconds: more of them may come.
const SOON_MS: UnixMillis = 3_600_000;
/// Pages of customers that are read at once.
const PAGES: i64 = 100;

/// Values by name: when a fit is due, and how many of its runs failed.
const DUE: &str = "scores_due";
const FAILURES: &str = "scores_failures";
/// Packed values by name.
const FIT: &str = "fit";
const FITTED: &str = "fitted";
/// Version of what shards get.
const VERSION: &str = "scores_version";

impl Shop {
    /// How the scores are. Where they were never fitted, somebody who looks has them fitted in time.
    pub(super) async fn get_scores(&self, ask: &GetScores) -> Result<Response, EdgeError> {
        if self.number(DUE)? == 0 && !ask.for_health {
            self.ask_for_fit(&FitScores { at_once: false }).await?;
        }
        self.show_scores()
    }

    fn show_scores(&self) -> Result<Response, EdgeError> {
        let mut view = ScoresView::of(&self.fitted()?, self.fit()?.as_ref());
        view.failed_runs = self.number(FAILURES)?.unsigned_abs();
        view.next_fit_at = Some(self.number(DUE)?).filter(|due| *due > 0 && view.fit.is_none());
        response::json(&view)
    }

    /// Has the models fitted, at once or in time. A fit that is under way goes on.
    pub(super) async fn fit_scores(&self, ask: &FitScores) -> Result<Response, EdgeError> {
        if ask.at_once && self.fit()?.is_none() {
            self.begin_fit().await?;
        }
        self.ask_for_fit(ask).await?;
        self.show_scores()
    }

    async fn ask_for_fit(&self, ask: &FitScores) -> Result<(), EdgeError> {
        let (now, is_under_way) = (clock::now(), self.fit()?.is_some());
        let mut due = self.number(DUE)?;
        if !(ask.at_once && is_under_way) {
            let last = self.fitted()?.fitted_at;
            let wanted = if ask.at_once { now } else { (now + SOON_MS).max(last.saturating_add(DAY_MS)) };
            due = if due == 0 { wanted } else { wanted.min(due) };
            self.db.transaction(|| self.set_meta(DUE, &due.to_string()))?;
        }
        // Also where one should be set: an earlier version, or the platform, may have used it up.
        self.ring_at(if is_under_way { now } else { due.max(now) }).await
    }

    async fn ring_at(&self, at: UnixMillis) -> Result<(), EdgeError> {
        JsFuture::from(self.db.set_alarm(at)?).await?;
        Ok(())
    }

    /// The alarm: begins a fit that is due, or goes on with one.
    pub(super) async fn go_on_fitting(&self) -> Result<(), EdgeError> {
        let (due, now) = (self.number(DUE)?, clock::now());
        if self.fit()?.is_none() && (due == 0 || now < due) {
            return if due == 0 { Ok(()) } else { self.ring_at(due).await };
        }
        // It rings after a crash in the middle of this run.
        self.ring_at(now + PAUSE_MS).await?;
        match self.fit_for_a_while().await {
            Ok(true) => {
                if self.number(FAILURES)? > 0 {
                    self.db.transaction(|| self.set_meta(FAILURES, "0"))?;
                }
                self.ring_at(clock::now()).await
            }
            Ok(false) => self.ring_at(self.number(DUE)?.max(clock::now())).await,
            Err(error) => {
                let failures = self.number(FAILURES)?.saturating_add(1);
                worker::console_error!("fitting scores, failure {failures}: {error}");
                self.db.transaction(|| self.set_meta(FAILURES, &failures.to_string()))?;
                let doubled = PAUSE_MS.saturating_mul(1 << failures.clamp(1, 16).saturating_sub(1));
                self.ring_at(clock::now() + doubled.min(LONGEST_PAUSE_MS)).await
            }
        }
    }

    /// Steps for a while. Whether there are more.
    async fn fit_for_a_while(&self) -> Result<bool, EdgeError> {
        let until = clock::now() + RUN_MS;
        loop {
            let more = match self.fit()? {
                // What is so old was given up by whatever stopped it, and holds orders that may have been erased since.
                Some(fit) if clock::now().saturating_sub(fit.begun_at) < DAY_MS => self.step(fit).await?,
                _ => self.begin_fit().await?,
            };
            if !more || clock::now() > until {
                return Ok(more);
            }
            // What the step stored is on disk once others had their turn.
            Delay::from(Duration::from_millis(REST_MS)).await;
        }
    }

    async fn step(&self, fit: ScoreFit) -> Result<bool, EdgeError> {
        match &fit.phase {
            Phase::Collect { shard, after } => {
                let (shard, after) = (*shard, after.clone());
                self.collect(fit, shard, after).await
            }
            _ => self.work(fit).await,
        }
    }

    async fn begin_fit(&self) -> Result<bool, EdgeError> {
        let now = clock::now();
        let settings: Settings =
            serde_json::from_value(call::ask(&namespace::shop(&self.env)?, &GetSettings {}).await?)?;
        let placement = placement::ask(&self.env, Use::Read).await?.version();
        // The day that is not over would count for less than a day.
        let yesterday = Zone::parse(&settings.time_zone)?.day(now).saturating_sub(1);
        let churn_days = i64::from(settings.scores.churn_days);
        let fit = ScoreFit::begun(now, settings.order_rules(yesterday), churn_days, placement);
        self.collected.take();
        self.db.transaction(|| {
            self.db.run("DELETE FROM score_page", Vec::new())?;
            // Orders that come from now on ask for the next one.
            self.set_meta(DUE, "0")?;
            self.put_packed(FIT, fit.pack()?)
        })?;
        Ok(true)
    }

    /// Collects some customers of a shard.
    async fn collect(&self, mut fit: ScoreFit, shard: u16, after: String) -> Result<bool, EdgeError> {
        let placement = placement::ask(&self.env, Use::Read).await?;
        let Some(number) = placement.all_shards().find(|number| *number >= shard) else {
            // A bucket that moved meanwhile was told of twice, or not at all.
            if placement.version() != fit.placement {
                return self.begin_fit().await;
            }
            fit.phase = Phase::Repeat(None);
            self.db.transaction(|| self.put_packed(FIT, fit.pack()?))?;
            return Ok(true);
        };
        let before = (fit.begun_at, fit.collected);
        let after = if number == shard { after } else { String::new() };
        let ask = CustomersAsk { after, rules: fit.rules.clone() };
        let page = call::ask(&namespace::numbered_shard(&self.env, number)?, &ask).await?;
        fit.phase = match page.next {
            Some(after) => Phase::Collect { shard: number, after },
            None => Phase::Collect { shard: number.saturating_add(1), after: String::new() },
        };
        fit.collected = fit.collected.saturating_add(page.count);
        fit.unreadable = fit.unreadable.saturating_add(page.unreadable);
        let packed = BASE64.decode(&page.customers).map_err(|error| DomainError::Internal(error.to_string()))?;
        self.db.transaction(|| {
            // Another one may have begun while the shard was asked.
            if !self.is_at(before)? {
                return Ok(());
            }
            if page.count > 0 {
                self.db.run("INSERT INTO score_page(data) VALUES(?)", vec![packed.into()])?;
            }
            self.put_packed(FIT, fit.pack()?)
        })?;
        Ok(true)
    }

    /// Whether the stored fit began at a time and has collected so many customers.
    fn is_at(&self, (begun_at, collected): (UnixMillis, u64)) -> Result<bool, EdgeError> {
        Ok(self.fit()?.is_some_and(|held| (held.begun_at, held.collected) == (begun_at, collected)))
    }

    /// One step of fitting to what was collected.
    async fn work(&self, fit: ScoreFit) -> Result<bool, EdgeError> {
        let before = self.fitted()?;
        let worked = self.with_customers(&fit, |customers| fit.clone().step(customers, &before, clock::now()))?;
        match worked {
            // Another version collected them.
            None => self.begin_fit().await,
            Some(Worked::More(next)) => {
                self.db.transaction(|| self.put_packed(FIT, next.pack()?))?;
                Ok(true)
            }
            Some(Worked::Done(scores)) => self.end_fit(&scores, fit.begun_at).await,
        }
    }

    async fn end_fit(&self, scores: &Scores, begun_at: UnixMillis) -> Result<bool, EdgeError> {
        let packed = scores.pack()?;
        // After a crash here the last step runs again, and the shop gets the models twice.
        let publish = PublishScores { packed: BASE64.encode(&packed) };
        call::ask(&namespace::shop(&self.env)?, &publish).await?;
        // From the first fit of customers on there is one a day.
        let next = if scores.customers > 0 { scores.fitted_at.saturating_add(DAY_MS) } else { self.number(DUE)? };
        self.db.transaction(|| {
            self.put_packed(FITTED, packed)?;
            if self.fit()?.is_some_and(|held| held.begun_at != begun_at) {
                return Ok(());
            }
            self.db.run("DELETE FROM score_packed WHERE name = ?", vec![FIT.into()])?;
            self.db.run("DELETE FROM score_page", Vec::new())?;
            self.set_meta(FAILURES, "0")?;
            self.set_meta(DUE, &next.to_string())
        })?;
        self.collected.take();
        self.tell_shards(scores.fitted_at).await;
        // Another one may have begun while they were told.
        Ok(self.fit()?.is_some())
    }

    /// Tells the shards, so that they look at everybody again where a segment asks for scores. One that cannot be told learns of it
    /// with its next visit.
    async fn tell_shards(&self, fitted_at: UnixMillis) {
        let (published, stubs) = (FitPublished { fitted_at }, shards::all_shards(&self.env).await);
        let told = match &stubs {
            Ok(stubs) => join_all(stubs.iter().map(|stub| call::ask(stub, &published))).await,
            Err(error) => return worker::console_warn!("telling the shards of a fit: {error}"),
        };
        for error in told.into_iter().filter_map(Result::err) {
            worker::console_warn!("telling a shard of a fit: {error}");
        }
    }

    /// Runs `work` on what was collected, which is counted once for all steps. None where another version stored it.
    fn with_customers<T>(&self, fit: &ScoreFit, work: impl FnOnce(&Customers) -> T) -> Result<Option<T>, EdgeError> {
        let busy = || DomainError::Internal("the models are being fitted".to_owned());
        let mut held = self.collected.try_borrow_mut().map_err(|_| busy())?;
        if held.is_none() {
            *held = self.counted(fit)?;
        }
        Ok(held.as_ref().map(work))
    }

    /// Counts what was collected, some pages at a time.
    fn counted(&self, fit: &ScoreFit) -> Result<Option<Customers>, EdgeError> {
        let (mut customers, mut last) = (Customers::default(), 0);
        loop {
            let query = "SELECT seq, data FROM score_page WHERE seq > ? ORDER BY seq LIMIT ?";
            let rows = self.db.rows(query, vec![last.into(), PAGES.into()])?;
            let Some(end) = rows.last() else { return Ok(Some(customers)) };
            last = end.int(0);
            let mut page = Vec::new();
            for row in &rows {
                let Some(some) = unpack(&row.blob(1)) else { return Ok(None) };
                page.extend(some);
            }
            customers.add(page, fit.rules.until, fit.collected);
        }
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

    /// The models as they were fitted last. Those of a newer version are as good as none: the next fit writes them anew.
    fn fitted(&self) -> Result<Scores, EdgeError> {
        Ok(self.packed(FITTED)?.and_then(|packed| Scores::unpack(&packed).ok()).unwrap_or_default())
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
