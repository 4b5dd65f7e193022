//! The worker's entry: routes a request to what answers it.
//!
//! Role in the flow of one event: the first of ours that sees it. A batch is handed on unread; everything that costs CPU
//! happens once, in the profile's shard.

use endcap_events::vendor::endpoint::Endpoint;
use endcap_identity::signed;
use endcap_protocol::bucket_of;
use endcap_protocol::cookie::ROUTE_COOKIE;
use endcap_protocol::limits::BATCH_BYTES;
use endcap_protocol::touch::parameter_value;
use endcap_push::ReportBody;
use endcap_validation::EngineError;
use js_sys::Promise;
use worker::web_sys::Request as RawRequest;
use worker::{Context, Env, Method, Request, Response};

use crate::config::{Config, config};
use crate::fault::Fault;
use crate::layout::Use;
use crate::{
    answer, api, assets, clock, cors, crossing, dev, layout, limits, objects, pixel, redirect, vendor, webhooks,
};

/// Answers a request.
pub(crate) async fn handle(request: Request, env: Env, context: Context) -> worker::Result<Response> {
    let config = config(&env);
    let path = request.path();
    let origin = request.headers().get("origin")?;
    // Pixels and redirects are for people behind the few addresses of mail proxies; the API has its key.
    let bounded = request.method() == Method::Post && !path.starts_with("/api/");
    if let Some(Err(fault)) = bounded.then(|| limits::admit(&request.inner().headers(), &config)) {
        return cors::settle(Err(fault), origin.as_deref(), &config);
    }
    if let Err(fault) = answer::check_known_method(&request) {
        return answer::fault(&fault);
    }
    let result = match path.strip_prefix(config.prefix.as_str()).filter(|rest| rest.starts_with('/')) {
        Some(rest) => browser(rest, request, &env, &config, &context).await,
        None => server(&path, request, &env, &config).await,
    };
    cors::settle(result, origin.as_deref(), &config)
}

/// Routes below the prefix: what browsers use.
async fn browser(
    rest: &str,
    request: Request,
    env: &Env,
    config: &Config,
    context: &Context,
) -> Result<Response, Fault> {
    match rest {
        "/e" | "/push" | "/n" if request.method() == Method::Options => preflight(&request, config),
        "/e" | "/push" => to_profile(request, env).await,
        "/n" => report(request, env).await,
        "/p.gif" => pixel::serve(&request, env, config, context).await,
        "/r" => redirect::serve(&request, env, config, context),
        "/x" => crossing::serve(&request, config),
        _ => match rest.strip_prefix("/dev/") {
            Some(route) if config.dev => dev::handle(route, request, env).await,
            Some(_) => Err(EngineError::NotFound("route").into()),
            None => match Endpoint::of(rest) {
                Some(endpoint) => vendor::handle(&endpoint, &config.prefix, request, env, config).await,
                None => assets::serve(request, env).await,
            },
        },
    }
}

/// Routes of servers, of operators, and what is left: files.
async fn server(path: &str, request: Request, env: &Env, config: &Config) -> Result<Response, Fault> {
    match path {
        "/healthz" => {
            answer::check_read(&request)?;
            layout::check(env, Use::Read).await?;
            answer::raw_json("{\"status\":\"ok\"}", 200)
        }
        _ if path.starts_with("/v1/webhooks/") => {
            webhooks::receive(path.strip_prefix("/v1/webhooks/").unwrap_or_default(), request, env, config).await
        }
        _ if path == "/api" || path.starts_with("/api/") => api::handle(path, request, env, config).await,
        _ => match Endpoint::of(path) {
            Some(endpoint) => vendor::handle(&endpoint, "", request, env, config).await,
            None => assets::serve(request, env).await,
        },
    }
}

/// Hands a browser's request to the shard of its profile: by the route cookie, else by the bucket that the page names.
/// Neither is trusted: the shard checks both.
async fn to_profile(request: Request, env: &Env) -> Result<Response, Fault> {
    let bucket = profile_bucket(request.inner())?;
    layout::check(env, Use::Write).await?;
    Ok(objects::shard(env, bucket)?.fetch_with_request(request).await?)
}

/// Hands a batch to its shard without a Rust future and without taking request and answer apart: a third of what a
/// batch costs at the entry. None for what is not a batch, for batches that are refused ([`handle`] says why), and before the layout
/// was checked.
pub(crate) fn hand_over(request: &RawRequest, env: &Env) -> Option<Promise> {
    if !answer::is_batch(request, &config(env)) || !layout::is_checked(Use::Write, clock::now()) {
        return None;
    }
    let bucket = profile_bucket(request).ok()?;
    limits::admit(&request.headers(), &config(env)).ok()?;
    objects::raw_shard(env, bucket).ok()?.fetch(request).ok()
}

/// The bucket that a browser's request goes to, if it may go to any.
fn profile_bucket(request: &RawRequest) -> Result<u16, Fault> {
    let headers = request.headers();
    if request.method() != "POST" {
        return Err(EngineError::Method("POST").into());
    }
    answer::check_media_type(&headers.get("content-type")?.unwrap_or_default())?;
    let announced = headers.get("content-length")?.and_then(|text| text.parse::<usize>().ok());
    if announced.is_some_and(|length| length > BATCH_BYTES) {
        return Err(EngineError::TooLarge { limit: BATCH_BYTES }.into());
    }
    let cookies = headers.get("cookie")?.unwrap_or_default();
    let named = || named_bucket(&request.url());
    let route = cookie(&cookies, ROUTE_COOKIE).and_then(signed::peek);
    Ok(route.map_or_else(named, |profile| bucket_of(&profile)))
}

/// The value of a cookie, out of the header.
pub(crate) fn cookie<'a>(header: &'a str, name: &str) -> Option<&'a str> {
    let mut pairs = header.split(';').filter_map(|pair| pair.trim().split_once('='));
    pairs.find(|(key, _)| *key == name).map(|(_, value)| value)
}

fn named_bucket(url: &str) -> u16 {
    let query = url.split_once('?').map_or("", |(_, query)| query);
    parameter_value(query, "b").and_then(|text| text.parse().ok()).unwrap_or(0)
}

/// What a service worker reports about a notification goes to the profile that its signed token names.
async fn report(request: Request, env: &Env) -> Result<Response, Fault> {
    answer::check_method(&request, Method::Post, "POST")?;
    let mut copy = request.clone()?;
    let body = answer::body(&mut copy, 4096).await?;
    let report: ReportBody = endcap_validation::read_json(&body)?;
    let payload = signed::peek(&report.token).ok_or(EngineError::NotFound("notification"))?;
    let profile = payload.split(' ').next().unwrap_or_default();
    layout::check(env, Use::Write).await?;
    Ok(objects::shard(env, bucket_of(profile))?.fetch_with_request(request).await?)
}

/// Answers a preflight: any origin that some source names. Which source it may send to is checked with the batch.
fn preflight(request: &Request, config: &Config) -> Result<Response, Fault> {
    let origin = request.headers().get("origin")?.unwrap_or_default();
    if !config.knows(&origin) {
        return Err(EngineError::Forbidden(origin).into());
    }
    let response = answer::empty(204);
    cors::allow(&response, &origin)?;
    for (name, value) in [
        ("access-control-allow-methods", "POST"),
        ("access-control-allow-headers", "content-type"),
        ("access-control-max-age", "86400"),
    ] {
        response.headers().set(name, value)?;
    }
    Ok(response)
}
