//! How this shard is: for the operator, once a minute for the log, and for the registry where it carries too much.

use endcap_engine::health::{Counted, ShardHealth};
use endcap_engine::layout::Placement;
use endcap_engine::layout::growth::{ShardLoad, Sharding};
use endcap_protocol::UnixMillis;
use endcap_validation::DomainError;
use worker::Response;

use super::object::ProfileShard;
use super::table::meta::{AWAKE_BEFORE, AWAKE_HOUR, AWAKE_MS, LINE_AT, PROFILES, PROFILES_AT, PROFILES_ENDED};
use crate::platform::config::config;
use crate::platform::error::EdgeError;
use crate::platform::{clock, response};
use crate::rpc::health::ReportLoad;
use crate::rpc::placement::Use;
use crate::rpc::{call, namespace, placement};

/// The least time between two lines of the log, and between two looks at the load, in milliseconds.
const MINUTE_MS: UnixMillis = 60_000;
/// Profiles that are counted at once. Where there are more, each minute counts on, so that nobody waits for it.
const COUNTED: i64 = 20_000;
/// Fewer are counted each time: counting reads a row for each.
const FEW: u64 = 500;
/// How long a count of more holds, in milliseconds.
const COUNT_MS: UnixMillis = 3_600_000;
/// How long something may wait to be learned, in milliseconds, and in learning intervals: a quiet shard takes an hour.
const LEARNING_MS: UnixMillis = 2 * 3_600_000;
const LEARNING_INTERVALS: UnixMillis = 2;

impl ProfileShard {
    /// How the shard is.
    pub(super) async fn health_route(&self) -> Result<Response, EdgeError> {
        let mut health = self.health(clock::now()).await?;
        health.next_alarm = self.state.storage().get_alarm().await?;
        response::json(&health)
    }

    /// With an alarm that rings anyway: a line for the log, at most once a minute, and a word to the registry where the
    /// shard carries too much. Neither may hold up what the alarm is for.
    pub(super) async fn report_health(&self, now: UnixMillis) {
        // In development a minute is too long to wait for.
        let config = config(&self.env);
        let look = if config.dev { config.learn_interval_ms.min(MINUTE_MS) } else { MINUTE_MS };
        let line = is_due(self.pulse.line_at.get(), MINUTE_MS, now);
        let looked = is_due(self.pulse.looked.get().0, look, now);
        if looked {
            self.look_at_load(now);
        }
        let load = if line || looked { self.report_load(now).await } else { Ok(()) };
        let written = if line { self.write_line(now).await } else { Ok(()) };
        for error in [load, written].into_iter().filter_map(Result::err) {
            worker::console_error!("health: {error}");
        }
    }

    /// Tells the registry where the shard carries too much.
    async fn report_load(&self, now: UnixMillis) -> Result<(), EdgeError> {
        let config = config(&self.env);
        if config.sharding == Sharding::Fixed {
            return Ok(());
        }
        let load = ShardLoad {
            shard: self.number().await?,
            bytes: self.store.db.bytes()?,
            batches_per_minute: self.pulse.rate.get(),
            log_age_ms: self.store.log_begins()?.map_or(0, |at| now.saturating_sub(at)),
        };
        if load.is_over(&config.shard_limits) {
            call::ask(&namespace::registry(&self.env)?, &ReportLoad(load)).await?;
        }
        Ok(())
    }

    /// Stores how long the object was awake, and writes the line.
    async fn write_line(&self, now: UnixMillis) -> Result<(), EdgeError> {
        self.pulse.line_at.set(now);
        let awake = self.pulse.awake.get();
        self.store.db.transaction(|| {
            self.store.set_meta(LINE_AT, now)?;
            self.store.set_meta(AWAKE_MS, awake.awake_ms)?;
            if self.store.meta(AWAKE_HOUR)? == awake.hour {
                return Ok(());
            }
            self.store.set_meta(AWAKE_HOUR, awake.hour)?;
            self.store.set_meta(AWAKE_BEFORE, awake.before_ms)
        })?;
        worker::console_log!("{}", serde_json::json!({ "endcap": "health", "shard": self.health(now).await? }));
        Ok(())
    }

