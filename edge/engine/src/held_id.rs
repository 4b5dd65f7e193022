//! Whether a request has the anonymous ID that it names, and what its events do to that.
//!
//! Role in the flow of one event: around [`apply`](crate::visit::apply). Before it, the state that lies beside the fragment in the
//! row says whose request it is; after it, the state follows what the events did. The rules of the state itself are in
//! `edge/identity/src/possession.rs`.

use endcap_events::ingest::Batch;
use endcap_events::ingest::event::Event;
use endcap_identity::possession::{Client, Holder, Judgement, Moment};
use endcap_identity::stated_link::StatedLinks;
use endcap_identity::{FragmentId, Possession, Shown, StatedLink};
use endcap_profile::ProfileRow;
use endcap_profile::dedupe::Block;
use endcap_profile::evidence_policy::EvidencePolicy;
use endcap_protocol::UnixMillis;
use serde::{Deserialize, Serialize};

use crate::link_settling;
use crate::visit::{Visit, apply, proves_person};

/// What a request brings along that may have an anonymous ID.
#[derive(Debug, Clone, Copy)]
pub struct Asking<'a> {
    /// What it shows; None where nobody asks.
    pub shown: Option<&'a Shown>,
    /// Who had the ID at the fragment before, where the request went on from there.
    pub inherited: Option<&'a Inherited>,
    /// What the shop's server states of whose the browser is. A request that does so does nothing else.
    pub links: &'a [StatedLink],
}

/// What a request takes along that goes on from one fragment to the next.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Inherited {
    /// Who had the anonymous ID there.
    #[serde(flatten)]
    pub possession: Possession,
    /// The fragment that this one follows; None where the version before sent it.
    #[serde(default)]
    pub follows: Option<FragmentId>,
}

/// The anonymous ID of a request that has it.
#[derive(Debug, Clone)]
pub struct HeldId<'a> {
    /// The request.
    pub asking: Asking<'a>,
    /// The state after it, as far as the request itself says.
    pub possession: Possession,
}

impl Asking<'_> {
    /// Judges a request at the row of its fragment, which may have to begin. Where nobody asks, it has the ID. `proves` is what
    /// [`proves`](Self::proves) says of the request's batch.
    pub fn judge(self, row: &ProfileRow, at: &FragmentId, proves: impl FnOnce() -> bool, now: Moment) -> Judgement {
        let begins = !row.fragments.contains_key(at);
        let known = row.possessions.get(at).cloned().or_else(|| self.inherited.map(|held| held.possession.inherited()));
        let people_before = known.as_ref().map_or(0, |state| state.people_before);
        let state = known.filter(|state| !state.says_nothing());
        let judgement = match (self.shown, state) {
            (None, state) => Judgement::Holds(state.unwrap_or_default()),
            // An ID that another vendor's client is the first to name is that client's, or else the shop's server's.
            (Some(shown), None) if begins && shown.client == Client::Vendor => {
                Judgement::Holds(Possession::of_vendor(now.at))
            }
            (Some(shown), None) if begins && shown.client == Client::Server && shown.generation.is_none() => {
                Judgement::Holds(Possession::of_server(now.at))
            }
            (Some(shown), state) => state.unwrap_or_default().judge(shown, &row.id, proves, now),
        };
        match judgement {
            Judgement::Holds(possession) => Judgement::Holds(Possession { people_before, ..possession }),
            other => other,
        }
    }

    /// Whether a login gives a batch the ID. A proof of the row's person does. And a fragment that has yet to begin belongs to
    /// whoever sends the login that begins it: the part of a batch that follows a login of another person travels on by itself,
    /// and where it is lost the batch comes again without the token that was earned on the way. That login has to be proved,
    /// except in a batch that was set apart, which shows whose it is by its message IDs.
    #[must_use]
    pub fn proves(self, row: &ProfileRow, at: &FragmentId, batch: &Batch, policy: &EvidencePolicy<'_>) -> bool {
        let apart = self.shown.is_some_and(|shown| shown.apart);
        let begins = self.login_that_begins(row, at, batch);
        begins.is_some_and(|login| apart || policy.judge_proof(login) == Some(Ok(())))
            || proves_person(row, batch, policy)
    }

    /// The login of a batch after which its fragment is named, where that one has yet to begin and a browser had the ID before.
    fn login_that_begins<'b>(self, row: &ProfileRow, at: &FragmentId, batch: &'b Batch) -> Option<&'b Event> {
        let before = self.inherited.filter(|held| held.possession.holder == Holder::TokenHolder)?.follows.as_ref()?;
        let mut events = batch.events.iter().filter(|_| !row.fragments.contains_key(at));
        events.find(|event| before.next(&event.message_id) == *at)
    }

    /// What a request takes along that goes on from the fragment `passed` to `next`. Who has the ID is as the fragment says, or
    /// where it only moved, as the request brought along.
    #[must_use]
    pub fn passed_on(self, row: &ProfileRow, passed: &FragmentId, next: &FragmentId) -> Option<Inherited> {
        let brought = self.inherited.map(|held| &held.possession);
        let has_moved = passed == next;
        let held = row.possessions.get(passed).or(brought).cloned();
        // Who was here says nothing of an ID that anybody has; that somebody was counts.
        let possession = held.or_else(|| (!has_moved).then(Possession::default))?;
        let follows =
            if has_moved { self.inherited.and_then(|held| held.follows.clone()) } else { Some(passed.clone()) };
        Some(Inherited { possession, follows })
    }
}

