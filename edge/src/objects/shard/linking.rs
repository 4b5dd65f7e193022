//! Linking: carrying out the identity graph's assignments, across shards if need be.
//!
//! Each step is recorded before the next. (1) The shard stores the identifying event and a [`LinkIdentity`] job. (2)
//! The identity graph stores the evidence and answers with the fragment's assignment. (3) If that names another
//! profile, the fragment leaves this row; a forward pointer stays, and a [`MoveFragment`] job carries the fragment. (4)
//! The other shard takes it in and acknowledges. Each step may run twice: assignments have versions, and a row carries
//! out each once.

use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use endcap_engine::shop::Snapshot;
use endcap_identity::{Assertion, Possession, Reassignment, partition};
use endcap_profile::dedupe::carried;
use endcap_profile::fragment_rows::Wanted;
use endcap_profile::occurrences::FragmentOccurrences;
use endcap_profile::{Fragment, PackedFragment, ProfileRow, Reassigned};
use endcap_protocol::{ProfileId, UnixMillis, bucket_of};
use endcap_validation::DomainError;
use futures_util::future::join_all;
use serde::Serialize;
use serde::de::DeserializeOwned;
use worker::Response;

use super::object::ProfileShard;
use super::outbox_job::{LinkIdentity, MoveFragment, OutboxJob};
use super::table::outbox::{StoredJob, Tries};
use crate::platform::config::config;
use crate::platform::error::EdgeError;
use crate::platform::{clock, response};
use crate::rpc::graph::{LinkIdentities, Reassign, reassign};
use crate::rpc::message::Done;
use crate::rpc::{call, namespace, shards, snapshots};

/// Most fragments of one profile that one write sends home.
const MAX_GUESTS: usize = 20;

/// A linking job that waits for the graph's answer.
pub(super) struct PendingLink {
    id: String,
    tries: Tries,
    link: LinkIdentity,
}

impl PendingLink {
    /// A job that was read.
    pub(super) fn new(stored: &StoredJob, link: LinkIdentity) -> Self {
        Self { id: stored.id.clone(), tries: stored.tries, link }
    }
}

impl ProfileShard {
    /// Records that the graph has to look again at fragments which an earlier version joined by a claim: it sends them
    /// home. Returns when that is due.
    pub(super) fn send_home(&self, row: &ProfileRow, now: UnixMillis) -> Result<Option<UnixMillis>, EdgeError> {
        let guests = row.joined_by_claim(MAX_GUESTS);
        for guest in &guests {
            let link = LinkIdentity { profile_id: row.id.clone(), assertion: Assertion::new(guest.clone()) };
            let id = format!("tell {} ", guest.as_str());
            self.store.put_job(&id, row.id.as_str(), now, &OutboxJob::LinkIdentity(Box::new(link)))?;
        }
        Ok(guests.first().map(|_| now))
    }

    /// Does the linking jobs of a profile. True when none is left.
    pub(super) async fn finish_links(&self, profile_id: &str) -> Result<bool, EdgeError> {
        self.finish_links_of(&[profile_id]).await
    }

    /// Does the linking jobs of several profiles, and tells the graph of all of them at once. True when none is left.
    pub(super) async fn finish_links_of(&self, profiles: &[&str]) -> Result<bool, EdgeError> {
        // The graph's answers record fragments to be moved, hence a second round.
        for _ in 0..2 {
            let mut links = Vec::new();
            for stored in self.store.link_jobs(profiles)? {
                match stored.job() {
                    Ok(OutboxJob::LinkIdentity(link)) => links.push(PendingLink::new(&stored, *link)),
                    _ => self.attempt(&stored, clock::now()).await?,
                }
            }
            self.link_identities(links).await?;
        }
        Ok(self.store.link_jobs(profiles)?.iter().all(StoredJob::is_shortcut))
    }

    /// Tells the graph what was said, and carries out its answers. A failure puts the jobs off.
    pub(super) async fn link_identities(&self, links: Vec<PendingLink>) -> Result<(), EdgeError> {
        let mut by_part: BTreeMap<u16, Vec<PendingLink>> = BTreeMap::new();
        let partitions = config(&self.env).layout.graph_partitions;
        for pending in links {
            let part = partition::of_fragment(&pending.link.assertion.fragment, partitions);
            by_part.entry(part).or_default().push(pending);
        }
        let told = join_all(by_part.into_iter().map(|(part, links)| self.link_in_part(part, links))).await;
        told.into_iter().collect()
    }

