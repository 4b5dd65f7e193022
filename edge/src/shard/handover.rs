//! Handing a bucket over to another shard while its visitors go on.
//!
//! The registry asks the shard that has the bucket, again and again until it says that all is done (`shop/registry.rs`).
//! Each try has a name, its session: (1) the other shard notes that the bucket is arriving, and from then on refuses what
//! earlier tries send; (2) this shard goes on serving and copies profiles with what lies beside them, then what changed
//! meanwhile, until little is left; (3) it closes the bucket, and requests wait; (4) the other shard takes the last changes
//! in and opens the bucket, in one transaction; (5) this shard notes that it is gone, hands on what still comes, and clears
//! its rows out. A try that failed anywhere begins again at (1), which says whether (4) happened. The event log, refused
//! events and counts stay where they were written: whoever reads them asks every shard.

use std::collections::BTreeSet;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use endcap_engine::layout::bucket_state::{Holding, Stand};
use endcap_engine::layout::placement::Move;
use endcap_protocol::bucket_of;
use endcap_validation::EngineError;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use worker::{Delay, Response, Stub};

use super::ProfileShard;
use super::cargo::Cargo;
use super::store::Store;
use crate::db::Row;
use crate::fault::Fault;
use crate::{answer, clock, layout, objects};

/// Bytes of one shipment, but for its last profile.
const SHIPMENT: usize = 1024 * 1024;
/// Changed profiles that may be left when the bucket is closed, and how often they are copied before that.
const LEFT: usize = 20;
const ROUNDS: usize = 10;
/// How long a request waits for a bucket that is closed: so many times, so many milliseconds.
const WAITS: usize = 200;
const WAIT_MS: u64 = 20;

/// Asks the shard that has a bucket to hand it over.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct MoveAsk {
    /// Which, and to whom.
    pub(crate) order: Move,
}

/// Announces a bucket.
#[derive(Debug, Serialize, Deserialize)]
struct Announcement {
    order: Move,
    session: String,
}

/// What the other shard says to that.
#[derive(Debug, Serialize, Deserialize)]
struct Welcome {
    /// The bucket came with an earlier try.
    here: bool,
    /// It does not know yet who was erased before.
    lacks_tombstones: bool,
}

/// Part of a bucket on its way.
#[derive(Debug, Serialize, Deserialize)]
struct Shipment {
    order: Move,
    session: String,
    /// A [`Cargo`], base64.
    cargo: String,
    /// Nothing follows: from now on the bucket is served there.
    last: bool,
}

impl ProfileShard {
    /// Who answers for a bucket.
    pub(super) fn stand(&self, bucket: u16) -> Result<Stand, Fault> {
        if let Some(stand) = self.store.stand(bucket) {
            return Ok(stand);
        }
        let placement = layout::placement()?;
        if self.is_number(placement.first_shard_of(bucket))? {
            return Ok(Stand::Here);
        }
        Ok(Stand::At(placement.shard_of(bucket)))
    }

    /// The shard that answers for a bucket, where it is not this one. Waits for one that is just being handed over.
    pub(super) async fn elsewhere(&self, bucket: u16) -> Result<Option<Stub>, Fault> {
        for _ in 0..WAITS {
            match self.stand(bucket)? {
                Stand::Here => return Ok(None),
                Stand::At(number) if self.is_number(number)? => break,
                Stand::At(number) => return Ok(Some(objects::numbered_shard(&self.env, number)?)),
                Stand::Soon => Delay::from(Duration::from_millis(WAIT_MS)).await,
            }
        }
        Err(EngineError::Moving.into())
    }

    /// `/bucket/move`: hands a bucket over, and answers when nothing of it is left here.
    pub(super) async fn move_route(&self, ask: &MoveAsk) -> Result<Response, Fault> {
        let order = ask.order;
        if !self.store.holding(order.bucket).is_some_and(|holding| holding.is_taken_by(&order)) {
            self.hand_over(&order).await?;
        }
        self.clear_out(&order).await?;
        answer::json(&json!({}))
    }

    async fn hand_over(&self, order: &Move) -> Result<(), Fault> {
        if matches!(self.stand(order.bucket)?, Stand::At(_)) {
            return Err(EngineError::Internal(format!("bucket {} is not here", order.bucket)).into());
        }
        let session = u64::from_le_bytes(clock::random()).to_string();
        let to = objects::numbered_shard(&self.env, order.to)?;
        let announcement = Announcement { order: *order, session: session.clone() };
        let welcome: Welcome = objects::ask(&to, "/bucket/arrive", &announcement).await?;
        if !welcome.here {
            let road = Road { shard: self, to, order: *order, session };
            road.copy(welcome.lacks_tombstones).await?;
            road.close().await?;
        }
        let gone = Holding::Gone { to: order.to, number: order.number };
        self.store.holding_transaction(|| self.store.hold(order.bucket, gone))
    }

