//! The browser's side of a visit: origin, route and cookies.

use endcap_engine::batch_reply::{BatchReply, NamedBrowser};
use endcap_engine::shop::Snapshot;
use endcap_events::ingest::event::Kind;
use endcap_events::ingest::rejection::RejectCode;
use endcap_events::ingest::{Batch, ingest_from};
use endcap_identity::possession_token::{HeldTokens, PossessionToken};
use endcap_identity::server_fragment::check_browsers;
use endcap_identity::{ProfileRoute, Purpose, Shown};
use endcap_protocol::cookie::{ID_COOKIE, Identity, ROUTE_COOKIE};
use endcap_protocol::limits::BATCH_BYTES;
use endcap_protocol::{AnonymousId, DeviceId, ProfileId, UnixMillis};
use endcap_validation::DomainError;
use js_sys::Uint8Array;
use worker::web_sys::{Request as RawRequest, Response as RawResponse};
use worker::{Request, Response};

use super::destination::{Destination, ForwardedBatch, Grant, RouteTarget, VerifiedRoute, Visited};
use super::forwarding_headers::{ERASED_HEADER, ForwardingHeaders, GRANT_HEADER, PROFILE_HEADER, write_packed};
use super::object::ProfileShard;
use super::visitor::Visitor;
use crate::platform::config::config;
use crate::platform::cookie::{Readers, lasting, possession_cookie, removed};
use crate::platform::error::EdgeError;
use crate::platform::{clock, response};
use crate::rpc::snapshots;

impl ProfileShard {
    /// `POST {prefix}/e`: a batch of events.
    pub(super) async fn batch_route(&self, mut request: Request) -> Result<Response, EdgeError> {
        let visitor = Visitor::of(request.inner(), &request.inner().url(), &config(&self.env))?;
        let body = response::body(&mut request, BATCH_BYTES).await?;
        let now = clock::now();
        let snapshot = snapshots::current(&self.env, now).await?;
        let signals = self.signals(request.inner(), &snapshot)?;
        let batch = self.with_client(ingest_from(&body, now, signals)?, &visitor, request.inner())?;
        self.check_source(batch.source.as_str(), &visitor)?;
        self.checked_batch(batch, &visitor, &body, signals.robot, now).await.map_err(EdgeError::readable)
    }

    /// The batch with the number of its client's address, where that may be needed, and with what the request tells of its device.
    fn with_client(&self, mut batch: Batch, visitor: &Visitor, request: &RawRequest) -> Result<Batch, EdgeError> {
        let config = config(&self.env);
        if batch.may_be_refused() {
            batch.note_client(visitor.client(&config.keys));
        }
        if !batch.events.is_empty() {
            batch.sender = visitor.sender(request, &config)?;
        }
        Ok(batch)
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
        let destination = Destination::of(target.at.clone(), target.shown.clone());
        let mut visited = self.visit(destination, body, batch).await?;
        let cookies = self.cookies(visitor, &head, &target, &mut visited)?;
        Ok(response::batch(&visited.body, visited.status, visitor.origin.as_deref(), &cookies)?.into())
    }

    /// The same for a batch that can be answered without an await. None for one that cannot.
    pub(super) fn batch_at_once(
        &self,
        (request, url): (&RawRequest, &str),
        body: &Uint8Array,
        snapshot: &Snapshot,
        now: UnixMillis,
    ) -> Result<Option<RawResponse>, EdgeError> {
        if body.length() as usize > BATCH_BYTES {
            return Err(DomainError::TooLarge { limit: BATCH_BYTES }.into());
        }
        let visitor = Visitor::of(request, url, &config(&self.env))?;
        let signals = self.signals(request, snapshot)?;
        let batch = self.with_client(ingest_from(&body.to_vec(), now, signals)?, &visitor, request)?;
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
        let Some(mut visited) = self.visit_at_once(&target, batch, snapshot, now)? else {
            // The other way counts the request again.
            self.uncount(&source);
            return Ok(None);
        };
        let cookies = self.cookies(visitor, &head, &target, &mut visited)?;
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
        let shown = self.shown(visitor, route.as_ref(), &batch.anonymous_id, batch.possession.as_deref());
        let refuses = batch.consent.is_some_and(|consent| !consent.analytics);
        let only_withdraws = refuses && batch.events.is_empty() && batch.ask.is_none();
        let shown = shown.map(|shown| Shown { only_withdraws, ..shown });
        let at = route.as_ref().map_or(home, |route| route.profile.clone());
        Ok(RouteTarget { at, route, shown })
    }

