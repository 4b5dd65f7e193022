//! Timers: what is due by the passage of time.

use endcap_engine::journey::{CART_LEFT, cart_left_due, cart_left_text};
use endcap_engine::shop::Snapshot;
use endcap_engine::visit::settle;
use endcap_identity::FragmentId;
use endcap_profile::timers::TimerKind;
use endcap_profile::{Person, ProfileRow};
use endcap_protocol::{UnixMillis, uuid};
use worker::Response;

use super::ProfileShard;
use super::outbox::Errand;
use super::send::Send;
use crate::dev::{TimersBody, TimersRan};
use crate::fault::Fault;
use crate::layout::Use;
use crate::{answer, clock, layout, snapshots};

/// Timers and errands of one run; what is left keeps the alarm at now.
const BATCH: i64 = 50;

impl ProfileShard {
    /// The alarm: timers, errands, learning, trimming, and the next alarm.
    pub(super) async fn on_alarm(&self, now: UnixMillis) -> Result<(), Fault> {
        layout::check(&self.env, Use::Write).await?;
        self.run_timers(now).await?;
        self.run_errands(now).await?;
        self.flush_refused(now)?;
        self.store.trim_quarantine(now)?;
        let more = self.report_learning().await? | self.trim_log(now)?;
        let next = if more { Some(now) } else { self.store.next_due()? };
        self.arm_at(next).await
    }

    /// `/timers` in development: everything due as of a time that is passed in.
    pub(super) async fn timers_route(&self, body: &TimersBody) -> Result<Response, Fault> {
        let mut ran = 0;
        loop {
            let some = self.run_timers(body.now).await?;
            ran += some;
            if some == 0 {
                break;
            }
        }
        self.run_errands(body.now).await?;
        self.store.trim_quarantine(body.now)?;
        self.report_learning().await?;
        let next = self.store.next_due()?;
        self.arm_at(next).await?;
        answer::json(&TimersRan { ran })
    }

    async fn run_errands(&self, now: UnixMillis) -> Result<(), Fault> {
        for entry in self.store.due_errands(now, BATCH)? {
            self.attempt(&entry, now).await?;
        }
        Ok(())
    }

    /// Runs due timers, each in a transaction of its own, so that one that fails holds up no other. Returns how many.
    async fn run_timers(&self, now: UnixMillis) -> Result<u64, Fault> {
        let snapshot = snapshots::current(&self.env, clock::now()).await?;
        let due = self.store.due_timers(now, BATCH)?;
        let count = due.len() as u64;
        for (at, profile_id, kind) in due {
            let result = self.store.db.transaction(|| self.run_timer(at, &profile_id, kind, &snapshot, now));
            if let Err(fault) = result {
                worker::console_error!("timer of {profile_id}: {fault}");
                self.store.drop_timer(&profile_id, kind, at)?;
            }
        }
        Ok(count)
    }

    fn run_timer(
        &self,
        at: UnixMillis,
        profile_id: &str,
        kind: i64,
        snapshot: &Snapshot,
        now: UnixMillis,
    ) -> Result<(), Fault> {
        self.store.drop_timer(profile_id, kind, at)?;
        let Some(mut row) = self.store.load(profile_id)? else { return Ok(()) };
        match TimerKind::from_code(kind) {
            Some(TimerKind::CartLeft) => row.timers.cart_left = None,
            Some(TimerKind::Stage) => row.timers.stage = None,
            None => return Ok(()),
        }
        // Folding once tells whether the message is due; deciding it changes the row, so the timers are worked out after.
        let mut looked = row.clone();
        let person = settle(&mut looked, snapshot, now).person;
        let due = cart_left_due(&row, &person, &snapshot.settings.cart_push);
        if kind == TimerKind::CartLeft.code() && due.is_some_and(|due| due <= now) {
            self.decide_push(&mut row, &person, snapshot, now)?;
        }
        let settled = settle(&mut row, snapshot, now);
        self.store.save_settled(&row, &settled)
    }

    /// Decides the message about the cart: recorded on the profile, and one errand per browser.
    fn decide_push(
        &self,
        row: &mut ProfileRow,
        person: &Person,
        snapshot: &Snapshot,
        now: UnixMillis,
    ) -> Result<(), Fault> {
        let message_id = uuid::v7(clock::now(), clock::random());
        let (title, body) = cart_left_text(person, snapshot);
        let subscriptions = self.store.subscriptions(row.id.as_str())?;
        if let Some(first) = subscriptions.first() {
            row.push_decided(&FragmentId::parse(&first.fragment_id)?, &message_id, CART_LEFT, now);
        }
        for subscription in subscriptions {
            let send = Send {
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
            self.store.put_errand(&id, row.id.as_str(), now, &Errand::Send(send))?;
        }
        Ok(())
    }
}
