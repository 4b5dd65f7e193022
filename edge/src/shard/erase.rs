//! Erasing a person at a shard: rows, log, tables and errands, and the tombstones that stay.
//!
//! The identity graph asks every shard, until each has nothing left (`graph/erase.rs`). Each step may run twice. The
//! tombstones come first, so that nothing that is on its way brings back what a step took out.

use std::collections::BTreeSet;

use endcap_engine::shop::Snapshot;
use endcap_engine::visit::settle;
use endcap_events::ingest::quarantine::Quarantined;
use endcap_identity::tombstone::holds_until;
use endcap_identity::{FragmentId, tombstone};
use endcap_profile::ProfileRow;
use endcap_profile::erase::Remains;
use endcap_protocol::{UnixMillis, bucket_of};
use serde::{Deserialize, Serialize};
use worker::Response;

use super::ProfileShard;
use super::outbox::Errand;
use super::store::{Store, empty_log};
use crate::config::config;
use crate::fault::Fault;
use crate::{answer, clock, snapshots};

/// Log rows that one transaction looks at.
const LOG_ROWS: i64 = 50_000;
/// Profiles that one request looks through for one fragment; for several it looks through fewer.
const PROFILES: i64 = 20_000;

/// A question for what names a person's fragments hold.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Look {
    /// The fragments; the profile is named like one of them.
    pub(crate) fragments: BTreeSet<FragmentId>,
}

/// What a shard knows of a person.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Known {
    /// Their fragments that are here.
    pub(crate) fragments: BTreeSet<FragmentId>,
    /// All texts that name them.
    pub(crate) names: BTreeSet<String>,
}

/// What a shard is to erase.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Part {
    /// The person's fragments.
    pub(crate) fragments: BTreeSet<FragmentId>,
    /// All texts that name them, in lower case.
    pub(crate) names: BTreeSet<String>,
    /// The profile after which to look for pointers; empty at first.
    pub(crate) after: String,
}

/// What was erased: rows by kind.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Sums {
    /// Profiles that held something of them.
    pub(crate) profiles: u64,
    /// Stored batches of events.
    pub(crate) batches: u64,
    /// Push subscriptions.
    pub(crate) subscriptions: u64,
    /// Timers.
    pub(crate) timers: u64,
    /// Errands.
    pub(crate) errands: u64,
    /// Refused events.
    pub(crate) refused: u64,
}

impl Sums {
    /// Adds other sums.
    pub(crate) fn add(&mut self, other: Self) {
        self.profiles += other.profiles;
        self.batches += other.batches;
        self.subscriptions += other.subscriptions;
        self.timers += other.timers;
        self.errands += other.errands;
        self.refused += other.refused;
    }
}

/// How far a shard came.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct PartDone {
    /// What was erased.
    pub(crate) sums: Sums,
    /// The profile after which to go on; None when all was looked through.
    pub(crate) next: Option<String>,
    /// Something has to be waited for: another person's fragment is about to leave a row that bears an erased name.
    pub(crate) busy: bool,
}

impl ProfileShard {
    /// `/erase/look`: by what the person is named here.
    pub(super) fn look_route(&self, look: &Look) -> Result<Response, Fault> {
        let mut known = Known::default();
        for id in &look.fragments {
            let Some(row) = self.store.load(id.as_str())? else { continue };
            for (id, fragment) in row.fragments.iter().filter(|(id, _)| look.fragments.contains(*id)) {
                known.names.extend(fragment.names(id));
                known.fragments.insert(id.clone());
            }
        }
        answer::json(&known)
    }

    /// `/erase`: takes out all that is here of the person.
    pub(super) async fn erase_route(&self, part: &Part) -> Result<Response, Fault> {
        let now = clock::now();
        let snapshot = snapshots::current(&self.env, now).await?;
        // What is being copied to another shard is erased once it is there.
        let mut done = PartDone { busy: self.store.is_leaving(), ..PartDone::default() };
        if part.after.is_empty() {
            let pepper = &config(&self.env).identity_pepper;
            self.store.db.transaction(|| self.store.entomb(&part.fragments, pepper, now))?;
            done.sums.errands = self.store.db.transaction(|| self.store.erase_errands(part))?;
            done.sums.refused = self.store.db.transaction(|| self.store.erase_refused(part))?;
            done.sums.batches = self.store.erase_log(part)?;
            for id in &part.fragments {
                self.store.db.transaction(|| self.erase_in(id.as_str(), part, &snapshot, now, &mut done))?;
            }
        }
        let limit = (PROFILES / (part.fragments.len() as i64).max(1)).max(100);
        let (found, next) = self.store.mentioning(part, limit)?;
        for id in found {
            self.store.db.transaction(|| self.erase_in(&id, part, &snapshot, now, &mut done))?;
        }
        done.next = next;
        answer::json(&done)
    }