    /// Deletes what is left of a bucket that is gone, a bounded part at a time. It may come back meanwhile, if somebody
    /// else asked for the same and was faster.
    async fn clear_out(&self, order: &Move) -> Result<(), Fault> {
        let mut after = String::new();
        loop {
            let (ids, next) = self.store.profiles_in(order.bucket, &after)?;
            self.store.db.transaction(|| self.store.if_gone(order, || self.store.clear_profiles(&ids)))?;
            let Some(next) = next else { break };
            after = next;
            Delay::from(Duration::ZERO).await;
        }
        self.store.db.transaction(|| self.store.if_gone(order, || self.store.clear_bucket(order.bucket)))
    }

    /// `/bucket/arrive`: a bucket is announced.
    pub(super) fn arrive_route(&self, body: &[u8]) -> Result<Response, Fault> {
        let Announcement { order, session } = serde_json::from_slice(body)?;
        let here = self.store.holding(order.bucket).is_some_and(|holding| holding.is_brought_by(&order));
        if !here {
            if self.stand(order.bucket)? == Stand::Here {
                return Err(EngineError::Internal(format!("bucket {} is here already", order.bucket)).into());
            }
            self.store.holding_transaction(|| {
                // What an earlier try brought comes again.
                self.store.clear_bucket(order.bucket)?;
                self.store.hold(order.bucket, Holding::Arriving { session })
            })?;
        }
        answer::json(&Welcome { here, lacks_tombstones: self.store.meta(TOMBSTONES)? == 0 })
    }

    /// `/bucket/take`: part of a bucket arrives.
    pub(super) async fn take_route(&self, body: &[u8]) -> Result<Response, Fault> {
        let shipment: Shipment = serde_json::from_slice(body)?;
        let order = shipment.order;
        let damaged = |what: String| EngineError::Internal(format!("a shipment is damaged: {what}"));
        let packed = BASE64.decode(&shipment.cargo).map_err(|e| damaged(e.to_string()))?;
        let cargo: Cargo = postcard::from_bytes(&packed).map_err(|e| damaged(e.to_string()))?;
        let due = self.store.holding_transaction(|| {
            let holding = self.store.holding(order.bucket);
            if shipment.last && holding.as_ref().is_some_and(|holding| holding.is_brought_by(&order)) {
                return Ok(None);
            }
            if !holding.is_some_and(|holding| holding.is_of(&shipment.session)) {
                return Err(EngineError::Moving.into());
            }
            self.store.unload(&cargo)?;
            if !shipment.last {
                return Ok(None);
            }
            self.store.open_bucket(&order, &cargo)?;
            self.store.next_due()
        })?;
        self.arm_at(due).await?;
        answer::json(&json!({}))
    }
}

/// One try to hand a bucket over.
struct Road<'a> {
    shard: &'a ProfileShard,
    to: Stub,
    order: Move,
    session: String,
}

impl Road<'_> {
    fn store(&self) -> &Store {
        &self.shard.store
    }

    /// Copies the bucket while it is served.
    async fn copy(&self, with_tombstones: bool) -> Result<(), Fault> {
        let bucket = self.order.bucket;
        self.store().changed.borrow_mut().clear();
        let leaving = Holding::Leaving { session: self.session.clone() };
        self.store().holding_transaction(|| self.store().hold(bucket, leaving))?;
        if with_tombstones {
            self.ship(&Cargo { tombstones: self.store().tombstones()?, ..Cargo::default() }, false).await?;
        }
        let mut after = String::new();
        loop {
            let (ids, next) = self.store().profiles_in(bucket, &after)?;
            self.ship_profiles(ids).await?;
            let Some(next) = next else { break };
            after = next;
        }
        for _ in 0..ROUNDS {
            let changed = self.store().take_changed(LEFT);
            if changed.is_empty() {
                break;
            }
            self.ship_profiles(changed).await?;
        }
        Ok(())
    }

    /// Closes the bucket, and has the other shard open it.
    async fn close(&self) -> Result<(), Fault> {
        let bucket = self.order.bucket;
        let cargo = self.store().holding_transaction(|| {
            self.check()?;
            let changed: Vec<String> = self.store().take_changed(0).into_iter().collect();
            let mut cargo = self.store().load_cargo(&changed)?;
            cargo.errands = self.store().errands_in(bucket)?;
            self.store().hold(bucket, Holding::Closed { session: self.session.clone() })?;
            Ok(cargo)
        })?;
        self.ship(&cargo, true).await
    }

    /// A later try took over: it copies again what this one did.
    fn check(&self) -> Result<(), Fault> {
        let ours = self.store().holding(self.order.bucket).is_some_and(|holding| holding.is_of(&self.session));
        if ours { Ok(()) } else { Err(EngineError::Moving.into()) }
    }

    async fn ship_profiles(&self, ids: impl IntoIterator<Item = String>) -> Result<(), Fault> {
        let (mut held, mut bytes) = (Vec::new(), 0);
        for id in ids {
            bytes += self.store().size_of(&id)?;
            held.push(id);
            if bytes > SHIPMENT {
                self.ship(&self.store().load_cargo(&std::mem::take(&mut held))?, false).await?;
                bytes = 0;
            }
        }
        if held.is_empty() { Ok(()) } else { self.ship(&self.store().load_cargo(&held)?, false).await }
    }

    async fn ship(&self, cargo: &Cargo, last: bool) -> Result<(), Fault> {
        let packed = postcard::to_allocvec(cargo).map_err(|e| EngineError::Internal(e.to_string()))?;
        let (order, session, cargo) = (self.order, self.session.clone(), BASE64.encode(packed));
        let shipment = Shipment { order, session, cargo, last };
        let _: Value = objects::ask(&self.to, "/bucket/take", &shipment).await?;
        if last { Ok(()) } else { self.check() }
    }
}

