//! Web push subscriptions.

use endcap_identity::possession::{Judgement, Moment};
use endcap_identity::possession_token::RenewalToken;
use endcap_identity::server_fragment::check_browsers;
use endcap_identity::{FragmentId, ProfileRoute};
use endcap_profile::resolution::Resolution;
use endcap_profile::{Fragment, ProfileRow};
use endcap_protocol::{AnonymousId, FieldError, SourceId, UnixMillis, bucket_of};
use endcap_push::{Crypto, PushBody, PushReply, RawSubscription};
use endcap_validation::{DomainError, read_json};
use worker::{Request, Response};

use super::destination::Destination;
use super::object::ProfileShard;
use super::subscription_change::{ChangeSubscription, Changed, CheckedChange};
use super::table::subscription::StoredSubscription;
use super::visitor::{Visitor, allow_origin};
use crate::platform::config::config;
use crate::platform::error::EdgeError;
use crate::platform::webcrypto::WebCrypto;
use crate::platform::{clock, response};
use crate::rpc::{call, snapshots};

/// Largest body of a subscription, in bytes.
const MAX_BODY: usize = 64 * 1024;
/// Most browsers of one profile that are subscribed; the one subscribed longest ago goes first.
const MAX_SUBSCRIPTIONS: usize = 10;

impl ProfileShard {
    /// `POST {prefix}/push`: a browser subscribes to web push, or ends it.
    pub(super) async fn push_route(&self, mut request: Request) -> Result<Response, EdgeError> {
        let visitor = Visitor::of(request.inner(), &request.inner().url(), &config(&self.env))?;
        let body: PushBody = read_json(&response::body(&mut request, MAX_BODY).await?)?;
        self.check_source(SourceId::parse(&body.source)?.as_str(), &visitor)?;
        let reply = self.checked_push(&body, &visitor).await.map_err(EdgeError::readable)?;
        let response = response::json(&reply)?;
        allow_origin(&response, &visitor)?;
        Ok(response)
    }

    /// What a page asks that may send to its source.
    async fn checked_push(&self, body: &PushBody, visitor: &Visitor) -> Result<PushReply, EdgeError> {
        let anonymous_id = AnonymousId::parse(&body.anonymous_id)?;
        check_browsers(&anonymous_id)?;
        let subscribe = match &body.subscription {
            Some(raw) => Some(self.checked(raw, body, visitor).await?),
            None => None,
        };
        if subscribe.is_none() && body.unsubscribe.is_none() {
            return Err(FieldError::new("subscription", "is required").into());
        }
        let home = ProfileRoute::home(&anonymous_id)?.profile;
        let route = self.verified(visitor);
        let shown = self.shown(visitor, route.as_ref(), &anonymous_id, None);
        let destination = Destination::of(route.map_or(home, |route| route.profile), shown);
        let keys = &config(&self.env).keys;
        let renewed = body.renewal.as_deref().and_then(|token| RenewalToken::verify(keys, token));
        let renews = renewed.filter(|token| token.anonymous_id == anonymous_id).map(|token| token.endpoint);
        let change = CheckedChange { anonymous_id, subscribe, unsubscribe: body.unsubscribe.clone(), renews };
        self.subscribe(destination, &change).await?;
        let CheckedChange { anonymous_id, subscribe, .. } = change;
        let subscribed = subscribe.is_some();
        let token = subscribe.map(|stored| RenewalToken { anonymous_id, endpoint: stored.endpoint });
        Ok(PushReply { subscribed, renewal: token.and_then(|token| token.sign(keys)) })
    }

    /// Checks what a browser claims to be its subscription: endpoints are where we will send requests to.
    async fn checked(
        &self,
        raw: &RawSubscription,
        body: &PushBody,
        visitor: &Visitor,
    ) -> Result<StoredSubscription, EdgeError> {
        let wrong = |path: &str, message: String| FieldError::new(path, message);
        let checked = raw.validate(config(&self.env).loopback).map_err(|e| wrong(e.path(), e.to_string()))?;
        let crypto = WebCrypto;
        let point = crypto.check_point(checked.public_key()).await;
        point.map_err(|_| wrong("subscription.keys.p256dh", "is no point on the curve P-256".to_owned()))?;
        let origin = visitor.origin.clone().ok_or_else(|| FieldError::new("origin", "the header is required"))?;
        Ok(StoredSubscription {
            fragment_id: String::new(),
            endpoint: checked.endpoint().as_str().to_owned(),
            p256dh: raw.keys.p256dh.clone(),
            auth: raw.keys.auth.clone(),
            key_id: endcap_protocol::touch::cut(&body.key_id, 16).to_owned(),
            origin,
            since: clock::now(),
        })
    }

    /// A change that another shard checked.
    pub(super) async fn subscribe_route(&self, body: ChangeSubscription) -> Result<Response, EdgeError> {
        response::json(&Changed::of(self.subscribe(body.destination, &body.change).await)?)
    }