    /// Erases in one row and in the tables beside it.
    fn erase_in(
        &self,
        id: &str,
        part: &Part,
        snapshot: &Snapshot,
        now: UnixMillis,
        done: &mut PartDone,
    ) -> Result<(), Fault> {
        done.sums.subscriptions += self.store.erase_beside(id, &part.fragments)?;
        let Some(mut row) = self.store.load(id)? else { return Ok(()) };
        match row.erase(&part.fragments) {
            Remains::Untouched => Ok(()),
            Remains::Nothing => {
                done.sums.profiles += 1;
                done.sums.timers += self.store.drop_profile(id)?;
                Ok(())
            }
            remains => {
                done.sums.profiles += 1;
                done.busy |= remains == Remains::Busy;
                self.save_rest(&mut row, snapshot, now)
            }
        }
    }

    /// Saves a row of which something was taken out.
    fn save_rest(&self, row: &mut ProfileRow, snapshot: &Snapshot, now: UnixMillis) -> Result<(), Fault> {
        row.subscriptions = self.store.subscriptions(row.id.as_str())?.len() as u32;
        let settled = settle(row, snapshot, now);
        self.store.save_settled(row, &settled)
    }

    /// Whether a fragment was erased: nothing may begin under its name.
    pub(super) fn is_erased(&self, id: &FragmentId, now: UnixMillis) -> Result<bool, Fault> {
        self.store.is_entombed(id.as_str(), &config(&self.env).identity_pepper, now)
    }
}

impl Store {
    /// Writes tombstones. Those of fragments at home elsewhere keep out what is on its way from here.
    fn entomb(&self, fragments: &BTreeSet<FragmentId>, pepper: &[u8], now: UnixMillis) -> Result<(), Fault> {
        fragments.iter().try_for_each(|id| {
            let (hash, until) = (tombstone(id.as_str(), pepper), holds_until(id, now).unwrap_or_default());
            self.put_tombstone(&hash, i64::from(bucket_of(id.as_str())), until)
        })
    }

    pub(super) fn put_tombstone(&self, hash: &str, bucket: i64, holds_until: UnixMillis) -> Result<(), Fault> {
        self.db.run(
            "INSERT INTO tombstone(hash, bucket, holds_until) VALUES(?, ?, ?)
             ON CONFLICT(hash) DO UPDATE SET holds_until = excluded.holds_until",
            vec![hash.into(), bucket.into(), holds_until.into()],
        )
    }

    /// Whether a tombstone stands under a name.
    pub(super) fn is_entombed(&self, name: &str, pepper: &[u8], now: UnixMillis) -> Result<bool, Fault> {
        let query = "SELECT holds_until FROM tombstone WHERE hash = ?";
        let held = self.db.first(query, vec![tombstone(name, pepper).into()])?.map(|row| row.int(0));
        Ok(held.is_some_and(|until| until == 0 || until > now))
    }

    /// Drops errands about the fragments, also a fragment that is being carried.
    fn erase_errands(&self, part: &Part) -> Result<u64, Fault> {
        let query = "SELECT id, body FROM outbox
                     WHERE EXISTS (SELECT 1 FROM json_each(?) WHERE instr(body, value) > 0)";
        let mut count = 0;
        for row in self.db.rows(query, vec![serde_json::to_string(&part.fragments)?.into()])? {
            let about = match serde_json::from_str::<Errand>(&row.text(1))? {
                Errand::Tell(tell) => part.fragments.contains(&tell.assertion.fragment),
                Errand::Bring(bring) => part.fragments.contains(&bring.fragment_id),
                Errand::Send(send) => part.fragments.contains(send.profile_id.as_str()),
            };
            if about {
                self.drop_errand(&row.text(0))?;
                count += 1;
            }
        }
        Ok(count)
    }

