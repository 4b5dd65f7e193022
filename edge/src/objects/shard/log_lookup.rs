//! Finding the events of a fragment in the log, while somebody asks for its past.
//!
//! The log has no index by fragment, which would cost a row with each batch. So one is made in memory, a part at a time, and goes
//! when nobody asks any more.

use std::time::Duration;

use endcap_identity::FragmentId;
use endcap_protocol::UnixMillis;
use worker::Delay;

use super::object::ProfileShard;
use super::store::Store;
use crate::platform::clock;
use crate::platform::error::EdgeError;

/// Rows that one part looks at: that takes some milliseconds.
const PART: i64 = 10_000;
/// The rest after that, in milliseconds, in which others have their turn.
const REST_MS: u64 = 1;
/// Most rows that the index has, the newest: 24 MB.
const MOST: i64 = 3_000_000;
/// Most rows of one fragment that are read, the newest: who visits for an hour a day has that many after years.
const MOST_OF_FRAGMENT: usize = 1_000;
/// How long it stays when nobody asks, in milliseconds.
const KEPT_MS: UnixMillis = 60_000;

impl Store {
    /// Adds the next rows. Whether there may be more.
    fn extend_log_index(&self) -> Result<bool, EdgeError> {
        let held = self.log_index.borrow().until;
        let newest = self.db.first("SELECT max(seq) FROM event_log", Vec::new())?.map_or(0, |row| row.int(0));
        let after = if held > 0 { held } else { newest.saturating_sub(MOST) };
        if held == 0 && after > 0 && self.log_rows()? > MOST.unsigned_abs() {
            worker::console_warn!("the log has more than {MOST} rows: conditions on events count the newest of them");
        }
        let query = "SELECT seq, fragment_id FROM event_log WHERE seq > ? ORDER BY seq LIMIT ?";
        let rows = self.db.rows(query, vec![after.into(), PART.into()])?;
        let mut index = self.log_index.borrow_mut();
        if !rows.is_empty() {
            index.extend(rows.iter().map(|row| (row.int(0), row.text(1))));
        }
        index.until = rows.last().map_or(after, |row| row.int(0));
        index.asked_at = clock::now();
        Ok(rows.len() as i64 == PART)
    }

    /// Numbers of the newest rows that a fragment may have, in order.
    pub(super) fn log_rows_of(&self, fragment: &FragmentId) -> Result<Vec<u32>, EdgeError> {
        while self.extend_log_index()? {}
        let rows = self.log_index.borrow().of(fragment);
        Ok(rows.get(rows.len().saturating_sub(MOST_OF_FRAGMENT)..).unwrap_or_default().to_vec())
    }

    /// Gives the room back once nobody asked for a while.
    pub(super) fn drop_old_log_index(&self, now: UnixMillis) {
        if now.saturating_sub(self.log_index.borrow().asked_at) > KEPT_MS {
            self.log_index.take();
        }
    }
}

impl ProfileShard {
    /// Brings the index up to date, in parts.
    pub(super) async fn index_log(&self) -> Result<(), EdgeError> {
        while self.store.extend_log_index()? {
            Delay::from(Duration::from_millis(REST_MS)).await;
        }
        Ok(())
    }
}
