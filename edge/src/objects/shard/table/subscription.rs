//! `subscription`: one browser's push subscription.

use endcap_engine::person_export::{Belongings, SubscriptionView};
use endcap_protocol::UnixMillis;
use serde::{Deserialize, Serialize};

use super::contract::{Access, ErasedProfile, Erasure, ProfileTransfer, Table, Transfer, Upgrade};
use super::rows::{pack, unpack};
use crate::objects::shard::store::{Store, bucket};
use crate::platform::error::EdgeError;
use crate::rpc::erasure::ErasedRows;
use crate::rpc::person_export::BelongingsAsk;

/// The table.
pub(super) struct SubscriptionTable;

impl Table for SubscriptionTable {
    fn name(&self) -> &'static str {
        "subscription"
    }

    fn schema(&self) -> &'static str {
        "CREATE TABLE IF NOT EXISTS subscription(
           profile_id TEXT NOT NULL, endpoint TEXT NOT NULL, bucket INTEGER NOT NULL, fragment_id TEXT NOT NULL,
           p256dh TEXT NOT NULL, auth TEXT NOT NULL, key_id TEXT NOT NULL, origin TEXT NOT NULL, since INTEGER NOT NULL,
           PRIMARY KEY(profile_id, endpoint)) WITHOUT ROWID, STRICT"
    }

    fn upgrade(&self) -> Upgrade {
        Upgrade::RenamedColumn {
            from: "anonymous_id",
            rename: "ALTER TABLE subscription RENAME COLUMN anonymous_id TO fragment_id",
        }
    }

    fn transfer(&self) -> Transfer {
        Transfer::WithProfile(ProfileTransfer {
            take,
            put,
            delete: "DELETE FROM subscription WHERE profile_id IN (SELECT value FROM json_each(?))",
            delete_bucket: Some("DELETE FROM subscription WHERE bucket = ?"),
        })
    }

    fn erasure(&self) -> Erasure {
        Erasure::Beside(erase)
    }

    fn access(&self) -> Access {
        Access::Shown(show)
    }
}

/// A push subscription.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct StoredSubscription {
    /// The fragment of the browser.
    pub(crate) fragment_id: String,
    /// Where messages for it go.
    pub(crate) endpoint: String,
    /// The browser's public key.
    pub(crate) p256dh: String,
    /// The browser's authentication secret.
    pub(crate) auth: String,
    /// The key of the shop that it was made with.
    pub(crate) key_id: String,
    /// The page's origin.
    pub(crate) origin: String,
    /// Since when.
    pub(crate) since: UnixMillis,
}

#[derive(Serialize, Deserialize)]
struct OfProfile {
    profile_id: String,
    stored: StoredSubscription,
}

fn take(store: &Store, profiles: &[String]) -> Result<Vec<u8>, EdgeError> {
    let mut rows = Vec::new();
    for profile_id in profiles {
        let stored = store.subscriptions(profile_id)?.into_iter();
        rows.extend(stored.map(|stored| OfProfile { profile_id: profile_id.clone(), stored }));
    }
    pack(&rows)
}

fn put(store: &Store, rows: &[u8]) -> Result<(), EdgeError> {
    unpack::<OfProfile>(rows)?.iter().try_for_each(|row| store.put_subscription(&row.profile_id, &row.stored))
}

fn erase(store: &Store, profile: &ErasedProfile<'_>, sums: &mut ErasedRows) -> Result<(), EdgeError> {
    let delete = "DELETE FROM subscription WHERE profile_id = ?
                  AND fragment_id IN (SELECT value FROM json_each(?)) RETURNING 1";
    let fragments = serde_json::to_string(profile.fragments)?;
    sums.subscriptions += store.db.rows(delete, vec![profile.id.into(), fragments.into()])?.len() as u64;
    Ok(())
}

fn show(store: &Store, ask: &BelongingsAsk, shown: &mut Belongings) -> Result<(), EdgeError> {
    for id in &ask.fragments {
        let stored = store.subscriptions(id.as_str())?.into_iter();
        let theirs = stored.filter(|stored| ask.fragments.contains(stored.fragment_id.as_str()));
        shown.subscriptions.extend(theirs.map(|stored| SubscriptionView {
            fragment_id: stored.fragment_id,
            endpoint: stored.endpoint,
            origin: stored.origin,
            since: stored.since,
        }));
    }
    Ok(())
}

impl Store {
    /// The subscriptions of a profile.
    pub(crate) fn subscriptions(&self, profile_id: &str) -> Result<Vec<StoredSubscription>, EdgeError> {
        let query = "SELECT fragment_id, endpoint, p256dh, auth, key_id, origin, since FROM subscription
                     WHERE profile_id = ?";
        let rows = self.db.rows(query, vec![profile_id.into()])?;
        let stored = rows.iter().map(|row| StoredSubscription {
            fragment_id: row.text(0),
            endpoint: row.text(1),
            p256dh: row.text(2),
            auth: row.text(3),
            key_id: row.text(4),
            origin: row.text(5),
            since: row.int(6),
        });
        Ok(stored.collect())
    }

    /// Keeps a subscription, or replaces it.
    pub(crate) fn put_subscription(&self, profile_id: &str, stored: &StoredSubscription) -> Result<(), EdgeError> {
        self.db.run(
            "INSERT INTO subscription(profile_id, endpoint, bucket, fragment_id, p256dh, auth, key_id, origin, since)
             VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?)
             ON CONFLICT(profile_id, endpoint) DO UPDATE SET fragment_id = excluded.fragment_id,
               p256dh = excluded.p256dh, auth = excluded.auth, key_id = excluded.key_id, origin = excluded.origin",
            vec![
                profile_id.into(),
                stored.endpoint.as_str().into(),
                bucket(profile_id).into(),
                stored.fragment_id.as_str().into(),
                stored.p256dh.as_str().into(),
                stored.auth.as_str().into(),
                stored.key_id.as_str().into(),
                stored.origin.as_str().into(),
                stored.since.into(),
            ],
        )
    }

    /// Drops a subscription.
    pub(crate) fn drop_subscription(&self, profile_id: &str, endpoint: &str) -> Result<(), EdgeError> {
        let delete = "DELETE FROM subscription WHERE profile_id = ? AND endpoint = ?";
        self.db.run(delete, vec![profile_id.into(), endpoint.into()])
    }
}
