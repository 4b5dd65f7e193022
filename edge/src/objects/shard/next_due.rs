//! When a shard's alarm has to ring next, and saving a profile with what follows for it.

use std::collections::BTreeMap;

use endcap_engine::shop::Snapshot;
use endcap_engine::visit::{Refreshed, refresh};
use endcap_events::ingest::quarantine::KEPT_DAYS;
use endcap_profile::ProfileRow;
use endcap_profile::fragment_rows::Wanted;
use endcap_profile::memberships::Memberships;
use endcap_protocol::{DAY_MS, UnixMillis};

use super::store::Store;
use super::table::meta::PAST_DUE;
use crate::platform::error::EdgeError;

impl Store {
    /// When the next job or timer is due, or a refused event to be removed.
    pub(crate) fn next_due(&self) -> Result<Option<UnixMillis>, EdgeError> {
        if self.fill()?.running.is_some() {
            return Ok(Some(1));
        }
        let query = "SELECT min(due) FROM (
                     SELECT min(due) AS due FROM timer_by_key WHERE bucket NOT IN (SELECT bucket FROM unserved)
                     UNION ALL SELECT min(due) FROM outbox WHERE bucket NOT IN (SELECT bucket FROM unserved)
                     UNION ALL SELECT min(received_at) + ? FROM (SELECT received_at FROM refused_event ORDER BY seq LIMIT 1))";
        let due = self.db.first(query, vec![(KEPT_DAYS * DAY_MS).into()])?.map(|row| row.int(0));
        Ok(due.into_iter().chain([self.meta(PAST_DUE)?]).filter(|due| *due != 0).min())
    }

    /// Folds a profile and lets its stage follow time, once the digests are read that the fold lacks.
    pub(crate) fn refresh(
        &self,
        row: &mut ProfileRow,
        snapshot: &Snapshot,
        now: UnixMillis,
    ) -> Result<Refreshed, EdgeError> {
        row.read_digests(self, Some(&snapshot.settings.identity))?;
        self.note_calendar(snapshot);
        if snapshot.asks_for_texts {
            row.read_more(self, Wanted::All)?;
        }
        self.read_memberships(row, snapshot)?;
        Ok(refresh(row, snapshot, now))
    }

    /// Completes what a row says of its segments: where a version wrote it that knows none, by the table, and by how far the shard's
    /// fill is.
    fn read_memberships(&self, row: &mut ProfileRow, snapshot: &Snapshot) -> Result<(), EdgeError> {
        if snapshot.segments.version == 0 {
            return Ok(());
        }
        let judged = self.fill()?.judged(row.id.as_str());
        let mut held = match row.memberships.take() {
            Some(held) => held,
            None => Memberships { judged: 0, held: self.memberships(row.id.as_str())? },
        };
        held.judged = held.judged.max(judged);
        row.memberships = Some(held);
        Ok(())
    }

    /// Saves a profile after time has passed: its row, its timers, its stage.
    pub(crate) fn save_refreshed(&self, row: &ProfileRow, refreshed: &Refreshed) -> Result<(), EdgeError> {
        self.save(row)?;
        let id = row.id.as_str();
        refreshed.timers.iter().try_for_each(|timer| self.move_timer(id, timer))?;
        let none = BTreeMap::new();
        let held = row.memberships.as_ref().map_or(&none, |memberships| &memberships.held);
        self.put_memberships(id, held, &refreshed.segments, refreshed.at)?;
        if !row.has_fragments() {
            return self.drop_membership(id);
        }
        if !refreshed.stage_changed {
            return Ok(());
        }
        let stage = row.stages.current();
        self.put_membership(id, stage.stage.as_str(), stage.since)
    }
}
