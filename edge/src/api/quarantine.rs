//! `/api/quarantine`: what was refused and why, over all shards, and taking it in again.

use std::collections::BTreeMap;

use endcap_engine::batch_reply::BatchReply;
use endcap_events::ingest::ingest_as;
use endcap_events::ingest::quarantine::{
    Count, Counts, Listed, PAGE, Page, Quarantined, ReplayAsk, ReplayReply, Route, StillRefused, bucket_of_id,
};
use endcap_events::ingest::rejection::RejectCode;
use endcap_protocol::touch::parameter_value;
use endcap_protocol::{FieldError, bucket_of};
use endcap_validation::path::segment;
use endcap_validation::{EngineError, Trust, read_json};
use serde_json::{Map, Value};
use worker::{Env, Method, Request, Response};

use crate::config::config;
use crate::fault::Fault;
use crate::shard::{ListAsk, ListReply, Release, Replay};
use crate::{answer, objects, vendor, webhooks};

/// Events listed where the request names no limit, and taken in again by one request.
const DEFAULT_LIMIT: i64 = 50;
/// Largest body of a replay, in bytes.
const MAX_BODY: usize = 64 * 1024;

/// Answers a route at or below `/api/quarantine`.
pub(super) async fn handle(rest: &str, mut request: Request, env: &Env) -> Result<Response, Fault> {
    match (rest, request.method()) {
        ("", Method::Get) => {
            let (ask, limit) = asked(&request.inner().url())?;
            answer::json(&page(&ask, limit, env).await?)
        }
        ("/counts", Method::Get) => answer::json(&counts(env).await?),
        ("/replay", Method::Post) => {
            let ask: ReplayAsk = read_json(&answer::body(&mut request, MAX_BODY).await?)?;
            answer::json(&replay(&ask, env).await?)
        }
        ("/replay", _) => Err(EngineError::Method("POST").into()),
        (id, Method::Get) => {
            let id = segment(id.strip_prefix('/').unwrap_or_default(), "id")?;
            let found = named(&[id.into_owned()], env).await?.pop();
            answer::json(&found.ok_or(EngineError::NotFound("refused event"))?)
        }
        _ => Err(EngineError::Method("GET").into()),
    }
}

/// What a request for the list asks for.
fn asked(url: &str) -> Result<(ReplayAsk, i64), Fault> {
    let query = url.split_once('?').map_or("", |(_, query)| query);
    let named = |name| parameter_value(query, name);
    let code = named("code").map(|text| RejectCode::parse(&text).ok_or_else(|| FieldError::new("code", "is no code")));
    let limit = named("limit").map(|text| text.parse().ok().filter(|limit| (1..=PAGE as i64).contains(limit)));
    let limit = limit.unwrap_or(Some(DEFAULT_LIMIT)).ok_or_else(|| FieldError::new("limit", "must be 1 to 200"))?;
    let route = named("route").map(|text| text.parse()).transpose()?;
    let (source, path, cursor) = (named("source"), named("path"), named("cursor"));
    let ask = ReplayAsk { source, code: code.transpose()?, route, path, cursor, ..ReplayAsk::default() };
    Ok((ask, limit))
}

/// Largest number that JavaScript, through which storage is asked, holds exactly.
const EXACT: i64 = (1 << 53) - 1;

/// Where a list goes on: the shard, and the sequence number there.
fn place(cursor: Option<&str>) -> Result<(usize, i64), FieldError> {
    let Some(text) = cursor else { return Ok((0, 0)) };
    let parts = text.split_once('.').and_then(|(shard, after)| Some((shard.parse().ok()?, after.parse().ok()?)));
    parts
        .filter(|(_, after)| (0..=EXACT).contains(after))
        .ok_or_else(|| FieldError::new("cursor", "must be the cursor of an earlier answer"))
}

/// One page: the shards one after the other, each in the order in which it received the events.
async fn page(ask: &ReplayAsk, limit: i64, env: &Env) -> Result<Page, Fault> {
    let (first, mut after) = place(ask.cursor.as_deref())?;
    let mut page = Page::default();
    for (number, shard) in objects::all_shards(env).await?.iter().enumerate().skip(first) {
        let left = limit - page.events.len() as i64;
        let ask = ListAsk { ask: ReplayAsk { ids: Vec::new(), patch: None, ..ask.clone() }, after, limit: left };
        let reply: ListReply = objects::ask(shard, "/quarantine/list", &ask).await?;
        let last = reply.events.last().map(|(seq, _)| *seq);
        page.events.extend(reply.events.into_iter().map(|(_, listed)| listed));
        if page.events.len() as i64 >= limit {
            page.cursor = last.map(|seq| format!("{number}.{seq}"));
            break;
        }
        after = 0;
    }
    Ok(page)
}

