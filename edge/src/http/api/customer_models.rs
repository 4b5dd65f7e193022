//! `/api/models`: in which groups customers are, and how they move between them.

use std::cell::RefCell;

use endcap_api::Operation;
use endcap_engine::customer_model::model::Group;
use endcap_engine::customer_model::people::{DEFAULT_LIMIT, MAX_LIMIT, MovedBetween};
use endcap_engine::customer_model::view::{
    DEFAULT_DAYS, DEFAULT_SPAN, GroupPeople, GroupRevenue, MAX_DAYS, MAX_RFM_DAYS, ModelList, ModelSizes, Scanned,
    Transitions,
};
use endcap_engine::customer_model::{CustomerModel, Grouping, Moment, NamedModel};
use endcap_engine::people_page::people_page;
use endcap_engine::shop::Snapshot;
use endcap_protocol::{Date, FieldError, ProfileId, UnixMillis};
use endcap_validation::DomainError;
use endcap_validation::path::segment;
use futures_util::future::join_all;
use worker::{Env, Response, Stub};

use crate::http::incoming::Incoming;
use crate::platform::error::EdgeError;
use crate::platform::query::Query;
use crate::platform::{clock, response};
use crate::rpc::customer_models::{GroupQuestion, GroupsAsk, GroupsPage};
use crate::rpc::placement::Use;
use crate::rpc::{call, namespace, placement, snapshots};

/// What answers an operation on models.
pub(in crate::http) async fn answer(operation: Operation, incoming: Incoming<'_>) -> Result<Response, EdgeError> {
    let now = clock::now();
    let shop = snapshots::current(incoming.env, now).await?;
    let own = &shop.settings.models;
    if operation == Operation::GetModels {
        return response::json(&ModelList::of(own));
    }
    let name = segment(incoming.parameter, "model")?;
    let model = NamedModel::find(&name, own).ok_or(DomainError::NotFound("model"))?;
    let url = incoming.url();
    let query = Query::of(&url);
    let moments = match operation {
        _ if model.known().is_some_and(CustomerModel::is_of_now) => of_now(operation, query, &model, &shop, now)?,
        Operation::GetModel => days(query, &model, &shop, now)?,
        _ => compared(query, &shop, now)?,
    };
    let grouping = Grouping::new(model, moments, &shop);
    if operation == Operation::GetModelPeople {
        return people(incoming.env, grouping, query, now).await;
    }
    let (grouping, page) = counted(incoming.env, grouping).await?;
    let scanned = Scanned { as_of: now, unreadable: page.unreadable };
    match operation {
        Operation::GetModelTransitions => response::json(&Transitions::new(&grouping, &page.tally, scanned)),
        Operation::GetModelRevenue => response::json(&GroupRevenue::new(&grouping, &page.tally, scanned)),
        _ => response::json(&ModelSizes::new(&grouping, &page.tally, scanned)),
    }
}

/// `GET …/people`: who they are, page by page.
async fn people(env: &Env, grouping: Grouping, query: Query<'_>, now: UnixMillis) -> Result<Response, EdgeError> {
    let limit = query.limit(DEFAULT_LIMIT, MAX_LIMIT)?;
    let after = query.cursor(ProfileId::parse)?.map(ProfileId::into_string).unwrap_or_default();
    let who = MovedBetween { was: group(query, "was", &grouping.model)?, is: group(query, "is", &grouping.model)? };
    // One more tells whether there is another page.
    let question = GroupQuestion::People { who, limit: limit + 1 };
    let (grouping, unreadable, found) = settled(env, async |stubs| {
        let (grouping, unreadable) = surveyed(&stubs, grouping.clone()).await?;
        let found = everywhere(&stubs, &grouping, question, &after).await?;
        Ok((grouping, unreadable, found))
    })
    .await?;
    let scanned = Scanned { as_of: now, unreadable: unreadable.max(found.unreadable) };
    let (people, cursor) = people_page(found.people, limit, |one| &one.profile_id);
    response::json(&GroupPeople::new(&grouping, people, cursor, scanned))
}

/// Now alone, of a model whose groups are known of now only.
fn of_now(
    operation: Operation,
    query: Query<'_>,
    model: &NamedModel,
    shop: &Snapshot,
    now: UnixMillis,
) -> Result<Vec<Moment>, FieldError> {
    let is_told = matches!(operation, Operation::GetModel | Operation::GetModelPeople);
    let asked = ["days", "from", "to", "was"].into_iter().find(|name| query.get(name).is_some());
    if !is_told || asked.is_some() {
        let message = format!("{} tells of now only, not of days gone by, nor of movements", model.id());
        return Err(FieldError::new(asked.unwrap_or("model"), message));
    }
    Ok(vec![Moment::now(now, shop)])
}

