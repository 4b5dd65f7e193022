//! `/api/quarantine`: what was refused and why, over all shards, and taking it in again.

use std::collections::BTreeMap;

use endcap_api::Operation;
use endcap_engine::batch_reply::BatchReply;
use endcap_events::ingest::WarningCode;
use endcap_events::ingest::ingest_as;
use endcap_events::ingest::quarantine::{
    Count, Counts, Listed, PAGE, Page, Quarantined, ReplayAsk, ReplayReply, Route, StillRefused, bucket_of_id,
};
use endcap_events::ingest::rejection::RejectCode;
use endcap_events::ingest::warning_log::listed;
use endcap_protocol::{FieldError, bucket_of};
use endcap_validation::path::segment;
use endcap_validation::{DomainError, read_json};
use serde_json::{Map, Value};
use worker::{Env, Response};

use crate::http::incoming::Incoming;
use crate::http::{vendor, webhooks};
use crate::platform::config::config;
use crate::platform::error::EdgeError;
use crate::platform::query::Query;
use crate::platform::response;
use crate::rpc::quarantine::{CountsAsk, ListAsk, Release, Replay, WarningsAsk};
use crate::rpc::{call, shards};

/// Events listed where the request names no limit, and taken in again by one request.
const DEFAULT_LIMIT: usize = 50;
/// Largest body of a replay, in bytes.
const MAX_BODY: usize = 64 * 1024;

/// What answers an operation on what was refused.
pub(in crate::http) async fn answer(operation: Operation, incoming: Incoming<'_>) -> Result<Response, EdgeError> {
    match operation {
        Operation::ListRefused => list(incoming).await,
        Operation::CountRefused => counts(incoming).await,
        Operation::ReplayRefused => replay(incoming).await,
        _ => get(incoming).await,
    }
}

/// `GET /api/quarantine`.
async fn list(incoming: Incoming<'_>) -> Result<Response, EdgeError> {
    let url = incoming.url();
    let query = Query::of(&url);
    match query.get("kind").as_deref() {
        None | Some("refused") => {}
        Some("warning") => return warnings(query, incoming.env).await,
        Some(_) => return Err(FieldError::new("kind", "must be refused or warning").into()),
    }
    let code =
        query.get("code").map(|text| RejectCode::parse(&text).ok_or_else(|| FieldError::new("code", "is no code")));
    let limit = query.limit(DEFAULT_LIMIT, PAGE)?;
    let route = query.get("route").map(|text| text.parse()).transpose()?;
    let (source, path, cursor) = (query.get("source"), query.get("path"), query.get("cursor"));
    let ask = ReplayAsk { source, code: code.transpose()?, route, path, cursor, ..ReplayAsk::default() };
    response::json(&page(&ask, limit, incoming.env).await?)
}

/// What was repaired and warned of.
async fn warnings(query: Query<'_>, env: &Env) -> Result<Response, EdgeError> {
    let code = query
        .get("code")
        .map(|text| WarningCode::parse(&text).ok_or_else(|| FieldError::new("code", "is no code of a warning")));
    let (source, code) = (query.get("source"), code.transpose()?);
    let mut noted = Vec::new();
    for part in call::ask_each(&shards::all_shards(env).await?, &WarningsAsk {}).await? {
        noted.extend(part.noted);
    }
    noted.retain(|one| {
        source.as_ref().is_none_or(|source| *source == one.source) && code.is_none_or(|code| code == one.code)
    });
    response::json(&Page { warnings: Some(listed(noted)), ..Page::default() })
}

/// `GET /api/quarantine/counts`.
async fn counts(incoming: Incoming<'_>) -> Result<Response, EdgeError> {
    response::json(&all_counts(incoming.env).await?)
}

/// `POST /api/quarantine/replay`.
async fn replay(mut incoming: Incoming<'_>) -> Result<Response, EdgeError> {
    let ask: ReplayAsk = read_json(&response::body(&mut incoming.request, MAX_BODY).await?)?;
    response::json(&replay_all(&ask, incoming.env).await?)
}

