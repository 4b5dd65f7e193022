//! `POST /api/segments/{id}/list`: people are put on a list by name, or taken off it.

use std::collections::BTreeMap;

use endcap_engine::segment::definition::Segments;
use endcap_engine::segment::list_change::{ListChanged, ListLine, ListLines, ListProblem, MAX_BYTES, Named};
use endcap_identity::Identifier;
use endcap_profile::row_lists::{ListedBy, Lists};
use endcap_protocol::{FieldError, ProfileId, SegmentId, bucket_of};
use endcap_validation::DomainError;
use futures_util::future::join_all;
use worker::{Env, Response};

use super::profiles::MAX_HOPS;
use super::segment_named::{id, saved};
use crate::http::incoming::Incoming;
use crate::platform::error::EdgeError;
use crate::platform::query::Query;
use crate::platform::response;
use crate::rpc::graph::Found;
use crate::rpc::segments::{ListOutcome, ListPeople, PersonToList, SavedSegments};
use crate::rpc::{call, graph, namespace, placement, shards};

/// Changes a list.
pub(super) async fn change(mut incoming: Incoming<'_>) -> Result<Response, EdgeError> {
    let (id, SavedSegments { version, segments }) = (id(incoming.parameter)?, saved(incoming.env).await?);
    let read = Segments::read(version, segments);
    let segment = read.get(&id).ok_or(DomainError::NotFound("segment"))?;
    if !segment.is_list {
        let message = "this segment is described by a condition; a list is saved with \"list\": true and no condition";
        return Err(FieldError::new("segment_id", message).into());
    }
    let lines = read_lines(&mut incoming).await?;
    let changer = Changer { env: incoming.env, list: id.clone(), lists: read.lists() };
    response::json(&changer.change(lines).await?)
}

/// The people of a request, in JSON or CSV.
async fn read_lines(incoming: &mut Incoming<'_>) -> Result<ListLines, EdgeError> {
    let url = incoming.url();
    let on = match Query::of(&url).get("do").as_deref() {
        None | Some("add") => true,
        Some("remove") => false,
        Some(_) => return Err(FieldError::new("do", "must be add or remove").into()),
    };
    let kind = incoming.request.headers().get("content-type")?.unwrap_or_default().to_ascii_lowercase();
    let body = response::body(&mut incoming.request, MAX_BYTES).await?;
    if kind.starts_with("text/csv") {
        return Ok(ListLines::of_csv(&body, on)?);
    }
    if !on {
        let message = "goes with a CSV; in JSON, people to take off the list are named in `remove`";
        return Err(FieldError::new("do", message).into());
    }
    Ok(ListLines::of_json(&body)?)
}

/// Somebody who was found, with their place in the request.
struct Placed {
    place: String,
    person: PersonToList,
}

struct Changer<'a> {
    env: &'a Env,
    list: SegmentId,
    lists: Lists,
}