    /// What a request shows of its anonymous ID, by its cookies or by the token in its body. None where no key signs tokens:
    /// then nothing is ever bound.
    pub(super) fn shown(
        &self,
        visitor: &Visitor,
        route: Option<&VerifiedRoute>,
        id: &AnonymousId,
        in_body: Option<&str>,
    ) -> Option<Shown> {
        let config = config(&self.env);
        let of = |tokens: HeldTokens<'_>| tokens.generation_of(&config.keys, id);
        let generation = of(visitor.tokens()).or_else(|| of(HeldTokens::parse(in_body?)));
        let old_route = route.filter(|route| route.is_old).map(|route| route.profile.clone());
        let keeps_token = !visitor.is_cross_site || in_body.is_some();
        // Who shows a token is given none for an open ID.
        let client_number = if generation.is_none() { visitor.number(&config.keys, id) } else { 0 };
        (!config.keys.is_empty()).then(|| Shown {
            generation,
            old_route,
            keeps_token,
            client_number,
            ..Shown::default()
        })
    }

    /// A batch of another shard, which checked it where it came in.
    pub(super) async fn visit_route(&self, forwarded: ForwardingHeaders, body: &[u8]) -> Result<Response, EdgeError> {
        let profile = ProfileId::parse(&forwarded.profile)?;
        let ForwardedBatch { inherited_dedupe, body } = Destination::read_inherited(body)?;
        let read = ingest_from(body, forwarded.received_at, forwarded.signals)?;
        let ForwardingHeaders { fragment, shown, inherited, stated, hops, sender, .. } = forwarded;
        let batch = Batch { sender, ..read };
        let destination = Destination { profile, fragment, inherited_dedupe, shown, inherited, stated, hops };
        let visited = self.visit(destination, body, batch).await?;
        let response: Response = response::batch(&visited.body, visited.status, None, &[])?.into();
        response.headers().set(PROFILE_HEADER, &visited.profile_id)?;
        if visited.erased {
            response.headers().set(ERASED_HEADER, "1")?;
        }
        if let Some(grant) = &visited.grant {
            write_packed(response.headers(), GRANT_HEADER, grant)?;
        }
        Ok(response)
    }

    /// The profile that the visitor's route names, if we signed it.
    pub(super) fn verified(&self, visitor: &Visitor) -> Option<VerifiedRoute> {
        let (keys, text) = (&config(&self.env).keys, visitor.route.as_deref()?);
        let signed = |purpose| keys.verify(purpose, text);
        let (profile, is_old) = match signed(Purpose::Route) {
            Some(profile) => (profile, false),
            None => (signed(Purpose::OldRoute)?, true),
        };
        Some(VerifiedRoute { profile: ProfileId::parse(&profile).ok()?, is_old })
    }

    /// Refuses unknown sources, and pages that may not send to this one.
    pub(super) fn check_source(&self, source: &str, visitor: &Visitor) -> Result<(), EdgeError> {
        Ok(config(&self.env).admits(source, visitor.origin.as_deref())?)
    }

    /// The cookies of an answer, and in its text what a page has to know that holds no cookie.
    fn cookies(
        &self,
        visitor: &Visitor,
        head: &Head,
        target: &RouteTarget,
        visited: &mut Visited,
    ) -> Result<Vec<String>, EdgeError> {
        let secure = visitor.secure;
        let possession_cookie = possession_cookie(secure);
        if !head.may_store || visited.erased {
            // A visitor who withdraws consent loses all cookies, also those that the page cannot reach. So does an erased
            // browser, which goes on as a new visitor.
            let held = [
                (ROUTE_COOKIE, visitor.route.is_some()),
                (ID_COOKIE, visitor.identity.is_some()),
                (&possession_cookie, visitor.holds_tokens()),
            ];
            return Ok(held.into_iter().filter(|(_, held)| *held).map(|(name, _)| removed(name, secure)).collect());
        }
        let renamed = visited.grant.as_ref().map(|grant| &grant.anonymous_id).filter(|id| **id != head.anonymous_id);
        let held = visitor.identity.as_deref().and_then(Identity::parse);
        let is_own = held.as_ref().is_none_or(|held| held.anonymous == head.anonymous_id);
        // A browser that has moved on already, or a page that does not read the answer, takes no new ID, so no token of one.
        let stays = renamed.is_some() && (!is_own || visitor.is_unread);
        let grant = visited.grant.as_ref().filter(|_| !stays);
        let token = grant.and_then(|grant| self.possession_token(visitor, head, target, grant));
        let named = visited.grant.as_ref().map_or(&head.anonymous_id, |grant| &grant.anonymous_id);
        let in_body = HeldTokens::parse(head.possession.as_deref().unwrap_or_default());
        let readable = token.as_ref().filter(|_| visitor.is_cross_site).map(|token| in_body.with(named, token));
        let tokens = token.as_ref().map(|token| visitor.tokens().with(named, token));
        NamedBrowser { anonymous_id: renamed, possession: readable.as_deref() }.add_to(&mut visited.body)?;
        if visitor.is_cross_site {
            // None travels back, and one that a page of another site could set would take the place of the visitor's own.
            return Ok(Vec::new());
        }
        let possession = tokens.map(|tokens| lasting(&possession_cookie, &tokens, Readers::Edge, secure));
        let route = self.route_cookie(visitor, head, target, &visited.profile_id);
        let route = route.map(|route| lasting(ROUTE_COOKIE, &route, Readers::Edge, secure));
        let identity = identity_cookie(held, head, renamed).filter(|_| !stays);
        let identity = identity.map(|identity| lasting(ID_COOKIE, &identity.to_text(), Readers::Scripts, secure));
        Ok([route, possession, identity].into_iter().flatten().collect())
    }

