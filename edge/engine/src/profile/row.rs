//! The packed row: everything of one profile that is read and written together.
//!
//! One row per profile keeps an everyday batch at two rows written (this one and the log's), because rows written are
//! the bill. Each row starts with its format's version; every version ever released stays readable.

use std::collections::{BTreeMap, BTreeSet};

use endcap_protocol::{AnonymousId, ProfileId, UnixMillis, UserId};
use serde::{Deserialize, Serialize};

use super::earlier;
use super::fragment::Fragment;
use crate::EngineError;
use crate::identity::FragmentId;
use crate::lifecycle::History;
use crate::server::Trust;

/// Version of the format that this code writes.
pub const FORMAT: u8 = 3;

/// Timers that are armed in the shard's table, so that they can be moved without a search.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Timers {
    /// When to look at a cart left behind.
    pub cart_left: Option<UnixMillis>,
    /// When the lifecycle stage changes by time alone.
    pub stage: Option<UnixMillis>,
}

/// A fragment that moved to another profile.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Away {
    /// The profile.
    pub to: ProfileId,
    /// Version of the graph's word that sent it there.
    pub version: u64,
}

/// A profile as it is stored.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ProfileRow {
    /// The profile.
    pub id: ProfileId,
    /// Its fragments.
    pub fragments: BTreeMap<FragmentId, Fragment>,
    /// Fragments that were here and moved to another profile.
    pub moved: BTreeMap<FragmentId, Away>,
    /// Lifecycle stages over time.
    pub stages: History,
    /// Armed timers.
    pub timers: Timers,
    /// Number of live push subscriptions.
    pub subscriptions: u32,
}

impl ProfileRow {
    /// A profile first seen at `at`.
    #[must_use]
    pub fn new(id: ProfileId, at: UnixMillis) -> Self {
        Self {
            id,
            fragments: BTreeMap::new(),
            moved: BTreeMap::new(),
            stages: History::starting_at(at),
            timers: Timers::default(),
            subscriptions: 0,
        }
    }

    /// The stored form.
    ///
    /// # Errors
    /// Never in practice; the serialiser's own failure is passed on.
    pub fn pack(&self) -> Result<Vec<u8>, EngineError> {
        postcard::to_extend(self, vec![FORMAT]).map_err(|error| EngineError::Internal(error.to_string()))
    }

    /// Reads the stored form.
    ///
    /// # Errors
    /// When the row was written by a newer version, or is damaged.
    pub fn unpack(bytes: &[u8]) -> Result<Self, EngineError> {
        let unreadable = |format| EngineError::Format { what: "profile", format };
        match bytes.split_first() {
            Some((&FORMAT, rest)) => postcard::from_bytes(rest).map_err(|_| unreadable(FORMAT)),
            Some((2, rest)) => {
                let row: earlier::Row<earlier::PieceWithConsents> =
                    postcard::from_bytes(rest).map_err(|_| unreadable(2))?;
                Ok(row.into())
            }
            Some((1, rest)) => {
                let row: earlier::Row<earlier::Piece> = postcard::from_bytes(rest).map_err(|_| unreadable(1))?;
                Ok(row.into())
            }
            other => Err(unreadable(other.map_or(0, |(format, _)| *format))),
        }
    }

    /// User IDs that were proved for this profile, or with [`Trust::Claim`] only claimed.
    #[must_use]
    pub fn users(&self, trust: Trust) -> BTreeSet<&UserId> {
        let named = self.fragments.values().filter_map(|fragment| fragment.user.as_ref());
        named.filter(|named| named.trust == trust).map(|named| &named.user_id).collect()
    }

    /// The fragment that a browser is adding to here, if it is one of this profile's.
    #[must_use]
    pub fn open_fragment(&self, browser: &AnonymousId) -> Option<&FragmentId> {
        let first = self.fragments.get_key_value(browser.as_str()).filter(|(_, held)| held.successor.is_none());
        let of_browser = |fragment: &Fragment| fragment.browser.as_ref() == Some(browser);
        let mut all = self.fragments.iter();
        let open = first.or_else(|| all.find(|(_, held)| held.successor.is_none() && of_browser(held)));
        open.map(|(id, _)| id)
    }
}
