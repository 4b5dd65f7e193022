//! `/v1/…` and RudderStack's routes: the tracking APIs that other vendors' clients speak.
//!
//! Role in the flow of one event: the entry parses only these requests and webhooks, because one request may be about
//! many people. The write key names the source and its trust. The entry delivers the calls that it understands and
//! quarantines the others. The answer is the one that the vendors' clients expect.

use std::collections::BTreeMap;

use endcap_api::Operation;
use endcap_engine::batch_reply::{BatchReply, shorten};
use endcap_engine::limit;
use endcap_events::ingest::Warning;
use endcap_events::ingest::consent::{Gpc, Stated};
use endcap_events::ingest::quarantine::{Quarantined, Route};
use endcap_events::ingest::rejection::{RejectCode, Rejection};
use endcap_events::server::ServerEvent;
use endcap_events::vendor::CallType;
use endcap_events::vendor::answers;
use endcap_events::vendor::consent::Categories;
use endcap_events::vendor::keys::basic_user;
use endcap_events::vendor::request::{BODY_BYTES, KEPT, Refused, Request as Calls, read, unpack, write_key};
use endcap_identity::Purpose;
use endcap_protocol::{FieldError, SourceId, UnixMillis};
use endcap_validation::path::segment;
use endcap_validation::{DomainError, Trust};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use worker::{Env, Request, Response};

use super::history_finder::Authority;
use super::incoming::Incoming;
use super::rate_limits;
use super::server_delivery::deliver;
use crate::platform::config::{Config, config};
use crate::platform::error::EdgeError;
use crate::platform::query::Query;
use crate::platform::{client_address, clock, cors, response};
use crate::rpc::quarantine;

/// The sender.
struct Speaker {
    source: SourceId,
    trust: Trust,
    /// What the browser's Global Privacy Control refuses, where it is on.
    gpc: Option<Gpc>,
}

/// What a call is kept in quarantine with, so that it can be read again.
#[derive(Debug, Serialize, Deserialize)]
struct CallContext {
    trust: String,
    call: Option<String>,
    sent_at: Option<UnixMillis>,
    /// What the browser's Global Privacy Control refused, where it was on.
    #[serde(default)]
    gpc: Option<String>,
}

/// A client's figures about itself are not kept.
pub(super) fn metrics() -> Result<Response, EdgeError> {
    let response = response::json(&json!({"success": true}))?;
    // They name no source, so the answer names no origin.
    response.headers().set("access-control-allow-origin", "*")?;
    Ok(response)
}

/// What every route of the vendors' APIs answers. A page may read it where the source that it asked lists its origin: it is
/// good, or an error that came after that was checked.
pub(super) fn readable(result: Result<Response, EdgeError>, origin: Option<&str>) -> Result<Response, EdgeError> {
    let (response, checked) = match result {
        Ok(response) => (response, true),
        Err(error) => (refusal(&error)?, matches!(error, EdgeError::Readable(_))),
    };
    if let Some(origin) = origin
        && checked
        && !response.headers().has("access-control-allow-origin")?
    {
        cors::allow_without_cookies(&response, origin)?;
    }
    Ok(response)
}

/// The sender of a write key.
fn speaker(key: &str, request: &Request, config: &Config) -> Result<Speaker, EdgeError> {
    if let Some(source) = config.server_keys.source(key) {
        return Ok(Speaker { source: source.clone(), trust: Trust::Fact, gpc: None });
    }
    if !config.sources.contains_key(key) {
        return Err(DomainError::WriteKey.into());
    }
    let signal = request.headers().get("sec-gpc")?.is_some_and(|value| value == "1");
    Ok(Speaker { source: SourceId::parse(key)?, trust: Trust::Claim, gpc: signal.then_some(config.gpc) })
}

/// The write key of a request: in the authorization, in the query, or in the body.
fn key_of(request: &Request, body: &[u8]) -> Result<String, EdgeError> {
    let header = request.headers().get("authorization")?;
    let named = header.as_deref().and_then(basic_user).or_else(|| Query::of(&request.inner().url()).get("writeKey"));
    Ok(named.or_else(|| write_key(body)).ok_or(DomainError::WriteKey)?)
}

/// Takes calls in: one of a kind, or many.
pub(super) async fn take(call: Option<CallType>, mut incoming: Incoming<'_>) -> Result<Response, EdgeError> {
    let Incoming { request, config, .. } = &mut incoming;
    let packed = request.headers().get("content-encoding")?.is_some_and(|how| how.trim().eq_ignore_ascii_case("gzip"));
    let body = response::body(request, BODY_BYTES).await?;
    let body = if packed { unpack(&body)? } else { body };
    let speaker = speaker(&key_of(request, &body)?, request, config)?;
    check_sender(&speaker, request, config)?;
    apply(call, &speaker, &body, &incoming).await.map_err(EdgeError::readable)
}