/// The beginnings of some days until today, and now.
fn days(query: Query<'_>, model: &NamedModel, shop: &Snapshot, now: UnixMillis) -> Result<Vec<Moment>, FieldError> {
    let most = if model.known() == Some(CustomerModel::Rfm) { MAX_RFM_DAYS } else { MAX_DAYS };
    let count = i64::try_from(query.count("days", DEFAULT_DAYS, most)?).unwrap_or_default();
    let today = shop.calendar.day(now);
    let begun = (0..count).rev().map(|ago| Moment::of_day(today - ago, shop));
    Ok(begun.chain([Moment::now(now, shop)]).collect())
}

/// The two moments that are compared: the beginnings of two days, or of one and now.
fn compared(query: Query<'_>, shop: &Snapshot, now: UnixMillis) -> Result<Vec<Moment>, FieldError> {
    let to = match date(query, "to")? {
        Some(day) if day > shop.calendar.day(now) => {
            return Err(FieldError::new("to", "must not be after today; leave it out for now"));
        }
        Some(day) => Moment::of_day(day, shop),
        None => Moment::now(now, shop),
    };
    let from = Moment::of_day(date(query, "from")?.unwrap_or(to.day - DEFAULT_SPAN), shop);
    if from.at >= to.at {
        return Err(FieldError::new("from", "must be a day before `to`, or before now where `to` is left out"));
    }
    Ok(vec![from, to])
}

fn date(query: Query<'_>, name: &str) -> Result<Option<i64>, FieldError> {
    let Some(text) = query.get(name) else { return Ok(None) };
    Date::parse(&text).map(|date| Some(date.day())).ok_or_else(|| FieldError::new(name, "must be a date as 2026-11-29"))
}

fn group(query: Query<'_>, name: &str, model: &NamedModel) -> Result<Option<Group>, FieldError> {
    let Some(text) = query.get(name) else { return Ok(None) };
    let wrong = || FieldError::new(name, format!("must be one of: {}", model.groups().join(", ")));
    model.group(&text).map(Some).ok_or_else(wrong)
}

/// A grouping that knows what it needs of all customers, and how many of them could not be read.
async fn surveyed(stubs: &[Stub], grouping: Grouping) -> Result<(Grouping, u64), EdgeError> {
    if !grouping.needs_survey() {
        return Ok((grouping, 0));
    }
    let found = everywhere(stubs, &grouping, GroupQuestion::Survey, "").await?;
    Ok((found.survey.tell(grouping), found.unreadable))
}

/// Counts the customers of all shards.
async fn counted(env: &Env, grouping: Grouping) -> Result<(Grouping, GroupsPage), EdgeError> {
    settled(env, async |stubs| {
        let (grouping, _) = surveyed(&stubs, grouping.clone()).await?;
        let page = everywhere(&stubs, &grouping, GroupQuestion::Tally, "").await?;
        Ok((grouping, page))
    })
    .await
}

/// Asks all shards while no bucket moves: a customer whose bucket moves to another shard meanwhile could be met twice, or not at all.
async fn settled<T>(env: &Env, ask: impl AsyncFn(Vec<Stub>) -> Result<T, EdgeError>) -> Result<T, EdgeError> {
    let before = placement::ask(env, Use::Read).await?;
    let stubs = before.all_shards().map(|number| namespace::numbered_shard(env, number));
    let found = ask(stubs.collect::<Result<_, _>>()?).await?;
    let after = placement::ask(env, Use::Read).await?;
    if before.is_moving() || after.is_moving() || before.version() != after.version() {
        return Err(DomainError::Moving.into());
    }
    Ok(found)
}

/// Asks all shards at once. What they tell is added up as it comes, so that no more of it is held than of one shop.
async fn everywhere(
    stubs: &[Stub],
    grouping: &Grouping,
    question: GroupQuestion,
    after: &str,
) -> Result<GroupsPage, EdgeError> {
    let all = RefCell::default();
    let asked = join_all(stubs.iter().map(|stub| whole(stub, grouping, question, after, &all))).await;
    asked.into_iter().collect::<Result<(), _>>()?;
    Ok(all.into_inner())
}

/// Asks a shard page by page.
async fn whole(
    stub: &Stub,
    grouping: &Grouping,
    question: GroupQuestion,
    after: &str,
    all: &RefCell<GroupsPage>,
) -> Result<(), EdgeError> {
    let (mut next, mut left) = (Some(after.to_owned()), question);
    while let Some(after) = next.take() {
        let page = call::ask(stub, &GroupsAsk { grouping: grouping.clone(), question: left, after }).await?;
        if let GroupQuestion::People { limit, .. } = &mut left {
            *limit = limit.saturating_sub(page.people.len());
        }
        next = page.next.clone().filter(|_| !matches!(left, GroupQuestion::People { limit: 0, .. }));
        add(&mut all.borrow_mut(), page);
    }
    Ok(())
}

fn add(all: &mut GroupsPage, page: GroupsPage) {
    all.survey.merge(&page.survey);
    all.tally.merge(&page.tally);
    all.people.extend(page.people);
    all.unreadable += page.unreadable;
}
