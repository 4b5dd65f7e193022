//! Timers: what is due by the passage of time.
//!
//! A timer has a key: what it looks at, which one of them, and at which step (`edge/profile/src/timers.rs`). `refresh`
//! arms a timer when the lifecycle stage or a segment changes by time alone, and when the cart counts as left behind
//! (`edge/engine/src/journey.rs`). The shard keeps these times in `timer_by_key` and sets its one alarm to the
//! earliest. An event moves a timer only if it is due earlier than before. One that is due later fires too early, finds
//! nothing to do, and is armed anew. That costs fewer rows than moving it with each event.
//!
//! When the alarm rings, each due timer gets a transaction of its own. If the run fails, for instance because a newer
//! version wrote the row, the transaction rolls back and the timer is postponed: two seconds, doubled each time, to an
//! hour. `GET /api/timers` counts failed runs. If the message is still due, the run records it on the profile and puts
//! a `SendPush` job for each subscribed browser into the outbox (`send_push.rs`).

use endcap_engine::journey::{CART_LEFT, cart_left_due, cart_left_text};
use endcap_engine::shop::Snapshot;
use endcap_identity::FragmentId;
use endcap_profile::fragment_rows::Wanted;
use endcap_profile::timers::TimerKey;
use endcap_profile::{Person, ProfileRow};
use endcap_protocol::{UnixMillis, uuid};
use endcap_validation::DomainError;
use worker::Response;

use super::object::ProfileShard;
use super::outbox_job::{OutboxJob, SendPush};
use super::table::subscription::StoredSubscription;
use super::table::timer::StoredTimer;
use crate::platform::error::EdgeError;
use crate::platform::{clock, response};
use crate::rpc::snapshots;
use crate::rpc::timers::{RunTimers, TimersRan};

/// Timers of one run; what is left keeps the alarm at now.
const BATCH: i64 = 50;

impl ProfileShard {
    /// Everything due as of a time that is passed in, in development.
    pub(super) async fn timers_route(&self, run: &RunTimers) -> Result<Response, EdgeError> {
        let mut ran = 0;
        loop {
            let some = self.run_timers(run.now).await?;
            ran += some;
            if some == 0 {
                break;
            }
        }
        self.run_jobs(run.now).await?;
        self.store.trim_quarantine(run.now)?;
        self.rest_tails(run.now)?;
        while self.end_profiles(run.now)? {}
        while self.fill_segments().await? {}
        self.report_learning().await?;
        self.report_health(run.now).await;
        self.arm_at(self.next_due(clock::now())?).await?;
        response::json(&TimersRan { ran })
    }

    /// Runs due timers, each in a transaction of its own, so that one that fails holds up no other. Returns how many.
    pub(super) async fn run_timers(&self, now: UnixMillis) -> Result<u64, EdgeError> {
        if self.store.due_timers(now, 1)?.is_empty() {
            return Ok(0);
        }
        let mut snapshot = snapshots::current(&self.env, clock::now()).await?;
        if snapshot.segments.version < self.store.fill()?.version() {
            snapshot = snapshots::newer(&self.env, clock::now()).await?;
        }
        let due = self.store.due_timers(now, BATCH)?;
        for timer in &due {
            let result = self.store.db.transaction(|| self.run_timer(timer, &snapshot, now));
            if let Err(error) = result {
                worker::console_error!(
                    "timer {} of {}, attempt {}: {error}",
                    timer.key,
                    timer.profile_id,
                    timer.attempts + 1
                );
                self.store.postpone_timer(timer, now)?;
            }
        }
        Ok(due.len() as u64)
    }

    fn run_timer(&self, timer: &StoredTimer, snapshot: &Snapshot, now: UnixMillis) -> Result<(), EdgeError> {
        self.store.drop_timer(timer.due, &timer.profile_id, &timer.key)?;
        let unknown = || DomainError::Internal(format!("timer {} is of a newer version", timer.key));
        // A kind that only a newer version runs is put off as well: this one would drop it.
        let runs = |key: &TimerKey| [TimerKey::CART_LEFT, TimerKey::STAGE, TimerKey::SEGMENTS].contains(key);
        let key = timer.key().filter(runs).ok_or_else(unknown)?;
        let is_behind = snapshot.segments.version < self.store.fill()?.version() || snapshot.segments.has_unreadable();
        if key == TimerKey::SEGMENTS && is_behind {
            return Err(DomainError::Internal("the shop's newer segments are not known here yet".to_owned()).into());
        }
        // Of the fragments only those are read that may remember a message.
        let subscriptions = self.store.subscriptions(&timer.profile_id)?;
        let named =
            subscriptions.iter().map(|stored| FragmentId::parse(&stored.fragment_id)).collect::<Result<_, _>>()?;
        let Some(mut row) = self.store.load_with(&timer.profile_id, Wanted::Named(&named))? else { return Ok(()) };
        row.timers.disarm(&key);
        // The first fold tells whether the message is due. Deciding it changes the row, so the timers are computed
        // afterwards.
        let mut looked = row.clone();
        let person = self.store.refresh(&mut looked, snapshot, now)?.person;
        let due = cart_left_due(&row, &person, &snapshot.settings.cart_push);
        if key == TimerKey::CART_LEFT && due.is_some_and(|due| due <= now) {
            self.decide_push(&mut row, &person, subscriptions, snapshot, now)?;
        }
        let refreshed = self.store.refresh(&mut row, snapshot, now)?;
        self.send_home(&row, now)?;
        self.store.save_refreshed(&row, &refreshed)
    }

    /// Decides the message about the cart: recorded on the profile, and one job for each browser.
    fn decide_push(
        &self,
        row: &mut ProfileRow,
        person: &Person,
        mut subscriptions: Vec<StoredSubscription>,
        snapshot: &Snapshot,
        now: UnixMillis,
    ) -> Result<(), EdgeError> {
        let message_id = uuid::v7(clock::now(), clock::random()?);
        let (title, body) = cart_left_text(person, snapshot);
        // Of browsers that an earlier version joined by a claim, none gets what is meant for the person.
        let guests = row.joined_by_claim(usize::MAX);
        subscriptions.retain(|stored| !guests.iter().any(|guest| guest.as_str() == stored.fragment_id));
        if let Some(first) = subscriptions.first() {
            if row.fragments.is_empty() {
                // An earlier version may have named them otherwise.
                row.read_more(&self.store, Wanted::All)?;
            }
            if let Some(fragment) = row.remembers_messages_to(&FragmentId::parse(&first.fragment_id)?) {
                row.push_decided(&fragment, &message_id, CART_LEFT, now);
            }
        }
        for subscription in subscriptions {
            let send = SendPush {
                profile_id: row.id.clone(),
                message_id: message_id.clone(),
                topic: CART_LEFT.to_owned(),
                endpoint: subscription.endpoint.clone(),
                title: title.clone(),
                body: body.clone(),
                path: snapshot.settings.cart_push.url.clone(),
                ttl_seconds: snapshot.settings.cart_push.ttl_seconds,
            };
            let id = format!("send {message_id} {}", subscription.endpoint);
            self.store.put_job(&id, row.id.as_str(), now, &OutboxJob::SendPush(send))?;
        }
        Ok(())
    }
}
