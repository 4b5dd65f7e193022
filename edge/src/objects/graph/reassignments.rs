//! Delivering reassignments to fragments whose assignment changed by evidence about others.

use std::cell::RefCell;
use std::collections::BTreeSet;

use endcap_identity::graph::{GraphStore, assignment_of};
use endcap_identity::{Assignment, FragmentId, LinkStrength, Reassignment};
use endcap_protocol::UnixMillis;
use worker::Response;

use super::object::IdentityGraph;
use super::store::PendingReassignment;
use crate::platform::backoff::pause_ms;
use crate::platform::error::EdgeError;
use crate::platform::{clock, response};
use crate::rpc::graph::reassign;
use crate::rpc::message::Done;
use crate::rpc::rows::JoinByClaim;

/// Most reassignments of one run. The alarm rings soon for the rest.
const BATCH: i64 = 100;

/// A reassignment that is being delivered. It is no longer once this is dropped, however the delivery ended.
struct Underway<'a> {
    all: &'a RefCell<BTreeSet<(FragmentId, u64)>>,
    key: (FragmentId, u64),
}

impl<'a> Underway<'a> {
    /// None where it is being delivered already.
    fn begin(all: &'a RefCell<BTreeSet<(FragmentId, u64)>>, key: (FragmentId, u64)) -> Option<Self> {
        let new = all.borrow_mut().insert(key.clone());
        new.then_some(Self { all, key })
    }
}

impl Drop for Underway<'_> {
    fn drop(&mut self) {
        self.all.borrow_mut().remove(&self.key);
    }
}

impl IdentityGraph {
    /// `/join-by-claim`, in development: assigns a fragment to a profile as earlier versions did by a claim.
    pub(super) async fn join_by_claim(&self, ask: JoinByClaim) -> Result<Response, EdgeError> {
        let JoinByClaim { fragment, profile_id: profile } = ask;
        self.store.transaction(clock::now(), |rows| {
            let version = assignment_of(rows, &fragment)?.version.saturating_add(1);
            let assignment = Assignment { profile, link_strength: LinkStrength::Claimed, version };
            rows.assign(&fragment, &assignment)?;
            rows.reassign(&Reassignment { fragment, assignment })
        })?;
        self.deliver(clock::now()).await?;
        response::json(&Done {})
    }

    /// Delivers the reassignments that are due. One that cannot be read or delivered is put off, and delays no other.
    pub(super) async fn deliver(&self, now: UnixMillis) -> Result<(), EdgeError> {
        for pending in self.store.due_reassignments(now, BATCH)? {
            if let Err(error) = self.deliver_one(&pending).await {
                worker::console_error!("reassignment of {}: {error}", pending.fragment);
                self.store.put_off(&pending, now.saturating_add(pause_ms(pending.attempts)))?;
            }
        }
        match self.store.next_due()? {
            // A delivery under way gets time to end.
            Some(due) => self.store.arm(due.max(now.saturating_add(pause_ms(0)))),
            None => Ok(()),
        }
    }

    async fn deliver_one(&self, pending: &PendingReassignment) -> Result<(), EdgeError> {
        let reassignment = pending.reassignment()?;
        let key = (reassignment.fragment.clone(), reassignment.assignment.version);
        let Some(_underway) = Underway::begin(&self.underway, key) else { return Ok(()) };
        reassign(&self.env, &reassignment.fragment.home()?, &reassignment).await?;
        self.store.delivered(pending)
    }
}
