//! `refused`: how many events were refused, by day, source and reason.

use endcap_events::ingest::RejectCode;
use endcap_events::ingest::quarantine::{Count, Counts};
use endcap_protocol::Date;

use super::contract::{Access, Erasure, Table, Transfer, Upgrade};
use super::meta::QUARANTINE_DROPPED;
use crate::objects::shard::store::Store;
use crate::platform::db::Row;
use crate::platform::error::EdgeError;

/// The table.
pub(super) struct RefusedTable;

impl Table for RefusedTable {
    fn name(&self) -> &'static str {
        "refused"
    }

    fn schema(&self) -> &'static str {
        "CREATE TABLE IF NOT EXISTS refused(
           day INTEGER NOT NULL, source TEXT NOT NULL, code TEXT NOT NULL, bucket INTEGER NOT NULL,
           count INTEGER NOT NULL, PRIMARY KEY(day, source, code, bucket)) WITHOUT ROWID, STRICT"
    }

    fn upgrade(&self) -> Upgrade {
        Upgrade::None
    }

    fn transfer(&self) -> Transfer {
        Transfer::Stays("readers add up every shard")
    }

    fn erasure(&self) -> Erasure {
        Erasure::NothingPersonal("numbers by source and reason")
    }

    fn access(&self) -> Access {
        Access::NotShown("numbers by source and reason")
    }
}

/// Refused events to count.
pub(crate) struct RefusedEvents<'a> {
    /// The bucket that they are counted under.
    pub(crate) bucket: u16,
    /// The day, counted from 1970-01-01.
    pub(crate) day: i64,
    /// The source.
    pub(crate) source: &'a str,
    /// Why.
    pub(crate) code: RejectCode,
    /// How many.
    pub(crate) count: i64,
}

impl Store {
    /// Counts refused events.
    pub(crate) fn count_refused(&self, refused: &RefusedEvents<'_>) -> Result<(), EdgeError> {
        self.db.run(
            "INSERT INTO refused(day, source, code, bucket, count) VALUES(?, ?, ?, ?, ?)
             ON CONFLICT(day, source, code, bucket) DO UPDATE SET count = count + excluded.count",
            vec![
                refused.day.into(),
                refused.source.into(),
                refused.code.as_str().into(),
                i64::from(refused.bucket).into(),
                refused.count.into(),
            ],
        )
    }

    /// The counts, the latest day first.
    pub(crate) fn refused_counts(&self) -> Result<Counts, EdgeError> {
        let query = "SELECT day, source, code, sum(count) FROM refused GROUP BY day, source, code ORDER BY day DESC";
        let rows = self.db.rows(query, Vec::new())?;
        let count = |row: &Row| Count {
            day: Date::from_day(row.int(0)).to_string(),
            source: row.text(1),
            code: row.text(2),
            count: row.int(3).unsigned_abs(),
        };
        let dropped = self.meta(QUARANTINE_DROPPED)?.unsigned_abs();
        Ok(Counts { counts: rows.iter().map(count).collect(), dropped, ..Counts::default() })
    }

    /// Removes counts of days before `day`.
    pub(crate) fn trim_refused(&self, day: i64) -> Result<(), EdgeError> {
        let oldest = self.db.first("SELECT day FROM refused ORDER BY day LIMIT 1", Vec::new())?;
        if oldest.is_some_and(|row| row.int(0) < day) {
            self.db.run("DELETE FROM refused WHERE day < ?", vec![day.into()])?;
        }
        Ok(())
    }
}
