//! What a shard keeps of a person besides profile and events, table by table, for the person export.

use endcap_engine::person_export::Belongings;
use worker::Response;

use super::object::ProfileShard;
use super::table::all::TABLES;
use super::table::contract::Access;
use crate::platform::error::EdgeError;
use crate::platform::response;
use crate::rpc::person_export::BelongingsAsk;

impl ProfileShard {
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
