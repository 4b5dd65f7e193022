//! Sending one push message to one browser.

use endcap_engine::visit::settle;
use endcap_identity::{FragmentId, Purpose};
use endcap_protocol::touch::cut;
use endcap_protocol::{ProfileId, UnixMillis, bucket_of};
use endcap_push::{
    Attempt, Delivery, Notification, Outcome, RawKeys, RawSubscription, Reply, Subscription, Token, Urgency, compose,
    token_for,
};
use endcap_validation::EngineError;
use serde::{Deserialize, Serialize};
use wasm_bindgen::JsValue;
use worker::{Fetch, Headers, Method, Request, RequestInit, RequestRedirect};

use super::ProfileShard;
use super::outbox::Entry;
use super::store::StoredSubscription;
use crate::config::{Vapid, config};
use crate::fault::Fault;
use crate::webcrypto::WebCrypto;
use crate::{clock, snapshots};

/// Bytes of a push service's answer that are read.
const ANSWER_BYTES: usize = 500;

/// A message for one browser.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Send {
    pub(super) profile_id: ProfileId,
    pub(super) message_id: String,
    pub(super) topic: String,
    pub(super) endpoint: String,
    pub(super) title: String,
    pub(super) body: String,
    /// Path that a click leads to.
    pub(super) path: String,
    pub(super) ttl_seconds: u32,
}

impl ProfileShard {
    /// Sends a message and records what the push service said. Sent twice after a crash, it replaces itself: topic and
    /// tag are the same.
    pub(super) async fn send(&self, entry: &Entry, send: &Send, now: UnixMillis) -> Result<(), Fault> {
        let config = config(&self.env);
        let stored = self.store.subscriptions(send.profile_id.as_str())?;
        let stored = stored.into_iter().find(|stored| stored.endpoint == send.endpoint);
        let (Some(stored), Some(vapid)) = (stored, &config.vapid) else {
            // Unsubscribed since, or push is not set up any more.
            return self.store.drop_errand(&entry.id);
        };
        let attempt =
            Attempt { number: entry.attempts + 1, spread: u64::from(bucket_of(&send.message_id)), now: clock::now() };
        let outcome = self.post(send, &stored, vapid, &attempt).await?;
        self.record(entry, send, &stored, outcome, now).await
    }

    async fn post(
        &self,
        send: &Send,
        stored: &StoredSubscription,
        vapid: &Vapid,
        attempt: &Attempt,
    ) -> Result<Outcome, Fault> {
        let raw = RawSubscription {
            endpoint: stored.endpoint.clone(),
            keys: RawKeys { p256dh: stored.p256dh.clone(), auth: stored.auth.clone() },
        };
        // Checked again at each send: the list of push services may have changed since it was saved.
        let Ok(subscription) = raw.validate(config(&self.env).loopback) else { return Ok(Outcome::Gone) };
        let crypto = WebCrypto;
        let token = self.token(&crypto, &subscription, vapid, attempt.now).await?;
        let delivery = Delivery { ttl_s: send.ttl_seconds, urgency: Urgency::Normal, topic: Some(send.topic.as_str()) };
        let text = self.notification(send, stored)?.to_json().map_err(|e| EngineError::Internal(e.to_string()))?;
        let composed = compose(&crypto, &subscription, &token, &delivery, &clock::random(), text.as_bytes()).await;
        let composed = composed.map_err(|e| EngineError::Internal(e.to_string()))?;
        let headers = Headers::new();
        for (name, value) in &composed.headers {
            headers.set(name, value)?;
        }
        let mut init = RequestInit::new();
        let bytes = js_sys::Uint8Array::from(composed.body.as_slice());
        init.with_method(Method::Post).with_headers(headers).with_body(Some(JsValue::from(bytes)));
        init.with_redirect(RequestRedirect::Manual);
        let request = Request::new_with_init(&composed.url, &init)?;
        let Ok(mut response) = Fetch::Request(request).send().await else {
            return Ok(Outcome::of_no_reply(attempt));
        };
        let retry_after = response.headers().get("retry-after")?;
        let body = response.text().await.unwrap_or_default();
        let reply = Reply {
            status: response.status_code(),
            retry_after: retry_after.as_deref(),
            body: cut(&body, ANSWER_BYTES),
        };
        Ok(Outcome::of(&reply, attempt))
    }

    async fn token(
        &self,
        crypto: &WebCrypto,
        subscription: &Subscription,
        vapid: &Vapid,
        now: UnixMillis,
    ) -> Result<Token, Fault> {
        let origin = subscription.endpoint().origin();
        let held = self.tokens.borrow().get(origin, vapid.key.id(), now).cloned();
        if let Some(token) = held {
            return Ok(token);
        }
        let token = token_for(crypto, &vapid.key, &vapid.subject, origin, now).await;
        let token = token.map_err(|e| EngineError::Internal(e.to_string()))?;
        self.tokens.borrow_mut().insert(origin, vapid.key.id(), token.clone());
        Ok(token)
    }

    fn notification(&self, send: &Send, stored: &StoredSubscription) -> Result<Notification, Fault> {
        let payload = format!("{} {}", send.profile_id.as_str(), send.message_id);
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
        entry: &Entry,
        send: &Send,
        stored: &StoredSubscription,
        outcome: Outcome,
        now: UnixMillis,
    ) -> Result<(), Fault> {
        let snapshot = snapshots::current(&self.env, clock::now()).await?;
        let profile_id = send.profile_id.as_str();
        self.store.db.transaction(|| {
            match outcome {
                Outcome::Retry { after_ms } => self.store.postpone(entry, now.saturating_add(after_ms))?,
                _ => self.store.drop_errand(&entry.id)?,
            }
            let Some(mut row) = self.store.load(profile_id)? else { return Ok(()) };
            row.push_answered(&send.message_id, outcome, now);
            if matches!(outcome, Outcome::Gone | Outcome::Resubscribe) {
                self.store.drop_subscription(profile_id, &stored.endpoint)?;
                let left = self.store.subscriptions(profile_id)?;
                let at = FragmentId::parse(&stored.fragment_id)?;
                let still = left.iter().any(|other| other.fragment_id == stored.fragment_id);
                row.set_subscriptions(&at, left.len() as u32, still, now);
            }
            let settled = settle(&mut row, &snapshot, now);
            self.store.save_settled(&row, &settled)
        })
    }
}
