//! Where a fragment belongs.

use endcap_protocol::ProfileId;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::fragment_id::FragmentId;

/// What links a fragment to its profile.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum LinkStrength {
    /// Nothing: it is its own profile.
    #[default]
    Own,
    /// Proof: the browser may be shown what is decided from the whole person.
    Proved,
    /// A claim, as earlier versions linked by. Such a fragment adds nothing to the person any more, and goes home with the
    /// next write.
    Claimed,
    /// A claim at a source whose claims the shop trusts: it adds to the person like a proof.
    Trusted,
}

/// Where the identity graph says that a fragment belongs. A higher version is later.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Assignment {
    /// The profile.
    pub profile: ProfileId,
    /// What links it.
    #[serde(rename = "standing")]
    pub link_strength: LinkStrength,
    /// Counts the changes; 0 for a fragment that the graph never heard of.
    pub version: u64,
}

/// An assignment on its way to its fragment. It goes to the fragment's home and follows the pointers from there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reassignment {
    /// The fragment.
    pub fragment: FragmentId,
    /// Where it belongs.
    #[serde(rename = "seat")]
    pub assignment: Assignment,
}
