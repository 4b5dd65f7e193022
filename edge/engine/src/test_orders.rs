//! Orders for tests.

use endcap_profile::timeline::OrderRecord;
use endcap_protocol::UnixMillis;

/// An order of one unit, named after its time.
pub(crate) fn order(at: UnixMillis, revenue_minor: i64, currency: &str) -> OrderRecord {
    OrderRecord { at, order_id: at.to_string(), revenue_minor, currency: currency.to_owned(), units: 1 }
}