    /// The route to set: when it is new, was signed by an older key or version, or a page is viewed, so that it lives on.
    fn route_cookie(&self, visitor: &Visitor, head: &Head, target: &RouteTarget, profile_id: &str) -> Option<String> {
        let keys = &config(&self.env).keys;
        let route = target.route.as_ref();
        let known = route.is_some_and(|route| route.profile.as_str() == profile_id && !route.is_old);
        match visitor.route.as_deref().filter(|route| known && keys.is_newest(route)) {
            Some(route) => head.page.then(|| route.to_owned()),
            None => keys.sign(Purpose::Route, profile_id),
        }
    }

    /// The possession token to give, in the same cases as the route.
    fn possession_token(&self, visitor: &Visitor, head: &Head, target: &RouteTarget, grant: &Grant) -> Option<String> {
        let keys = &config(&self.env).keys;
        let shown = target.shown.as_ref().and_then(|shown| shown.generation);
        let is_right = grant.anonymous_id == head.anonymous_id && shown == Some(grant.generation);
        let in_body = HeldTokens::parse(head.possession.as_deref().unwrap_or_default());
        let id = &grant.anonymous_id;
        let held = visitor.tokens().text_of(id).or_else(|| in_body.text_of(id));
        match held.filter(|held| is_right && keys.is_newest(held)) {
            Some(held) => (head.page && !visitor.is_cross_site && !visitor.is_unread).then(|| held.to_owned()),
            None => {
                let Grant { anonymous_id, generation } = grant.clone();
                PossessionToken { anonymous_id, generation }.sign(keys)
            }
        }
    }
}

/// The identity to set, because a cookie that a server set lives for 400 days where one that a script set lives for 7. A
/// browser that has to take another ID gets it one epoch on. One that goes by another than this batch's keeps it.
fn identity_cookie(held: Option<Identity>, head: &Head, renamed: Option<&AnonymousId>) -> Option<Identity> {
    let device = held.as_ref().map(|held| held.device.clone()).or_else(|| head.device_id.clone())?;
    if let Some(anonymous) = renamed {
        let epoch = held.map_or(0, |held| held.epoch).saturating_add(1);
        return Some(Identity { device, anonymous: anonymous.clone(), epoch });
    }
    if held.is_some() {
        return held.filter(|held| held.anonymous == head.anonymous_id);
    }
    // A page that could not set the cookie gets it from here; its copy in storage knows the epoch.
    Some(Identity { device, anonymous: head.anonymous_id.clone(), epoch: 0 })
}

/// What is needed of a batch after it was applied.
struct Head {
    anonymous_id: AnonymousId,
    device_id: Option<DeviceId>,
    may_store: bool,
    /// The possession token of its body.
    possession: Option<String>,
    /// Whether it tells of a page view.
    page: bool,
}

impl Head {
    fn of(batch: &Batch) -> Self {
        Self {
            anonymous_id: batch.anonymous_id.clone(),
            device_id: batch.device_id.clone(),
            possession: batch.possession.clone(),
            may_store: batch.consent.is_none_or(|consent| consent.analytics),
            page: batch.events.iter().any(|event| matches!(event.kind, Kind::Page { .. })),
        }
    }
}
