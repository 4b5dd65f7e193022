//! How the fragments of a person are joined, as the server API shows it.

use endcap_identity::{Assignment, Edge, FragmentId, LinkStrength, Verdict, Witness};
use endcap_protocol::UnixMillis;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The fragments of a person, and what joins them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PersonGraph {
    /// The profile.
    pub profile_id: String,
    /// Its fragments: browsers, logins and records of servers.
    pub fragments: Vec<FragmentAssignment>,
    /// All that was said about whose they are, followed or not.
    pub links: Vec<GraphLink>,
    /// Pairs of user IDs that the shop's server said are one person's.
    pub aliases: Vec<GraphLink>,
    /// What administrators changed about these links, the earliest first.
    pub changes: Vec<GraphChange>,
}

/// Where a fragment belongs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct FragmentAssignment {
    /// The fragment.
    pub fragment_id: String,
    /// What links it to the profile.
    #[serde(rename = "standing")]
    pub link_strength: LinkStrength,
    /// How often its place changed; 0 where nothing ever linked it.
    pub moves: u64,
}

/// What was said to link a fragment to an identifier.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct GraphLink {
    /// The fragment.
    pub fragment_id: String,
    /// Kind of the identifier.
    pub namespace: String,
    /// The identifier, or its hash where the deployment keeps hashes only.
    pub value: String,
    /// The event that first claimed it.
    pub claimed: Option<Witness>,
    /// The event that first proved it.
    pub proved: Option<Witness>,
    /// What became of it.
    pub verdict: Verdict,
    /// When an administrator dropped it.
    pub dropped_at: Option<UnixMillis>,
    /// Whether an administrator let it through.
    pub approved: bool,
}

/// What an administrator changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct GraphChange {
    /// When.
    pub at: UnixMillis,
    /// `cut`, `restore` or `approve`.
    pub act: String,
    /// The fragment whose links were meant.
    pub fragment_id: Option<String>,
    /// The identifier whose links were meant.
    pub identifier: Option<String>,
    /// Why.
    pub reason: String,
}

impl FragmentAssignment {
    /// The view of an assignment.
    #[must_use]
    pub fn new(id: &FragmentId, assignment: &Assignment) -> Self {
        Self { fragment_id: id.as_str().to_owned(), link_strength: assignment.link_strength, moves: assignment.version }
    }
}

impl GraphLink {
    /// The view of an edge.
    #[must_use]
    pub fn new(edge: &Edge, verdict: Verdict) -> Self {
        Self {
            fragment_id: edge.fragment.as_str().to_owned(),
            namespace: edge.identifier.namespace.to_string(),
            value: edge.identifier.value.clone(),
            claimed: edge.claimed.clone(),
            proved: edge.proved.clone(),
            verdict,
            dropped_at: edge.dropped,
            approved: edge.approved,
        }
    }
}
