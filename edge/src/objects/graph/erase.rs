//! Erasing a person everywhere.
//!
//! It is a saga of the identity graph, each step of which may run twice (the shards' part is in
//! `objects/shard/erase.rs`). What failed is tried again by the alarm:
//!
//! 1. The graph records whom to erase and by what they are named, and writes tombstones. From now on it hears nothing
//!    of these fragments.
//! 2. Every shard goes through its list of tables: tombstones first, then jobs (also a fragment that is being carried),
//!    refused events, log rows, packed rows with what lies beside them, and pointers in other rows. Packed rows hold
//!    texts as they are, so a shard finds a pointer by looking for the name in the bytes.
//! 3. When every shard has nothing left, the graph forgets edges and assignments, works out again who is whom around
//!    the gap, takes the names out of its record of decisions, and notes that somebody was erased.
//!
//! Nothing begins under a name that has a tombstone. A shard looks for it where a fragment begins only, so everyday
//! batches never ask. A tombstone is a SHA-256, or an HMAC under `ENDCAP_IDENTITY_PEPPER` where that is set (a new
//! pepper opens old tombstones). That of a browser stands for ever. That of a server's record stands for a minute,
//! because its name follows from the user ID.

use std::collections::BTreeSet;

use endcap_identity::erase::Forget;
use endcap_identity::partition::PartitionStore;
use endcap_identity::tombstone::holds_until;
use endcap_identity::{
    Assertion, FragmentId, Identifier, LinkStrength, Namespace, Reassignment, partitioned_resolve, tombstone,
};
use endcap_profile::erase::MAX_NAMES;
use endcap_protocol::{ProfileId, UnixMillis};
use endcap_validation::DomainError;
use serde::{Deserialize, Serialize};
use serde_json::json;
use worker::{Response, Stub};

use super::object::IdentityGraph;
use super::store::{Rows, SqlGraph};
use crate::platform::backoff::pause_ms;
use crate::platform::config::config;
use crate::platform::db::Row;
use crate::platform::error::EdgeError;
use crate::platform::{clock, response};
use crate::rpc::erasure::{Entomb, ErasePerson, EraseStep, ErasedRows, KnownNames, NamesAsk};
use crate::rpc::graph::LinkChange;
use crate::rpc::graph::reassign;
use crate::rpc::person_export::Members;
use crate::rpc::placement::Use;
use crate::rpc::{call, namespace, placement, shards};

/// Time that a request has for an erasure before the alarm takes it up, in milliseconds.
const FIRST_MS: UnixMillis = 5_000;

/// A person who is being erased.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Erasure {
    fragments: BTreeSet<FragmentId>,
    /// All texts that name them, in lower case.
    names: BTreeSet<String>,
    /// What was erased so far.
    sums: ErasedRows,
}

/// An erasure as stored.
struct PendingErasure {
    id: String,
    attempts: u32,
    erasure: Erasure,
}

impl IdentityGraph {
    /// `/erase`: 200 when all is done, 202 when something has to be tried again, 404 when nobody is there.
    pub(super) async fn erase(&self, ask: ErasePerson) -> Result<Response, EdgeError> {
        let now = clock::now();
        self.dismiss_guests(&ask.profile_id).await?;
        let (around, Members { profile_id: profile, fragments }) = self.person_at(ask.profile_id).await?;
        let id = tombstone(profile.as_str(), &config(&self.env).identity_pepper);
        let mut known = KnownNames::default();
        let ask = NamesAsk { fragments: fragments.clone() };
        for part in call::ask_each(&shards::all_shards(&self.env).await?, &ask).await? {
            known.fragments.extend(part.fragments);
            known.names.extend(part.names);
        }
        let earlier = self.store.erasure(&id)?;
        if known.fragments.is_empty() && fragments.len() < 2 && earlier.is_none() && around.assignments.is_empty() {
            return Err(DomainError::NotFound("profile").into());
        }
        // Fragments that were linked while the shards answered belong to the person too.
        let mut all = fragments;
        all.extend(self.person_at(profile).await?.1.fragments);
        self.store.transaction(now, |rows| rows.begin_erasure(&id, earlier, all, &known.names))?;
        self.carry_on(&id, now).await
    }

