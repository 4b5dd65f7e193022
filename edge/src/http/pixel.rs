//! `GET {prefix}/p.gif`: an image of one pixel that counts, in a message (`t`) or on a page without script (`s`).
//!
//! It never fails visibly: whatever is wrong with the address, the image comes and nothing is counted.

use endcap_events::link::page::{PageView, fresh_identity};
use endcap_events::link::query::parameter;
use endcap_events::link::reader::Reader;
use endcap_events::link::token::{MAX_TOKEN, Message};
use endcap_events::link::{PIXEL, query};
use endcap_identity::signed;
use endcap_protocol::cookie::{ID_COOKIE, Identity, ROUTE_COOKIE};
use endcap_protocol::{bucket_of, uuid};
use wasm_bindgen::JsValue;
use worker::{Env, Headers, Method, Request, RequestInit, Response, ResponseBuilder, console_error};

use super::incoming::Incoming;
use super::rate_limits;
use super::reader::ReaderHeaders;
use super::server_delivery::deliver_later;
use crate::platform::clock;
use crate::platform::config::Config;
use crate::platform::cookie::cookie;
use crate::platform::error::EdgeError;
use crate::rpc::placement::Use;
use crate::rpc::{placement, shards};

/// Headers of the image's request that the profile's shard looks at.
const PASSED_ON: [&str; 4] = ["cookie", "user-agent", "sec-gpc", "accept-language"];

/// Answers with the image, and counts what it stands for.
pub(super) async fn serve(incoming: &Incoming<'_>) -> Result<Response, EdgeError> {
    let cookies = count(incoming).await.unwrap_or_else(|error| {
        console_error!("pixel: {error}");
        Vec::new()
    });
    let headers = Headers::new();
    for (name, value) in [
        ("content-type", "image/gif"),
        ("cache-control", "no-store, private"),
        ("cross-origin-resource-policy", "cross-origin"),
        ("x-content-type-options", "nosniff"),
    ] {
        headers.set(name, value)?;
    }
    for cookie in cookies {
        headers.append("set-cookie", &cookie)?;
    }
    Ok(ResponseBuilder::new().with_headers(headers).fixed(PIXEL.to_vec()))
}

/// Counts an open, while the image is already on its way, or a page view, whose answer may set cookies.
async fn count(incoming: &Incoming<'_>) -> Result<Vec<String>, EdgeError> {
    let Incoming { request, env, config, .. } = incoming;
    let url = incoming.url();
    let query = query::of(&url);
    let Some(token) = parameter(query, "t", MAX_TOKEN) else { return page_view(request, &url, env, config).await };
    let Some(message) = Message::of_pixel(&config.keys, &token) else { return Ok(Vec::new()) };
    let by = Reader::of_image(ReaderHeaders::of(request)?.request());
    let now = clock::now();
    deliver_later(incoming, message.channel.source()?, message.opened(by, now)?, now);
    Ok(Vec::new())
}

/// Counts a page view for the visitor whom the cookie names, or for a new one where the tag says that they agreed.
/// Returns the cookies to set.
async fn page_view(request: &Request, url: &str, env: &Env, config: &Config) -> Result<Vec<String>, EdgeError> {
    let headers = request.headers();
    let referer = headers.get("referer")?.unwrap_or_default();
    let Some(view) = PageView::parse(query::of(url), &referer) else { return Ok(Vec::new()) };
    if config.allows(view.source.as_str(), view.origin().unwrap_or_default()) != Some(true) {
        return Ok(Vec::new());
    }
    if rate_limits::admit_reader(request.inner(), config).is_err() {
        rate_limits::count_refused(env, view.source.as_str(), 1, clock::now()).await;
        return Ok(Vec::new());
    }
    let cookies = headers.get("cookie")?.unwrap_or_default();
    let known = cookie(&cookies, ID_COOKIE).and_then(Identity::parse);
    let is_known = known.is_some();
    let fresh = || fresh_identity(clock::random().ok()?, clock::random().ok()?).ok();
    let Some(visitor) = view.visitor(known, fresh) else { return Ok(Vec::new()) };
    let now = clock::now();
    let body = view.batch(&visitor, is_known, &uuid::v7(now, clock::random()?), now);
    let route = cookie(&cookies, ROUTE_COOKIE).and_then(signed::peek);
    let bucket = route.map_or_else(|| bucket_of(visitor.anonymous.as_str()), |profile| bucket_of(&profile));
    let batch = batch_request(url, &config.prefix, &body)?;
    for name in PASSED_ON {
        if let Some(value) = headers.get(name)? {
            batch.headers().set(name, &value)?;
        }
    }
    placement::check(env, Use::Write).await?;
    let answer = shards::shard(env, bucket)?.fetch_with_request(batch).await?;
    Ok(answer.headers().get_all("set-cookie")?)
}

/// The batch as the page would have sent it to the same host.
fn batch_request(url: &str, prefix: &str, body: &str) -> Result<Request, EdgeError> {
    let origin = query::origin(url).unwrap_or_default();
    let mut init = RequestInit::new();
    init.with_method(Method::Post).with_body(Some(JsValue::from_str(body)));
    let request = Request::new_with_init(&format!("{origin}{prefix}/e"), &init)?;
    request.headers().set("content-type", "text/plain")?;
    Ok(request)
}
