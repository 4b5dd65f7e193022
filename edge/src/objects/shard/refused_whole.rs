//! What is refused as a whole: batches of robots, and what a source sends beyond its bound.

use endcap_engine::shop::Snapshot;
use endcap_events::ingest::bot::BotFilter;
use endcap_events::ingest::{Batch, RejectCode, Signals};
use endcap_protocol::{DAY_MS, SourceId, UnixMillis, bucket_of};
use endcap_validation::DomainError;
use worker::web_sys::Request as RawRequest;

use super::abuse_limits::WRITE_MS;
use super::object::ProfileShard;
use super::table::refused::RefusedEvents;
use crate::platform::config::config;
use crate::platform::error::EdgeError;

impl ProfileShard {
    /// What a request's headers say about its sender, read only as far as the deployment asks for, and the shop's settings.
    pub(super) fn signals(&self, request: &RawRequest, snapshot: &Snapshot) -> Result<Signals, EdgeError> {
        let (config, headers) = (config(&self.env), request.headers());
        let gpc = headers.get("sec-gpc")?.is_some_and(|value| value == "1");
        let robot = match config.bots {
            BotFilter::Off => false,
            filter => {
                let agent = headers.get("user-agent")?.unwrap_or_default();
                let brands = if filter == BotFilter::Strict { headers.get("sec-ch-ua")? } else { None };
                self.limits.borrow_mut().is_robot(filter, &agent, &brands.unwrap_or_default())
            }
        };
        let currency = snapshot.settings.currency();
        Ok(Signals { gpc: gpc.then_some(config.gpc), robot, currency, ..Signals::default() })
    }

    /// Refuses a batch of a source that sends more than it may.
    pub(super) fn check_rate(&self, batch: &Batch, now: UnixMillis) -> Result<(), EdgeError> {
        let Some(rate) = config(&self.env).rate_source else { return Ok(()) };
        let taken = self.limits.borrow_mut().take(batch.source.as_str(), rate, now);
        let Err(after_ms) = taken else { return Ok(()) };
        let count = batch.events.len().saturating_add(batch.rejected.len());
        self.count_whole(batch, RejectCode::RateLimited, count as i64, now)?;
        Err(DomainError::RateLimited { after_ms }.into())
    }

    /// Takes back that a batch of a source was counted.
    pub(super) fn uncount(&self, source: &SourceId) {
        self.limits.borrow_mut().give_back(source.as_str());
    }

    /// Counts the events of a batch that is refused as a whole.
    pub(super) fn count_whole(
        &self,
        batch: &Batch,
        code: RejectCode,
        count: i64,
        now: UnixMillis,
    ) -> Result<(), EdgeError> {
        let key = (bucket_of(batch.anonymous_id.as_str()), batch.source.as_str().to_owned(), code);
        let rested = self.limits.borrow_mut().count(key, count, now);
        if rested {
            return self.flush_refused(now);
        }
        // The platform keeps what was set; nothing has to be waited for.
        self.arm(Some(now.saturating_add(2 * WRITE_MS)))?;
        Ok(())
    }

    /// Writes the counts that are in memory. They stay there where they cannot be written.
    pub(super) fn flush_refused(&self, now: UnixMillis) -> Result<(), EdgeError> {
        let counts = self.limits.borrow().counts();
        if counts.is_empty() {
            return Ok(());
        }
        self.store.db.transaction(|| {
            counts.iter().try_for_each(|((bucket, source, code), count)| {
                let (bucket, code, count) = (*bucket, *code, *count);
                self.store.count_refused(&RefusedEvents { bucket, day: now / DAY_MS, source, code, count })
            })
        })?;
        self.limits.borrow_mut().written(&counts, now);
        Ok(())
    }
}
