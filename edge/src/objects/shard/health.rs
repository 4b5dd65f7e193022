//! How this shard is: for the operator, once a minute for the log, and for the registry where it carries too much.

use endcap_engine::health::awake::LINGER_MS;
use endcap_engine::health::{Counted, LearningHealth, OutboxHealth, QuarantineHealth, ShardHealth, TimerHealth};
use endcap_engine::layout::growth::{ShardLoad, Sharding};
use endcap_protocol::UnixMillis;
use endcap_validation::DomainError;
use worker::Response;

use super::object::ProfileShard;
use super::store::Store;
use super::table::meta::{
    AWAKE_BEFORE, AWAKE_HOUR, AWAKE_MS, FAILED_TIMERS, LEARNED, QUARANTINE_DROPPED, UNREADABLE_LOG_ROWS,
};
use crate::platform::config::config;
use crate::platform::error::EdgeError;
use crate::platform::queue::queue_health;
use crate::platform::{clock, response};
use crate::rpc::health::ReportLoad;
use crate::rpc::{call, namespace, placement};

/// The least time between two lines of the log, in milliseconds.
const LINE_MS: UnixMillis = 60_000;
/// Profiles that are counted at once. Where there are more, each minute counts on, so that nobody waits for it.
const COUNTED: i64 = 20_000;
/// How long a count of more holds, in milliseconds: counting reads each of their rows.
const COUNT_MS: UnixMillis = 3_600_000;

impl ProfileShard {
    /// How the shard is.
    pub(super) async fn health_route(&self) -> Result<Response, EdgeError> {
        let now = clock::now();
        self.look_at_load(now);
        let mut health = self.health(now)?;
        health.next_alarm = self.state.storage().get_alarm().await?;
        response::json(&health)
    }

    /// With an alarm that rings anyway: a line for the log, at most once a minute, and a word to the registry where the
    /// shard carries too much. Neither may hold up what the alarm is for.
    pub(super) async fn report_health(&self, now: UnixMillis) {
        if let Err(error) = self.try_report_health(now).await {
            worker::console_error!("health: {error}");
        }
    }

    async fn try_report_health(&self, now: UnixMillis) -> Result<(), EdgeError> {
        let config = config(&self.env);
        if now - self.pulse.looked.get().0 >= config.learn_interval_ms.min(LINE_MS) {
            self.look_at_load(now);
            let load = ShardLoad {
                shard: self.number()?,
                bytes: self.store.db.bytes()?,
                batches_per_minute: self.pulse.rate.get(),
            };
            if config.sharding == Sharding::Automatic && load.is_over(&config.shard_limits) {
                call::ask(&namespace::registry(&self.env)?, &ReportLoad(load)).await?;
            }
        }
        if now - self.pulse.line_at.get() >= LINE_MS {
            self.pulse.line_at.set(now);
            let awake = self.pulse.awake.get();
            self.store.db.transaction(|| {
                self.store.set_meta(AWAKE_MS, awake.awake_ms)?;
                if self.store.meta(AWAKE_HOUR)? == awake.hour {
                    return Ok(());
                }
                self.store.set_meta(AWAKE_HOUR, awake.hour)?;
                self.store.set_meta(AWAKE_BEFORE, awake.before_ms)
            })?;
            worker::console_log!("{}", serde_json::json!({ "endcap": "health", "shard": self.health(now)? }));
        }
        Ok(())
    }

    /// Works out how many batches come a minute. What an object answered within its first seconds says nothing.
    fn look_at_load(&self, now: UnixMillis) {
        let ((at, before), batches) = (self.pulse.looked.get(), self.batches.get());
        let elapsed = now - at;
        if elapsed < LINGER_MS.min(config(&self.env).learn_interval_ms) {
            return;
        }
        let rate = batches.saturating_sub(before).saturating_mul(60_000) / elapsed.unsigned_abs().max(1);
        self.pulse.rate.set(rate);
        self.pulse.looked.set((now, batches));
    }

