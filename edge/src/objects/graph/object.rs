//! `IdentityGraph`: who is whom.
//!
//! Role in the flow of one event: shards send it the evidence of identifying events only, so everyday traffic never
//! waits for it. The object stores the evidence. For every fragment whose assignment changed it delivers a
//! reassignment, until the fragment's shard has carried it out. The crate `identity` computes the assignments
//! (`edge/identity/src/graph.rs`).

use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;
use std::rc::Rc;

use endcap_engine::shop::Snapshot;
use endcap_identity::graph::Cut;
use endcap_identity::{
    Assertion, Assignment, FragmentId, Identifier, IdentityRules, Namespace, graph, partitioned_resolve,
};
use endcap_protocol::UnixMillis;
use endcap_validation::{DomainError, Trust};
use worker::{DurableObject, Env, Request, Response, State, durable_object};

use super::store::SqlGraph;
use crate::platform::backoff::FAILED_ALARM_MS;
use crate::platform::config::config;
use crate::platform::error::EdgeError;
use crate::platform::{clock, response};
use crate::rpc::erasure::{Entomb, ErasePerson};
use crate::rpc::graph::{
    ClaimsAsk, FindProfile, FindProfiles, Found, LinkChange, LinkChanged, LinkIdentities, PeerRequest, VerdictsAsk,
};
use crate::rpc::health::GraphHealthAsk;
use crate::rpc::message::Message;
use crate::rpc::person_export::{MembersAsk, NoteExport, PersonGraphAsk};
use crate::rpc::placement::Use;
use crate::rpc::rows::{JoinByClaim, TablesAsk};
use crate::rpc::{message, placement, snapshots};

/// The identity graph.
#[durable_object]
pub struct IdentityGraph {
    pub(super) env: Env,
    pub(super) store: SqlGraph,
    /// Reassignments that are being delivered: fragments and versions.
    pub(super) underway: RefCell<BTreeSet<(FragmentId, u64)>>,
    /// Which part of the graph this is, once that is known.
    pub(super) number: Cell<Option<u16>>,
    pub(super) state: State,
}

impl DurableObject for IdentityGraph {
    fn new(state: State, env: Env) -> Self {
        let store = SqlGraph::open(&state.storage(), config(&env).identity_pepper.clone());
        Self { env, store, underway: RefCell::default(), number: Cell::new(None), state }
    }

    async fn fetch(&self, request: Request) -> worker::Result<Response> {
        response::answer_or_error(self.handle(request).await)
    }

    async fn alarm(&self) -> worker::Result<Response> {
        if let Err(error) = self.on_alarm(clock::now()).await {
            worker::console_error!("reassignments: {error}");
            self.store.arm(clock::now() + FAILED_ALARM_MS)?;
        }
        Ok(response::empty(200))
    }
}

impl IdentityGraph {
    async fn handle(&self, mut request: Request) -> Result<Response, EdgeError> {
        placement::check(&self.env, Use::Write).await?;
        let path = request.path();
        let body = request.bytes().await?;
        match path.as_str() {
            LinkIdentities::PATH => self.link(message::read(&body)?).await,
            FindProfile::PATH => self.find(message::read(&body)?).await,
            FindProfiles::PATH => self.find_all(message::read(&body)?).await,
            VerdictsAsk::PATH => self.verdicts(&message::read(&body)?),
            ErasePerson::PATH => self.erase(message::read(&body)?).await,
            PeerRequest::PATH => self.peer(message::read(&body)?).await,
            Entomb::PATH => self.entomb(&message::read(&body)?),
            MembersAsk::PATH => self.members(message::read(&body)?).await,
            JoinByClaim::PATH => self.join_by_claim(message::read(&body)?).await,
            ClaimsAsk::PATH => self.claims(message::read(&body)?).await,
            PersonGraphAsk::PATH => self.person(message::read(&body)?).await,
            NoteExport::PATH => self.exported(&message::read(&body)?),
            GraphHealthAsk::PATH => self.health(&message::read(&body)?),
            TablesAsk::PATH => response::json(&self.store.dump()?),
            LinkChange::PATH => self.change(message::read(&body)?).await,
            _ => Err(DomainError::Deploying.into()),
        }
    }

    /// Every kind of work that is due. One kind that fails holds up no other.
    async fn on_alarm(&self, now: UnixMillis) -> Result<(), EdgeError> {
        placement::check(&self.env, Use::Write).await?;
        let done = [self.erase_due(now).await, self.finish_marks(now).await, self.deliver(clock::now()).await];
        done.into_iter().collect()
    }