    /// Looks how many batches came since the last time, and begins anew.
    fn look_at_load(&self, now: UnixMillis) {
        self.pulse.rate.set(self.rate_since(now));
        self.pulse.looked.set((now, self.batches.get()));
    }

    /// Batches a minute since the load was last looked at.
    fn rate_since(&self, now: UnixMillis) -> u64 {
        let (at, before) = self.pulse.looked.get();
        let elapsed = u64::try_from(now - at).unwrap_or(0).max(1);
        self.batches.get().saturating_sub(before).saturating_mul(60_000) / elapsed
    }

    /// Batches a minute: as last looked at, or since then where that is a minute ago or more.
    fn rate(&self, now: UnixMillis) -> u64 {
        let is_old = now - self.pulse.looked.get().0 >= MINUTE_MS;
        if is_old { self.rate_since(now) } else { self.pulse.rate.get() }
    }

    async fn health(&self, now: UnixMillis) -> Result<ShardHealth, EdgeError> {
        let (store, pulse) = (&self.store, &self.pulse);
        self.count_profiles(now)?;
        Ok(ShardHealth {
            shard: self.number().await?,
            started_at: pulse.started_at,
            bytes: store.db.bytes()?,
            profiles: pulse.profiles.get(),
            profiles_ended: store.meta(PROFILES_ENDED)?.unsigned_abs(),
            log_rows: store.log_rows()?,
            log_waits: store.tails_waiting(),
            batches_per_minute: self.rate(now),
            timers: store.timer_health()?,
            outbox: store.outbox_health()?,
            quarantine: store.quarantine_health(now)?,
            learning: store
                .learning_health(LEARNING_MS.max(config(&self.env).learn_interval_ms * LEARNING_INTERVALS))?,
            last_alarm: pulse.last_alarm.get(),
            next_alarm: self.alarm.get().flatten(),
            awake: pulse.awake.get().view(now),
        })
    }

    /// Counts profiles: all at once where they are few, else a part of them.
    fn count_profiles(&self, now: UnixMillis) -> Result<(), EdgeError> {
        let pulse = &self.pulse;
        let underway = pulse.counting.take();
        let counted = pulse.profiles.get();
        if underway.is_none() && counted.count >= FEW && !is_due(counted.as_of, COUNT_MS, now) {
            return Ok(());
        }
        let (after, before) = underway.unwrap_or_default();
        let (more, next) = self.store.count_profiles(&after, COUNTED)?;
        let count = before + more;
        if let Some(next) = next {
            pulse.counting.set(Some((next, count)));
            return Ok(());
        }
        pulse.profiles.set(Counted { count, as_of: now });
        if count < FEW {
            return Ok(());
        }
        let stored = i64::try_from(count).unwrap_or(i64::MAX);
        self.store.db.transaction(|| {
            self.store.set_meta(PROFILES, stored)?;
            self.store.set_meta(PROFILES_AT, now)
        })
    }

    /// This shard's number, which its object does not know itself. A placement that is older than this shard does not know
    /// it either, and is asked for again.
    pub(super) async fn number(&self) -> Result<u16, EdgeError> {
        if let Some(number) = self.pulse.number.get() {
            return Ok(number);
        }
        let found = match self.number_in(&*placement::placement()?)? {
            None => self.number_in(&*placement::ask(&self.env, Use::Read).await?)?,
            known => known,
        };
        self.pulse.number.set(found);
        found.ok_or_else(|| DomainError::Internal("this object is no shard".to_owned()).into())
    }

    fn number_in(&self, placement: &Placement) -> Result<Option<u16>, EdgeError> {
        for number in placement.all_shards() {
            if self.is_number(number)? {
                return Ok(Some(number));
            }
        }
        Ok(None)
    }
}

/// Whether something that was done at one time has to be done again. A time in the future was passed in by a test.
fn is_due(at: UnixMillis, interval: UnixMillis, now: UnixMillis) -> bool {
    now < at || now - at >= interval
}
