//! Profiles end: those of visitors whom nobody knows, who ordered nothing, and who have not come for so long.
//!
//! Once a day the alarm looks through all profiles, a bounded part at a time, and takes out what has ended with everything that
//! lies beside it. The log and the quarantine age by themselves.

use std::collections::BTreeSet;

use endcap_profile::ProfileRow;
use endcap_profile::fragment_rows::Wanted;
use endcap_protocol::{DAY_MS, UnixMillis};

use super::object::ProfileShard;
use super::table::all::TABLES;
use super::table::contract::{ErasedProfile, Erasure};
use super::table::meta::{PROFILES_ENDED, PROFILES_ENDED_AT};
use crate::platform::config::config;
use crate::platform::error::EdgeError;
use crate::rpc::erasure::ErasedRows;

/// Profiles that one run looks at.
const LOOKED_AT: i64 = 50;

impl ProfileShard {
    /// Takes out profiles that have ended. True when there are more to look at.
    pub(super) fn end_profiles(&self, now: UnixMillis) -> Result<bool, EdgeError> {
        let days = config(&self.env).profile_days;
        let is_new = now.saturating_sub(self.store.meta(PROFILES_ENDED_AT)?) >= DAY_MS;
        // What is being copied to another shard would come back there.
        if days == 0 || !is_new || self.store.is_leaving() {
            return Ok(false);
        }
        let before = now.saturating_sub(days.saturating_mul(DAY_MS));
        let after = self.pulse.ending.take();
        let window = self.store.profiles_after(&after, LOOKED_AT)?;
        for id in &window.ids {
            if let Err(error) = self.end_profile(id, before) {
                // One that a newer version wrote is that version's to end.
                worker::console_error!("the age of {id}: {error}");
            }
        }
        let Some(next) = window.next else {
            self.store.set_meta(PROFILES_ENDED_AT, now)?;
            return Ok(false);
        };
        self.pulse.ending.set(next);
        Ok(true)
    }

    fn end_profile(&self, id: &str, before: UnixMillis) -> Result<(), EdgeError> {
        self.store.db.transaction(|| {
            let Some(row) =
                self.store.load_with(id, Wanted::Named(&BTreeSet::new()))?.filter(|row| row.has_ended(before))
            else {
                return Ok(());
            };
            self.take_out(&row)
        })
    }

    /// Takes a profile out, and what lies beside it.
    fn take_out(&self, row: &ProfileRow) -> Result<(), EdgeError> {
        let fragments = row.fragments.keys().cloned().collect();
        let profile = ErasedProfile { id: row.id.as_str(), fragments: &fragments, is_gone: true };
        let mut sums = ErasedRows::default();
        for table in TABLES {
            if let Erasure::Beside(erase) = table.erasure() {
                erase(&self.store, &profile, &mut sums)?;
            }
        }
        self.store.drop_row(profile.id)?;
        self.store.count(PROFILES_ENDED, 1)
    }
}