/// Whether the tombstones of before this shard had anything are known.
const TOMBSTONES: &str = "tombstones_known";

impl Store {
    /// What is known of a bucket that moved or moves.
    pub(super) fn holding(&self, bucket: u16) -> Option<Holding> {
        self.holdings.borrow().get(&bucket).cloned()
    }

    /// Who answers for a bucket, where it moved or moves.
    pub(super) fn stand(&self, bucket: u16) -> Option<Stand> {
        self.holdings.borrow().get(&bucket).map(Holding::stand)
    }

    /// Whether this shard is giving a bucket away at this moment.
    pub(super) fn is_leaving(&self) -> bool {
        self.holdings.borrow().values().any(Holding::is_leaving)
    }

    /// Reads what is known of buckets that moved.
    pub(super) fn load_holdings(&self) -> Result<(), Fault> {
        let rows = self.db.rows("SELECT bucket, body FROM holding", Vec::new())?;
        let read = |row: &Row| Ok((row.int(0) as u16, serde_json::from_str(&row.text(1))?));
        let held: Result<_, Fault> = rows.iter().map(read).collect();
        self.holdings.replace(held?);
        Ok(())
    }

    /// A transaction that changes what is known of a bucket. In memory that is changed at once, so it is read again where
    /// nothing of it is kept.
    fn holding_transaction<T>(&self, work: impl FnOnce() -> Result<T, Fault>) -> Result<T, Fault> {
        let done = self.db.transaction(work);
        if done.is_err() {
            self.load_holdings()?;
        }
        done
    }

    /// Does something to a bucket that a move took away, if it still is.
    fn if_gone(&self, order: &Move, work: impl FnOnce() -> Result<(), Fault>) -> Result<(), Fault> {
        let gone = self.holding(order.bucket).is_some_and(|holding| holding.is_taken_by(order));
        if gone { work() } else { Ok(()) }
    }

    /// Notes what becomes of a bucket.
    fn hold(&self, bucket: u16, holding: Holding) -> Result<(), Fault> {
        self.db.run(
            "INSERT INTO holding(bucket, state, body) VALUES(?, ?, ?)
             ON CONFLICT(bucket) DO UPDATE SET state = excluded.state, body = excluded.body",
            vec![i64::from(bucket).into(), holding.state().into(), serde_json::to_string(&holding)?.into()],
        )?;
        self.holdings.borrow_mut().insert(bucket, holding);
        Ok(())
    }

    /// Looked at before a profile is written: refuses one whose bucket is not served here, and notes one that is being
    /// copied.
    pub(super) fn may_write(&self, profile_id: &str) -> Result<(), Fault> {
        let holdings = self.holdings.borrow();
        if holdings.is_empty() {
            return Ok(());
        }
        match holdings.get(&bucket_of(profile_id)) {
            None | Some(Holding::Here { .. }) => Ok(()),
            Some(Holding::Leaving { .. }) => {
                self.changed.borrow_mut().insert(profile_id.to_owned());
                Ok(())
            }
            Some(_) => Err(EngineError::Moving.into()),
        }
    }

    /// Whether the rows of a profile's bucket can be read here.
    pub(super) fn may_read(&self, profile_id: &str) -> bool {
        let holdings = self.holdings.borrow();
        holdings.is_empty() || holdings.get(&bucket_of(profile_id)).is_none_or(Holding::is_readable)
    }

    /// The profiles that changed while their bucket is copied, if they are more than so many.
    fn take_changed(&self, more_than: usize) -> BTreeSet<String> {
        let mut changed = self.changed.borrow_mut();
        if changed.len() > more_than { std::mem::take(&mut changed) } else { BTreeSet::new() }
    }

    /// Serves the bucket from now on.
    fn open_bucket(&self, order: &Move, cargo: &Cargo) -> Result<(), Fault> {
        for (id, profile_id, due, attempts, body) in &cargo.errands {
            self.db.run(
                "INSERT INTO outbox(id, profile_id, bucket, due, attempts, body) VALUES(?, ?, ?, ?, ?, ?)",
                vec![
                    id.as_str().into(),
                    profile_id.as_str().into(),
                    i64::from(order.bucket).into(),
                    (*due).into(),
                    (*attempts).into(),
                    body.as_str().into(),
                ],
            )?;
        }
        self.set_meta(TOMBSTONES, 1)?;
        self.hold(order.bucket, Holding::Here { number: order.number })
    }
}
