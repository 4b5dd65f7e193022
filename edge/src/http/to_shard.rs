//! Handing browsers' requests to the shard of their profile, unread.
//!
//! By the route cookie, else by the bucket that the page names. Neither is trusted: the shard checks both.

use endcap_identity::signed;
use endcap_protocol::bucket_of;
use endcap_protocol::cookie::ROUTE_COOKIE;
use endcap_protocol::limits::BATCH_BYTES;
use endcap_push::ReportBody;
use endcap_validation::{DomainError, read_json};
use js_sys::Promise;
use worker::web_sys::Request as RawRequest;
use worker::{Env, Response};

use super::incoming::Incoming;
use super::rate_limits;
use crate::platform::config::config;
use crate::platform::cookie::cookie;
use crate::platform::error::EdgeError;
use crate::platform::query::Query;
use crate::platform::{clock, response};
use crate::rpc::placement::Use;
use crate::rpc::{placement, shards};

/// Bytes of a report about a notification that are read.
const REPORT_BYTES: usize = 4096;

/// Hands a browser's request to the shard of its profile.
pub(super) async fn by_route(incoming: Incoming<'_>) -> Result<Response, EdgeError> {
    let bucket = profile_bucket(incoming.request.inner())?;
    placement::check(incoming.env, Use::Write).await?;
    Ok(shards::shard(incoming.env, bucket)?.fetch_with_request(incoming.request).await?)
}

/// What a service worker reports about a notification goes to the home of the fragment that its signed token names.
pub(super) async fn by_notification(incoming: Incoming<'_>) -> Result<Response, EdgeError> {
    let mut copy = incoming.request.clone()?;
    let body = response::body(&mut copy, REPORT_BYTES).await?;
    let report: ReportBody = read_json(&body)?;
    let payload = signed::peek(&report.token).ok_or(DomainError::NotFound("notification"))?;
    let home = payload.split(' ').next().unwrap_or_default();
    placement::check(incoming.env, Use::Write).await?;
    Ok(shards::shard(incoming.env, bucket_of(home))?.fetch_with_request(incoming.request).await?)
}

/// Hands a batch to its shard without a Rust future and without taking request and answer apart: a third of what a
/// batch costs at the entry. None for what is not a batch, for batches that are refused (the router says why), and before
/// the placement was checked.
pub(crate) fn hand_over(request: &RawRequest, env: &Env) -> Option<Promise> {
    let is_batch = request.method() == "POST" && response::is_batch(&request.url(), &config(env));
    if !is_batch || !placement::is_checked(Use::Write, clock::now()) {
        return None;
    }
    let bucket = profile_bucket(request).ok()?;
    rate_limits::admit(request, &config(env)).ok()?;
    shards::raw_shard(env, bucket).ok()?.fetch(request).ok()
}

/// The bucket that a browser's POST goes to, if it may go to any.
fn profile_bucket(request: &RawRequest) -> Result<u16, EdgeError> {
    let headers = request.headers();
    response::check_media_type(&headers.get("content-type")?.unwrap_or_default())?;
    let announced = headers.get("content-length")?.and_then(|text| text.parse::<usize>().ok());
    if announced.is_some_and(|length| length > BATCH_BYTES) {
        return Err(DomainError::TooLarge { limit: BATCH_BYTES }.into());
    }
    let cookies = headers.get("cookie")?.unwrap_or_default();
    let named = || named_bucket(&request.url());
    let route = cookie(&cookies, ROUTE_COOKIE).and_then(signed::peek);
    Ok(route.map_or_else(named, |profile| bucket_of(&profile)))
}

fn named_bucket(url: &str) -> u16 {
    Query::of(url).get("b").and_then(|text| text.parse().ok()).unwrap_or(0)
}
