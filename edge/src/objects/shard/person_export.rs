//! What a shard keeps of a person: events, and table by table what there is besides, for the person export.

use endcap_engine::person_export::Belongings;
use worker::Response;

use super::object::ProfileShard;
use super::table::all::TABLES;
use super::table::contract::Access;
use crate::platform::error::EdgeError;
use crate::platform::response;
use crate::rpc::person_export::{BelongingsAsk, EventsAsk};

impl ProfileShard {
    /// Events of a person. What waits in rows leaves for the log first, so that everything is in one place.
    pub(super) fn events_route(&self, ask: &EventsAsk) -> Result<Response, EdgeError> {
        self.log_tails_of(ask.fragments.iter())?;
        response::json(&self.store.batches(ask)?)
    }

    /// What every table shows of a person.
    pub(super) fn belongings_route(&self, ask: &BelongingsAsk) -> Result<Response, EdgeError> {
        let mut all = Belongings::default();
        for table in TABLES {
            if let Access::Shown(show) = table.access() {
                show(&self.store, ask, &mut all)?;
            }
        }
        response::json(&all)
    }
}
