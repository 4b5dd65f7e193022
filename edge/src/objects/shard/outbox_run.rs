//! Doing the jobs of the outbox.

use endcap_engine::parked_jobs::{LISTED, ParkedJobs, RetryAsk, RetryReply};
use endcap_protocol::UnixMillis;
use worker::Response;

use super::linking::PendingLink;
use super::object::ProfileShard;
use super::outbox_job::OutboxJob;
use super::table::outbox::{StoredJob, Tries};
use crate::platform::backoff::pause_ms;
use crate::platform::error::EdgeError;
use crate::platform::{clock, response};

/// Tries after which a job is parked. The pauses between so many add up to thirty hours.
const MAX_ATTEMPTS: u32 = 40;
/// Jobs of one run; what is left keeps the alarm at now.
const BATCH: i64 = 50;

impl ProfileShard {
    /// The parked jobs.
    pub(super) fn parked_route(&self) -> Result<Response, EdgeError> {
        let jobs = self.store.parked_jobs(LISTED as i64)?;
        response::json(&ParkedJobs { count: self.store.count_parked()?, jobs })
    }

    /// Has parked jobs tried again.
    pub(super) async fn retry_route(&self, ask: &RetryAsk) -> Result<Response, EdgeError> {
        let now = clock::now();
        let retried = self.store.retry_jobs(&ask.ids, LISTED as i64, now)?;
        self.arm_at(Some(now).filter(|_| retried > 0)).await?;
        response::json(&RetryReply { retried })
    }

    /// Tries the jobs that are due.
    pub(super) async fn run_jobs(&self, now: UnixMillis) -> Result<(), EdgeError> {
        for stored in self.store.due_jobs(now, BATCH)? {
            self.attempt(&stored, now).await?;
        }
        Ok(())
    }

    /// Tries one job. A failure puts it off, also where only a newer version can read it.
    pub(super) async fn attempt(&self, stored: &StoredJob, now: UnixMillis) -> Result<(), EdgeError> {
        let result = match stored.job() {
            Ok(OutboxJob::LinkIdentity(link)) => {
                return self.link_identities(vec![PendingLink::new(stored, *link)]).await;
            }
            Ok(OutboxJob::MoveFragment(moving)) => self.move_fragment(stored, &moving).await,
            Ok(OutboxJob::PointBrowser(point)) => self.point_browser(stored, &point).await,
            Ok(OutboxJob::SendPush(send)) => self.send_push(stored, &send, now).await,
            Err(unreadable) => Err(unreadable),
        };
        result.or_else(|error| self.put_off(&stored.id, stored.tries, &error))
    }

    /// Puts a job off that failed, or parks it where it failed too often. A try before it was due, because a visitor waits for it,
    /// changes nothing: else those who come again would use its tries up.
    pub(super) fn put_off(&self, id: &str, tries: Tries, error: &EdgeError) -> Result<(), EdgeError> {
        let Tries { attempts, is_due } = tries;
        if !is_due {
            worker::console_error!("job {id} failed before it was due: {error}");
            return Ok(());
        }
        let tried = attempts.saturating_add(1);
        worker::console_error!("job {id} failed, attempt {tried}: {error}");
        if tried >= MAX_ATTEMPTS {
            worker::console_error!(
                "job {id} is parked; GET /api/jobs/parked lists it, POST /api/jobs/retry tries it again"
            );
            return self.store.park_job(id, &error.to_string(), clock::now());
        }
        self.store.postpone_job(id, clock::now().saturating_add(pause_ms(attempts)))
    }
}
