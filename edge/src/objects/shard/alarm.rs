//! The object's one alarm, which is set to the earliest time at which something is due.

use endcap_protocol::UnixMillis;
use js_sys::Promise;
use wasm_bindgen_futures::JsFuture;

use super::object::ProfileShard;
use crate::platform::backoff::FAILED_ALARM_MS;
use crate::platform::clock;
use crate::platform::error::EdgeError;
use crate::rpc::placement;
use crate::rpc::placement::Use;

/// The pause between two looks for profiles that have ended, in milliseconds: nobody should notice them.
const ENDING_PAUSE_MS: UnixMillis = 250;

impl ProfileShard {
    /// The alarm rings. A failed run is logged and sets the alarm again.
    pub(super) async fn ring(&self) -> Result<(), EdgeError> {
        self.alarm.set(Some(None));
        self.pulse.ring(clock::now());
        let Err(error) = self.on_alarm(clock::now()).await else { return Ok(()) };
        worker::console_error!("alarm: {error}");
        self.arm_at(Some(clock::now() + FAILED_ALARM_MS)).await
    }

    /// Every kind of work that is due, and the next alarm. One kind that fails holds up no other.
    async fn on_alarm(&self, now: UnixMillis) -> Result<(), EdgeError> {
        placement::check(&self.env, Use::Write).await?;
        let timers = self.run_timers(now).await.map(|_| false);
        let jobs = self.run_jobs(now).await.map(|()| false);
        let counts = self.flush_refused(now).and_then(|()| self.store.write_warnings(now)).map(|()| false);
        let quarantine = self.store.trim_quarantine(now).map(|()| false);
        let tails = self.rest_tails(now);
        let (learning, log) = (self.report_learning().await, self.trim_log(now));
        let ended = self.end_profiles(now);
        let segments = self.fill_segments().await;
        self.store.drop_old_log_index(now);
        let ending = matches!(ended, Ok(true)).then(|| now.saturating_add(ENDING_PAUSE_MS));
        let done = [timers, jobs, counts, quarantine, tails, learning, log, segments, ended.map(|_| false)];
        let more = done.iter().any(|done| matches!(done, Ok(true)));
        let next = if more { Some(now) } else { self.next_due(now)?.into_iter().chain(ending).min() };
        // What failed may be due still: it is tried again after a pause, and not at once and without end.
        let earliest = if done.iter().any(Result::is_err) { now + FAILED_ALARM_MS } else { now };
        self.arm_at(next.map(|next| next.max(earliest))).await?;
        self.report_health(now).await;
        done.into_iter().try_for_each(|done| done.map(|_| ()))
    }

    /// After a start: what was due while the object was gone gets its alarm back.
    pub(super) async fn wake(&self) -> Result<(), EdgeError> {
        if self.alarm.get().is_some() {
            return Ok(());
        }
        let set = self.state.storage().get_alarm().await?;
        self.alarm.set(Some(set));
        let now = clock::now();
        self.rest_tails(now)?;
        self.arm_at(self.next_due(now)?).await
    }

    /// When the alarm has to ring next for what is stored: rows that are due, and events that wait for the log.
    pub(super) fn next_due(&self, now: UnixMillis) -> Result<Option<UnixMillis>, EdgeError> {
        Ok(self.store.next_due()?.into_iter().chain(self.tails_due(now)).min())
    }

    /// Sets the alarm, if it is not set to an earlier time already.
    pub(super) async fn arm_at(&self, due: Option<UnixMillis>) -> Result<(), EdgeError> {
        if let Some(set) = self.arm(due)? {
            JsFuture::from(set).await?;
        }
        Ok(())
    }

    /// The same without waiting for it.
    pub(super) fn arm(&self, due: Option<UnixMillis>) -> Result<Option<Promise>, EdgeError> {
        let held = self.alarm.get().flatten();
        let Some(due) = due.filter(|due| held.is_none_or(|held| *due < held)) else { return Ok(None) };
        let set = self.store.db.set_alarm(due.max(clock::now()))?;
        self.alarm.set(Some(Some(due)));
        self.alarms.set(self.alarms.get() + 1);
        Ok(Some(set))
    }
}
