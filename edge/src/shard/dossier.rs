//! What a shard keeps of a person: events in the log, and the rest, for who asks to see it.

use std::collections::BTreeSet;

use endcap_engine::person_export::{Belongings, FragmentView, LoggedBatch, Place, SubscriptionView, TimerView};
use endcap_events::ingest::quarantine::{Listed, Quarantined};
use endcap_identity::FragmentId;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use worker::Response;

use super::ProfileShard;
use super::store::{Store, events_of};
use crate::answer;
use crate::fault::Fault;

/// Most refused events of one export and shard.
const REFUSED: i64 = 500;

/// A question for stored events.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct EventsAsk {
    /// Whose.
    pub(crate) fragments: BTreeSet<FragmentId>,
    /// Number of the shard that is asked.
    pub(crate) shard: u16,
    /// Where the page before ended.
    pub(crate) after: Place,
    /// Most batches.
    pub(crate) limit: i64,
}

/// A question for all else that is kept of a person.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct BelongingsAsk {
    /// Their fragments.
    pub(crate) fragments: BTreeSet<FragmentId>,
    /// All texts that name them, in lower case.
    pub(crate) names: BTreeSet<String>,
}

impl ProfileShard {
    /// `/events`: stored batches of some fragments, those received last at the front.
    pub(super) fn events_route(&self, ask: &EventsAsk) -> Result<Response, Fault> {
        answer::json(&self.store.batches(ask)?)
    }

    /// `/belongings`: what is kept of a person besides profile and events.
    pub(super) fn belongings_route(&self, ask: &BelongingsAsk) -> Result<Response, Fault> {
        let mut all = Belongings { refused: self.store.refused_about(&ask.names)?, ..Belongings::default() };
        for id in ask.fragments.iter().map(FragmentId::as_str) {
            all.timers.extend(self.store.timers_of(id)?);
            let subscriptions = self.store.subscriptions(id)?.into_iter();
            all.subscriptions.extend(
                subscriptions.filter(|stored| ask.fragments.contains(stored.fragment_id.as_str())).map(|stored| {
                    SubscriptionView {
                        fragment_id: stored.fragment_id,
                        endpoint: stored.endpoint,
                        origin: stored.origin,
                        since: stored.since,
                    }
                }),
            );
            let Some(row) = self.store.load(id)? else { continue };
            let theirs = row.fragments.iter().filter(|(id, _)| ask.fragments.contains(*id));
            all.fragments.extend(theirs.map(|(id, fragment)| FragmentView::new(id, fragment)));
        }
        answer::json(&all)
    }
}

impl Store {
    /// Batches of some fragments after a place. The log has no index by fragment, which would cost a row with each batch:
    /// what is read for a page is as much of the log as lies before its last event.
    fn batches(&self, ask: &EventsAsk) -> Result<Vec<LoggedBatch>, Fault> {
        let query = "SELECT seq, received_at, fragment_id, body FROM event_log
                     WHERE fragment_id IN (SELECT value FROM json_each(?))
                       AND (received_at < ? OR (received_at = ? AND seq <= ?))
                     ORDER BY seq DESC LIMIT ?";
        let values = vec![
            serde_json::to_string(&ask.fragments)?.into(),
            ask.after.received_at.into(),
            ask.after.received_at.into(),
            ask.after.bound_in(ask.shard).into(),
            ask.limit.into(),
        ];
        let rows = self.db.rows(query, values)?;
        let read = |row: &crate::db::Row| -> Result<LoggedBatch, Fault> {
            let events = events_of(&row.blob(3))?.into_iter().map(RawValue::from_string);
            let events = events.collect::<Result<Vec<_>, _>>()?;
            Ok(LoggedBatch { seq: row.int(0), received_at: row.int(1), fragment_id: row.text(2), events })
        };
        rows.iter().map(read).collect()
    }

    fn timers_of(&self, id: &str) -> Result<Vec<TimerView>, Fault> {
        let rows = self.db.rows("SELECT due, kind FROM timer WHERE profile_id = ?", vec![id.into()])?;
        Ok(rows.iter().map(|row| TimerView { due: row.int(0), kind: row.int(1) }).collect())
    }

    fn refused_about(&self, names: &BTreeSet<String>) -> Result<Vec<Listed>, Fault> {
        let query = "SELECT id, event FROM quarantine
                     WHERE EXISTS (SELECT 1 FROM json_each(?) WHERE instr(lower(event), value) > 0) LIMIT ?";
        let mut found = Vec::new();
        for row in self.db.rows(query, vec![serde_json::to_string(names)?.into(), REFUSED.into()])? {
            let event: Quarantined = serde_json::from_str(&row.text(1))?;
            if event.is_about(names) {
                found.push(Listed { id: row.text(0), event });
            }
        }
        Ok(found)
    }
}
