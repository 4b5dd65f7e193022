//! Which products to show next: the last thing decided about an event, filling a page's slots.
//!
//! [`CoVisits`] learns from every step of every visit which products are looked at together; [`BestSellers`] counts
//! what is popular, slowly forgetting. [`recommend`] ranks by the first and fills up with the second, so that a
//! visitor's very first page already has something good in it.
//!
//! Convention: **product**. What the visitor has in the context or the caller excludes is never recommended, because
//! a shop does not want to show what was just seen; published results often count such repeats as hits, so their
//! figures are not comparable. Everything is deterministic: weights are integers, ties go by product ID.

mod best_sellers;
mod choose;
mod co_visits;
mod model;
mod visit_context;

pub use best_sellers::{BestSellers, MAX_SELLERS, SalesSignal};
pub use choose::{Catalogue, CatalogueItem, Reason, Recommendation, Request, recommend};
pub use co_visits::{CoVisits, MAX_ITEMS, MAX_NEIGHBOURS};
pub use model::Model;
pub use visit_context::{CONTEXT, Step, VisitContext};