    async fn link_in_part(&self, part: u16, links: Vec<PendingLink>) -> Result<(), EdgeError> {
        let message = LinkIdentities(links.iter().map(|pending| pending.link.assertion.clone()).collect());
        let assignments = match call::ask(&namespace::graph_part(&self.env, part)?, &message).await {
            Ok(assignments) => assignments,
            Err(error) => {
                return links.iter().try_for_each(|pending| self.put_off(&pending.id, pending.tries, &error));
            }
        };
        for (PendingLink { id, tries, link }, assignment) in links.iter().zip(assignments) {
            let reassignment = Reassignment { fragment: link.assertion.fragment.clone(), assignment };
            let done = self.carry_out(&link.profile_id, &reassignment, Some(id)).await;
            done.or_else(|error| self.put_off(id, *tries, &error))?;
        }
        Ok(())
    }

    /// Takes a reassignment of a fragment that is or was here.
    pub(super) async fn reassign_route(&self, body: &Reassign) -> Result<Response, EdgeError> {
        self.carry_out(&body.profile_id, &body.reassignment, None).await?;
        // Only moves are tried. A linking job would have the graph send its reassignments, and they would come here
        // again.
        for stored in self.store.link_jobs(&[body.profile_id.as_str()])? {
            if matches!(stored.job(), Ok(OutboxJob::MoveFragment(moving)) if moving.fragment_id == body.reassignment.fragment)
            {
                self.attempt(&stored, clock::now()).await?;
            }
        }
        self.arm_at(self.next_due(clock::now())?).await?;
        response::json(&Done {})
    }

    /// Carries out a reassignment at a row, or passes it on to the profile that the fragment moved to. `job` is the
    /// linking job that it answers: it is dropped in the same transaction, or once the shard that has the fragment
    /// acknowledged.
    async fn carry_out(
        &self,
        profile_id: &ProfileId,
        reassignment: &Reassignment,
        job: Option<&str>,
    ) -> Result<(), EdgeError> {
        let now = clock::now();
        let snapshot = snapshots::current(&self.env, now).await?;
        let reassigned = self.store.db.transaction(|| self.reassign(profile_id, reassignment, job, &snapshot, now))?;
        match reassigned {
            Reassigned::Follow(next) => {
                reassign(&self.env, &next, reassignment).await?;
                job.map_or(Ok(()), |job| self.store.db.transaction(|| self.store.drop_job(job)))
            }
            Reassigned::Unknown => Err(DomainError::Moving.into()),
            Reassigned::Done | Reassigned::Stays | Reassigned::Leaves(_) => Ok(()),
        }
    }

    /// Runs in that transaction: changes row and tables and drops the job, or changes nothing.
    fn reassign(
        &self,
        profile_id: &ProfileId,
        reassignment: &Reassignment,
        job: Option<&str>,
        snapshot: &Snapshot,
        now: UnixMillis,
    ) -> Result<Reassigned, EdgeError> {
        let id = &reassignment.fragment;
        let done = || job.map_or(Ok(()), |job| self.store.drop_job(job));
        let stored = self.store.load_with(profile_id.as_str(), Wanted::Named(&[id.clone()].into()))?;
        let mut row = stored.unwrap_or_else(|| ProfileRow::new(profile_id.clone(), now));
        let here = row.fragments.contains_key(id) || row.moved.contains_key(id);
        if !here && self.is_erased(id, now)? {
            done()?;
            return Ok(Reassigned::Done);
        }
        let overflow = self.store.overflow(&row, id, now)?;
        row.begin_at_home(id, now);
        let possession = row.possessions.get(id).cloned();
        let reassigned = row.reassign(id, &reassignment.assignment);
        match &reassigned {
            Reassigned::Follow(_) | Reassigned::Unknown => return Ok(reassigned),
            Reassigned::Leaves(fragment) => {
                let overflow = carried(overflow);
                let leaving = PackedFragment { fragment: Fragment::clone(fragment), overflow };
                self.pack_off(&mut row, (&leaving, possession), reassignment)?;
            }
            Reassigned::Done | Reassigned::Stays => {}
        }
        if reassigned != Reassigned::Done {
            let refreshed = self.store.refresh(&mut row, snapshot, now)?;
            self.store.save_refreshed(&row, &refreshed)?;
        }
        done()?;
        Ok(reassigned)
    }