    /// Sends home what an earlier version joined to a profile by a claim: it is not the person's to erase.
    async fn dismiss_guests(&self, profile: &ProfileId) -> Result<(), EdgeError> {
        let around = self.around(FragmentId::parse(profile.as_str())?).await?;
        let joined = around.assignments.iter().filter(|(fragment, assignment)| {
            assignment.link_strength == LinkStrength::Claimed && fragment.as_str() != assignment.profile.as_str()
        });
        let guests: Vec<Assertion> = joined.map(|(fragment, _)| Assertion::new(fragment.clone())).collect();
        let fragments: Vec<FragmentId> = guests.iter().map(|guest| guest.fragment.clone()).collect();
        for (fragment, assignment) in fragments.into_iter().zip(self.link_all(guests).await?) {
            let home = fragment.home()?;
            reassign(&self.env, &home, &Reassignment { fragment, assignment }).await?;
        }
        Ok(())
    }

    /// Works on an erasure, and says how far it is.
    async fn carry_on(&self, id: &str, now: UnixMillis) -> Result<Response, EdgeError> {
        // If it is gone, the alarm has finished the erasure.
        let pending = self.store.erasure(id)?;
        let fragments = pending.as_ref().map_or(0, |pending| pending.erasure.fragments.len());
        let (sums, done) = match pending {
            Some(pending) => self.erase_all(pending, now).await?,
            None => (ErasedRows::default(), true),
        };
        let status = if done { 200 } else { 202 };
        response::raw_json(&json!({"erased": done, "fragments": fragments, "rows": sums}).to_string(), status)
    }

    /// Tries an erasure; one that is not done yet is put off. Returns what was erased, and whether it is done.
    async fn erase_all(&self, mut pending: PendingErasure, now: UnixMillis) -> Result<(ErasedRows, bool), EdgeError> {
        let result = self.ask_shards(&mut pending.erasure).await;
        let done = matches!(result, Ok(true));
        if let Err(error) = &result {
            worker::console_error!("erasure: {error}");
        }
        let sums = pending.erasure.sums;
        let later = now.saturating_add(pause_ms(pending.attempts));
        // Put off before the last step too: if a part of the graph fails in it, the alarm tries the erasure again.
        self.store.transaction(now, |rows| rows.put_off_erasure(&pending, later))?;
        if done {
            self.end_erasure(&pending, now).await?;
        }
        self.deliver(clock::now()).await?;
        Ok((sums, done))
    }

    /// The shards have nothing left: the graph forgets too, and notes when.
    async fn end_erasure(&self, pending: &PendingErasure, now: UnixMillis) -> Result<(), EdgeError> {
        let snapshot = self.snapshot().await?;
        let rules = &snapshot.settings.identity;
        let fragments = &pending.erasure.fragments;
        let peers = self.peers(rules)?;
        let known = partitioned_resolve::gather(&peers, rules, fragments.clone(), BTreeSet::new()).await?;
        let named = known.edges().filter(|edge| fragments.contains(&edge.fragment));
        let named: BTreeSet<Identifier> = named.map(|edge| edge.identifier.clone()).collect();
        self.store.transaction(now, |rows| rows.redact(fragments, &named))?;
        partitioned_resolve::erase(&peers, rules, fragments).await?;
        self.store.transaction(now, |rows| rows.note_erasure(pending))
    }

    /// `/entomb`: from now on this part ignores assertions about some fragments.
    pub(super) fn entomb(&self, told: &Entomb) -> Result<Response, EdgeError> {
        let Entomb(fragments) = told;
        self.store.transaction(clock::now(), |rows| rows.entomb(fragments))?;
        response::json(&json!({}))
    }

