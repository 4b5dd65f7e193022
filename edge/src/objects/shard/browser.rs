//! The browser's side of a visit: origin, route and cookies.

use endcap_engine::batch_reply::BatchReply;
use endcap_engine::shop::Snapshot;
use endcap_events::ingest::event::Kind;
use endcap_events::ingest::rejection::RejectCode;
use endcap_events::ingest::{Batch, ingest_from};
use endcap_identity::server_fragment::check_browsers;
use endcap_identity::{ProfileRoute, Purpose};
use endcap_protocol::cookie::{ID_COOKIE, Identity, MAX_AGE_SECONDS, ROUTE_COOKIE};
use endcap_protocol::limits::BATCH_BYTES;
use endcap_protocol::{AnonymousId, DeviceId, FieldError, ProfileId, UnixMillis};
use endcap_validation::DomainError;
use js_sys::Uint8Array;
use worker::web_sys::{Request as RawRequest, Response as RawResponse};
use worker::{Request, Response};

use super::destination::{Destination, ForwardedBatch, RouteTarget, Visited};
use super::forwarding_headers::{ERASED_HEADER, ForwardingHeaders, PROFILE_HEADER};
use super::object::ProfileShard;
use super::visitor::Visitor;
use crate::platform::config::config;
use crate::platform::error::EdgeError;
use crate::platform::{clock, response};

impl ProfileShard {
    /// `POST {prefix}/e`: a batch of events.
    pub(super) async fn batch_route(&self, mut request: Request) -> Result<Response, EdgeError> {
        let visitor = Visitor::of(request.inner())?;
        let signals = self.signals(request.inner())?;
        let body = response::body(&mut request, BATCH_BYTES).await?;
        let now = clock::now();
        let batch = ingest_from(&body, now, signals)?;
        self.check_source(batch.source.as_str(), &visitor)?;
        self.checked_batch(batch, &visitor, &body, signals.robot, now).await.map_err(EdgeError::readable)
    }

    /// A batch of a page that may send to its source.
    async fn checked_batch(
        &self,
        batch: Batch,
        visitor: &Visitor,
        body: &[u8],
        robot: bool,
        now: UnixMillis,
    ) -> Result<Response, EdgeError> {
        self.check_rate(&batch, now)?;
        if robot {
            return Ok(self.robot(batch, visitor, now)?.into());
        }
        if batch.dropped > 0 {
            self.count_whole(&batch, RejectCode::Dropped, batch.dropped.into(), now)?;
        }
        let head = Head::of(&batch);
        let target = self.target(visitor, &batch)?;
        let visited = self.visit(Destination::of(target.at.clone()), body, batch).await?;
        let cookies = self.cookies(visitor, &head, &target, &visited);
        Ok(response::batch(&visited.body, visited.status, visitor.origin.as_deref(), &cookies)?.into())
    }

    /// The same for a batch that can be answered without an await. None for one that cannot.
    pub(super) fn batch_at_once(
        &self,
        request: &RawRequest,
        body: &Uint8Array,
        snapshot: &Snapshot,
        now: UnixMillis,
    ) -> Result<Option<RawResponse>, EdgeError> {
        if body.length() as usize > BATCH_BYTES {
            return Err(DomainError::TooLarge { limit: BATCH_BYTES }.into());
        }
        let visitor = Visitor::of(request)?;
        let signals = self.signals(request)?;
        let batch = ingest_from(&body.to_vec(), now, signals)?;
        if batch.dropped > 0 {
            return Ok(None);
        }
        self.check_source(batch.source.as_str(), &visitor)?;
        self.checked_at_once(batch, &visitor, snapshot, signals.robot, now).map_err(EdgeError::readable)
    }

    /// The same for a batch of a page that may send to its source.
    fn checked_at_once(
        &self,
        batch: Batch,
        visitor: &Visitor,
        snapshot: &Snapshot,
        robot: bool,
        now: UnixMillis,
    ) -> Result<Option<RawResponse>, EdgeError> {
        self.check_rate(&batch, now)?;
        if robot {
            return self.robot(batch, visitor, now).map(Some);
        }
        let head = Head::of(&batch);
        let target = self.target(visitor, &batch)?;
        let source = batch.source.clone();
        let Some(visited) = self.visit_at_once(&target, batch, snapshot, now)? else {
            // The other way counts the request again.
            self.uncount(&source);
            return Ok(None);
        };
        let cookies = self.cookies(visitor, &head, &target, &visited);
        response::batch(&visited.body, visited.status, visitor.origin.as_deref(), &cookies).map(Some)
    }

    /// Counts what a robot sent, and answers without doing anything of it.
    fn robot(&self, batch: Batch, visitor: &Visitor, now: UnixMillis) -> Result<RawResponse, EdgeError> {
        self.count_whole(&batch, RejectCode::Bot, batch.rejected.len() as i64, now)?;
        let reply = BatchReply::of(Vec::new(), Vec::new(), batch.rejected);
        response::batch(&reply.text(None)?, reply.status(), visitor.origin.as_deref(), &[])
    }

