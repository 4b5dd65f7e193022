//! People who are put on a list by name, or taken off it.

use std::time::Duration;

use endcap_engine::shop::Snapshot;
use endcap_identity::FragmentId;
use endcap_profile::fragment_rows::Wanted;
use endcap_profile::resolution::Resolution;
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
        let (mut outcomes, mut due) = (Vec::with_capacity(ask.people.len()), None);
        for (done, person) in ask.people.iter().enumerate() {
            if done > 0 && done % STEP == 0 {
                Delay::from(Duration::from_millis(REST_MS)).await;
            }
            let now = clock::now();
            let snapshot = snapshots::current(&self.env, now).await?;
            let outcome = self.store.db.transaction(|| self.list_person(ask, person, &snapshot, now, &mut due));
            outcomes.push(outcome.unwrap_or_else(|error| ListOutcome::Failed(error.to_string())));
        }
        self.arm_at(due).await?;
        response::json(&outcomes)
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
        let Some(mut row) = self.store.load_with(id, Wanted::All)? else { return Ok(ListOutcome::Unknown) };
        if let Some(browser) = &person.anonymous_id {
            match row.resolve(browser, person.fragment.as_ref())? {
                Resolution::Here(_) => {}
                Resolution::Next { profile: moved_to, fragment, .. } => {
                    return Ok(ListOutcome::Moved(Moved { moved_to, fragment }));
                }
                Resolution::Begins(_) => return Ok(ListOutcome::Unknown),
                Resolution::Coming => return Err(DomainError::Moving.into()),
            }
        }
        if row.fragments.is_empty() {
            let fragment = FragmentId::parse(id)?;
            let away = row.moved.get(&fragment).map(|away| away.to.clone());
            return Ok(away.map_or(ListOutcome::Unknown, |moved_to| ListOutcome::Moved(Moved { moved_to, fragment })));
        }
        if !row.set_listed(&ask.list, person.on, &ask.lists, now) {
            return Ok(ListOutcome::Unchanged);
        }
        let refreshed = self.store.refresh(&mut row, snapshot, now)?;
        self.store.save_refreshed(&row, &refreshed)?;
        let fill = self.store.fill_due(&row, snapshot, now)?;
        *due = due.iter().copied().chain(refreshed.timers.iter().map(|timer| timer.to)).chain(fill).min();
        Ok(ListOutcome::Done)
    }
}
