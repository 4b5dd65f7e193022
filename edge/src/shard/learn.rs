//! Reporting to the shop what there is to learn, and trimming the log.

use endcap_protocol::{DAY_MS, UnixMillis};

use super::ProfileShard;
use crate::config::config;
use crate::fault::Fault;
use crate::objects;
use crate::shop::Report;

/// Log rows of one report.
const ROWS: i64 = 500;
/// Log rows deleted in one run.
const TRIMMED: i64 = 2000;

impl ProfileShard {
    /// Reports the log's signals in order. The cursor moves after the shop has stored them, and the shop ignores what it
    /// knows, so each signal is learned once whatever crashes. True when there may be more.
    pub(super) async fn report_learning(&self) -> Result<bool, Fault> {
        if !self.unlearned.get() {
            return Ok(false);
        }
        let cursor = self.store.meta("learned")?;
        let rows = self.store.lessons(cursor, ROWS)?;
        let Some(last) = rows.last().map(|(seq, _)| *seq) else {
            self.unlearned.set(false);
            return Ok(false);
        };
        let full = rows.len() as i64 == ROWS;
        self.unlearned.set(full);
        let signals: Vec<_> = rows.into_iter().flat_map(|(_, signals)| signals).collect();
        if !signals.is_empty() {
            let report = Report { shard: self.state.id().to_string(), cursor: last, signals };
            let sent: Result<serde_json::Value, Fault> =
                objects::ask(&objects::shop(&self.env)?, "/learn", &report).await;
            sent.inspect_err(|_| self.unlearned.set(true))?;
        }
        self.store.set_meta("learned", last)?;
        Ok(full)
    }

    /// Deletes what is older than the log is kept, once a day, a bounded number at a time. True when there is more.
    pub(super) fn trim_log(&self, now: UnixMillis) -> Result<bool, Fault> {
        if now.saturating_sub(self.store.meta("trimmed_at")?) < DAY_MS {
            return Ok(false);
        }
        let before = now.saturating_sub(config(&self.env).log_days * DAY_MS);
        let more = self.store.trim_log(before, self.store.meta("learned")?, TRIMMED)?;
        if !more {
            self.store.set_meta("trimmed_at", now)?;
        }
        Ok(more)
    }
}
