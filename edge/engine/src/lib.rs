//! Composes the domain at the edge: it takes time and randomness as arguments and does no I/O.
//!
//! One event, in the order of the modules: [`payment_return`] takes referrers away that are no arrivals, [`visit`] applies
//! what was ingested to a profile and folds the person,
//! [`journey`] says what should happen later, [`decide`] answers what to show now. [`shop`] holds what was configured,
//! [`segment`] says which groups the person enters and leaves,
//! [`channel`], [`computed_traits`], [`customer_model`] and [`profile_view`] are computed when somebody looks. [`limit`] and [`layout`] stand at
//! the door of all of it; [`openapi`] describes it, [`health`] and [`parked_jobs`] say how it is.

mod anniversary;
pub mod batch_reply;
pub mod channel;
pub mod computed_traits;
pub mod condition_explained;
pub mod condition_forms;
mod customer_facts;
pub mod customer_model;
pub mod decide;
pub mod event_match;
pub mod health;
pub mod held_id;
pub mod journey;
mod json_room;
pub mod layout;
pub mod limit;
pub mod link_settling;
pub mod openapi;
pub mod parked_jobs;
pub mod payment_return;
pub mod people_page;
pub mod person_events;
pub mod person_export;
pub mod person_facts;
pub mod profile_view;
pub mod score;
pub mod segment;
pub mod shop;
#[cfg(test)]
mod test_orders;
pub mod timers_view;
pub mod visit;
