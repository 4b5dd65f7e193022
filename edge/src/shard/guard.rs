//! What is refused as a whole: batches of robots, and what a source sends beyond its bound.
//!
//! Both may come in floods, so they are counted in memory and written at most once a second.

use std::collections::BTreeMap;

use endcap_engine::limit::Limiter;
use endcap_events::ingest::bot::{BotFilter, Verdicts};
use endcap_events::ingest::rejection::RejectCode;
use endcap_events::ingest::{Batch, Signals};
use endcap_protocol::{DAY_MS, SourceId, UnixMillis, bucket_of};
use endcap_validation::EngineError;
use worker::web_sys::Request as RawRequest;

use super::ProfileShard;
use crate::config::config;
use crate::fault::Fault;

/// Least time between two writings of the counts, in milliseconds.
const WRITE_MS: i64 = 1000;

/// What a shard remembers of who sends.
#[derive(Default)]
pub(super) struct Guard {
    verdicts: Verdicts,
    sources: Option<Limiter>,
    /// Counts to be written, by bucket, source and reason.
    counts: BTreeMap<(u16, String, RejectCode), i64>,
    written_at: UnixMillis,
}

impl ProfileShard {
    /// What a request's headers say about its sender. Read only as far as the deployment asks for.
    pub(super) fn signals(&self, request: &RawRequest) -> Result<Signals, Fault> {
        let (config, headers) = (config(&self.env), request.headers());
        let gpc = headers.get("sec-gpc")?.is_some_and(|value| value == "1");
        let robot = match config.bots {
            BotFilter::Off => false,
            filter => {
                let agent = headers.get("user-agent")?.unwrap_or_default();
                let brands = if filter == BotFilter::Strict { headers.get("sec-ch-ua")? } else { None };
                self.guard.borrow_mut().verdicts.catches(filter, &agent, &brands.unwrap_or_default())
            }
        };
        Ok(Signals { gpc: gpc.then_some(config.gpc), robot, ..Signals::default() })
    }

    /// Refuses a batch of a source that sends more than it may.
    pub(super) fn check_rate(&self, batch: &Batch, now: UnixMillis) -> Result<(), Fault> {
        let Some(rate) = config(&self.env).rate_source else { return Ok(()) };
        let source = batch.source.as_str();
        let taken = self.guard.borrow_mut().sources.get_or_insert_with(|| Limiter::new(rate)).take(source, now);
        let Err(after_ms) = taken else { return Ok(()) };
        let count = batch.events.len().saturating_add(batch.rejected.len());
        self.count_whole(batch, RejectCode::RateLimited, count as i64, now)?;
        Err(EngineError::RateLimited { after_ms }.into())
    }

    /// Takes back that a batch of a source was counted.
    pub(super) fn uncount(&self, source: &SourceId) {
        if let Some(sources) = &mut self.guard.borrow_mut().sources {
            sources.give_back(source.as_str());
        }
    }

    /// Counts the events of a batch that is refused as a whole.
    pub(super) fn count_whole(
        &self,
        batch: &Batch,
        code: RejectCode,
        count: i64,
        now: UnixMillis,
    ) -> Result<(), Fault> {
        let key = (bucket_of(batch.anonymous_id.as_str()), batch.source.as_str().to_owned(), code);
        let rested = {
            let mut guard = self.guard.borrow_mut();
            let held = guard.counts.entry(key).or_default();
            *held = held.saturating_add(count);
            now.saturating_sub(guard.written_at) >= WRITE_MS
        };
        if rested {
            return self.flush_refused(now);
        }
        // The platform keeps what was set; nothing has to be waited for.
        self.arm(Some(now.saturating_add(2 * WRITE_MS)))?;
        Ok(())
    }

    /// Writes the counts that are in memory.
    pub(super) fn flush_refused(&self, now: UnixMillis) -> Result<(), Fault> {
        let counts = {
            let mut guard = self.guard.borrow_mut();
            if guard.counts.is_empty() {
                return Ok(());
            }
            guard.written_at = now;
            std::mem::take(&mut guard.counts)
        };
        self.store.db.transaction(|| {
            counts.iter().try_for_each(|((bucket, source, code), count)| {
                self.store.count_refused(*bucket, now / DAY_MS, source, *code, *count)
            })
        })
    }
}
