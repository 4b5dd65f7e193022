//! People who are put on a list by name, or taken off it.

use std::time::Duration;

use endcap_engine::shop::Snapshot;
use endcap_identity::FragmentId;
use endcap_profile::ProfileRow;
use endcap_profile::fragment_rows::Wanted;
use endcap_profile::resolution::Resolution;
use endcap_profile::row_lists::ListedBy;
use endcap_protocol::{UnixMillis, bucket_of};
use endcap_validation::DomainError;
use worker::{Delay, Response};

use super::object::ProfileShard;
use crate::platform::error::EdgeError;
use crate::platform::{clock, response};
use crate::rpc::profile::Moved;
use crate::rpc::segments::{ListOutcome, ListPeople, PersonToList};
use crate::rpc::snapshots;

/// People at a time: that takes some milliseconds.
const STEP: usize = 20;
/// The rest after that, in milliseconds, in which others have their turn.
const REST_MS: u64 = 1;

impl ProfileShard {
    /// Puts people on a list, or takes them off it. Each is a transaction of its own, and doing it again changes nothing.
    pub(super) async fn list_people(&self, ask: &ListPeople) -> Result<Response, EdgeError> {
        let mut due = None;
        let outcomes = self.list_each(ask, &mut due).await;
        // Also of those before a failure.
        self.arm_at(due).await?;
        response::json(&outcomes?)
    }

    async fn list_each(&self, ask: &ListPeople, due: &mut Option<UnixMillis>) -> Result<Vec<ListOutcome>, EdgeError> {
        let mut outcomes = Vec::with_capacity(ask.people.len());
        for (done, person) in ask.people.iter().enumerate() {
            if done > 0 && done % STEP == 0 {
                Delay::from(Duration::from_millis(REST_MS)).await;
            }
            let now = clock::now();
            let snapshot = snapshots::current(&self.env, now).await?;
            let outcome = self.store.db.transaction(|| self.list_person(ask, person, &snapshot, now, due));
            outcomes.push(outcome.unwrap_or_else(|error| ListOutcome::Failed(error.to_string())));
        }
        Ok(outcomes)
    }

    fn list_person(
        &self,
        ask: &ListPeople,
        person: &PersonToList,
        snapshot: &Snapshot,
        now: UnixMillis,
        due: &mut Option<UnixMillis>,
    ) -> Result<ListOutcome, EdgeError> {
        let id = person.profile_id.as_str();
        if !self.owns(bucket_of(id))? {
            return Ok(ListOutcome::Elsewhere);
        }
        let Some(mut row) = self.store.load_with(id, Wanted::All)? else {
            // Where another row says that they are here, they are on their way.
            return if person.named.fragment.is_some() {
                Err(DomainError::Moving.into())
            } else {
                Ok(ListOutcome::Unknown)
            };
        };
        let named = match locate(&row, person)? {
            Located::Here(named) => named,
            Located::Elsewhere(outcome) => return Ok(outcome),
        };
        if !row.set_listed(&ask.list, person.on, &ask.lists, &named, now) {
            return Ok(ListOutcome::Unchanged);
        }
        let refreshed = self.store.refresh(&mut row, snapshot, now)?;
        self.store.save_refreshed(&row, &refreshed)?;
        let fill = self.store.fill_due(&row, snapshot, now)?;
        *due = due.iter().copied().chain(refreshed.timers.iter().map(|timer| timer.to)).chain(fill).min();
        Ok(ListOutcome::Done)
    }
}

/// Where somebody is, as a row says.
enum Located {
    /// Here, named by this.
    Here(ListedBy),
    /// Not here.
    Elsewhere(ListOutcome),
}

fn locate(row: &ProfileRow, person: &PersonToList) -> Result<Located, EdgeError> {
    let moved = |moved_to, fragment| Located::Elsewhere(ListOutcome::Moved(Moved { moved_to, fragment }));
    if let Some(browser) = &person.anonymous_id {
        return match row.resolve(browser, person.named.fragment.as_ref())? {
            Resolution::Here(fragment) => Ok(Located::Here(ListedBy { fragment: Some(fragment), identifier: None })),
            Resolution::Next { profile, fragment, .. } => Ok(moved(profile, fragment)),
            Resolution::Begins(_) => Ok(Located::Elsewhere(ListOutcome::Unknown)),
            Resolution::Coming => Err(DomainError::Moving.into()),
        };
    }
    let fragment = match &person.named.fragment {
        Some(fragment) => fragment.clone(),
        None if !row.fragments.is_empty() => return Ok(Located::Here(person.named.clone())),
        // The profile that it is named after may have become part of another.
        None => FragmentId::parse(person.profile_id.as_str())?,
    };
    if row.fragments.contains_key(&fragment) {
        return Ok(Located::Here(person.named.clone()));
    }
    match row.moved.get(&fragment) {
        Some(away) => Ok(moved(away.to.clone(), fragment)),
        None if person.named.fragment.is_some() => Err(DomainError::Moving.into()),
        None => Ok(Located::Elsewhere(ListOutcome::Unknown)),
    }
}