    fn erase_refused(&self, part: &Part) -> Result<u64, Fault> {
        let query = "SELECT seq, event FROM quarantine
                     WHERE EXISTS (SELECT 1 FROM json_each(?) WHERE instr(lower(event), value) > 0)";
        let mut count = 0;
        for row in self.db.rows(query, vec![serde_json::to_string(&part.names)?.into()])? {
            let event: Quarantined = serde_json::from_str(&row.text(1))?;
            if event.is_about(&part.names) {
                self.db.run("DELETE FROM quarantine WHERE seq = ?", vec![row.int(0).into()])?;
                count += 1;
            }
        }
        Ok(count)
    }

    /// Drops log rows. The latest row is emptied instead: its number would be given to the next one, which the shop
    /// would then take for learned.
    fn erase_log(&self, part: &Part) -> Result<u64, Fault> {
        let fragments = serde_json::to_string(&part.fragments)?;
        let last = self.db.first("SELECT max(seq) FROM event_log", Vec::new())?.map_or(0, |row| row.int(0));
        let (mut after, mut count) = (0, 0);
        while after < last {
            let until = after + LOG_ROWS;
            let find = "SELECT seq FROM event_log WHERE seq > ? AND seq <= ?
                        AND fragment_id IN (SELECT value FROM json_each(?))";
            count += self.db.transaction(|| {
                let found = self.db.rows(find, vec![after.into(), until.into(), fragments.as_str().into()])?;
                for row in &found {
                    self.drop_log_row(row.int(0))?;
                }
                Ok(found.len() as u64)
            })?;
            after = until;
        }
        Ok(count)
    }

    fn drop_log_row(&self, seq: i64) -> Result<(), Fault> {
        let newest = self.db.first("SELECT 1 FROM event_log WHERE seq > ? LIMIT 1", vec![seq.into()])?.is_none();
        if newest {
            let empty = "UPDATE event_log SET fragment_id = '', body = ? WHERE seq = ?";
            return self.db.run(empty, vec![empty_log()?.into(), seq.into()]);
        }
        self.db.run("DELETE FROM event_log WHERE seq = ?", vec![seq.into()])
    }

    /// Drops what tables hold of the fragments beside a row. Returns the number of subscriptions.
    fn erase_beside(&self, id: &str, fragments: &BTreeSet<FragmentId>) -> Result<u64, Fault> {
        let all = serde_json::to_string(fragments)?;
        let overflow = "DELETE FROM dedupe_overflow WHERE profile_id = ?
                        AND fragment_id IN (SELECT value FROM json_each(?))";
        self.db.run(overflow, vec![id.into(), all.as_str().into()])?;
        let subscriptions = "DELETE FROM subscription WHERE profile_id = ?
                             AND fragment_id IN (SELECT value FROM json_each(?)) RETURNING 1";
        Ok(self.db.rows(subscriptions, vec![id.into(), all.into()])?.len() as u64)
    }

    /// Drops a row with its timers and its membership. Returns the number of timers.
    fn drop_profile(&self, id: &str) -> Result<u64, Fault> {
        self.db.run("DELETE FROM profile WHERE id = ?", vec![id.into()])?;
        self.db.run("DELETE FROM membership WHERE profile_id = ?", vec![id.into()])?;
        Ok(self.db.rows("DELETE FROM timer WHERE profile_id = ? RETURNING 1", vec![id.into()])?.len() as u64)
    }

    /// Rows that mention one of the fragments, out of the next `limit`, and where to go on. Packed rows hold texts as
    /// they are.
    fn mentioning(&self, part: &Part, limit: i64) -> Result<(Vec<String>, Option<String>), Fault> {
        let last = "SELECT max(id), count(*) FROM (SELECT id FROM profile WHERE id > ? ORDER BY id LIMIT ?)";
        let row = self.db.first(last, vec![part.after.as_str().into(), limit.into()])?;
        let (last, count) = row.map_or((String::new(), 0), |row| (row.text(0), row.int(1)));
        let find = "SELECT id FROM profile WHERE id > ? AND id <= ?
                    AND EXISTS (SELECT 1 FROM json_each(?) WHERE instr(data, CAST(value AS BLOB)) > 0)";
        let fragments = serde_json::to_string(&part.fragments)?;
        let values = vec![part.after.as_str().into(), last.as_str().into(), fragments.into()];
        let found = self.db.rows(find, values)?.iter().map(|row| row.text(0)).collect();
        Ok((found, Some(last).filter(|_| count == limit)))
    }
}
