//! `/api/segments`: groups of people that a condition describes.

use std::slice;

use endcap_api::Operation;
use endcap_engine::people_page::people_page;
use endcap_engine::segment::definition::{Definition, SavedSegment, Segments};
use endcap_engine::segment::history::{DEFAULT_DAYS, History, MAX_DAYS, Movements, days, merge};
use endcap_engine::segment::members::{DEFAULT_LIMIT, MAX_LIMIT, MemberPage};
use endcap_engine::segment::view::{AllShards, SegmentList, SegmentView, ShardSegments};
use endcap_protocol::ProfileId;
use endcap_validation::{DomainError, read_json};
use futures_util::future::join_all;
use worker::{Env, Response};

use super::config_body::config_body;
use super::segment_named::{id, one, saved};
use super::{segment_export, segment_list, segment_preview};
use crate::http::incoming::Incoming;
use crate::platform::config::config;
use crate::platform::error::EdgeError;
use crate::platform::query::Query;
use crate::platform::{clock, response};
use crate::rpc::segments::{DeleteSegment, MembersAsk, MovementsAsk, PutSegment, SavedSegments, SegmentsAsk};
use crate::rpc::{call, namespace, shards};

/// What answers an operation on segments.
pub(in crate::http) async fn answer(operation: Operation, incoming: Incoming<'_>) -> Result<Response, EdgeError> {
    match operation {
        Operation::GetSegment => get(incoming).await,
        Operation::PutSegment => put(incoming).await,
        Operation::DeleteSegment => delete(incoming).await,
        Operation::GetSegmentMembers => members(incoming).await,
        Operation::GetSegmentHistory => history(incoming).await,
        Operation::ChangeList => segment_list::change(incoming).await,
        Operation::ExportSegment => segment_export::export(incoming).await,
        Operation::PreviewSegment => segment_preview::preview(incoming).await,
        _ => list(incoming).await,
    }
}

/// `GET /api/segments`: all of them with their sizes.
async fn list(incoming: Incoming<'_>) -> Result<Response, EdgeError> {
    let SavedSegments { version, segments } = saved(incoming.env).await?;
    let (known, now) = (all_shards(incoming.env, version, &segments).await?, clock::now());
    let (read, log_ms) = (Segments::read(version, segments), config(incoming.env).log_ms());
    let segments =
        read.ids().filter_map(|id| read.get(id)).map(|segment| SegmentView::new(segment, &known, now, log_ms));
    response::json(&SegmentList { segments: segments.collect() })
}

/// `GET`: one.
async fn get(incoming: Incoming<'_>) -> Result<Response, EdgeError> {
    let (id, SavedSegments { version, segments }) = (id(incoming.parameter)?, saved(incoming.env).await?);
    let read = Segments::read(version, segments);
    let segment = read.get(&id).ok_or(DomainError::NotFound("segment"))?;
    let known = all_shards(incoming.env, version, slice::from_ref(&segment.saved)).await?;
    response::json(&SegmentView::new(segment, &known, clock::now(), config(incoming.env).log_ms()))
}

/// `PUT`: adds one, or replaces it, and has everybody held against it.
async fn put(mut incoming: Incoming<'_>) -> Result<Response, EdgeError> {
    let body = config_body(&mut incoming).await?;
    let id = id(incoming.parameter)?;
    let definition = read_json::<Definition>(&body)?.checked(&id)?;
    let put = PutSegment { id: id.clone(), definition };
    let mut answer = call::post(&namespace::shop(incoming.env)?, &put).await?;
    if answer.status_code() != 200 {
        return Ok(answer);
    }
    let SavedSegments { version, segments } = serde_json::from_str(&answer.text().await?)?;
    let read = Segments::read(version, segments);
    let segment = read.get(&id).ok_or(DomainError::NotFound("segment"))?;
    let known = tell_shards(incoming.env, version, slice::from_ref(&segment.saved)).await?;
    response::json(&SegmentView::new(segment, &known, clock::now(), config(incoming.env).log_ms()))
}

