//! Identity: identifiers, the evidence about them, the people that follow from it, proofs of the shop's server, and
//! signed texts of ours.
//!
//! Role in the flow of one event: the visitor's signed route names their profile before the event is parsed. An
//! identify is evidence about whose the browser's fragment is ([`edge`]), and the graph works people out from all
//! evidence ([`resolve`]).
//!
//! # How people are worked out
//!
//! - **Device ID**: random, one for each browser's storage. It survives logout and joins nobody.
//! - **Anonymous ID**: random, one for each browser and login epoch; `reset` draws a new one. Cookie `ec_id` and
//!   storage hold both; where they disagree, the copy with more resets wins.
//! - **Home**: a fragment begins in the profile that has its own name. As long as nothing links it to anybody, it stays
//!   there, and no object has to be asked where it is. The cookie `ec_r` (signed, HttpOnly) names the profile. The edge
//!   renews it with each page view, signs it anew after the keys were rotated, and removes it when the visitor
//!   withdraws consent.
//! - **Possession**: an anonymous ID is a name and opens nothing. The browser whose it is shows a signed token ([`possession`],
//!   [`possession_token`]); what does not is applied apart, under a new ID. What the shop's server says of a browser without
//!   that token waits for the browser to say the same ([`stated_link`]).
//!
//! A **fragment** (`edge/identity/src/fragment_id.rs`) is what one browser did between two resets or two people's
//! logins, or what a server keeps of somebody who has no browser. Its history only grows. When somebody else logs in on
//! a browser, its fragment closes and a *successor* begins, which is named after both and knows the messages that were
//! known before: a retry counts nothing twice, whichever of them it reaches.
//!
//! Events say whose a fragment is (`edge/profile/src/evidence_policy.rs`): a *fact* by the shop's server or its proof,
//! a *claim* by anybody else. A claim joins nobody: it is listed at the person whom it names, and its browser stays a
//! visitor of its own until something proves it. Only claims of a source that the shop trusts (`rules.rs`) are followed
//! as well, and they join nobody who has a proved browser. The `IdentityGraph` keeps this evidence as edges between fragments and identifiers, each
//! with the earliest event that said so. **People are one pure function of these edges**
//! (`edge/identity/src/resolve.rs`). It looks at edges in an order that depends on themselves only (aliases, then facts
//! before claims, then the precedence of namespaces, then time), and follows each unless that breaks a rule
//! (`rules.rs`). So the order of hearing, and hearing twice, change nothing, and an edge that is dropped leaves no
//! trace. An edge that was not followed keeps its verdict: conflict, unproved, shared, held.
//!
//! The graph gives each fragment an *assignment* (profile and link strength) with a version that counts up. A fragment
//! whose assignment changes moves whole, by a saga whose steps are recorded before they are tried and may all run twice
//! (`objects/shard/linking.rs`, `edge/profile/src/reassignment.rs`):
//!
//! 1. The transaction that accepts an event also writes a `LinkIdentity` job into the outbox.
//! 2. The graph keeps what was said, works out the people around it, and answers with the fragment's assignment.
//!    Fragments of others whose assignment changed get *reassignments*, which the graph sends to their homes until they
//!    are carried out.
//! 3. If the assignment names another profile, the fragment leaves its row, a forward pointer with the version stays
//!    (`moved`), and a `MoveFragment` job carries the fragment, its push subscriptions and its spilled dedupe blocks.
//! 4. The other shard takes the fragment in, unless it knows a later version, and acknowledges. The job is deleted.
//!
//! The visitor's own request waits for this, so its reply is usually about the joined profile already. If the graph or
//! the other shard does not answer, the reply is about the old one. Then, and after a crash, the alarms of shard and
//! graph go on with what is recorded. Requests and reassignments that come to an old place follow the pointers.
//!
//! A profile is named like the fragment that was proved first, so most people who log in move nowhere. It is a fold
//! over its fragments in canonical order: counters add up, the stricter consent wins, the earlier first and the later
//! last touchpoint, frequency caps and timers cover all of it, and lifecycle stages are worked out from the orders
//! again when fragments come or go. Earlier versions joined fragments by claims. Such a fragment counts for nothing
//! (`Person::fold`), its browser is shown what is decided from itself alone (`visit::alone`), and with the next write of
//! the row the graph sends it home (`ProfileRow::joined_by_claim`).
//!
//! **In several parts** (`ENDCAP_GRAPH_PARTITIONS`), a hash of its name says in which object a fragment lies, with its
//! edges and its assignment. The object of an identifier has copies by which fragments are found. No object sees all of
//! a person, so none decides in one transaction. `edge/identity/src/partitioned_resolve.rs` stores what was said with a
//! mark, gathers what leads on from there, works people out by the same `resolve`, writes each assignment only over the
//! one that it was worked out from, and repeats that until gathering finds nothing that differs. Then the mark goes.
//! Each write leaves a mark too. If the request that wrote it ended before it looked again, the mark makes the graph
//! look.
//!
//! `edge/engine/tests/simulation` runs this protocol, with the graph in one piece and in three parts, with lost,
//! doubled and late messages and crashes before and after every step (`cargo xtask test --sim 10000`).
//! `tests/integration/kills.test.mjs` kills workerd fifty times during logins. `tests/integration/people.test.mjs` is
//! the list of cases with their answers.

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
pub mod possession;
pub mod possession_token;
pub mod proof;
pub mod resolve;
pub mod route;
pub mod rules;
pub mod server_fragment;
pub mod signed;
pub mod stated_link;
pub mod tombstone;

pub use assignment::{Assignment, LinkStrength, Reassignment};
pub use edge::{Edge, Evidence, Witness};
pub use evidence::{Alias, Assertion};
pub use fragment_id::FragmentId;
pub use identifier::Identifier;
pub use memory::MemoryGraph;
pub use namespace::Namespace;
pub use possession::{Possession, Shown};
pub use resolve::Verdict;
pub use route::ProfileRoute;
pub use rules::IdentityRules;
pub use signed::{Keys, Purpose};
pub use stated_link::{CommonName, StatedLink};
pub use tombstone::tombstone;