/// `GET /api/quarantine/{id}`.
async fn get(incoming: Incoming<'_>) -> Result<Response, EdgeError> {
    let id = segment(incoming.parameter, "id")?;
    let found = named(&[id.into_owned()], incoming.env).await?.pop();
    response::json(&found.ok_or(DomainError::NotFound("refused event"))?)
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
async fn page(ask: &ReplayAsk, limit: usize, env: &Env) -> Result<Page, EdgeError> {
    let (first, mut after) = place(ask.cursor.as_deref())?;
    let mut page = Page::default();
    for (number, shard) in shards::all_shards(env).await?.iter().enumerate().skip(first) {
        let left = limit.saturating_sub(page.events.len()) as i64;
        let ask = ListAsk { ask: ReplayAsk { ids: Vec::new(), patch: None, ..ask.clone() }, after, limit: left };
        let reply = call::ask(shard, &ask).await?;
        let last = reply.events.last().map(|(seq, _)| *seq);
        page.events.extend(reply.events.into_iter().map(|(_, listed)| listed));
        if page.events.len() >= limit {
            page.cursor = last.map(|seq| format!("{number}.{seq}"));
            break;
        }
        after = 0;
    }
    Ok(page)
}

/// Events by name, where they are still kept: in the shard that refused them, wherever their bucket is now.
async fn named(ids: &[String], env: &Env) -> Result<Vec<Listed>, EdgeError> {
    let ids: Vec<String> = ids.iter().filter(|id| bucket_of_id(id).is_some()).cloned().collect();
    let ask = ListAsk { ask: ReplayAsk { ids, ..ReplayAsk::default() }, after: 0, limit: 0 };
    let replies = call::ask_each(&shards::all_shards(env).await?, &ask).await?;
    Ok(replies.into_iter().flat_map(|reply| reply.events).map(|(_, listed)| listed).collect())
}

async fn all_counts(env: &Env) -> Result<Counts, EdgeError> {
    let mut all = Counts::default();
    for part in call::ask_each(&shards::all_shards(env).await?, &CountsAsk {}).await? {
        all.dropped = all.dropped.saturating_add(part.dropped);
        all.counts.extend(part.counts);
        all.warnings.extend(part.warnings);
    }
    Ok(Counts { counts: added_up(all.counts), warnings: added_up(all.warnings), ..all })
}

/// Counts of several shards as one, the latest day first.
fn added_up(counts: Vec<Count>) -> Vec<Count> {
    let mut sums: BTreeMap<(String, String, String), u64> = BTreeMap::new();
    for Count { day, source, code, count } in counts {
        let sum = sums.entry((day, source, code)).or_default();
        *sum = sum.saturating_add(count);
    }
    sums.into_iter().rev().map(|((day, source, code), count)| Count { day, source, code, count }).collect()
}

/// Takes refused events in again, each by the way on which it came, and lets go of those that are accepted now.
async fn replay_all(ask: &ReplayAsk, env: &Env) -> Result<ReplayReply, EdgeError> {
    ask.check()?;
    let page = if ask.ids.is_empty() {
        page(ask, DEFAULT_LIMIT, env).await?
    } else {
        Page { events: named(&ask.ids, env).await?, ..Page::default() }
    };
    let shards = shards::all_shards(env).await?;
    let mut reply = ReplayReply { cursor: page.cursor, ..ReplayReply::default() };
    for listed in page.events {
        match replay_one(&listed, ask.patch.as_ref(), env).await? {
            None => {
                call::ask_each(&shards, &Release { ids: vec![listed.id.clone()] }).await?;
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
) -> Result<Option<StillRefused>, EdgeError> {
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
async fn batch(event: &Quarantined, env: &Env) -> Result<Option<BatchReply>, EdgeError> {
    let Some(body) = event.body() else { return Ok(None) };
    let trust = event.trust();
    let batch = ingest_as(body.as_bytes(), event.received_at, trust)?;
    if !batch.rejected.is_empty() {
        return Ok(Some(BatchReply::of(Vec::new(), Vec::new(), batch.rejected)));
    }
    let home = bucket_of(batch.anonymous_id.as_str());
    let replay = Replay { received_at: event.received_at, body, trust };
    Ok(Some(shards::ask_bucket(env, home, &replay).await?))
}