    /// Asks each shard to take out what it has. False when something has to be waited for.
    async fn ask_shards(&self, erasure: &mut Erasure) -> Result<bool, EdgeError> {
        for part in namespace::all_graph_parts(&self.env)?.iter().skip(1) {
            call::ask(part, &Entomb(erasure.fragments.clone())).await?;
        }
        let placement = placement::ask(&self.env, Use::Write).await?;
        // A shard that fails holds up no other.
        let mut all = Ok(false);
        for shard in shards::all_shards(&self.env).await? {
            let busy = Self::ask_shard(&shard, erasure).await;
            all = all.and_then(|before| busy.map(|busy| busy || before));
        }
        let busy = all?;
        // A bucket that moved meanwhile may have passed from a shard that was not asked yet to one that was.
        let after = placement::ask(&self.env, Use::Write).await?;
        Ok(!busy && !after.is_moving() && after.version() == placement.version())
    }

    /// Asks one shard. True where something has to be waited for.
    async fn ask_shard(shard: &Stub, erasure: &mut Erasure) -> Result<bool, EdgeError> {
        let (fragments, names) = (erasure.fragments.clone(), erasure.names.clone());
        let mut step = EraseStep { fragments, names, after: String::new() };
        let mut busy = false;
        loop {
            let done = call::ask(shard, &step).await?;
            erasure.sums.add(done.sums);
            busy |= done.busy;
            let Some(next) = done.next else { return Ok(busy) };
            step.after = next;
        }
    }

    /// Works on the erasures that are due. One that cannot be read is put off, and holds up no other.
    pub(super) async fn erase_due(&self, now: UnixMillis) -> Result<(), EdgeError> {
        for id in self.store.due_erasures(now)? {
            if let Err(error) = self.carry_on(&id, now).await {
                worker::console_error!("erasure {id}: {error}");
                self.store.postpone_erasure(&id, now)?;
            }
        }
        Ok(())
    }

    /// Drops an assertion's evidence that names erased browsers. None if its own fragment was erased.
    pub(super) fn living(&self, mut assertion: Assertion) -> Result<Option<Assertion>, EdgeError> {
        let rows = self.store.rows(clock::now());
        if rows.is_gone(assertion.fragment.as_str())? {
            return Ok(None);
        }
        let mut said = Vec::new();
        for evidence in assertion.said {
            let browser = evidence.identifier.namespace == Namespace::AnonymousId;
            if !(browser && rows.is_gone(&evidence.identifier.value)?) {
                said.push(evidence);
            }
        }
        assertion.said = said;
        Ok(Some(assertion))
    }
}

impl SqlGraph {
    fn due_erasures(&self, now: UnixMillis) -> Result<Vec<String>, EdgeError> {
        let rows = self.db.rows("SELECT id FROM erasure WHERE due <= ? ORDER BY due LIMIT 10", vec![now.into()])?;
        Ok(rows.iter().map(|row| row.text(0)).collect())
    }

    /// Puts an erasure off that could not even be looked at.
    fn postpone_erasure(&self, id: &str, now: UnixMillis) -> Result<(), EdgeError> {
        let failures = self.db.first("SELECT attempts FROM erasure WHERE id = ?", vec![id.into()])?;
        let until = now.saturating_add(pause_ms(failures.map_or(0, |row| row.int(0) as u32)));
        let update = "UPDATE erasure SET due = ?, attempts = attempts + 1 WHERE id = ?";
        self.db.run(update, vec![until.into(), id.into()])
    }

    fn erasure(&self, id: &str) -> Result<Option<PendingErasure>, EdgeError> {
        let row = self.db.first("SELECT attempts, body FROM erasure WHERE id = ?", vec![id.into()])?;
        let read = |row: Row| -> Result<PendingErasure, EdgeError> {
            let erasure = serde_json::from_str(&row.text(1))?;
            Ok(PendingErasure { id: id.to_owned(), attempts: row.int(0) as u32, erasure })
        };
        row.map(read).transpose()
    }
}

