//! The way to a browser's latest fragment.
//!
//! Each login of another person begins a fragment, named after that login, with a row of its own. A browser that lost its
//! route comes to the profile that it began as. That one knows the latest fragment, so nobody walks through all that came
//! before. It is told by a job of the outbox: when a fragment begins, and when it moves to another profile.

use std::collections::BTreeSet;

use endcap_identity::{FragmentId, Possession, ProfileRoute, Reassignment};
use endcap_profile::fragment_rows::Wanted;
use endcap_profile::row::LatestFragment;
use endcap_profile::{PackedFragment, ProfileRow};
use endcap_protocol::{UnixMillis, bucket_of};
use worker::Response;

use super::object::ProfileShard;
use super::outbox_job::{OutboxJob, PointBrowser};
use super::table::outbox::StoredJob;
use crate::platform::error::EdgeError;
use crate::platform::{clock, response};
use crate::rpc::message::Done;
use crate::rpc::shards;

impl ProfileShard {
    /// Records that a fragment which began here is its browser's latest. Returns when that is to be told.
    pub(super) fn record_latest(
        &self,
        row: &ProfileRow,
        at: &FragmentId,
        now: UnixMillis,
    ) -> Result<Option<UnixMillis>, EdgeError> {
        let Some((browser, latest)) = row.latest_of(at) else { return Ok(None) };
        self.put_pointer(PointBrowser { browser, latest }, row, now)?;
        Ok(Some(now))
    }

    /// Records where a request found its fragment after a long walk, so that the next one is short.
    pub(super) fn record_found(&self, row: &ProfileRow, at: &FragmentId, now: UnixMillis) -> Result<(), EdgeError> {
        let Some(fragment) = row.fragments.get(at) else { return Ok(()) };
        let assigned = (&row.id, fragment.assignment_version);
        let found = LatestFragment::of(at, fragment, row.possessions.get(at), assigned);
        let Some((browser, latest)) = found.filter(|(browser, _)| browser.as_str() != row.id.as_str()) else {
            return Ok(());
        };
        self.put_pointer(PointBrowser { browser, latest }, row, now)
    }

    /// Records that a fragment which leaves is elsewhere from now on.
    pub(super) fn record_moved(
        &self,
        row: &mut ProfileRow,
        leaving: &PackedFragment,
        possession: Option<&Possession>,
        reassignment: &Reassignment,
    ) -> Result<(), EdgeError> {
        let Reassignment { fragment: id, assignment } = reassignment;
        let assigned = (&assignment.profile, assignment.version);
        let latest = LatestFragment::of(id, &leaving.fragment, possession, assigned);
        let Some((browser, latest)) = latest.filter(|(browser, latest)| row.tells_of(browser, latest)) else {
            return Ok(());
        };
        self.put_pointer(PointBrowser { browser, latest }, row, clock::now())
    }

    fn put_pointer(&self, point: PointBrowser, row: &ProfileRow, now: UnixMillis) -> Result<(), EdgeError> {
        let id = point.job_id();
        self.store.put_job(&id, row.id.as_str(), now, &OutboxJob::PointBrowser(Box::new(point)))
    }

    /// Tells the profile that a browser began as.
    pub(super) async fn point_browser(&self, stored: &StoredJob, point: &PointBrowser) -> Result<(), EdgeError> {
        let home = ProfileRoute::home(&point.browser)?.profile;
        shards::ask_bucket(&self.env, bucket_of(home.as_str()), point).await?;
        self.store.db.transaction(|| self.store.drop_job(&stored.id))
    }

    /// Takes that in. A profile that is gone was erased, and a later fragment may be known already.
    pub(super) fn point_route(&self, point: &PointBrowser) -> Result<Response, EdgeError> {
        let home = ProfileRoute::home(&point.browser)?.profile;
        self.store.db.transaction(|| {
            if self.is_erased(&point.latest.fragment, clock::now())? {
                return Ok(());
            }
            let stored = self.store.load_with(home.as_str(), Wanted::Named(&BTreeSet::new()))?;
            let Some(mut row) = stored else { return Ok(()) };
            if row.note_latest(&point.latest) { self.store.save(&row) } else { Ok(()) }
        })?;
        response::json(&Done {})
    }
}