impl HeldId<'_> {
    /// What the shop's server states of a browser, where the request comes from who has its ID.
    fn stated(&self) -> Option<&StatedLinks> {
        let possession = &self.possession;
        let has_it = match (self.asking.shown?.client, possession.holder) {
            (Client::Browser, Holder::TokenHolder) => true,
            (Client::Vendor, Holder::Vendor) => !possession.is_the_servers(),
            _ => false,
        };
        has_it.then_some(&possession.links)
    }

    /// Applies a batch to the fragment, and lets what it names meet what the shop's server states, with this request or before.
    /// Returns what was done, and who has the ID then.
    pub fn apply(
        &self,
        row: &mut ProfileRow,
        at: &FragmentId,
        batch: &mut Batch,
        policy: &EvidencePolicy<'_>,
        now: UnixMillis,
        overflow: &[Block],
    ) -> (Visit, Possession) {
        let policy = EvidencePolicy { stated: self.stated(), ..*policy };
        let mut visit = apply(row, at, batch, now, &policy, overflow);
        let mut possession = self.after(&visit, now);
        match self.asking.links {
            [] => link_settling::settle(row, at, &mut possession, &mut visit),
            links => link_settling::state(row, at, links, &mut possession, &policy, &mut visit),
        }
        (visit, possession)
    }

    /// The state once it is known what the events of the request did.
    fn after(&self, visit: &Visit, now: UnixMillis) -> Possession {
        let possession = match self.asking.shown {
            Some(shown) if visit.proved => self.possession.proved(shown, now),
            Some(_) if visit.confirmed => Possession { is_ended: false, ..self.possession.clone() },
            _ => self.possession.clone(),
        };
        if visit.reset { possession.ended() } else { possession }
    }
}

/// The generation of the token that who has an ID is given; None for another vendor's client, which cannot hold one.
#[must_use]
pub fn granted(possession: &Possession, shown: &Shown) -> Option<u32> {
    (possession.holder != Holder::Vendor).then(|| possession.granted(shown.client_number))
}

/// What the rest of a request shows once a part was applied: it has what was granted, though it does not show it. An open ID
/// stays open.
#[must_use]
pub fn rest(possession: &Possession, shown: Shown) -> Shown {
    match granted(possession, &shown) {
        Some(generation) if !possession.is_open() => shown.granted(generation),
        _ => shown,
    }
}
