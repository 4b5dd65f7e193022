//! `segment_day`: how many people a segment won and lost at this shard, by day.

use endcap_engine::segment::MembershipChanges;
use endcap_engine::segment::history::{DayMovement, MAX_DAYS, Movements};
use endcap_engine::segment::membership::{Cause, MembershipChange};
use endcap_protocol::{SegmentId, UnixMillis};

use super::contract::{Access, Erasure, Table, Transfer, Upgrade};
use crate::objects::shard::store::Store;
use crate::platform::error::EdgeError;

/// The table.
pub(super) struct SegmentDayTable;

impl Table for SegmentDayTable {
    fn name(&self) -> &'static str {
        "segment_day"
    }

    fn schema(&self) -> &'static str {
        "CREATE TABLE IF NOT EXISTS segment_day(
           segment TEXT NOT NULL, born INTEGER NOT NULL, day INTEGER NOT NULL, entered INTEGER NOT NULL,
           left INTEGER NOT NULL, defined_in INTEGER NOT NULL, defined_out INTEGER NOT NULL,
           PRIMARY KEY(segment, born, day)) WITHOUT ROWID, STRICT"
    }

    fn upgrade(&self) -> Upgrade {
        Upgrade::None
    }

    fn transfer(&self) -> Transfer {
        Transfer::Stays("sums over all shards are what counts")
    }

    fn erasure(&self) -> Erasure {
        Erasure::NothingPersonal("numbers only")
    }

    fn access(&self) -> Access {
        Access::NotShown("numbers only")
    }
}

impl Store {
    /// Counts changes of segments on their day. One of many segments at once is a row for each.
    pub(super) fn count_movement(&self, changes: &MembershipChanges, at: UnixMillis) -> Result<(), EdgeError> {
        if changes.is_empty() {
            return Ok(());
        }
        let day = self.day(at);
        let entered = changes.entered.iter().map(|change| (change, true));
        let all = entered.chain(changes.left.iter().map(|change| (change, false)));
        all.into_iter().try_for_each(|(change, enters)| self.count_change(change, enters, day))
    }

    fn count_change(&self, change: &MembershipChange, enters: bool, day: i64) -> Result<(), EdgeError> {
        let is = |cause, entered| i64::from(change.cause == cause && enters == entered);
        let counts = [
            is(Cause::Person, true),
            is(Cause::Person, false),
            is(Cause::Definition, true),
            is(Cause::Definition, false),
        ];
        let values = [change.segment.as_str().into(), change.born.cast_signed().into(), day.into()].into_iter();
        self.db.run(
            "INSERT INTO segment_day(segment, born, day, entered, left, defined_in, defined_out) VALUES(?, ?, ?, ?, ?, ?, ?)
             ON CONFLICT DO UPDATE SET entered = entered + excluded.entered, left = left + excluded.left,
               defined_in = defined_in + excluded.defined_in, defined_out = defined_out + excluded.defined_out",
            values.chain(counts.map(Into::into)).collect(),
        )
    }

    /// What all movement of a segment together brought, of one that began with this version.
    pub(crate) fn net_movement(&self, segment: &SegmentId, born: u64) -> Result<i64, EdgeError> {
        let query =
            "SELECT sum(entered + defined_in - left - defined_out) FROM segment_day WHERE segment = ? AND born = ?";
        let row = self.db.first(query, vec![segment.as_str().into(), born.cast_signed().into()])?;
        Ok(row.map_or(0, |row| row.int(0)))
    }

    /// Movement of a segment from a day on.
    pub(crate) fn movements(&self, segment: &SegmentId, born: u64, from: i64) -> Result<Movements, EdgeError> {
        let query = "SELECT day, entered, left, defined_in, defined_out FROM segment_day
                     WHERE segment = ? AND born = ? AND day >= ?";
        let rows = self.db.rows(query, vec![segment.as_str().into(), born.cast_signed().into(), from.into()])?;
        let read = rows.iter().map(|row| {
            let count = |at| row.int(at).unsigned_abs();
            let movement =
                DayMovement { entered: count(1), left: count(2), defined_in: count(3), defined_out: count(4) };
            (row.int(0), movement)
        });
        Ok(read.collect())
    }

    /// Puts days that no history shows any more together, and forgets segments that are gone: `ids` is the JSON list of those there
    /// are. One that is made again counts anew.
    pub(crate) fn trim_movements(&self, ids: &str, now: UnixMillis) -> Result<(), EdgeError> {
        let oldest = self.day(now) - MAX_DAYS as i64;
        self.db
            .run("DELETE FROM segment_day WHERE segment NOT IN (SELECT value FROM json_each(?))", vec![ids.into()])?;
        let together = "INSERT INTO segment_day(segment, born, day, entered, left, defined_in, defined_out)
             SELECT segment, born, ?, sum(entered), sum(left), sum(defined_in), sum(defined_out) FROM segment_day
             WHERE day < ? GROUP BY segment, born
             ON CONFLICT DO UPDATE SET entered = entered + excluded.entered, left = left + excluded.left,
               defined_in = defined_in + excluded.defined_in, defined_out = defined_out + excluded.defined_out";
        self.db.run(together, vec![oldest.into(), oldest.into()])?;
        self.db.run("DELETE FROM segment_day WHERE day < ?", vec![oldest.into()])
    }
}