impl Rows<'_> {
    /// Records whom to erase. An earlier try knows names that are gone from the rows by now.
    fn begin_erasure(
        &mut self,
        id: &str,
        earlier: Option<PendingErasure>,
        fragments: BTreeSet<FragmentId>,
        names: &BTreeSet<String>,
    ) -> Result<(), EdgeError> {
        let empty = Erasure { fragments: BTreeSet::new(), names: BTreeSet::new(), sums: ErasedRows::default() };
        let mut erasure = earlier.map_or(empty, |pending| pending.erasure);
        erasure.fragments.extend(fragments);
        let plain = erasure.fragments.iter().map(|fragment| fragment.as_str().to_owned());
        let more = plain.chain(names.iter().cloned()).map(|name| name.trim().to_ascii_lowercase());
        erasure.names.extend(more.filter(|name| !name.is_empty()).take(MAX_NAMES));
        self.entomb(&erasure.fragments)?;
        // The alarm is set in the same transaction, so that after a crash the erasure still happens, only later.
        drop(self.db.set_alarm(self.now.saturating_add(FIRST_MS))?);
        self.db.run(
            "INSERT INTO erasure(id, due, attempts, body) VALUES(?, ?, 0, ?)
             ON CONFLICT(id) DO UPDATE SET due = excluded.due, body = excluded.body",
            vec![id.into(), self.now.saturating_add(FIRST_MS).into(), serde_json::to_string(&erasure)?.into()],
        )
    }

    fn put_off_erasure(&mut self, pending: &PendingErasure, until: UnixMillis) -> Result<(), EdgeError> {
        self.db.run(
            "UPDATE erasure SET due = ?, attempts = attempts + 1, body = ? WHERE id = ?",
            vec![until.into(), serde_json::to_string(&pending.erasure)?.into(), pending.id.as_str().into()],
        )
    }

    /// Writes tombstones.
    fn entomb(&mut self, fragments: &BTreeSet<FragmentId>) -> Result<(), EdgeError> {
        fragments.iter().try_for_each(|fragment| {
            self.db.run(
                "INSERT INTO tombstone(hash, holds_until) VALUES(?, ?)
                 ON CONFLICT(hash) DO UPDATE SET holds_until = excluded.holds_until",
                vec![
                    tombstone(fragment.as_str(), self.pepper).into(),
                    holds_until(fragment, self.now).unwrap_or_default().into(),
                ],
            )
        })
    }

    /// Notes that somebody was erased, once.
    fn note_erasure(&mut self, pending: &PendingErasure) -> Result<(), EdgeError> {
        let Erasure { fragments, sums, .. } = &pending.erasure;
        let delete = "DELETE FROM erasure WHERE id = ? RETURNING 1";
        if self.db.first(delete, vec![pending.id.as_str().into()])?.is_none() {
            return Ok(());
        }
        self.note(
            json!({"act": "erase", "profile": pending.id, "fragments": fragments.len(), "rows": sums}).to_string(),
        )
    }

    /// Removes the erased person from the audit records of what administrators did.
    fn redact(&self, fragments: &BTreeSet<FragmentId>, named: &BTreeSet<Identifier>) -> Result<(), EdgeError> {
        for row in self.db.rows("SELECT seq, body FROM audit", Vec::new())? {
            let Ok(change) = serde_json::from_str::<LinkChange>(&row.text(1)) else { continue };
            let about = change.fragment.as_ref().is_some_and(|fragment| fragments.contains(fragment));
            if about || change.identifier.as_ref().is_some_and(|identifier| named.contains(identifier)) {
                let body = json!({"act": change.act, "of": "somebody who was erased"}).to_string();
                self.db.run("UPDATE audit SET body = ? WHERE seq = ?", vec![body.into(), row.int(0).into()])?;
            }
        }
        Ok(())
    }
}

impl Forget for Rows<'_> {
    fn forget(&mut self, fragment: &FragmentId) -> Result<(), EdgeError> {
        let browser = format!("{}:{}", Namespace::AnonymousId, fragment.as_str());
        self.db.run("DELETE FROM edge WHERE identifier = ?", vec![browser.into()])?;
        for delete in [
            "DELETE FROM edge WHERE fragment = ?",
            "DELETE FROM seat WHERE fragment = ?",
            "DELETE FROM pending WHERE fragment = ?",
            "DELETE FROM mark WHERE fragment = ?",
        ] {
            self.db.run(delete, vec![fragment.as_str().into()])?;
        }
        Ok(())
    }
}
