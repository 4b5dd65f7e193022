//! A graph in several parts: what they ask each other, and finishing what an earlier request left undone.

use endcap_identity::partition::{PeerAnswer, PeerAsk, answer as answered};
use endcap_identity::partitioned_resolve::Peers;
use endcap_identity::{Assertion, Assignment, FragmentId, IdentityRules, MemoryGraph, partitioned_resolve};
use endcap_protocol::UnixMillis;
use endcap_validation::DomainError;
use futures_util::future::join_all;
use worker::Response;

use super::object::IdentityGraph;
use super::store::MARK_MS;
use crate::platform::config::config;
use crate::platform::error::EdgeError;
use crate::platform::{clock, response};
use crate::rpc::graph::PeerRequest;
use crate::rpc::namespace::Kind;
use crate::rpc::{call, namespace};

/// Marks of one run; what is left keeps the alarm soon.
const BATCH: i64 = 50;
/// The parts of the graph as one of them reaches them.
pub(super) struct Parts<'a> {
    graph: &'a IdentityGraph,
    rules: &'a IdentityRules,
    own: u16,
    partitions: u16,
}

impl Peers for Parts<'_> {
    type Error = EdgeError;

    fn partitions(&self) -> u16 {
        self.partitions
    }

    async fn ask(&self, to: u16, ask: PeerAsk) -> Result<PeerAnswer, EdgeError> {
        if to == self.own {
            return self.graph.answer_peer(ask, self.rules);
        }
        call::ask(&namespace::graph_part(&self.graph.env, to)?, &PeerRequest(ask)).await
    }

    fn busy(&self) -> EdgeError {
        DomainError::Internal("others change the same people".to_owned()).into()
    }
}

impl IdentityGraph {
    /// The parts of the graph.
    pub(super) fn peers<'a>(&'a self, rules: &'a IdentityRules) -> Result<Parts<'a>, EdgeError> {
        let partitions = config(&self.env).layout.graph_partitions;
        Ok(Parts { graph: self, rules, own: self.number()?, partitions })
    }

    /// Which part this is. An object does not know its name, so it is compared with all of them.
    fn number(&self) -> Result<u16, EdgeError> {
        if let Some(number) = self.number.get() {
            return Ok(number);
        }
        let namespace = namespace::namespace(&self.env, Kind::Graph)?;
        let own = self.state.id().to_string();
        for number in 0..config(&self.env).layout.graph_partitions {
            if namespace.id_from_name(&namespace::graph_name(number))?.to_string() == own {
                self.number.set(Some(number));
                return Ok(number);
            }
        }
        Err(DomainError::Internal("this is no part of the graph".to_owned()).into())
    }

    /// `/peer`: answers another part of the graph. Before that, it delivers the reassignments that follow.
    pub(super) async fn peer(&self, asked: PeerRequest) -> Result<Response, EdgeError> {
        let PeerRequest(ask) = asked;
        let snapshot = self.snapshot().await?;
        let writes = matches!(ask, PeerAsk::Write { .. });
        let answer = self.answer_peer(ask, &snapshot.settings.identity)?;
        if writes {
            self.deliver(clock::now()).await?;
        }
        response::json(&answer)
    }

    fn answer_peer(&self, ask: PeerAsk, rules: &IdentityRules) -> Result<PeerAnswer, EdgeError> {
        self.store.transaction(clock::now(), |store| answered(store, rules, ask))
    }

    /// Hears what was said about fragments that lie here.
    pub(super) async fn link_in_parts(
        &self,
        assertions: Vec<Assertion>,
        rules: &IdentityRules,
    ) -> Result<Vec<Assignment>, EdgeError> {
        let peers = self.peers(rules)?;
        let pepper = &config(&self.env).identity_pepper;
        let assignment = async |assertion: Assertion| {
            let silent = Assertion::new(assertion.fragment.clone());
            let living = self.living(assertion)?.map(|living| self.hashed(living, rules));
            partitioned_resolve::tell(&peers, rules, &living.unwrap_or(silent), pepper).await
        };
        let assignments: Result<Vec<Assignment>, EdgeError> =
            join_all(assertions.into_iter().map(assignment)).await.into_iter().collect();
        self.deliver(clock::now()).await?;
        assignments
    }

    /// Does the work of due marks, which a request left.
    pub(super) async fn finish_marks(&self, now: UnixMillis) -> Result<(), EdgeError> {
        let marks = self.store.due_marks(now, BATCH)?;
        if marks.is_empty() {
            return Ok(());
        }
        let snapshot = self.snapshot().await?;
        let peers = self.peers(&snapshot.settings.identity)?;
        for mark in marks {
            if let Err(error) = partitioned_resolve::finish(&peers, &snapshot.settings.identity, &mark).await {
                worker::console_error!("people around {}: {error}", mark.fragment.as_str());
                self.store.put_off_mark(&mark, now.saturating_add(MARK_MS))?;
            }
        }
        Ok(())
    }

    /// All that leads from a fragment to others.
    pub(super) async fn around(&self, fragment: FragmentId) -> Result<MemoryGraph, EdgeError> {
        let snapshot = self.snapshot().await?;
        let peers = self.peers(&snapshot.settings.identity)?;
        let rules = &snapshot.settings.identity;
        partitioned_resolve::gather_listed(&peers, rules, [fragment].into(), std::collections::BTreeSet::new()).await
    }
}
