//! What shards ask each other about the past of fragments: the log stays where it was written when a fragment moves.

use endcap_engine::shop::event_queries::{Counted, queries_of};
use endcap_identity::FragmentId;
use endcap_protocol::{FieldError, UnixMillis};
use endcap_targeting::compile::condition_of;
use endcap_targeting::condition::Condition;
use endcap_targeting::condition_json::to_json;
use endcap_targeting::edge_fact::EdgeFact;
use endcap_targeting::event_query::EventQuery;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::message::Message;

/// A part of a fragment's past.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct PartOfPast {
    /// The fragment.
    pub(crate) fragment: FragmentId,
    /// Events received before this count.
    pub(crate) before: UnixMillis,
}

/// Asks a shard to count what its log has of some fragments.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct PastAsk {
    /// The questions, each as a condition that asks it.
    questions: Vec<Value>,
    /// What of whom.
    pub(crate) parts: Vec<PartOfPast>,
}

impl PastAsk {
    /// Asks these questions.
    pub(crate) fn new(queries: &[EventQuery], parts: Vec<PartOfPast>) -> Self {
        let question = |query: &EventQuery| to_json(&Condition::Edge(EdgeFact::Event(Box::new(query.asked()))));
        Self { questions: queries.iter().map(question).collect(), parts }
    }

    /// The questions.
    pub(crate) fn queries(&self) -> Result<Vec<EventQuery>, FieldError> {
        let read = self.questions.iter().map(|question| Ok(queries_of(&condition_of(question)?)));
        Ok(read.collect::<Result<Vec<_>, FieldError>>()?.into_iter().flatten().collect())
    }
}

/// What was counted.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct PastPage {
    /// Of the first parts that were asked for, in their order: where the rest is, the answer would have been too long.
    pub(crate) counted: Vec<Counted>,
}

impl Message for PastAsk {
    const PATH: &'static str = "/past/count";
    type Reply = PastPage;
}