    /// Makes the change at the profile that has the browser's fragment.
    async fn subscribe(&self, destination: Destination, change: &CheckedChange) -> Result<(), EdgeError> {
        let profile_id = destination.profile.as_str();
        if let Some(shard) = self.elsewhere(bucket_of(profile_id)).await? {
            let body = ChangeSubscription { destination, change: change.clone() };
            return call::ask(&shard, &body).await?.into_result();
        }
        let now = clock::now();
        let snapshot = snapshots::current(&self.env, now).await?;
        let next = self.store.db.transaction(|| {
            let named = destination.fragment.as_ref();
            let stored = self.store.load_for(&destination.profile, &change.anonymous_id, named)?;
            let mut row = stored.unwrap_or_else(|| ProfileRow::new(destination.profile.clone(), now));
            let at = match row.resolve(&change.anonymous_id, destination.fragment.as_ref())? {
                Resolution::Here(at) => at,
                Resolution::Begins(at) if self.is_erased(&at, now)? => {
                    return Err(FieldError::new("anonymous_id", "was erased; it needs a new one").into());
                }
                Resolution::Begins(at) => {
                    row.fragments.insert(at.clone(), Fragment::begun(&change.anonymous_id, now));
                    at
                }
                Resolution::Coming => return Err(DomainError::Moving.into()),
                Resolution::Next { profile, fragment, passed } => {
                    let inherited = destination.asking().passed_on(&row, &passed, &fragment);
                    let next = Destination::at(profile, fragment, destination.shown.clone());
                    return Ok(AfterChange::Elsewhere(Destination { inherited, ..next }));
                }
            };
            let moment = Moment { at: now, in_flight_ms: config(&self.env).in_flight_ms };
            match destination.asking().judge(&row, &at, || false, moment) {
                Judgement::Holds(possession) if !possession.is_ended || change.subscribe.is_none() => {
                    row.note_possession(&at, &possession);
                }
                // Who knows an endpoint may end it, and who has a subscription's token may replace that one.
                _ if self.names_own(&row, &at, change)? => {}
                Judgement::InFlight => return Err(DomainError::NewToken.into()),
                Judgement::Holds(_) | Judgement::Unverified => return Err(DomainError::Unverified.into()),
            }
            self.write_change(&row, &at, change)?;
            let left = self.store.subscriptions(profile_id)?;
            let still = left.iter().any(|stored| stored.fragment_id == at.as_str());
            row.set_subscriptions(&at, left.len() as u32, still, now);
            let refreshed = self.store.refresh(&mut row, &snapshot, now)?;
            self.store.save_refreshed(&row, &refreshed)?;
            Ok(AfterChange::Due(refreshed.timers.iter().map(|timer| timer.to).min()))
        })?;
        match next {
            AfterChange::Due(due) => self.arm_at(due).await,
            AfterChange::Elsewhere(next) => {
                self.finish_links(profile_id).await?;
                Box::pin(self.subscribe(next, change)).await
            }
        }
    }

    /// Ends the subscriptions of a browser whose anonymous ID is bound anew: who had the ID before may have made them. The
    /// page of the one who has it now offers its own again, without asking the visitor.
    pub(super) fn end_subscriptions(
        &self,
        row: &mut ProfileRow,
        at: &FragmentId,
        now: UnixMillis,
    ) -> Result<(), EdgeError> {
        let all = self.store.subscriptions(row.id.as_str())?;
        let (ended, left): (Vec<_>, Vec<_>) = all.iter().partition(|stored| stored.fragment_id == at.as_str());
        for stored in &ended {
            self.store.drop_subscription(row.id.as_str(), &stored.endpoint)?;
        }
        if !ended.is_empty() {
            row.set_subscriptions(at, left.len() as u32, false, now);
        }
        Ok(())
    }

    /// Whether the change only ends a subscription that the browser has, or replaces it by that one's token.
    fn names_own(&self, row: &ProfileRow, at: &FragmentId, change: &CheckedChange) -> Result<bool, EdgeError> {
        let named = if change.subscribe.is_some() { &change.renews } else { &change.unsubscribe };
        let Some(endpoint) = named else { return Ok(false) };
        let held = self.store.subscriptions(row.id.as_str())?;
        Ok(held.iter().any(|stored| stored.endpoint == *endpoint && stored.fragment_id == at.as_str()))
    }

    fn write_change(&self, row: &ProfileRow, at: &FragmentId, change: &CheckedChange) -> Result<(), EdgeError> {
        let id = row.id.as_str();
        let renewed = change.subscribe.as_ref().and(change.renews.as_ref());
        for endpoint in change.unsubscribe.iter().chain(renewed) {
            let own = self.store.subscriptions(id)?;
            let own = own.iter().find(|s| s.endpoint == *endpoint && s.fragment_id == at.as_str());
            if own.is_some() {
                self.store.drop_subscription(id, endpoint)?;
            }
        }
        if let Some(stored) = &change.subscribe {
            self.store
                .put_subscription(id, &StoredSubscription { fragment_id: at.as_str().to_owned(), ..stored.clone() })?;
            let mut all = self.store.subscriptions(id)?;
            all.sort_by_key(|stored| std::cmp::Reverse(stored.since));
            for surplus in all.iter().skip(MAX_SUBSCRIPTIONS) {
                self.store.drop_subscription(id, &surplus.endpoint)?;
            }
        }
        Ok(())
    }
}

/// What follows a change.
enum AfterChange {
    Due(Option<i64>),
    Elsewhere(Destination),
}
