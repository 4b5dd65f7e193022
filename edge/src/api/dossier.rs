//! What is stored about one person: events page by page, who they are joined of, and all of it at once.

use std::collections::BTreeSet;

use endcap_engine::person_export::{Belongings, EventPage, Export, LoggedBatch, PAGE, PersonGraph, Place, page};
use endcap_identity::FragmentId;
use endcap_protocol::touch::parameter_value;
use endcap_protocol::{FieldError, ProfileId};
use serde_json::Value;
use serde_json::value::RawValue;
use worker::{Env, Response};

use super::people::Whose;
use super::profiles;
use crate::fault::Fault;
use crate::graph::{EraseAsk, Members};
use crate::shard::{BelongingsAsk, EventsAsk, Known, Look};
use crate::{answer, clock, objects};

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
async fn person(id: ProfileId, env: &Env) -> Result<Result<Person, Response>, Fault> {
    let mut response = profiles::by_profile(id, env).await?;
    if response.status_code() != 200 {
        return Ok(Err(response));
    }
    let profile = RawValue::from_string(response.text().await?)?;
    let whose: Whose = serde_json::from_str(profile.get())?;
    let ask = EraseAsk { profile_id: ProfileId::parse(&whose.profile_id)? };
    let members: Members = objects::ask(&objects::graph_part(env, 0)?, "/members", &ask).await?;
    Ok(Ok(Person { profile, id: members.profile_id, fragments: members.fragments }))
}

/// `GET /api/profiles/{id}/events`.
pub(super) async fn events(id: ProfileId, url: &str, env: &Env) -> Result<Response, Fault> {
    let query = url.split_once('?').map_or("", |(_, query)| query);
    let limit = parameter_value(query, "limit").map(|text| text.parse().ok().filter(|n| (1..=PAGE).contains(n)));
    let limit = limit.unwrap_or(Some(DEFAULT_LIMIT)).ok_or_else(|| FieldError::new("limit", "must be 1 to 200"))?;
    let after = parameter_value(query, "cursor").map(|text| Place::parse(&text)).transpose()?;
    let person = match person(id, env).await? {
        Ok(person) => person,
        Err(missing) => return Ok(missing),
    };
    answer::json(&read(&person.fragments, after.unwrap_or(Place::START), limit, env).await?)
}

/// One page of events, out of the logs of all shards: a fragment's events stay where they were written.
async fn read(fragments: &BTreeSet<FragmentId>, after: Place, limit: usize, env: &Env) -> Result<EventPage, Fault> {
    let mut batches = Vec::new();
    for (number, shard) in objects::all_shards(env).await?.iter().enumerate() {
        let number = u16::try_from(number).unwrap_or(u16::MAX);
        // One batch may be the one in which the page before ended, and one more says whether there is more.
        let ask = EventsAsk { fragments: fragments.clone(), shard: number, after, limit: limit as i64 + 2 };
        let found: Vec<LoggedBatch> = objects::ask(shard, "/events", &ask).await?;
        batches.extend(found.into_iter().map(|batch| (number, batch)));
    }
    Ok(page(batches, after, limit))
}

/// `GET /api/profiles/{id}/graph`.
pub(super) async fn graph(id: ProfileId, env: &Env) -> Result<Response, Fault> {
    match person(id, env).await? {
        Ok(person) => answer::json(&joined(person.id, env).await?),
        Err(missing) => Ok(missing),
    }
}

async fn joined(profile_id: ProfileId, env: &Env) -> Result<PersonGraph, Fault> {
    objects::ask(&objects::graph_part(env, 0)?, "/person", &EraseAsk { profile_id }).await
}

/// `GET /api/profiles/{id}/export`: the right of access (GDPR, article 15).
pub(super) async fn export(id: ProfileId, env: &Env) -> Result<Response, Fault> {
    let person = match person(id, env).await? {
        Ok(person) => person,
        Err(missing) => return Ok(missing),
    };
    let belongings = belongings(&person, env).await?;
    let (mut events, mut after, mut bytes) = (Vec::new(), Some(Place::START), 0);
    while let Some(place) = after.filter(|_| bytes < EXPORT_BYTES) {
        let page = read(&person.fragments, place, PAGE, env).await?;
        bytes += page.events.iter().map(|event| event.event.get().len()).sum::<usize>();
        events.extend(page.events);
        after = page.cursor.map(|cursor| Place::parse(&cursor)).transpose()?;
    }
    let graph = joined(person.id.clone(), env).await?;
    let _: Value =
        objects::ask(&objects::graph_part(env, 0)?, "/exported", &EraseAsk { profile_id: person.id }).await?;
    answer::json(&Export {
        exported_at: clock::now(),
        profile: person.profile,
        graph,
        belongings,
        events,
        events_cursor: after.map(Place::to_text),
    })
}

async fn belongings(person: &Person, env: &Env) -> Result<Belongings, Fault> {
    let shards = objects::all_shards(env).await?;
    let mut names = BTreeSet::new();
    for shard in &shards {
        let known: Known = objects::ask(shard, "/erase/look", &Look { fragments: person.fragments.clone() }).await?;
        names.extend(known.names.into_iter().map(|name| name.trim().to_ascii_lowercase()));
    }
    names.remove("");
    let mut all = Belongings::default();
    for shard in &shards {
        let ask = BelongingsAsk { fragments: person.fragments.clone(), names: names.clone() };
        all.extend(objects::ask(shard, "/belongings", &ask).await?);
    }
    Ok(all)
}
