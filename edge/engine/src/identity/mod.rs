//! Who somebody is: what was said about it, the people that follow from it, proofs of the shop's server, signed texts of
//! ours, and where a visitor's profile lives.
//!
//! Role in the flow of one event: the visitor's signed route names their profile before the event is parsed; an identify
//! says whose the browser's fragment is ([`edge`]), and the graph makes people of all that was said ([`resolve`]).

pub mod edge;
pub mod erase;
pub mod fragment_id;
pub mod graph;
pub mod identifier;
pub mod memory;
pub mod namespace;
pub mod partition;
pub mod proof;
pub mod resolve;
pub mod review;
pub mod route;
pub mod rules;
pub mod said;
pub mod seat;
pub mod settling;
pub mod signed;
pub mod tombstone;

pub use edge::{Edge, Evidence, Witness};
pub use fragment_id::FragmentId;
pub use identifier::Identifier;
pub use memory::MemoryGraph;
pub use namespace::Namespace;
pub use resolve::Verdict;
pub use route::Route;
pub use rules::IdentityRules;
pub use said::{Alias, Assertion, Belief};
pub use seat::{Order, Seat, Standing};
pub use signed::{Keys, Purpose};
pub use tombstone::tombstone;