impl Changer<'_> {
    async fn change(&self, read: ListLines) -> Result<ListChanged, EdgeError> {
        let mut changed = ListChanged { segment: self.list.as_str().to_owned(), ..ListChanged::default() };
        read.problems.into_iter().for_each(|problem| changed.refuse(problem));
        let mut left = self.place(read.lines, &mut changed).await?;
        for _ in 0..MAX_HOPS {
            if left.is_empty() {
                return Ok(changed);
            }
            let outcomes = self.ask_shards(&left).await?;
            let mut next = Vec::new();
            for (placed, outcome) in left.into_iter().zip(outcomes) {
                next.extend(note(placed, outcome, &mut changed));
            }
            left = next;
        }
        for placed in left {
            changed.refuse(ListProblem { place: placed.place, message: "is on the move; send it again".to_owned() });
        }
        Ok(changed)
    }

    /// Finds the profiles that people are named by.
    async fn place(&self, lines: Vec<ListLine>, changed: &mut ListChanged) -> Result<Vec<Placed>, EdgeError> {
        let named = lines.iter().filter_map(|line| match &line.named {
            Named::Identifier(identifier) => Some(identifier.clone()),
            Named::Profile(_) | Named::Browser(_) => None,
        });
        let named: Vec<Identifier> = named.collect();
        let mut found = graph::find_all(self.env, &named).await?.into_iter();
        let mut placed = Vec::with_capacity(lines.len());
        for ListLine { place, on, named } in lines {
            let (profile_id, anonymous_id, identifier) = match named {
                Named::Profile(profile) => (Ok(profile), None, None),
                Named::Browser(browser) => (Ok(ProfileId::parse(browser.as_str())?), Some(browser), None),
                Named::Identifier(identifier) => (profile_of(found.next(), &identifier), None, Some(identifier)),
            };
            match profile_id {
                Ok(profile_id) => {
                    let named = ListedBy { fragment: None, identifier };
                    placed.push(Placed { place, person: PersonToList { profile_id, anonymous_id, named, on } });
                }
                Err(message) => changed.refuse(ListProblem { place, message }),
            }
        }
        Ok(placed)
    }

    /// Asks the shards that have these people. Those whose bucket has just moved are asked for by bucket, which is handed on. A shard
    /// that fails costs its own people only.
    async fn ask_shards(&self, people: &[Placed]) -> Result<Vec<ListOutcome>, EdgeError> {
        let bucket = |placed: &Placed| bucket_of(placed.person.profile_id.as_str());
        let (placement, mut all) = (placement::placement()?, vec![ListOutcome::Elsewhere; people.len()]);
        let by_shard = grouped(people, &all, |placed| placement.shard_of(bucket(placed)));
        let asks = by_shard.into_iter().map(|(shard, indices)| async move {
            let answer = match namespace::numbered_shard(self.env, shard) {
                Ok(stub) => call::ask(&stub, &self.message(people, &indices)).await,
                Err(error) => Err(error),
            };
            (indices, answer)
        });
        for (indices, answer) in join_all(asks).await {
            fill(&mut all, &indices, answer);
        }
        let by_bucket = grouped(people, &all, bucket);
        let asks = by_bucket.into_iter().map(|(bucket, indices)| async move {
            let answer = shards::ask_bucket(self.env, bucket, &self.message(people, &indices)).await;
            (indices, answer)
        });
        for (indices, answer) in join_all(asks).await {
            fill(&mut all, &indices, answer);
        }
        Ok(all)
    }

    fn message(&self, people: &[Placed], indices: &[usize]) -> ListPeople {
        let people = indices.iter().filter_map(|index| people.get(*index)).map(|placed| placed.person.clone());
        ListPeople { list: self.list.clone(), lists: self.lists.clone(), people: people.collect() }
    }
}

/// Places of the people of whom nothing is known yet, by where they are.
fn grouped(people: &[Placed], outcomes: &[ListOutcome], key: impl Fn(&Placed) -> u16) -> BTreeMap<u16, Vec<usize>> {
    let mut by_key: BTreeMap<u16, Vec<usize>> = BTreeMap::new();
    let left = people.iter().zip(outcomes).enumerate().filter(|(_, (_, outcome))| **outcome == ListOutcome::Elsewhere);
    for (index, (placed, _)) in left {
        by_key.entry(key(placed)).or_default().push(index);
    }
    by_key
}

/// Notes what a shard answered.
fn fill(all: &mut [ListOutcome], indices: &[usize], answer: Result<Vec<ListOutcome>, EdgeError>) {
    let outcomes = answer.unwrap_or_else(|error| {
        worker::console_error!("people of a list: {error}");
        vec![ListOutcome::Failed(format!("could not be reached; send it again ({error})")); indices.len()]
    });
    for (index, outcome) in indices.iter().zip(outcomes) {
        if let Some(place) = all.get_mut(*index) {
            *place = outcome;
        }
    }
}

/// The profile that an identifier names, or why nobody is put on a list by it.
fn profile_of(found: Option<Found>, identifier: &Identifier) -> Result<ProfileId, String> {
    match found {
        Some(Found { profile_id: Some(profile), unproved: false }) => Ok(profile),
        Some(Found { profile_id: Some(_), unproved: true }) => Err(format!(
            "the {} is only claimed by a browser, without proof: it may be somebody else's",
            identifier.namespace
        )),
        _ => Err(format!("nobody is known by this {}", identifier.namespace)),
    }
}

/// Notes what became of somebody. Returns them where they are to be looked for elsewhere.
fn note(placed: Placed, outcome: ListOutcome, changed: &mut ListChanged) -> Option<Placed> {
    let Placed { place, person } = placed;
    match outcome {
        ListOutcome::Done if person.on => changed.added += 1,
        ListOutcome::Done => changed.removed += 1,
        ListOutcome::Unchanged => changed.unchanged += 1,
        ListOutcome::Moved(moved) => {
            let named = ListedBy { fragment: Some(moved.fragment), ..person.named };
            let person = PersonToList { profile_id: moved.moved_to, named, ..person };
            return Some(Placed { place, person });
        }
        ListOutcome::Unknown => {
            changed.refuse(ListProblem { place, message: "there is no such profile".to_owned() });
        }
        ListOutcome::Elsewhere => return Some(Placed { place, person }),
        ListOutcome::Failed(message) => changed.refuse(ListProblem { place, message }),
    }
    None
}
