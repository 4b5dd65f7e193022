//! Carrying out what follows from who somebody is, across shards if need be.
//!
//! The steps, each recorded before the next: (1) the event that says so and a [`Tell`] errand are stored; (2) the identity
//! graph keeps what was said and answers where the fragment belongs; (3) if that is another profile, the fragment leaves
//! this row, a forward pointer stays, and a [`Bring`] errand carries it; (4) the other shard takes it in and acknowledges.
//! Each step may run twice: the graph's words have versions, and a row carries out each once.

use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use endcap_engine::visit::settle;
use endcap_identity::{Assertion, FragmentId, Order, Seat, partition};
use endcap_profile::{Fragment, Parcelled, ProfileRow, Seating};
use endcap_protocol::{ProfileId, UnixMillis, bucket_of};
use endcap_validation::EngineError;
use futures_util::future::join_all;
use serde::{Deserialize, Serialize};
use worker::Response;

use super::ProfileShard;
use super::outbox::{Entry, Errand, pause_ms};
use super::store::StoredSubscription;
use crate::config::config;
use crate::fault::Fault;
use crate::{answer, clock, graph, objects, snapshots};

/// What was said about a fragment, for the graph.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Tell {
    /// The profile that had the fragment.
    pub(super) profile_id: ProfileId,
    /// What was said.
    pub(super) assertion: Assertion,
}

/// A fragment on its way to its profile.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Bring {
    pub(super) into: ProfileId,
    pub(super) fragment_id: FragmentId,
    /// The fragment and what of it lies in tables of its own, packed, base64.
    pub(super) parcel: String,
    pub(super) subscriptions: Vec<StoredSubscription>,
}

/// The graph's word for a fragment that may be in a row.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct SeatBody {
    /// The row.
    pub(crate) profile_id: ProfileId,
    /// The word.
    pub(crate) order: Order,
}

impl ProfileShard {
    /// Does the linking errands of a profile. True when none is left.
    pub(super) async fn settle_links(&self, profile_id: &str) -> Result<bool, Fault> {
        self.settle_many(&[profile_id]).await
    }

    /// Does the linking errands of several profiles, and tells the graph of all of them at once. True when none is left.
    pub(super) async fn settle_many(&self, profiles: &[&str]) -> Result<bool, Fault> {
        // Telling records bringing, hence a second round.
        for _ in 0..2 {
            let (tells, brings): (Vec<_>, Vec<_>) = self
                .store
                .link_errands(profiles)?
                .into_iter()
                .partition(|entry| matches!(entry.errand, Errand::Tell(_)));
            for entry in &brings {
                self.attempt(entry, clock::now()).await?;
            }
            self.tell(&tells).await?;
        }
        Ok(self.store.link_errands(profiles)?.is_empty())
    }

    /// Tries one errand; a failure puts it off.
    pub(super) async fn attempt(&self, entry: &Entry, now: UnixMillis) -> Result<(), Fault> {
        let result = match &entry.errand {
            Errand::Tell(_) => return self.tell(std::slice::from_ref(entry)).await,
            Errand::Bring(bring) => self.bring(entry, bring).await,
            Errand::Send(send) => self.send(entry, send, now).await,
        };
        result.or_else(|fault| self.put_off(entry, &fault))
    }

    fn put_off(&self, entry: &Entry, fault: &Fault) -> Result<(), Fault> {
        worker::console_error!("errand {} failed, attempt {}: {fault}", entry.id, entry.attempts + 1);
        self.store.postpone(entry, clock::now().saturating_add(pause_ms(entry.attempts)))
    }

    /// Tells the graph what was said, and carries out its answers. A failure puts the errand off.
    async fn tell(&self, entries: &[Entry]) -> Result<(), Fault> {
        let told = entries.iter().filter_map(|entry| match &entry.errand {
            Errand::Tell(tell) => Some((entry, tell)),
            Errand::Bring(_) | Errand::Send(_) => None,
        });
        let mut by_part: BTreeMap<u16, Vec<(&Entry, &Tell)>> = BTreeMap::new();
        let partitions = config(&self.env).layout.graph_partitions;
        for (entry, tell) in told {
            let part = partition::of_fragment(&tell.assertion.fragment, partitions);
            by_part.entry(part).or_default().push((entry, tell));
        }
        let told = join_all(by_part.into_iter().map(|(part, told)| self.tell_part(part, told))).await;
        told.into_iter().collect()
    }

    async fn tell_part(&self, part: u16, told: Vec<(&Entry, &Tell)>) -> Result<(), Fault> {
        let assertions: Vec<&Assertion> = told.iter().map(|(_, tell)| &tell.assertion).collect();
        let seats: Result<Vec<Seat>, Fault> =
            objects::ask(&objects::graph_part(&self.env, part)?, "/tell", &assertions).await;
        let seats = match seats {
            Ok(seats) => seats,
            Err(fault) => return told.iter().try_for_each(|(entry, _)| self.put_off(entry, &fault)),
        };
        for ((entry, tell), seat) in told.iter().zip(seats) {
            let order = Order { fragment: tell.assertion.fragment.clone(), seat };
            let done = self.carry_out(&tell.profile_id, &order, Some(&entry.id)).await;
            done.or_else(|fault| self.put_off(entry, &fault))?;
        }
        Ok(())
    }

