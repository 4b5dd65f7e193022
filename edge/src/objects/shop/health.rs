//! How the shop's object is.

use endcap_engine::health::ShopHealth;
use worker::Response;

use super::object::Shop;
use crate::platform::error::EdgeError;
use crate::platform::response;

impl Shop {
    /// How it is, for the operator.
    pub(super) fn health(&self) -> Result<Response, EdgeError> {
        let counts = "SELECT (SELECT count(*) FROM campaign), (SELECT count(*) FROM product)";
        let row = self.db.first(counts, Vec::new())?;
        let count = |at| row.as_ref().map_or(0, |row| row.int(at).unsigned_abs());
        response::json(&ShopHealth {
            bytes: self.db.bytes()?,
            campaigns: count(0),
            products: count(1),
            reports_learned: self.reports_learned()?,
        })
    }
}