/// Takes the calls in of a sender who may send.
async fn apply(
    call: Option<CallType>,
    speaker: &Speaker,
    body: &[u8],
    incoming: &Incoming<'_>,
) -> Result<Response, EdgeError> {
    let Incoming { request, env, config, .. } = incoming;
    let now = clock::now();
    let source = speaker.source.as_str();
    let admitted = rate_limits::admit_source(source, config, now);
    let mut understood = read(body, call, now, &categories(source, config))?;
    if speaker.trust == Trust::Claim {
        understood.refuse_people(body);
    }
    if let Err(error) = admitted {
        rate_limits::count_refused(env, source, understood.len(), now).await;
        return Err(error);
    }
    respect(&mut understood, speaker.gpc);
    if is_robot(speaker, request, config)? {
        // The robot is told that all is well, as with our own script.
        quarantine::count(env, source, RejectCode::Bot, understood.len()).await?;
        return response::json(&json!({"success": true}));
    }
    let (indices, events): (Vec<usize>, Vec<ServerEvent>) = understood.events.into_iter().unzip();
    let delivered = deliver(env, &speaker.source, Authority::of(speaker.trust), events).await?;
    if !understood.refused.is_empty() {
        let most = if speaker.trust == Trust::Claim { KEPT } else { usize::MAX };
        let (first, rest) = understood.refused.split_at(understood.refused.len().min(most));
        let client = client_address::of(request.inner(), config)?.and_then(|address| limit::client(&address));
        let client = client.map_or(0, |client| config.keys.number(Purpose::Client, &client));
        let keep = |refused: &Refused| Quarantined { client, ..kept(refused, speaker, call, now) };
        count_rest(env, source, rest).await?;
        quarantine::keep(env, first.iter().map(keep).collect()).await?;
    }
    let good = delivered.accepted.len() + delivered.duplicate.len();
    let late = delivered.rejected.into_iter().map(|rejection| replaced(rejection, &indices));
    let mut rejected: Vec<_> = understood.refused.into_iter().map(|refused| refused.rejection).chain(late).collect();
    rejected.sort_by_key(|rejection| rejection.index);
    outcome(good, rejected, &delivered.warnings)
}

/// Counts refused calls of which nothing is kept, because one request holds too many.
async fn count_rest(env: &Env, source: &str, rest: &[Refused]) -> Result<(), EdgeError> {
    let mut counts: BTreeMap<RejectCode, usize> = BTreeMap::new();
    for refused in rest {
        *counts.entry(refused.rejection.code).or_default() += 1;
    }
    for (code, count) in counts {
        quarantine::count(env, source, code, count).await?;
    }
    Ok(())
}

/// What a source's own consent categories mean.
fn categories(source: &str, config: &Config) -> Categories {
    config.categories.get(source).cloned().unwrap_or_default()
}

/// Takes from each call's consent what the browser's privacy signal refuses. Where it refuses everything, nothing of a
/// call is kept, not even to say what was wrong with it.
fn respect(understood: &mut Calls, gpc: Option<Gpc>) {
    let Some(gpc) = gpc else { return };
    for (_, event) in &mut understood.events {
        event.consent = Stated::limit(event.consent, gpc);
    }
    if gpc == Gpc::Analytics {
        understood.refused.iter_mut().for_each(|refused| refused.rejection.code = RejectCode::NoConsent);
    }
}

/// Pages may send only to a source that names them.
fn check_sender(speaker: &Speaker, request: &Request, config: &Config) -> Result<(), EdgeError> {
    let origin = request.headers().get("origin")?;
    if let Some(origin) = origin
        && config.allows(speaker.source.as_str(), &origin) == Some(false)
    {
        return Err(DomainError::Forbidden(origin).into());
    }
    Ok(())
}

/// Whether a page was opened by a robot. Servers' clients name no browser either, and are none.
fn is_robot(speaker: &Speaker, request: &Request, config: &Config) -> Result<bool, EdgeError> {
    let headers = request.headers();
    if speaker.trust == Trust::Fact || headers.get("origin")?.is_none() {
        return Ok(false);
    }
    let agent = headers.get("user-agent")?.unwrap_or_default();
    Ok(config.bots.catches(&agent, &headers.get("sec-ch-ua")?.unwrap_or_default()))
}

/// A refused call with what it takes to read it again.
fn kept(refused: &Refused, speaker: &Speaker, call: Option<CallType>, now: UnixMillis) -> Quarantined {
    let context = CallContext {
        trust: speaker.trust.as_str().to_owned(),
        call: call.map(|call| call.as_str().to_owned()),
        sent_at: refused.sent_at,
        gpc: speaker.gpc.map(|gpc| gpc.as_str().to_owned()),
    };
    let (source, subject) = (speaker.source.as_str(), refused.subject.as_str());
    let kept = Quarantined::new(Route::Vendor, source, subject, &refused.raw, &refused.rejection, now);
    kept.within(&serde_json::to_string(&context).unwrap_or_default())
}

