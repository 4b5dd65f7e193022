//! `segment_fill`: how far everybody here was held against the shop's segments.

use std::rc::Rc;

use endcap_engine::segment::fill::Fill;

use super::contract::{Access, Eraser, Erasure, Table, Transfer, Upgrade};
use crate::objects::shard::store::Store;
use crate::platform::error::EdgeError;
use crate::rpc::erasure::ErasedRows;

/// The table. It has one row.
pub(super) struct SegmentFillTable;

impl Table for SegmentFillTable {
    fn name(&self) -> &'static str {
        "segment_fill"
    }

    fn schema(&self) -> &'static str {
        "CREATE TABLE IF NOT EXISTS segment_fill(
           id INTEGER PRIMARY KEY CHECK (id = 1), complete INTEGER NOT NULL, running INTEGER NOT NULL,
           after TEXT NOT NULL, looked_at INTEGER NOT NULL, unreadable INTEGER NOT NULL,
           newcomers INTEGER NOT NULL) STRICT"
    }

    fn upgrade(&self) -> Upgrade {
        Upgrade::None
    }

    fn transfer(&self) -> Transfer {
        Transfer::Stays("how far this shard is; one that gets a bucket begins anew")
    }

    fn erasure(&self) -> Erasure {
        Erasure::Found(erase)
    }

    fn access(&self) -> Access {
        Access::NotShown("a place in the order of names, which goes on in a moment")
    }
}

/// Characters that are left of a name at which a fill waits: it goes on from a little before.
const LEFT_OF_NAME: i64 = 3;

fn erase(eraser: &Eraser<'_>, _: &mut ErasedRows) -> Result<(), EdgeError> {
    let store = eraser.store;
    let names = serde_json::to_string(&eraser.step.fragments)?;
    let forget = "UPDATE segment_fill SET after = substr(after, 1, ?) WHERE after IN (SELECT value FROM json_each(?))";
    store.db.run(forget, vec![LEFT_OF_NAME.into(), names.into()])?;
    store.segment_fill.take();
    Ok(())
}

impl Store {
    /// How far the shard is.
    pub(crate) fn fill(&self) -> Result<Rc<Fill>, EdgeError> {
        if let Some(held) = &*self.segment_fill.borrow() {
            return Ok(Rc::clone(held));
        }
        let query = "SELECT complete, running, after, looked_at, unreadable, newcomers FROM segment_fill";
        let read = self.db.first(query, Vec::new())?.map(|row| Fill {
            complete: row.int(0).unsigned_abs(),
            running: Some(row.int(1).unsigned_abs()).filter(|version| *version > 0),
            after: row.text(2),
            looked_at: row.int(3).unsigned_abs(),
            unreadable: row.int(4).unsigned_abs(),
            has_newcomers: row.int(5) > 0,
            again: row.int(5) > 1,
        });
        let fill = Rc::new(read.unwrap_or_default());
        self.segment_fill.replace(Some(Rc::clone(&fill)));
        Ok(fill)
    }

    /// Notes how far the shard is.
    pub(crate) fn set_fill(&self, fill: Fill) -> Result<(), EdgeError> {
        let numbers = [fill.complete, fill.running.unwrap_or_default()].map(u64::cast_signed);
        let newcomers = u64::from(fill.has_newcomers) + u64::from(fill.again);
        let counts = [fill.looked_at, fill.unreadable, newcomers].map(u64::cast_signed);
        let values = numbers.map(Into::into).into_iter().chain([fill.after.as_str().into()]);
        let upsert = "INSERT INTO segment_fill(id, complete, running, after, looked_at, unreadable, newcomers)
             VALUES(1, ?, ?, ?, ?, ?, ?) ON CONFLICT(id) DO UPDATE SET complete = excluded.complete,
               running = excluded.running, after = excluded.after, looked_at = excluded.looked_at,
               unreadable = excluded.unreadable, newcomers = excluded.newcomers";
        self.db.run(upsert, values.chain(counts.map(Into::into)).collect())?;
        self.segment_fill.replace(Some(Rc::new(fill)));
        Ok(())
    }

    /// Begins to hold everybody against a version of the segments, if that was not begun yet. True where there is something to do.
    pub(crate) fn begin_fill(&self, version: u64) -> Result<bool, EdgeError> {
        let fill = self.fill()?;
        match fill.begun_for(version) {
            Some(begun) => self.set_fill(begun).map(|()| true),
            None => Ok(fill.running.is_some()),
        }
    }

    /// Has everybody looked at again who was.
    pub(crate) fn look_once_more(&self) -> Result<(), EdgeError> {
        self.fill()?.once_more().map_or(Ok(()), |fill| self.set_fill(fill))
    }

    /// Has everybody looked at again where people came of whom nobody knows whether they were.
    pub(crate) fn refill(&self) -> Result<(), EdgeError> {
        self.fill()?.with_newcomers().map_or(Ok(()), |fill| self.set_fill(fill))
    }
}
