//! `IdentityGraph`: who is whom.
//!
//! Role in the flow of one event: only events that say who somebody is come here, so everyday traffic never waits for it.
//! The object keeps what was said, and sends every fragment whose place changed an order until its shard has carried it
//! out. What follows from what was said is the engine's (`identity/graph.rs`).

mod erase;
mod orders;
mod peers;
mod person;
mod store;

use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;
use std::rc::Rc;

use endcap_engine::shop::Snapshot;
use endcap_identity::admin_review::LinkPlace;
use endcap_identity::graph::{Alteration, Cut};
use endcap_identity::resolve::Verdict;
use endcap_identity::{
    Assertion, Edge, FragmentId, Identifier, IdentityRules, Namespace, Order, Seat, graph, partition,
    partitioned_resolve,
};
use endcap_protocol::{ProfileId, UnixMillis, bucket_of};
use endcap_validation::EngineError;
use serde::{Deserialize, Serialize};
use worker::{DurableObject, Env, Request, Response, State, durable_object};

use crate::config::config;
use crate::fault::Fault;
use crate::layout::Use;
use crate::shard::SeatBody;
use crate::{answer, clock, layout, objects, snapshots};
pub(crate) use erase::EraseAsk;
pub(crate) use person::Members;
use store::SqlGraph;

/// The profile that an identifier names.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Found {
    /// The profile; None where nobody has the identifier.
    pub(crate) profile_id: Option<ProfileId>,
}

/// An edge with what became of it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct JudgedEdge {
    /// The edge.
    pub(crate) edge: Edge,
    /// What became of it.
    pub(crate) verdict: Verdict,
}

/// What an administrator does, and with which edges.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Change {
    /// What is done.
    pub(crate) act: Alteration,
    /// Edges of this fragment.
    pub(crate) fragment: Option<FragmentId>,
    /// Edges to this identifier.
    pub(crate) identifier: Option<Identifier>,
    /// The administrator's word for why, for the record.
    pub(crate) reason: String,
}

/// Where the fragments went that a change moved.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Changed {
    /// The fragments whose place changed.
    pub(crate) moved: Vec<Order>,
}

/// A question for edges by verdict.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct VerdictsAsk {
    /// The verdict.
    pub(crate) verdict: Verdict,
    /// Where the page before ended.
    pub(crate) after: LinkPlace,
    /// Most edges.
    pub(crate) limit: usize,
}

/// The identity graph.
#[durable_object]
pub struct IdentityGraph {
    env: Env,
    store: SqlGraph,
    /// Orders that are being delivered: fragments and versions.
    underway: RefCell<BTreeSet<(FragmentId, u64)>>,
    /// Which part of the graph this is, once that is known.
    number: Cell<Option<u16>>,
    state: State,
}

impl DurableObject for IdentityGraph {
    fn new(state: State, env: Env) -> Self {
        let store = SqlGraph::open(&state.storage(), config(&env).identity_pepper.clone());
        Self { env, store, underway: RefCell::default(), number: Cell::new(None), state }
    }

    async fn fetch(&self, request: Request) -> worker::Result<Response> {
        answer::settle(self.handle(request).await)
    }

    async fn alarm(&self) -> worker::Result<Response> {
        // A failed run is not worth the platform's retries, which end after six: the alarm is set again.
        if let Err(fault) = self.on_alarm(clock::now()).await {
            worker::console_error!("orders: {fault}");
            self.store.arm(clock::now() + 30_000).map_err(|fault| worker::Error::RustError(fault.to_string()))?;
        }
        Ok(answer::empty(200))
    }
}

impl IdentityGraph {
    async fn handle(&self, mut request: Request) -> Result<Response, Fault> {
        layout::check(&self.env, Use::Write).await?;
        let path = request.path();
        let body = request.bytes().await?;
        match path.as_str() {
            "/tell" => self.tell(serde_json::from_slice(&body)?).await,
            "/find" => self.find(serde_json::from_slice(&body)?).await,
            "/verdicts" => self.verdicts(&serde_json::from_slice(&body)?),
            "/erase" => self.erase(serde_json::from_slice(&body)?).await,
            "/peer" => self.peer(serde_json::from_slice(&body)?).await,
            "/entomb" => self.entomb(&serde_json::from_slice(&body)?),
            "/members" => self.members(serde_json::from_slice(&body)?).await,
            "/person" => self.person(serde_json::from_slice(&body)?).await,
            "/exported" => self.exported(&serde_json::from_slice(&body)?),
            "/tables" => answer::json(&self.store.dump()?),
            "/change" => self.change(serde_json::from_slice(&body)?).await,
            _ => Err(EngineError::NotFound("route").into()),
        }
    }

    async fn on_alarm(&self, now: UnixMillis) -> Result<(), Fault> {
        layout::check(&self.env, Use::Write).await?;
        self.erase_due(now).await?;
        self.settle_due(now).await?;
        self.deliver(clock::now()).await
    }

    async fn snapshot(&self) -> Result<Rc<Snapshot>, Fault> {
        snapshots::current(&self.env, clock::now()).await
    }

    /// The identifier as it is kept. Names of browsers are ours, and random.
    fn kept(&self, identifier: Identifier) -> Identifier {
        if identifier.namespace == Namespace::AnonymousId {
            return identifier;
        }
        identifier.hashed(&config(&self.env).identity_pepper)
    }

