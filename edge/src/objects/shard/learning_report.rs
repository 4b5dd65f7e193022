//! Reporting to the shop what there is to learn, and trimming the log.

use endcap_protocol::{DAY_MS, UnixMillis};

use super::object::ProfileShard;
use super::table::meta::{LEARNED, TRIMMED_AT};
use crate::platform::clock;
use crate::platform::config::config;
use crate::platform::error::EdgeError;
use crate::rpc::learning::LearningReport;
use crate::rpc::{call, namespace};

/// Log rows of one report.
const ROWS: i64 = 500;
/// Log rows deleted in one run.
const TRIMMED: i64 = 2000;

impl ProfileShard {
    /// Notes that there is something to learn.
    pub(super) fn note_learning(&self) {
        self.unlearned.set(true);
    }

    /// Reports the log's signals in order. The cursor moves after the shop has stored them, and the shop ignores what it
    /// knows, so each signal is learned once whatever crashes. True when there may be more.
    pub(super) async fn report_learning(&self) -> Result<bool, EdgeError> {
        if !self.unlearned.replace(false) {
            return Ok(false);
        }
        // What comes meanwhile notes itself; a report that fails is tried again.
        let more = self.report_lessons().await.inspect_err(|_| self.unlearned.set(true))?;
        self.reported_at.set(clock::now());
        if more {
            self.unlearned.set(true);
        }
        Ok(more)
    }

    async fn report_lessons(&self) -> Result<bool, EdgeError> {
        let lessons = self.store.lessons(self.store.meta(LEARNED)?, ROWS)?;
        let Some(last) = lessons.last().map(|lesson| lesson.seq) else { return Ok(false) };
        let full = lessons.len() as i64 == ROWS;
        let signals: Vec<_> = lessons.into_iter().flat_map(|lesson| lesson.signals).collect();
        if !signals.is_empty() {
            let report = LearningReport { shard: self.state.id().to_string(), cursor: last, signals };
            call::ask(&namespace::shop(&self.env)?, &report).await?;
        }
        self.store.set_meta(LEARNED, last)?;
        Ok(full)
    }

    /// Deletes what is older than the log is kept, once a day, a bounded number at a time. True when there is more.
    pub(super) fn trim_log(&self, now: UnixMillis) -> Result<bool, EdgeError> {
        if now.saturating_sub(self.store.meta(TRIMMED_AT)?) < DAY_MS {
            return Ok(false);
        }
        let before = now.saturating_sub(config(&self.env).log_ms());
        let more = self.store.trim_log(before, self.store.meta(LEARNED)?, TRIMMED)?;
        if !more {
            self.store.set_meta(TRIMMED_AT, now)?;
        }
        Ok(more)
    }
}
