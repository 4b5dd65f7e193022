//! A graph in several parts: what they ask each other, and seeing through what was begun.

use endcap_identity::partition::{PeerAnswer, PeerAsk, answer as answered};
use endcap_identity::partitioned_resolve::Peers;
use endcap_identity::{Assertion, FragmentId, IdentityRules, MemoryGraph, Seat, partitioned_resolve};
use endcap_protocol::UnixMillis;
use endcap_validation::EngineError;
use futures_util::future::join_all;
use worker::Response;

use super::IdentityGraph;
use crate::config::config;
use crate::fault::Fault;
use crate::{answer, clock, objects};

/// Marks of one run; what is left keeps the alarm soon.
const BATCH: i64 = 50;
/// When a mark is looked after that a request works on, in milliseconds.
pub(super) const MARK_MS: UnixMillis = 5_000;

/// The parts of the graph as one of them reaches them.
pub(super) struct Parts<'a> {
    graph: &'a IdentityGraph,
    rules: &'a IdentityRules,
    own: u16,
    partitions: u16,
}

impl Peers for Parts<'_> {
    type Error = Fault;

    fn partitions(&self) -> u16 {
        self.partitions
    }

    async fn ask(&self, to: u16, ask: PeerAsk) -> Result<PeerAnswer, Fault> {
        if to == self.own {
            return self.graph.answer_peer(ask, self.rules);
        }
        objects::ask(&objects::graph_part(&self.graph.env, to)?, "/peer", &ask).await
    }

    fn busy(&self) -> Fault {
        EngineError::Internal("others change the same people".to_owned()).into()
    }
}

impl IdentityGraph {
    /// The parts of the graph.
    pub(super) fn peers<'a>(&'a self, rules: &'a IdentityRules) -> Result<Parts<'a>, Fault> {
        let partitions = config(&self.env).layout.graph_partitions;
        Ok(Parts { graph: self, rules, own: self.number()?, partitions })
    }

    /// Which part this is. An object does not know its name, so it is compared with all of them.
    fn number(&self) -> Result<u16, Fault> {
        if let Some(number) = self.number.get() {
            return Ok(number);
        }
        let namespace = objects::namespace(&self.env, objects::Kind::Graph)?;
        let own = self.state.id().to_string();
        for number in 0..config(&self.env).layout.graph_partitions {
            if namespace.id_from_name(&objects::graph_name(number))?.to_string() == own {
                self.number.set(Some(number));
                return Ok(number);
            }
        }
        Err(EngineError::Internal("this is no part of the graph".to_owned()).into())
    }

    /// `/peer`: another part asks. What follows for shards reaches them before the answer does.
    pub(super) async fn peer(&self, ask: PeerAsk) -> Result<Response, Fault> {
        let snapshot = self.snapshot().await?;
        let writes = matches!(ask, PeerAsk::Write { .. });
        let answer = self.answer_peer(ask, &snapshot.settings.identity)?;
        if writes {
            self.deliver(clock::now()).await?;
        }
        answer::json(&answer)
    }

    fn answer_peer(&self, ask: PeerAsk, rules: &IdentityRules) -> Result<PeerAnswer, Fault> {
        self.store.transaction(clock::now(), |store| answered(store, rules, ask))
    }

    /// Hears what was said about fragments that lie here.
    pub(super) async fn tell_peers(
        &self,
        assertions: Vec<Assertion>,
        rules: &IdentityRules,
    ) -> Result<Vec<Seat>, Fault> {
        let peers = self.peers(rules)?;
        let pepper = &config(&self.env).identity_pepper;
        let seat = async |assertion: Assertion| {
            let silent = Assertion::new(assertion.fragment.clone());
            let living = self.living(assertion)?.map(|living| self.hashed(living, rules));
            partitioned_resolve::tell(&peers, rules, &living.unwrap_or(silent), pepper).await
        };
        let seats: Result<Vec<Seat>, Fault> = join_all(assertions.into_iter().map(seat)).await.into_iter().collect();
        self.deliver(clock::now()).await?;
        seats
    }

    /// Sees marks through that somebody left.
    pub(super) async fn settle_due(&self, now: UnixMillis) -> Result<(), Fault> {
        let marks = self.store.due_marks(now, BATCH)?;
        if marks.is_empty() {
            return Ok(());
        }
        let snapshot = self.snapshot().await?;
        let peers = self.peers(&snapshot.settings.identity)?;
        for mark in marks {
            if let Err(fault) = partitioned_resolve::finish(&peers, &snapshot.settings.identity, &mark).await {
                worker::console_error!("people around {}: {fault}", mark.fragment.as_str());
                self.store.put_off_mark(&mark, now.saturating_add(MARK_MS))?;
            }
        }
        Ok(())
    }

    /// All that leads from a fragment to others.
    pub(super) async fn around(&self, fragment: FragmentId) -> Result<MemoryGraph, Fault> {
        let snapshot = self.snapshot().await?;
        let peers = self.peers(&snapshot.settings.identity)?;
        partitioned_resolve::gather(&peers, [fragment].into(), std::collections::BTreeSet::new()).await
    }
}