    /// Hears what was said, and answers where each of the fragments belongs.
    async fn tell(&self, assertions: Vec<Assertion>) -> Result<Response, Fault> {
        let snapshot = self.snapshot().await?;
        let rules = &snapshot.settings.identity;
        let pepper = &config(&self.env).identity_pepper;
        let now = clock::now();
        if config(&self.env).layout.graph_partitions > 1 {
            return answer::json(&self.tell_peers(assertions, rules).await?);
        }
        let seats: Vec<Seat> = self.store.transaction(now, |store| {
            let seat = |assertion: Assertion| {
                let fragment = assertion.fragment.clone();
                match self.living(assertion)? {
                    Some(assertion) => graph::take(store, rules, &self.hashed(assertion, rules), pepper),
                    None => graph::seat_of(store, &fragment),
                }
            };
            assertions.into_iter().map(seat).collect()
        })?;
        self.deliver(clock::now()).await?;
        answer::json(&seats)
    }

    /// What was said, with identifiers as they are kept. What names nobody is known by its plain value only.
    fn hashed(&self, mut assertion: Assertion, rules: &IdentityRules) -> Assertion {
        assertion.said.retain(|evidence| !rules.blocks(&evidence.identifier));
        for evidence in &mut assertion.said {
            evidence.identifier = self.kept(evidence.identifier.clone());
        }
        assertion
    }

    async fn find(&self, identifier: Identifier) -> Result<Response, Fault> {
        let snapshot = self.snapshot().await?;
        let rules = &snapshot.settings.identity;
        let identifier = self.kept(identifier);
        let profile_id = partitioned_resolve::find(&self.peers(rules)?, rules, &identifier).await?;
        answer::json(&Found { profile_id })
    }

    fn verdicts(&self, ask: &VerdictsAsk) -> Result<Response, Fault> {
        answer::json(&self.store.judged_as(ask)?)
    }

    async fn change(&self, change: Change) -> Result<Response, Fault> {
        let snapshot = self.snapshot().await?;
        let rules = &snapshot.settings.identity;
        let identifier = change.identifier.clone().map(|id| self.kept(id));
        // The record names whom it was about as the graph does, so that it can be found, and hashed where that is.
        let change = Change { identifier, ..change };
        let what = match (change.fragment.clone(), change.identifier.clone()) {
            (Some(fragment), Some(identifier)) => Cut::Edge(fragment, identifier),
            (Some(fragment), None) => Cut::Fragment(fragment),
            (None, Some(identifier)) => Cut::Identifier(identifier),
            (None, None) => return Err(EngineError::NotFound("edge").into()),
        };
        let now = clock::now();
        let moved = if config(&self.env).layout.graph_partitions > 1 {
            self.store.transaction(now, |store| store.audit(now, &change))?;
            partitioned_resolve::change(&self.peers(rules)?, rules, &what, change.act, now).await?
        } else {
            self.store.transaction(now, |store| {
                store.audit(now, &change)?;
                graph::change(store, rules, &what, change.act, now)
            })?
        };
        self.deliver(clock::now()).await?;
        answer::json(&Changed { moved })
    }
}

/// The profile that an identifier names.
pub(crate) async fn find(env: &Env, identifier: &Identifier) -> Result<Option<ProfileId>, Fault> {
    let (partitions, pepper) = (config(env).layout.graph_partitions, &config(env).identity_pepper);
    let part = partition::of_identifier(&identifier.clone().hashed(pepper), partitions);
    let found: Found = objects::ask(&objects::graph_part(env, part)?, "/find", identifier).await?;
    Ok(found.profile_id)
}

/// One page of links that were not followed: the parts one after the other, and where the next page begins.
pub(crate) async fn unfollowed(
    env: &Env,
    verdict: Verdict,
    mut after: LinkPlace,
    limit: usize,
) -> Result<(Vec<JudgedEdge>, Option<LinkPlace>), Fault> {
    let mut all: Vec<JudgedEdge> = Vec::new();
    while after.part < config(env).layout.graph_partitions {
        // One more says whether there is more.
        let ask = VerdictsAsk { verdict, after: after.clone(), limit: limit - all.len() + 1 };
        let found: Vec<JudgedEdge> = objects::ask(&objects::graph_part(env, after.part)?, "/verdicts", &ask).await?;
        all.extend(found);
        if all.len() > limit {
            all.truncate(limit);
            let last = all.last().map(|judged| LinkPlace {
                part: after.part,
                fragment: judged.edge.fragment.as_str().to_owned(),
                identifier: judged.edge.identifier.to_string(),
            });
            // Where the last one is of the part before, this part begins.
            let here = last.filter(|_| all.len() > limit - (ask.limit - 1));
            return Ok((all, Some(here.unwrap_or(after))));
        }
        after = LinkPlace { part: after.part + 1, ..LinkPlace::default() };
    }
    Ok((all, None))
}

/// Brings the graph's word to a row.
pub(crate) async fn send(env: &Env, row: &ProfileId, order: &Order) -> Result<(), Fault> {
    let body = SeatBody { profile_id: row.clone(), order: order.clone() };
    let _: serde_json::Value = objects::ask_bucket(env, bucket_of(row.as_str()), "/seat", &body).await?;
    Ok(())
}

/// The pause after so many failed tries, in milliseconds: from two seconds to an hour.
fn pause_ms(attempts: u32) -> UnixMillis {
    (2_000 << attempts.min(10)).min(3_600_000)
}