    /// What the shop configured.
    pub(super) async fn snapshot(&self) -> Result<Rc<Snapshot>, EdgeError> {
        snapshots::current(&self.env, clock::now()).await
    }

    /// The identifier as it is stored: hashed, except for anonymous IDs, which are ours and random.
    fn kept(&self, identifier: Identifier) -> Identifier {
        if identifier.namespace == Namespace::AnonymousId {
            return identifier;
        }
        identifier.hashed(&config(&self.env).identity_pepper)
    }

    /// Stores assertions, and answers with the assignment of each one's fragment.
    async fn link(&self, told: LinkIdentities) -> Result<Response, EdgeError> {
        response::json(&self.link_all(told.0).await?)
    }

    /// The same, for this object itself. What changes for other fragments is delivered; the answer is for these.
    pub(super) async fn link_all(&self, assertions: Vec<Assertion>) -> Result<Vec<Assignment>, EdgeError> {
        let snapshot = self.snapshot().await?;
        let rules = &snapshot.settings.identity;
        let pepper = &config(&self.env).identity_pepper;
        let now = clock::now();
        if config(&self.env).layout.graph_partitions > 1 {
            return self.link_in_parts(assertions, rules).await;
        }
        let assignments: Vec<Assignment> = self.store.transaction(now, |store| {
            let assignment = |assertion: Assertion| {
                let fragment = assertion.fragment.clone();
                match self.living(assertion)? {
                    Some(assertion) => graph::take(store, rules, &self.hashed(assertion, rules), pepper),
                    None => graph::assignment_of(store, &fragment),
                }
            };
            assertions.into_iter().map(assignment).collect()
        })?;
        self.deliver(clock::now()).await?;
        Ok(assignments)
    }

    /// The assertion with identifiers as they are stored. Blocked ones go first: the rules know them by plain value.
    pub(super) fn hashed(&self, mut assertion: Assertion, rules: &IdentityRules) -> Assertion {
        assertion.said.retain(|evidence| !rules.blocks(&evidence.identifier));
        for evidence in &mut assertion.said {
            evidence.identifier = self.kept(evidence.identifier.clone());
        }
        assertion
    }

    async fn find(&self, asked: FindProfile) -> Result<Response, EdgeError> {
        response::json(&self.found(asked.0).await?)
    }

    async fn find_all(&self, asked: FindProfiles) -> Result<Response, EdgeError> {
        let mut all = Vec::with_capacity(asked.0.len());
        for identifier in asked.0 {
            all.push(self.found(identifier).await?);
        }
        response::json(&all)
    }

    /// The profile that an identifier names.
    async fn found(&self, identifier: Identifier) -> Result<Found, EdgeError> {
        let snapshot = self.snapshot().await?;
        let rules = &snapshot.settings.identity;
        let identifier = self.kept(identifier);
        let named = partitioned_resolve::find(&self.peers(rules)?, rules, &identifier).await?;
        let unproved = named.as_ref().is_some_and(|named| named.trust == Trust::Claim);
        Ok(Found { profile_id: named.map(|named| named.profile), unproved })
    }

    fn verdicts(&self, ask: &VerdictsAsk) -> Result<Response, EdgeError> {
        response::json(&self.store.judged_as(ask)?)
    }

    async fn change(&self, change: LinkChange) -> Result<Response, EdgeError> {
        let snapshot = self.snapshot().await?;
        let rules = &snapshot.settings.identity;
        let identifier = change.identifier.clone().map(|id| self.kept(id));
        // The audit record stores the identifier as the graph does, hashed or not, so that a search for it finds the
        // record.
        let change = LinkChange { identifier, ..change };
        let what = match (change.fragment.clone(), change.identifier.clone()) {
            (Some(fragment), Some(identifier)) => Cut::Edge(fragment, identifier),
            (Some(fragment), None) => Cut::Fragment(fragment),
            (None, Some(identifier)) => Cut::Identifier(identifier),
            (None, None) => return Err(DomainError::NotFound("edge").into()),
        };
        let now = clock::now();
        let moved = if config(&self.env).layout.graph_partitions > 1 {
            self.store.transaction(now, |store| store.audit(&change))?;
            partitioned_resolve::change(&self.peers(rules)?, rules, &what, change.act, now).await?
        } else {
            self.store.transaction(now, |store| {
                store.audit(&change)?;
                graph::change(store, rules, &what, change.act, now)
            })?
        };
        self.deliver(clock::now()).await?;
        let found = moved.is_some();
        response::json(&LinkChanged { moved: moved.unwrap_or_default(), found })
    }
}