/// A rejection of what was delivered, with its place in the request.
fn replaced(rejection: Rejection, indices: &[usize]) -> Rejection {
    let index = indices.get(rejection.index).copied().unwrap_or(rejection.index);
    Rejection { index, ..rejection.relative() }
}

/// Most refused calls of which an answer says something.
const LISTED: usize = 500;

/// The answer to calls of which something is good.
#[derive(Debug, Serialize)]
struct Taken<'a> {
    success: bool,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    rejected: &'a [Rejection],
    #[serde(skip_serializing_if = "Option::is_none")]
    more_rejected: Option<usize>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    warnings: &'a [Warning],
}

/// The answer: that all is well, as the clients know it, or what is wrong where nothing of the request is good.
fn outcome(good: usize, mut rejected: Vec<Rejection>, warnings: &[Warning]) -> Result<Response, EdgeError> {
    // Events without consent are no error: sending and dropping them was right.
    let is_good = good > 0 || rejected.iter().all(|rejection| rejection.code == RejectCode::NoConsent);
    let more_rejected = rejected.len().checked_sub(LISTED).filter(|more| *more > 0);
    rejected.truncate(LISTED);
    shorten(&mut rejected);
    let Some(first) = rejected.first().filter(|_| !is_good) else {
        return response::json(&Taken { success: true, rejected: &rejected, more_rejected, warnings });
    };
    let error = json!({"code": first.code, "message": first.message, "path": first.path});
    let mut body = json!({"success": false, "error": error, "rejected": rejected});
    if let (Some(more), Some(body)) = (more_rejected, body.as_object_mut()) {
        body.insert("more_rejected".to_owned(), more.into());
    }
    response::raw_json(&body.to_string(), 400)
}

/// The answer to a request that failed as a whole. One that is too large gets 400, as at the vendors: their clients do
/// not send it again.
fn refusal(error: &EdgeError) -> Result<Response, EdgeError> {
    let domain = error.to_domain();
    if !matches!(domain, DomainError::TooLarge { .. }) {
        return Ok(response::error(error)?);
    }
    let body: Value = serde_json::from_str(&domain.to_json())?;
    response::raw_json(&json!({"success": false, "error": body.get("error")}).to_string(), 400)
}

/// Reads a call that was kept again, now that a setting may have been put right, and says what is still refused.
pub(super) async fn again(env: &Env, kept: &Quarantined) -> Result<BatchReply, EdgeError> {
    let context: CallContext = serde_json::from_str(&kept.context)?;
    let source = SourceId::parse(&kept.source)?;
    let call = context.call.as_deref().and_then(CallType::parse);
    let body = match call {
        Some(_) => kept.raw.clone(),
        None => format!("{{\"batch\":[{}],\"sentAt\":{}}}", kept.raw, json!(context.sent_at)),
    };
    let categories = categories(&kept.source, &config(env));
    let mut understood = match read(body.as_bytes(), call, kept.received_at, &categories) {
        Ok(understood) => understood,
        // A call that was cut to fit is no longer JSON.
        Err(error) => return Ok(BatchReply::of(Vec::new(), Vec::new(), vec![unreadable(&error)])),
    };
    respect(&mut understood, context.gpc.as_deref().map(Gpc::parse));
    let events = understood.events.into_iter().map(|(_, event)| event).collect();
    let delivered = deliver(env, &source, Authority::of(Trust::parse(&context.trust)), events).await?;
    let mut rejected: Vec<_> = understood.refused.into_iter().map(|refused| refused.rejection).collect();
    rejected.extend(delivered.rejected);
    Ok(BatchReply::of(delivered.accepted, delivered.duplicate, rejected).warning(delivered.warnings))
}

fn unreadable(error: &DomainError) -> Rejection {
    Rejection::new(RejectCode::InvalidEvent, FieldError::new("", error.to_string()))
}

/// What clients ask for before they send anything.
pub(super) fn client(operation: Operation, incoming: &Incoming<'_>) -> Result<Response, EdgeError> {
    match operation {
        Operation::GetSourceConfig => source_config(incoming),
        _ => settings(incoming),
    }
}

/// `GET /v1/projects/{key}/settings`.
fn settings(incoming: &Incoming<'_>) -> Result<Response, EdgeError> {
    let key = segment(incoming.parameter, "write_key")?;
    let speaker = speaker(&key, &incoming.request, incoming.config)?;
    check_sender(&speaker, &incoming.request, incoming.config)?;
    let url = incoming.url();
    let (scheme, rest) = url.split_once("://").unwrap_or(("https", &url));
    let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
    response::json(&answers::settings(&key, scheme, &format!("{host}{}", incoming.base)))
}

/// `GET /sourceConfig`.
fn source_config(incoming: &Incoming<'_>) -> Result<Response, EdgeError> {
    let key = key_of(&incoming.request, &[])?;
    let speaker = speaker(&key, &incoming.request, incoming.config)?;
    check_sender(&speaker, &incoming.request, incoming.config)?;
    response::json(&answers::source_config(&key, speaker.source.as_str()))
}