    fn health(&self, now: UnixMillis) -> Result<ShardHealth, EdgeError> {
        let (store, pulse) = (&self.store, &self.pulse);
        self.count_profiles(now)?;
        Ok(ShardHealth {
            shard: self.number()?,
            started_at: pulse.started_at,
            bytes: store.db.bytes()?,
            profiles: pulse.profiles.get(),
            log_rows: store.log_rows()?,
            batches_per_minute: pulse.rate.get(),
            timers: store.timer_health()?,
            outbox: store.outbox_health()?,
            quarantine: store.quarantine_health(now)?,
            learning: store.learning_health()?,
            last_alarm: pulse.last_alarm.get(),
            next_alarm: self.alarm.get().flatten(),
            awake: pulse.awake.get().view(now),
        })
    }

    /// Counts profiles: all at once where they are few, else a part of them.
    fn count_profiles(&self, now: UnixMillis) -> Result<(), EdgeError> {
        let pulse = &self.pulse;
        let (after, before) = pulse.counting.take().unwrap_or_default();
        let counted = pulse.profiles.get();
        let is_many = counted.count >= COUNTED.unsigned_abs();
        if after.is_empty() && is_many && now - counted.as_of < COUNT_MS {
            return Ok(());
        }
        let (more, next) = self.store.count_profiles(&after, COUNTED)?;
        let count = before + more;
        match next {
            Some(next) => pulse.counting.set(Some((next, count))),
            None => pulse.profiles.set(Counted { count, as_of: now }),
        }
        Ok(())
    }

    /// This shard's number, which its object does not know itself.
    fn number(&self) -> Result<u16, EdgeError> {
        for number in placement::placement()?.all_shards() {
            if self.is_number(number)? {
                return Ok(number);
            }
        }
        Err(DomainError::Internal("this object is no shard".to_owned()).into())
    }
}

impl Store {
    fn log_rows(&self) -> Result<u64, EdgeError> {
        // Rows go from the front as they age, so nothing has to be counted.
        self.counted("SELECT coalesce(max(seq) - min(seq) + 1, 0) FROM event_log")
    }

    fn counted(&self, query: &'static str) -> Result<u64, EdgeError> {
        Ok(self.db.first(query, Vec::new())?.map_or(0, |row| row.int(0).unsigned_abs()))
    }

    fn timer_health(&self) -> Result<TimerHealth, EdgeError> {
        let query = "SELECT due FROM timer_by_key WHERE bucket NOT IN (SELECT bucket FROM unserved)
                     ORDER BY due LIMIT 1";
        Ok(TimerHealth {
            oldest_due: self.db.first(query, Vec::new())?.map(|row| row.int(0)),
            failing: self.counted("SELECT count(*) FROM timer_by_key WHERE attempts > 0")?,
            failed_runs: self.meta(FAILED_TIMERS)?.unsigned_abs(),
        })
    }

    fn outbox_health(&self) -> Result<OutboxHealth, EdgeError> {
        let query = "SELECT count(*), count(*) FILTER (WHERE attempts > 0), max(attempts), min(due) FROM outbox
                     WHERE bucket NOT IN (SELECT bucket FROM unserved)";
        queue_health(&self.db, query)
    }

    fn quarantine_health(&self, now: UnixMillis) -> Result<QuarantineHealth, EdgeError> {
        let query = "SELECT count(*), count(*) FILTER (WHERE received_at > ?), min(received_at) FROM quarantine";
        let hour_ago = now - 3_600_000;
        let row = self.db.first(query, vec![hour_ago.into()])?;
        let dropped = self.meta(QUARANTINE_DROPPED)?.unsigned_abs();
        Ok(row.map_or_else(QuarantineHealth::default, |row| {
            let kept = row.int(0).unsigned_abs();
            let kept_last_hour = row.int(1).unsigned_abs();
            QuarantineHealth { kept, kept_last_hour, dropped, oldest: (kept > 0).then(|| row.int(2)) }
        }))
    }

    fn learning_health(&self) -> Result<LearningHealth, EdgeError> {
        let learned = self.meta(LEARNED)?;
        let query = "SELECT received_at, (SELECT max(seq) FROM event_log) - ? FROM event_log
                     WHERE seq > ? ORDER BY seq LIMIT 1";
        let row = self.db.first(query, vec![learned.into(), learned.into()])?;
        let unreadable_rows = self.meta(UNREADABLE_LOG_ROWS)?.unsigned_abs();
        Ok(row.map_or(LearningHealth { unreadable_rows, ..LearningHealth::default() }, |row| LearningHealth {
            rows_behind: row.int(1).unsigned_abs(),
            oldest: Some(row.int(0)),
            unreadable_rows,
        }))
    }
}