    /// Takes what belongs to a fragment out of the tables, and records where it goes.
    fn pack_off(
        &self,
        row: &mut ProfileRow,
        (leaving, possession): (&PackedFragment, Option<Possession>),
        reassignment: &Reassignment,
    ) -> Result<(), EdgeError> {
        let id = &reassignment.fragment;
        let all = self.store.subscriptions(row.id.as_str())?;
        let (going, staying): (Vec<_>, Vec<_>) = all.into_iter().partition(|stored| stored.fragment_id == id.as_str());
        for stored in &going {
            self.store.drop_subscription(row.id.as_str(), &stored.endpoint)?;
        }
        self.store.drop_overflow(row.id.as_str(), id)?;
        self.store.log_tails(row, Some(id))?;
        self.note_learning();
        row.subscriptions = staying.len() as u32;
        self.record_moved(row, leaving, possession.as_ref(), reassignment)?;
        let moving = MoveFragment {
            into: reassignment.assignment.profile.clone(),
            fragment_id: id.clone(),
            packed: pack(leaving)?,
            subscriptions: going,
            possession,
            occurrences: row.occurrences.remove(id).as_ref().map(pack).transpose()?,
            device: row.devices.remove(id),
            lists: row.lists.remove(id).unwrap_or_default(),
        };
        let job = format!("bring {} {}", id.as_str(), reassignment.assignment.version);
        self.store.put_job(&job, row.id.as_str(), clock::now(), &OutboxJob::MoveFragment(Box::new(moving)))
    }

    /// Brings a fragment to the shard of its profile.
    pub(super) async fn move_fragment(&self, stored: &StoredJob, moving: &MoveFragment) -> Result<(), EdgeError> {
        shards::ask_bucket(&self.env, bucket_of(moving.into.as_str()), moving).await?;
        self.store.db.transaction(|| self.store.drop_job(&stored.id))
    }

    /// Takes a fragment in. One that is here already came with an earlier try.
    pub(super) async fn absorb(&self, moving: &MoveFragment) -> Result<Response, EdgeError> {
        let snapshot = snapshots::current(&self.env, clock::now()).await?;
        let now = clock::now();
        let arriving: PackedFragment = unpack(&moving.packed)?;
        let counted: Option<FragmentOccurrences> = moving.occurrences.as_deref().map(unpack).transpose()?;
        let id = moving.into.as_str();
        let next = self.store.db.transaction(|| {
            let named = [moving.fragment_id.clone()].into();
            let stored = self.store.load_with(id, Wanted::Named(&named))?;
            let mut row = stored.unwrap_or_else(|| ProfileRow::new(moving.into.clone(), now));
            if self.is_erased(&moving.fragment_id, now)? || !row.absorb(&moving.fragment_id, arriving.fragment) {
                return Ok(None);
            }
            row.occurrences.extend(counted.clone().map(|held| (moving.fragment_id.clone(), held)));
            row.devices.extend(moving.device.clone().map(|held| (moving.fragment_id.clone(), held)));
            row.bound_devices();
            if !moving.lists.is_empty() {
                row.lists.insert(moving.fragment_id.clone(), moving.lists.clone());
            }
            row.possessions.extend(moving.possession.clone().map(|held| (moving.fragment_id.clone(), held)));
            for block in arriving.overflow {
                self.store.put_overflow(id, &moving.fragment_id, block)?;
            }
            for stored in &moving.subscriptions {
                self.store.put_subscription(id, stored)?;
            }
            row.subscriptions = self.store.subscriptions(id)?.len() as u32;
            let refreshed = self.store.refresh(&mut row, &snapshot, now)?;
            self.store.save_refreshed(&row, &refreshed)?;
            let fill = self.store.fill_due(&row, &snapshot, now)?;
            Ok(refreshed.timers.iter().map(|timer| timer.to).chain(fill).min())
        })?;
        self.arm_at(next).await?;
        response::json(&Done {})
    }
}

/// Packs a part of a job, base64: in the text of a job it is shorter so, and a map may have other keys than texts.
fn pack<T: Serialize>(part: &T) -> Result<String, EdgeError> {
    let packed = postcard::to_allocvec(part).map_err(|error| DomainError::Internal(error.to_string()))?;
    Ok(BASE64.encode(packed))
}

/// Reads it.
fn unpack<T: DeserializeOwned>(text: &str) -> Result<T, EdgeError> {
    let packed = BASE64.decode(text).map_err(|error| DomainError::Internal(error.to_string()))?;
    Ok(postcard::from_bytes(&packed).map_err(|error| DomainError::Internal(error.to_string()))?)
}
