//! Everything about one person, as the server API shows it: how their fragments are joined ([`graph`]), their events
//! ([`events`]), and all of it in one document ([`export`]).

mod events;
mod export;
mod graph;

pub use events::{EventPage, LogPlace, LoggedBatch, LoggedEvent, PAGE, page};
pub use export::{Belongings, Export, FragmentView, SubscriptionView, TimerView};
pub use graph::{FragmentAssignment, GraphChange, GraphLink, PersonGraph};
