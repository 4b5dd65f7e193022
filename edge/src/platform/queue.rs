//! How a table of things to do is, each with the time at which it is due and the tries that failed.

use endcap_engine::health::OutboxHealth;

use super::db::Db;
use super::error::EdgeError;

/// Reads a query of four columns: how many wait, how many of them failed, the most tries, and the earliest time.
pub(crate) fn queue_health(db: &Db, query: &'static str) -> Result<OutboxHealth, EdgeError> {
    let Some(row) = db.first(query, Vec::new())? else { return Ok(OutboxHealth::default()) };
    let waiting = row.int(0).unsigned_abs();
    Ok(OutboxHealth {
        waiting,
        failing: row.int(1).unsigned_abs(),
        most_attempts: row.int(2).unsigned_abs(),
        oldest_due: (waiting > 0).then(|| row.int(3)),
        parked: 0,
    })
}