/// Events by name, where they are still kept: in the shard that refused them, wherever their bucket is now.
async fn named(ids: &[String], env: &Env) -> Result<Vec<Listed>, Fault> {
    let ids: Vec<String> = ids.iter().filter(|id| bucket_of_id(id).is_some()).cloned().collect();
    let mut found = Vec::new();
    for shard in objects::all_shards(env).await? {
        let ask = ListAsk { ask: ReplayAsk { ids: ids.clone(), ..ReplayAsk::default() }, after: 0, limit: 0 };
        let reply: ListReply = objects::ask(&shard, "/quarantine/list", &ask).await?;
        found.extend(reply.events.into_iter().map(|(_, listed)| listed));
    }
    Ok(found)
}

async fn counts(env: &Env) -> Result<Counts, Fault> {
    let mut sums: BTreeMap<(String, String, String), u64> = BTreeMap::new();
    let mut all = Counts::default();
    for shard in objects::all_shards(env).await? {
        let part: Counts = objects::ask(&shard, "/quarantine/counts", &serde_json::json!({})).await?;
        all.dropped = all.dropped.saturating_add(part.dropped);
        for one in part.counts {
            let sum = sums.entry((one.day, one.source, one.code)).or_default();
            *sum = sum.saturating_add(one.count);
        }
    }
    let count = |((day, source, code), count)| Count { day, source, code, count };
    all.counts = sums.into_iter().rev().map(count).collect();
    Ok(all)
}

/// Takes refused events in again, each by the way on which it came, and lets go of those that are accepted now.
async fn replay(ask: &ReplayAsk, env: &Env) -> Result<ReplayReply, Fault> {
    ask.check()?;
    let page = if ask.ids.is_empty() {
        page(ask, DEFAULT_LIMIT, env).await?
    } else {
        Page { events: named(&ask.ids, env).await?, cursor: None }
    };
    let mut reply = ReplayReply { cursor: page.cursor, ..ReplayReply::default() };
    for listed in page.events {
        match replay_one(&listed, ask.patch.as_ref(), env).await? {
            None => {
                release(&listed.id, env).await?;
                reply.accepted.push(listed.id);
            }
            Some(refused) => reply.rejected.push(refused),
        }
    }
    Ok(reply)
}

/// Takes one event in again, put right by a patch where there is one. None when it is accepted, or was before.
async fn replay_one(
    listed: &Listed,
    patch: Option<&Map<String, Value>>,
    env: &Env,
) -> Result<Option<StillRefused>, Fault> {
    let (id, event) = (listed.id.clone(), &listed.event);
    let still = |code, path: &str, message: &str| {
        Ok(Some(StillRefused { id: id.clone(), code, path: path.to_owned(), message: message.to_owned() }))
    };
    let patched = patch.map(|patch| event.patched(patch));
    let event = match &patched {
        None => event,
        Some(Some(patched)) => patched,
        Some(None) => {
            return still(event.code, &event.path, "what was kept is no JSON object, so it cannot be patched");
        }
    };
    // Webhook sources are known by their mappings.
    if event.route != Route::Webhook && !config(env).sources.contains_key(&event.source) {
        return still(RejectCode::InvalidField, "source", "is no source of this deployment");
    }
    let reply = match event.route {
        Route::Batch | Route::Call => batch(event, env).await?,
        Route::Webhook => Some(webhooks::again(env, event).await?),
        Route::Vendor => Some(vendor::again(env, event).await?),
    };
    let Some(reply) = reply else {
        return still(event.code, &event.path, "not enough of the event was kept");
    };
    match reply.rejected.first() {
        Some(refused) => still(refused.code, &refused.path, &refused.message),
        None => Ok(None),
    }
}

/// Takes a browser's event in again, as a batch of its own. None where it cannot be one.
async fn batch(event: &Quarantined, env: &Env) -> Result<Option<BatchReply>, Fault> {
    let Some(body) = event.body() else { return Ok(None) };
    let trust = event.trust();
    let batch = ingest_as(body.as_bytes(), event.received_at, Trust::parse(&trust))?;
    if !batch.rejected.is_empty() {
        return Ok(Some(BatchReply::of(Vec::new(), Vec::new(), batch.rejected)));
    }
    let home = bucket_of(batch.anonymous_id.as_str());
    let replay = Replay { received_at: event.received_at, body, trust };
    Ok(Some(objects::ask_bucket(env, home, "/replay", &replay).await?))
}

async fn release(id: &str, env: &Env) -> Result<(), Fault> {
    let release = Release { ids: vec![id.to_owned()] };
    for shard in objects::all_shards(env).await? {
        let _: Value = objects::ask(&shard, "/quarantine/release", &release).await?;
    }
    Ok(())
}
