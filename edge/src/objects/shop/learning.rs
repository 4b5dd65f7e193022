//! What the shop learns of its shards' reports, and the snapshot that they decide with.

use endcap_engine::shop::snapshot::{WireModel, WireSnapshot};
use endcap_profile::Signal;
use endcap_protocol::UnixMillis;
use endcap_validation::DomainError;
use worker::Response;

use super::object::{Learned, Shop};
use crate::platform::error::EdgeError;
use crate::platform::{clock, response};
use crate::rpc::learning::LearningReport;
use crate::rpc::message::Done;
use crate::rpc::scores::FitScores;
use crate::rpc::snapshots::SnapshotAsk;
use crate::rpc::{call, namespace};

/// Bytes of one row of the stored model: rows may have 2 MB.
const MODEL_PART: usize = 1024 * 1024;
/// The least time between two requests to fit the scores, in milliseconds.
const ASK_FIT_MS: UnixMillis = 3_600_000;

impl Shop {
    /// What is newer than the versions that a shard holds.
    pub(super) fn snapshot(&self, have: &SnapshotAsk) -> Result<Response, EdgeError> {
        let version = self.version()?;
        let config = if have.config == version { None } else { Some(self.config(version)?) };
        let model = self.with_learned(|learned| {
            if have.model == learned.version {
                return Ok(None);
            }
            let (model, gaps) = (learned.model.clone(), learned.gaps.clone());
            Ok(Some(WireModel { version: learned.version, model, gaps }))
        })?;
        response::json(&WireSnapshot { config, model, scores: self.scores_newer_than(have.scores)? })
    }

    /// Runs `work` on what was learned, which is read from storage the first time.
    fn with_learned<T>(&self, work: impl FnOnce(&mut Learned) -> Result<T, EdgeError>) -> Result<T, EdgeError> {
        let mut held = self.learned.try_borrow_mut().map_err(|_| busy())?;
        if held.is_none() {
            *held = Some(self.load()?);
        }
        held.as_mut().map_or_else(|| Err(busy()), work)
    }

    /// Reports that were learned.
    pub(super) fn reports_learned(&self) -> Result<u64, EdgeError> {
        self.with_learned(|learned| Ok(learned.version - 1))
    }

    fn load(&self) -> Result<Learned, EdgeError> {
        let rows = self.db.rows("SELECT data FROM model ORDER BY part", Vec::new())?;
        let bytes: Vec<u8> = rows.iter().flat_map(|row| row.blob(0)).collect();
        if bytes.is_empty() {
            return Ok(Learned { version: 1, ..Learned::default() });
        }
        let (format, rest) = bytes.split_first().ok_or_else(busy)?;
        let unreadable = DomainError::Format { what: "model", format: *format };
        if *format != 1 {
            return Err(unreadable.into());
        }
        postcard::from_bytes(rest).map_err(|_| unreadable.into())
    }

    /// Learns a shard's report. Where it tells of orders, the scores are to be fitted anew in time.
    pub(super) async fn learn_route(&self, report: &LearningReport) -> Result<Response, EdgeError> {
        let answer = self.learn(report)?;
        let has_orders =
            report.signals.iter().any(|signal| matches!(signal, Signal::Bought { .. } | Signal::OrderGap(_)));
        let now = clock::now();
        if has_orders && now.saturating_sub(self.asked_fit.get()) >= ASK_FIT_MS {
            self.asked_fit.set(now);
            // What the shard reported is learned; the next report asks again.
            if let Err(error) = call::ask(&namespace::models(&self.env)?, &FitScores { at_once: false }).await {
                worker::console_error!("asking for a fit of the scores: {error}");
                self.asked_fit.set(0);
            }
        }
        Ok(answer)
    }

    /// Learns a shard's report. A report that was learned before changes nothing.
    fn learn(&self, report: &LearningReport) -> Result<Response, EdgeError> {
        self.with_learned(|learned| {
            let shard = report.shard.as_str();
            let row = self.db.first("SELECT cursor FROM learned WHERE shard = ?", vec![shard.into()])?;
            if row.is_some_and(|row| row.int(0) >= report.cursor) {
                return Ok(());
            }
            let Learned { model, gaps, version } = learned;
            report.signals.iter().for_each(|signal| signal.teach(model, gaps));
            *version += 1;
            self.db.transaction(|| self.store(learned, shard, report.cursor))
        })
        // What is in memory may be ahead of what was stored: start again from there.
        .inspect_err(|_| drop(self.learned.take()))?;
        response::json(&Done {})
    }

    fn store(&self, learned: &Learned, shard: &str, cursor: i64) -> Result<(), EdgeError> {
        let bytes = postcard::to_extend(learned, vec![1]).map_err(|e| DomainError::Internal(e.to_string()))?;
        let mut parts = 0_i64;
        for part in bytes.chunks(MODEL_PART) {
            let upsert =
                "INSERT INTO model(part, data) VALUES(?, ?) ON CONFLICT(part) DO UPDATE SET data = excluded.data";
            self.db.run(upsert, vec![parts.into(), part.to_vec().into()])?;
            parts += 1;
        }
        self.db.run("DELETE FROM model WHERE part >= ?", vec![parts.into()])?;
        let upsert = "INSERT INTO learned(shard, cursor) VALUES(?, ?)
                      ON CONFLICT(shard) DO UPDATE SET cursor = excluded.cursor";
        self.db.run(upsert, vec![shard.into(), cursor.into()])
    }
}

fn busy() -> EdgeError {
    DomainError::Internal("the shop's models are in use".to_owned()).into()
}
