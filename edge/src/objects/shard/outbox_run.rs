//! Doing the jobs of the outbox.

use endcap_protocol::UnixMillis;

use super::linking::PendingLink;
use super::object::ProfileShard;
use super::outbox_job::OutboxJob;
use super::table::outbox::StoredJob;
use crate::platform::backoff::pause_ms;
use crate::platform::clock;
use crate::platform::error::EdgeError;

/// Jobs of one run; what is left keeps the alarm at now.
const BATCH: i64 = 50;

impl ProfileShard {
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
            Ok(OutboxJob::SendPush(send)) => self.send_push(stored, &send, now).await,
            Err(unreadable) => Err(unreadable),
        };
        result.or_else(|error| self.put_off(&stored.id, stored.attempts, &error))
    }

    /// Puts a job off that failed.
    pub(super) fn put_off(&self, id: &str, attempts: u32, error: &EdgeError) -> Result<(), EdgeError> {
        worker::console_error!("job {id} failed, attempt {}: {error}", attempts + 1);
        self.store.postpone_job(id, clock::now().saturating_add(pause_ms(attempts)))
    }
}