/// `DELETE`: everybody leaves it.
async fn delete(incoming: Incoming<'_>) -> Result<Response, EdgeError> {
    let id = id(incoming.parameter)?;
    let mut answer = call::post(&namespace::shop(incoming.env)?, &DeleteSegment { id }).await?;
    if answer.status_code() != 200 {
        return Ok(answer);
    }
    let left: SavedSegments = serde_json::from_str(&answer.text().await?)?;
    tell_shards(incoming.env, left.version, &[]).await?;
    Ok(response::empty(204))
}

/// `GET …/members`: the people of a segment, page by page.
async fn members(incoming: Incoming<'_>) -> Result<Response, EdgeError> {
    let url = incoming.url();
    let query = Query::of(&url);
    let limit = query.limit(DEFAULT_LIMIT, MAX_LIMIT)?;
    let after = query.cursor(ProfileId::parse)?.map(ProfileId::into_string).unwrap_or_default();
    let saved = one(&incoming).await?;
    // One more tells whether there is another page.
    let ask = MembersAsk { segment: saved.id, born: saved.born, after, limit: limit + 1 };
    let stubs = shards::all_shards(incoming.env).await?;
    let found = join_all(stubs.iter().map(|stub| call::ask(stub, &ask))).await;
    let found = found.into_iter().collect::<Result<Vec<_>, EdgeError>>()?.into_iter().flatten().collect();
    let (members, cursor) = people_page(found, limit, |member| &member.profile_id);
    let segment = ask.segment.as_str().to_owned();
    response::json(&MemberPage { segment, as_of: clock::now(), members, cursor })
}

/// `GET …/history`: how a segment moved, day by day.
async fn history(incoming: Incoming<'_>) -> Result<Response, EdgeError> {
    let url = incoming.url();
    let count = Query::of(&url).count("days", DEFAULT_DAYS, MAX_DAYS)?;
    let saved = one(&incoming).await?;
    let ask = MovementsAsk { segment: saved.id, born: saved.born, days: count };
    let stubs = shards::all_shards(incoming.env).await?;
    let parts = join_all(stubs.iter().map(|stub| call::ask(stub, &ask))).await;
    let (mut all, mut net, mut today) = (Movements::new(), 0, 0);
    for part in parts {
        let part = part?;
        merge(&mut all, part.days);
        net += part.net;
        today = today.max(part.today);
    }
    let size = net.max(0).unsigned_abs();
    let days = days(&all, size, today, count);
    response::json(&History { segment: ask.segment.as_str().to_owned(), as_of: clock::now(), size, days })
}

/// What every shard knows. One that has not held everybody against this version yet begins to.
async fn all_shards(env: &Env, version: u64, segments: &[SavedSegment]) -> Result<AllShards, EdgeError> {
    let mut all = AllShards::default();
    for shard in ask_shards(env, version, segments).await? {
        all.add(shard?);
    }
    Ok(all)
}

/// The same after a change that is saved: a shard that cannot be reached now begins later, and counts as one that is not through.
async fn tell_shards(env: &Env, version: u64, segments: &[SavedSegment]) -> Result<AllShards, EdgeError> {
    let mut all = AllShards::default();
    for shard in ask_shards(env, version, segments).await? {
        all.add(shard.unwrap_or_else(|error| {
            worker::console_error!("a shard could not be told of new segments: {error}");
            ShardSegments::default()
        }));
    }
    Ok(all)
}

async fn ask_shards(
    env: &Env,
    version: u64,
    segments: &[SavedSegment],
) -> Result<Vec<Result<ShardSegments, EdgeError>>, EdgeError> {
    let born = segments.iter().map(|saved| (saved.id.clone(), saved.born)).collect();
    let ask = SegmentsAsk { version, born };
    let stubs = shards::all_shards(env).await?;
    Ok(join_all(stubs.iter().map(|stub| call::ask(stub, &ask))).await)
}