    /// Where a batch is to be applied: where the visitor's route leads, else at home.
    fn target(&self, visitor: &Visitor, batch: &Batch) -> Result<RouteTarget, EdgeError> {
        check_browsers(&batch.anonymous_id)?;
        let home = ProfileRoute::home(&batch.anonymous_id)?.profile;
        let route = self.verified(visitor);
        Ok(RouteTarget { at: route.clone().unwrap_or(home), route })
    }

    /// A batch of another shard, which checked it where it came in.
    pub(super) async fn visit_route(&self, forwarded: ForwardingHeaders, body: &[u8]) -> Result<Response, EdgeError> {
        let profile = ProfileId::parse(&forwarded.profile)?;
        let ForwardedBatch { inherited_dedupe, body } = Destination::read_inherited(body)?;
        let batch = ingest_from(body, forwarded.received_at, forwarded.signals)?;
        let destination = Destination { profile, fragment: forwarded.fragment, inherited_dedupe };
        let visited = self.visit(destination, body, batch).await?;
        let response: Response = response::batch(&visited.body, visited.status, None, &[])?.into();
        response.headers().set(PROFILE_HEADER, &visited.profile_id)?;
        if visited.erased {
            response.headers().set(ERASED_HEADER, "1")?;
        }
        Ok(response)
    }

    /// The profile that the visitor's route names, if we signed it.
    pub(super) fn verified(&self, visitor: &Visitor) -> Option<ProfileId> {
        let text = config(&self.env).keys.verify(Purpose::Route, visitor.route.as_deref()?)?;
        ProfileId::parse(&text).ok()
    }

    /// Refuses unknown sources, and pages that may not send to this one.
    pub(super) fn check_source(&self, source: &str, visitor: &Visitor) -> Result<(), EdgeError> {
        let origin = visitor.origin.as_deref();
        let known = config(&self.env).allows(source, origin.unwrap_or_default());
        let known = known.ok_or_else(|| FieldError::new("source", "is no source of this deployment"))?;
        match origin {
            Some(origin) if !known => Err(DomainError::Forbidden(origin.to_owned()).into()),
            _ => Ok(()),
        }
    }

    /// The visitor's cookies: the route when it is new, was signed by an older key, or a page is viewed, so that it
    /// lives on; and the identity again, because a cookie that a server set lives for 400 days where one that a script
    /// set lives for 7.
    fn cookies(&self, visitor: &Visitor, head: &Head, target: &RouteTarget, visited: &Visited) -> Vec<String> {
        let profile_id = visited.profile_id.as_str();
        let secure = if visitor.secure { "; Secure" } else { "" };
        if !head.may_store || visited.erased {
            // A visitor who withdraws consent loses both cookies, also the one that the page cannot reach. So does an
            // erased browser, which goes on as a new visitor.
            let held = [(ROUTE_COOKIE, visitor.route.is_some()), (ID_COOKIE, visitor.identity.is_some())];
            let gone = |name| format!("{name}=; Path=/; Max-Age=0; SameSite=Lax{secure}");
            return held.into_iter().filter(|(_, held)| *held).map(|(name, _)| gone(name)).collect();
        }
        let tail = format!("Path=/; Max-Age={MAX_AGE_SECONDS}; SameSite=Lax{secure}");
        let keys = &config(&self.env).keys;
        let known = target.route.as_ref().is_some_and(|route| route.as_str() == profile_id);
        let held = visitor.route.as_deref().filter(|route| known && keys.is_newest(route));
        let signed = match held {
            Some(route) => head.page.then(|| route.to_owned()),
            None => keys.sign(Purpose::Route, profile_id),
        };
        let route = signed.map(|signed| format!("{ROUTE_COOKIE}={signed}; HttpOnly; {tail}"));
        let held = visitor.identity.as_deref().and_then(Identity::parse);
        let held = held.filter(|identity| identity.anonymous == head.anonymous_id);
        // A page that could not set the cookie gets it from here; its copy in storage knows the epoch.
        let fresh = || {
            let (device, anonymous) = (head.device_id.clone()?, head.anonymous_id.clone());
            Some(Identity { device, anonymous, epoch: 0 })
        };
        let identity = held.or_else(fresh).map(|identity| format!("{ID_COOKIE}={}; {tail}", identity.to_text()));
        route.into_iter().chain(identity).collect()
    }
}

/// What is needed of a batch after it was applied.
struct Head {
    anonymous_id: AnonymousId,
    device_id: Option<DeviceId>,
    may_store: bool,
    /// Whether it tells of a page view.
    page: bool,
}

impl Head {
    fn of(batch: &Batch) -> Self {
        Self {
            anonymous_id: batch.anonymous_id.clone(),
            device_id: batch.device_id.clone(),
            may_store: batch.consent.is_none_or(|consent| consent.analytics),
            page: batch.events.iter().any(|event| matches!(event.kind, Kind::Page { .. })),
        }
    }
}