    /// `/seat`: the graph's word, for a fragment that is here or was.
    pub(super) async fn seat_route(&self, body: &SeatBody) -> Result<Response, Fault> {
        self.carry_out(&body.profile_id, &body.order, None).await?;
        // Only bringing: to tell the graph something here would have it send its words again, which come here again.
        for entry in self.store.link_errands(&[body.profile_id.as_str()])? {
            if matches!(&entry.errand, Errand::Bring(bring) if bring.fragment_id == body.order.fragment) {
                self.attempt(&entry, clock::now()).await?;
            }
        }
        let due = self.store.next_due()?;
        self.arm_at(due).await?;
        answer::json(&serde_json::json!({}))
    }

    /// Carries out the graph's word at a row, or passes it on to where the fragment went. `errand` is what it answers: it
    /// is done in the same transaction, or once who has the fragment acknowledged.
    async fn carry_out(&self, profile_id: &ProfileId, order: &Order, errand: Option<&str>) -> Result<(), Fault> {
        let now = clock::now();
        let snapshot = snapshots::current(&self.env, now).await?;
        let id = &order.fragment;
        let seating = self.store.db.transaction(|| {
            let stored = self.store.load(profile_id.as_str())?;
            let mut row = stored.unwrap_or_else(|| ProfileRow::new(profile_id.clone(), now));
            let here = row.fragments.contains_key(id) || row.moved.contains_key(id);
            if !here && self.is_erased(id, now)? {
                errand.map_or(Ok(()), |errand| self.store.drop_errand(errand))?;
                return Ok(Seating::Done);
            }
            let overflow = self.store.overflow(&row, id, now)?;
            row.begin_at_home(id, now);
            let seating = row.seat(id, &order.seat);
            match &seating {
                Seating::Follow(_) | Seating::Unknown => return Ok(seating),
                Seating::Leaves(fragment) => {
                    let parcel = Parcelled { fragment: Fragment::clone(fragment), overflow };
                    self.pack_off(&mut row, id, &parcel, order)?;
                }
                Seating::Done | Seating::Stays => {}
            }
            if seating != Seating::Done {
                let settled = settle(&mut row, &snapshot, now);
                self.store.save_settled(&row, &settled)?;
            }
            errand.map_or(Ok(()), |errand| self.store.drop_errand(errand))?;
            Ok(seating)
        })?;
        match seating {
            Seating::Follow(next) => {
                graph::send(&self.env, &next, order).await?;
                errand.map_or(Ok(()), |errand| self.store.db.transaction(|| self.store.drop_errand(errand)))
            }
            Seating::Unknown => Err(EngineError::Internal("the fragment is on its way".to_owned()).into()),
            Seating::Done | Seating::Stays | Seating::Leaves(_) => Ok(()),
        }
    }

    /// Takes what belongs to a fragment out of the tables, and records where it goes.
    fn pack_off(&self, row: &mut ProfileRow, id: &FragmentId, parcel: &Parcelled, order: &Order) -> Result<(), Fault> {
        let all = self.store.subscriptions(row.id.as_str())?;
        let (going, staying): (Vec<_>, Vec<_>) = all.into_iter().partition(|stored| stored.fragment_id == id.as_str());
        for stored in &going {
            self.store.drop_subscription(row.id.as_str(), &stored.endpoint)?;
        }
        self.store.drop_overflow(row.id.as_str(), id)?;
        row.subscriptions = staying.len() as u32;
        let packed = postcard::to_allocvec(parcel).map_err(|e| EngineError::Internal(e.to_string()))?;
        let bring = Bring {
            into: order.seat.profile.clone(),
            fragment_id: id.clone(),
            parcel: BASE64.encode(packed),
            subscriptions: going,
        };
        let errand = format!("bring {} {}", id.as_str(), order.seat.version);
        self.store.put_errand(&errand, row.id.as_str(), clock::now(), &Errand::Bring(Box::new(bring)))
    }

    async fn bring(&self, entry: &Entry, bring: &Bring) -> Result<(), Fault> {
        let bucket = bucket_of(bring.into.as_str());
        let _: serde_json::Value = objects::ask_bucket(&self.env, bucket, "/absorb", bring).await?;
        self.store.db.transaction(|| self.store.drop_errand(&entry.id))
    }

    /// `/absorb`: takes a fragment in. One that is here already came with an earlier try.
    pub(super) async fn absorb(&self, bring: &Bring) -> Result<Response, Fault> {
        let now = clock::now();
        let snapshot = snapshots::current(&self.env, now).await?;
        let damaged = |what: String| EngineError::Internal(what);
        let packed = BASE64.decode(&bring.parcel).map_err(|e| damaged(e.to_string()))?;
        let parcel: Parcelled = postcard::from_bytes(&packed).map_err(|e| damaged(e.to_string()))?;
        let id = bring.into.as_str();
        let next = self.store.db.transaction(|| {
            let stored = self.store.load(id)?;
            let mut row = stored.unwrap_or_else(|| ProfileRow::new(bring.into.clone(), now));
            if self.is_erased(&bring.fragment_id, now)? || !row.absorb(&bring.fragment_id, parcel.fragment) {
                return Ok(None);
            }
            for block in parcel.overflow {
                self.store.put_overflow(id, &bring.fragment_id, block)?;
            }
            for stored in &bring.subscriptions {
                self.store.put_subscription(id, stored)?;
            }
            row.subscriptions = self.store.subscriptions(id)?.len() as u32;
            let settled = settle(&mut row, &snapshot, now);
            self.store.save_settled(&row, &settled)?;
            Ok(settled.timers.iter().map(|timer| timer.to).min())
        })?;
        self.arm_at(next).await?;
        answer::json(&serde_json::json!({}))
    }
}
