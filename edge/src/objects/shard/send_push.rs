//! Sending one push message to one browser.
//!
//! It checks the endpoint again, signs a VAPID token (kept for 11 hours for each push service), encrypts (RFC 8291;
//! framing in `edge/push/`, primitives from WebCrypto in `platform/webcrypto.rs`), posts without following redirects,
//! and records the outcome: sent, gone, resubscribe, retry with back-off (six attempts), given up, refused. Topic and
//! tag are those of the journey, so a message that is sent twice after a crash replaces itself. The payload is
//! declarative web push JSON.
//!
//! The service worker (`wasm-pkg/src/sw.ts`) shows the notification first. Then it reports that it was shown, clicked
//! or closed, with the signed token that came with it.

use endcap_identity::{FragmentId, Purpose};
use endcap_profile::fragment_rows::Wanted;
use endcap_protocol::touch::cut;
use endcap_protocol::{UnixMillis, bucket_of};
use endcap_push::{
    Attempt, Delivery, Notification, Outcome, RawKeys, RawSubscription, Reply, Subscription, Token, Urgency, compose,
    token_for,
};
use endcap_validation::DomainError;

use super::object::ProfileShard;
use super::outbox_job::SendPush;
use super::table::outbox::StoredJob;
use super::table::subscription::StoredSubscription;
use crate::platform::config::{Vapid, config};
use crate::platform::error::EdgeError;
use crate::platform::webcrypto::WebCrypto;
use crate::platform::{clock, outgoing};
use crate::rpc::snapshots;

/// Bytes of a push service's answer that are read.
const ANSWER_BYTES: usize = 500;

impl ProfileShard {
    /// Sends a message and records what the push service said. Sent twice after a crash, it replaces itself: topic and
    /// tag are the same.
    pub(super) async fn send_push(&self, job: &StoredJob, send: &SendPush, now: UnixMillis) -> Result<(), EdgeError> {
        let config = config(&self.env);
        let stored = self.store.subscriptions(send.profile_id.as_str())?;
        let stored = stored.into_iter().find(|stored| stored.endpoint == send.endpoint);
        let (Some(stored), Some(vapid)) = (stored, &config.vapid) else {
            // Unsubscribed since, or push is not set up any more.
            return self.store.drop_job(&job.id);
        };
        // Read first: a row that only a newer version can read would have the message sent with each try.
        self.store.load_with(send.profile_id.as_str(), Wanted::Mentioning(&send.message_id))?;
        let attempt = Attempt {
            number: job.tries.attempts + 1,
            spread: u64::from(bucket_of(&send.message_id)),
            now: clock::now(),
        };
        let outcome = self.post(send, &stored, vapid, &attempt).await?;
        self.record(job, send, &stored, outcome, now).await
    }

    async fn post(
        &self,
        send: &SendPush,
        stored: &StoredSubscription,
        vapid: &Vapid,
        attempt: &Attempt,
    ) -> Result<Outcome, EdgeError> {
        let raw = RawSubscription {
            endpoint: stored.endpoint.clone(),
            keys: RawKeys { p256dh: stored.p256dh.clone(), auth: stored.auth.clone() },
        };
        // Checked again at each send: the list of push services may have changed since it was saved.
        let Ok(subscription) = raw.validate(config(&self.env).loopback) else { return Ok(Outcome::Gone) };
        let crypto = WebCrypto;
        let token = self.token(&crypto, &subscription, vapid, attempt.now).await?;
        let delivery = Delivery { ttl_s: send.ttl_seconds, urgency: Urgency::Normal, topic: Some(send.topic.as_str()) };
        let text = self.notification(send, stored)?.to_json().map_err(|e| DomainError::Internal(e.to_string()))?;
        let composed = compose(&crypto, &subscription, &token, &delivery, &clock::random()?, text.as_bytes()).await;
        let composed = composed.map_err(|e| DomainError::Internal(e.to_string()))?;
        let headers = composed.headers.iter().map(|(name, value)| (*name, value.as_str()));
        let Some(answer) = outgoing::post(&composed.url, headers, &composed.body).await? else {
            return Ok(Outcome::of_no_reply(attempt));
        };
        let reply = Reply {
            status: answer.status,
            retry_after: answer.retry_after.as_deref(),
            body: cut(&answer.body, ANSWER_BYTES),
        };
        Ok(Outcome::of(&reply, attempt))
    }

    async fn token(
        &self,
        crypto: &WebCrypto,
        subscription: &Subscription,
        vapid: &Vapid,
        now: UnixMillis,
    ) -> Result<Token, EdgeError> {
        let origin = subscription.endpoint().origin();
        let held = self.tokens.borrow().get(origin, vapid.key.id(), now).cloned();
        if let Some(token) = held {
            return Ok(token);
        }
        let token = token_for(crypto, &vapid.key, &vapid.subject, origin, now).await;
        let token = token.map_err(|e| DomainError::Internal(e.to_string()))?;
        self.tokens.borrow_mut().insert(origin, vapid.key.id(), token.clone());
        Ok(token)
    }

    fn notification(&self, send: &SendPush, stored: &StoredSubscription) -> Result<Notification, EdgeError> {
        // The browser's own fragment leads to the profile, which is named after another browser perhaps.
        let payload = format!("{} {}", stored.fragment_id, send.message_id);
        let token = config(&self.env).keys.sign(Purpose::Notification, &payload).unwrap_or_default();
        Ok(Notification {
            title: send.title.clone(),
            body: send.body.clone(),
            navigate: format!("{}{}", stored.origin, send.path),
            tag: send.topic.clone(),
            token,
            message_id: send.message_id.clone(),
            ..Notification::default()
        })
    }

    async fn record(
        &self,
        job: &StoredJob,
        send: &SendPush,
        stored: &StoredSubscription,
        outcome: Outcome,
        now: UnixMillis,
    ) -> Result<(), EdgeError> {
        let snapshot = snapshots::current(&self.env, clock::now()).await?;
        let profile_id = send.profile_id.as_str();
        self.store.db.transaction(|| {
            match outcome {
                Outcome::Retry { after_ms } => self.store.postpone_job(&job.id, now.saturating_add(after_ms))?,
                _ => self.store.drop_job(&job.id)?,
            }
            let Some(mut row) = self.store.load_with(profile_id, Wanted::Mentioning(&send.message_id))? else {
                return Ok(());
            };
            let at = FragmentId::parse(&stored.fragment_id)?;
            row.read_more(&self.store, Wanted::Named(&[at.clone()].into()))?;
            row.push_answered(&send.message_id, outcome, now);
            if matches!(outcome, Outcome::Gone | Outcome::Resubscribe) {
                self.store.drop_subscription(profile_id, &stored.endpoint)?;
                let left = self.store.subscriptions(profile_id)?;
                let still = left.iter().any(|other| other.fragment_id == stored.fragment_id);
                row.set_subscriptions(&at, left.len() as u32, still, now);
            }
            let refreshed = self.store.refresh(&mut row, &snapshot, now)?;
            self.store.save_refreshed(&row, &refreshed)
        })
    }
}
