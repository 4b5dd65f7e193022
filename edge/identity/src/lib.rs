//! Identity: identifiers, the evidence about them, the people that follow from it, proofs of the shop's server, and
//! signed texts of ours.
//!
//! Role in the flow of one event: the visitor's signed route names their profile before the event is parsed. An
//! identify is evidence about whose the browser's fragment is ([`edge`]), and the graph works people out from all
//! evidence ([`resolve`]).

pub mod admin_review;
pub mod assignment;
pub mod edge;
pub mod erase;
pub mod evidence;
pub mod fragment_id;
pub mod graph;
pub mod identifier;
pub mod memory;
pub mod namespace;
pub mod partition;
pub mod partitioned_resolve;
pub mod proof;
pub mod resolve;
pub mod route;
pub mod rules;
pub mod server_fragment;
pub mod signed;
pub mod tombstone;

pub use assignment::{Assignment, LinkStrength, Reassignment};
pub use edge::{Edge, Evidence, Witness};
pub use evidence::{Alias, Assertion};
pub use fragment_id::FragmentId;
pub use identifier::Identifier;
pub use memory::MemoryGraph;
pub use namespace::Namespace;
pub use resolve::Verdict;
pub use route::ProfileRoute;
pub use rules::IdentityRules;
pub use signed::{Keys, Purpose};
pub use tombstone::tombstone;
