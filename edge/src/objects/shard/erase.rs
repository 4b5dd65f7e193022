//! Erasing a person at a shard: every table takes out what it has of them (`table/`), and tombstones stay.
//!
//! The identity graph asks every shard, until each has nothing left (`graph/erase.rs`). Each step may run twice.

use endcap_engine::shop::Snapshot;
use endcap_identity::FragmentId;
use endcap_profile::erase::Remains;
use endcap_profile::fragment_rows::Wanted;
use endcap_protocol::UnixMillis;
use worker::Response;

use super::object::ProfileShard;
use super::table::all::TABLES;
use super::table::contract::{ErasedProfile, Eraser, Erasure};
use crate::platform::config::config;
use crate::platform::error::EdgeError;
use crate::platform::{clock, response};
use crate::rpc::erasure::{EraseStep, EraseStepDone, ErasedRows, KnownNames, NamesAsk};
use crate::rpc::snapshots;

/// Profiles that one request looks through for one fragment; for several it looks through fewer.
const PROFILES: i64 = 20_000;

impl ProfileShard {
    /// By what a person is named here.
    pub(super) fn names_route(&self, ask: &NamesAsk) -> Result<Response, EdgeError> {
        let mut known = KnownNames::default();
        for id in &ask.fragments {
            let Some(row) = self.store.load_with(id.as_str(), Wanted::Named(&ask.fragments))? else { continue };
            for (id, fragment) in row.fragments.iter().filter(|(id, _)| ask.fragments.contains(*id)) {
                known.names.extend(fragment.names(id));
                known.fragments.insert(id.clone());
            }
        }
        response::json(&known)
    }

    /// Takes out all that is here of a person.
    pub(super) async fn erase_route(&self, step: &EraseStep) -> Result<Response, EdgeError> {
        let now = clock::now();
        let snapshot = snapshots::current(&self.env, now).await?;
        // What is being copied to another shard is erased once it is there.
        let mut done = EraseStepDone { busy: self.store.is_leaving(), ..EraseStepDone::default() };
        if step.after.is_empty() {
            let pepper = &config(&self.env).identity_pepper;
            let eraser = Eraser { store: &self.store, step, pepper, now };
            for table in TABLES {
                if let Erasure::Found(erase) = table.erasure() {
                    let erased = erase(&eraser, &mut done.sums);
                    done.wait_for(table.name(), erased);
                }
            }
            for id in &step.fragments {
                let erased = self.erase_in(id.as_str(), step, &snapshot, now, &mut done);
                done.wait_for(id.as_str(), erased);
            }
        }
        let limit = (PROFILES / (step.fragments.len() as i64).max(1)).max(100);
        let found = self.store.mentioning(step, limit)?;
        for id in found.ids {
            let erased = self.erase_in(&id, step, &snapshot, now, &mut done);
            done.wait_for(&id, erased);
        }
        done.next = found.next;
        response::json(&done)
    }

    /// Erases in one row and in the tables beside it, in one transaction.
    fn erase_in(
        &self,
        id: &str,
        step: &EraseStep,
        snapshot: &Snapshot,
        now: UnixMillis,
        done: &mut EraseStepDone,
    ) -> Result<(), EdgeError> {
        // Counted once the transaction holds: one that fails is tried again.
        let mut sums = ErasedRows::default();
        self.store.db.transaction(|| {
            let mut row = self.store.load_with(id, Wanted::Named(&step.fragments))?;
            let remains = row.as_mut().map_or(Remains::Untouched, |row| row.erase(&step.fragments));
            let profile = ErasedProfile { id, fragments: &step.fragments, is_gone: remains == Remains::Nothing };
            for table in TABLES {
                if let Erasure::Beside(erase) = table.erasure() {
                    erase(&self.store, &profile, &mut sums)?;
                }
            }
            let Some(row) = row.as_mut().filter(|_| remains != Remains::Untouched) else { return Ok(()) };
            sums.profiles += 1;
            done.busy |= remains == Remains::Busy;
            if remains == Remains::Nothing {
                return self.store.drop_row(id);
            }
            row.subscriptions = self.store.subscriptions(id)?.len() as u32;
            let refreshed = self.store.refresh(row, snapshot, now)?;
            self.store.save_refreshed(row, &refreshed)
        })?;
        done.sums.add(sums);
        Ok(())
    }

    /// Whether a fragment was erased: nothing may begin under its name.
    pub(super) fn is_erased(&self, id: &FragmentId, now: UnixMillis) -> Result<bool, EdgeError> {
        self.store.is_entombed(id.as_str(), &config(&self.env).identity_pepper, now)
    }
}
