//! How this part of the identity graph is.

use endcap_engine::health::GraphHealth;
use worker::Response;

use super::object::IdentityGraph;
use crate::platform::error::EdgeError;
use crate::platform::queue::queue_health;
use crate::platform::response;
use crate::rpc::health::GraphHealthAsk;

impl IdentityGraph {
    /// How it is, for the operator.
    pub(super) fn health(&self, ask: &GraphHealthAsk) -> Result<Response, EdgeError> {
        let reassignments =
            "SELECT count(*), count(*) FILTER (WHERE attempts > 0), max(attempts), min(due) FROM pending";
        let erasures = "SELECT count(*), count(*) FILTER (WHERE attempts > 0), max(attempts), min(due) FROM erasure";
        response::json(&GraphHealth {
            part: ask.part,
            bytes: self.store.db.bytes()?,
            reassignments: queue_health(&self.store.db, reassignments)?,
            erasures: queue_health(&self.store.db, erasures)?,
        })
    }
}
