//! What is stored about one person: events page by page, who they are joined of, and all of it at once.

use std::collections::BTreeSet;

use endcap_engine::person_export::{Belongings, EventPage, Export, LogPlace, LoggedBatch, PAGE, PersonGraph, page};
use endcap_identity::FragmentId;
use endcap_protocol::ProfileId;
use serde_json::value::RawValue;
use worker::{Env, Response, Stub};

use super::people::Whose;
use super::{people, profiles};
use crate::http::incoming::Incoming;
use crate::platform::error::EdgeError;
use crate::platform::query::Query;
use crate::platform::{clock, response};
use crate::rpc::erasure::NamesAsk;
use crate::rpc::person_export::{BelongingsAsk, EventsAsk, MembersAsk, NoteExport, PersonGraphAsk};
use crate::rpc::{call, namespace, shards};

/// Events of a page where the request names no limit.
const DEFAULT_LIMIT: usize = 50;
/// Bytes of events of one export; the rest is read page by page.
const EXPORT_BYTES: usize = 16 * 1024 * 1024;

/// A person, by any profile ID that stands for them.
struct Person {
    profile: Box<RawValue>,
    id: ProfileId,
    fragments: BTreeSet<FragmentId>,
}

/// The person; an answer where there is none.
async fn person(id: ProfileId, env: &Env) -> Result<Result<Person, Response>, EdgeError> {
    let mut response = profiles::by_profile(id, env).await?;
    if response.status_code() != 200 {
        return Ok(Err(response));
    }
    let profile = RawValue::from_string(response.text().await?)?;
    let whose: Whose = serde_json::from_str(profile.get())?;
    let ask = MembersAsk { profile_id: ProfileId::parse(&whose.profile_id)? };
    let members = call::ask(&namespace::graph_part(env, 0)?, &ask).await?;
    Ok(Ok(Person { profile, id: members.profile_id, fragments: members.fragments }))
}

/// `GET /api/profiles/{id}/events`.
pub(in crate::http) async fn events(incoming: Incoming<'_>) -> Result<Response, EdgeError> {
    let (id, url) = (people::profile_id(incoming.parameter)?, incoming.url());
    let query = Query::of(&url);
    let limit = query.limit(DEFAULT_LIMIT, PAGE)?;
    let after = query.cursor(LogPlace::parse)?.unwrap_or(LogPlace::START);
    match person(id, incoming.env).await? {
        Ok(person) => {
            let shards = shards::all_shards(incoming.env).await?;
            response::json(&read(&person.fragments, after, limit, &shards).await?)
        }
        Err(missing) => Ok(missing),
    }
}

/// One page of events, out of the logs of all shards: a fragment's events stay where they were written.
async fn read(
    fragments: &BTreeSet<FragmentId>,
    after: LogPlace,
    limit: usize,
    shards: &[Stub],
) -> Result<EventPage, EdgeError> {
    let mut batches = Vec::new();
    for (number, shard) in shards.iter().enumerate() {
        let number = u16::try_from(number).unwrap_or(u16::MAX);
        // One batch may be the one in which the page before ended, and one more says whether there is more.
        let ask = EventsAsk { fragments: fragments.clone(), shard: number, after, limit: limit as i64 + 2 };
        let found: Vec<LoggedBatch> = call::ask(shard, &ask).await?;
        batches.extend(found.into_iter().map(|batch| (number, batch)));
    }
    Ok(page(batches, after, limit))
}

/// `GET /api/profiles/{id}/graph`.
pub(in crate::http) async fn graph(incoming: Incoming<'_>) -> Result<Response, EdgeError> {
    match person(people::profile_id(incoming.parameter)?, incoming.env).await? {
        Ok(person) => response::json(&joined(person.id, incoming.env).await?),
        Err(missing) => Ok(missing),
    }
}

async fn joined(profile_id: ProfileId, env: &Env) -> Result<PersonGraph, EdgeError> {
    call::ask(&namespace::graph_part(env, 0)?, &PersonGraphAsk { profile_id }).await
}

/// `GET /api/profiles/{id}/export`: the right of access (GDPR, article 15).
pub(in crate::http) async fn export(incoming: Incoming<'_>) -> Result<Response, EdgeError> {
    let env = incoming.env;
    let person = match person(people::profile_id(incoming.parameter)?, env).await? {
        Ok(person) => person,
        Err(missing) => return Ok(missing),
    };
    let shards = shards::all_shards(env).await?;
    let belongings = belongings(&person, &shards).await?;
    let (mut events, mut after, mut bytes) = (Vec::new(), Some(LogPlace::START), 0);
    while let Some(place) = after.filter(|_| bytes < EXPORT_BYTES) {
        let page = read(&person.fragments, place, PAGE, &shards).await?;
        bytes += page.events.iter().map(|event| event.event.get().len()).sum::<usize>();
        events.extend(page.events);
        after = page.cursor.map(|cursor| LogPlace::parse(&cursor)).transpose()?;
    }
    let graph = joined(person.id.clone(), env).await?;
    call::ask(&namespace::graph_part(env, 0)?, &NoteExport { profile_id: person.id }).await?;
    response::json(&Export {
        exported_at: clock::now(),
        profile: person.profile,
        graph,
        belongings,
        events,
        events_cursor: after.map(LogPlace::to_text),
    })
}

async fn belongings(person: &Person, shards: &[Stub]) -> Result<Belongings, EdgeError> {
    let fragments = person.fragments.clone();
    let known = call::ask_each(shards, &NamesAsk { fragments: fragments.clone() }).await?;
    let names = known.into_iter().flat_map(|known| known.names).map(|name| name.trim().to_ascii_lowercase());
    let ask = BelongingsAsk { fragments, names: names.filter(|name| !name.is_empty()).collect() };
    let mut all = Belongings::default();
    call::ask_each(shards, &ask).await?.into_iter().for_each(|part| all.extend(part));
    Ok(all)
}
