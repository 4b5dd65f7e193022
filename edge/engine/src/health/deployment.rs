//! The whole deployment.

use endcap_protocol::UnixMillis;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::finding::{self, Finding, Place};
use super::objects::{GraphHealth, ShardHealth, ShopHealth};
use crate::layout::growth::ShardsStatus;

/// Whether somebody has to look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// Nothing needs a person.
    Ok,
    /// `findings` says what does.
    Attention,
}

/// The whole deployment. Times are Unix milliseconds, sizes are bytes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Health {
    /// Whether somebody has to look.
    pub status: Status,
    /// What needs somebody, and what to do about it.
    pub findings: Vec<Finding>,
    /// The worker's version.
    pub version: String,
    /// When this was asked.
    pub as_of: UnixMillis,
    /// Over how many shards profiles are spread, and how that changes.
    pub sharding: ShardsStatus,
    /// Every shard.
    pub shards: Vec<ShardHealth>,
    /// Every part of the identity graph.
    pub identity_graph: Vec<GraphHealth>,
    /// The shop's object.
    pub shop: ShopHealth,
}

impl Health {
    /// Puts the answers of all objects together; those that did not answer are listed apart.
    #[must_use]
    pub fn new(
        version: &str,
        as_of: UnixMillis,
        sharding: ShardsStatus,
        shards: Vec<ShardHealth>,
        identity_graph: Vec<GraphHealth>,
        shop: ShopHealth,
        unreachable: &[Place],
    ) -> Self {
        let silent = unreachable.iter().map(|place| finding::unreachable(*place));
        let of_shards = shards.iter().flat_map(|shard| finding::of_shard(shard, as_of));
        let of_graph = identity_graph.iter().flat_map(|part| finding::of_graph(part, as_of));
        let findings: Vec<Finding> = silent.chain(of_shards).chain(of_graph).collect();
        let status = if findings.is_empty() { Status::Ok } else { Status::Attention };
        Self { status, findings, version: version.to_owned(), as_of, sharding, shards, identity_graph, shop }
    }

    /// Adds what was found elsewhere.
    #[must_use]
    pub fn finding(mut self, more: Vec<Finding>) -> Self {
        self.findings.extend(more);
        self.status = if self.findings.is_empty() { Status::Ok } else { Status::Attention };
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::health::finding::FindingCode;

    #[test]
    fn one_object_that_does_not_answer_is_a_finding_and_hides_no_other() {
        let health = |silent: &[Place]| {
            let shards = vec![ShardHealth { shard: 1, ..ShardHealth::default() }];
            Health::new("1", 5, ShardsStatus::default(), shards, Vec::new(), ShopHealth::default(), silent)
        };
        assert_eq!(health(&[]).status, Status::Ok);
        let one = health(&[Place::Shard(0)]);
        assert_eq!((one.status, one.shards.len()), (Status::Attention, 1));
        let found: Vec<_> = one.findings.iter().map(|finding| (finding.code, finding.place)).collect();
        assert_eq!(found, [(FindingCode::Unreachable, Place::Shard(0))]);
        assert!(one.findings[0].message.starts_with("shard 0: it did not answer"));
    }
}
