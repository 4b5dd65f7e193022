//! `warning`: what was repaired and warned of, by source and code.

use endcap_events::ingest::WarningCode;
use endcap_events::ingest::warning_log::{Noted, NotedOf};
use endcap_protocol::UnixMillis;

use super::contract::{Access, Eraser, Erasure, Table, Transfer, Upgrade};
use crate::objects::shard::store::Store;
use crate::platform::db::Row;
use crate::platform::error::EdgeError;
use crate::rpc::erasure::ErasedRows;

/// The table.
pub(super) struct WarningTable;

impl Table for WarningTable {
    fn name(&self) -> &'static str {
        "warning"
    }

    fn schema(&self) -> &'static str {
        "CREATE TABLE IF NOT EXISTS warning(
           source TEXT NOT NULL, code TEXT NOT NULL, noted TEXT NOT NULL, PRIMARY KEY(source, code)) WITHOUT ROWID, STRICT"
    }

    fn upgrade(&self) -> Upgrade {
        Upgrade::None
    }

    fn transfer(&self) -> Transfer {
        Transfer::Stays("readers add up every shard")
    }

    fn erasure(&self) -> Erasure {
        Erasure::Found(erase)
    }

    fn access(&self) -> Access {
        Access::NotShown("a sample says how a member of an event was read, and the event itself is shown")
    }
}

fn erase(eraser: &Eraser<'_>, sums: &mut ErasedRows) -> Result<(), EdgeError> {
    let store = eraser.store;
    store.write_warnings(eraser.now)?;
    store.db.transaction(|| {
        for NotedOf { source, code, mut noted } in store.noted_warnings()? {
            let forgotten = noted.forget(&eraser.step.names);
            if forgotten > 0 {
                store.put_warnings(&source, code, &noted)?;
                sums.refused += forgotten as u64;
            }
        }
        Ok(())
    })
}

impl Store {
    /// Writes the warnings that wait. They wait on where that fails.
    pub(crate) fn write_warnings(&self, now: UnixMillis) -> Result<(), EdgeError> {
        let waiting = self.waiting_warnings.borrow_mut().take();
        if waiting.is_empty() {
            return Ok(());
        }
        let written = self.db.transaction(|| {
            for ((source, code), later) in &waiting {
                let query = "SELECT noted FROM warning WHERE source = ? AND code = ?";
                let held = self.db.first(query, vec![source.as_str().into(), code.as_str().into()])?;
                let mut noted: Noted =
                    held.map(|row| serde_json::from_str(&row.text(0))).transpose()?.unwrap_or_default();
                noted.add(later.clone());
                noted.trim(now);
                self.put_warnings(source, *code, &noted)?;
            }
            Ok(())
        });
        if written.is_err() {
            self.waiting_warnings.borrow_mut().put_back(waiting);
        }
        written
    }

    /// The warnings of the last 30 days, with those that waited.
    pub(crate) fn warnings(&self, now: UnixMillis) -> Result<Vec<NotedOf>, EdgeError> {
        self.write_warnings(now)?;
        let mut all = self.noted_warnings()?;
        all.iter_mut().for_each(|one| one.noted.trim(now));
        all.retain(|one| !one.noted.days.is_empty());
        Ok(all)
    }

    fn noted_warnings(&self) -> Result<Vec<NotedOf>, EdgeError> {
        let rows = self.db.rows("SELECT source, code, noted FROM warning", Vec::new())?;
        let read = |row: &Row| {
            // A later version's code means nothing here; its row stays as it is.
            let Some(code) = WarningCode::parse(&row.text(1)) else { return Ok(None) };
            Ok(Some(NotedOf { source: row.text(0), code, noted: serde_json::from_str(&row.text(2))? }))
        };
        let read = rows.iter().map(read).collect::<Result<Vec<_>, EdgeError>>()?;
        Ok(read.into_iter().flatten().collect())
    }

    fn put_warnings(&self, source: &str, code: WarningCode, noted: &Noted) -> Result<(), EdgeError> {
        self.db.run(
            "INSERT INTO warning(source, code, noted) VALUES(?, ?, ?)
             ON CONFLICT(source, code) DO UPDATE SET noted = excluded.noted",
            vec![source.into(), code.as_str().into(), serde_json::to_string(noted)?.into()],
        )
    }
}
