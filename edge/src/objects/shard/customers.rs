//! Telling what the shard's customers ordered, to fit scores to.

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use endcap_engine::score::customers::{Customer, OrderRules, pack};
use endcap_engine::shop::Snapshot;
use endcap_profile::fragment_rows::Wanted;
use endcap_profile::timeline::OrderRecord;
use endcap_profile::{Person, ProfileRow};
use endcap_targeting::Stage;
use worker::Response;

use super::object::ProfileShard;
use super::store::Store;
use crate::platform::error::EdgeError;
use crate::platform::zone::Zone;
use crate::platform::{clock, response};
use crate::rpc::scores::{CustomersAsk, CustomersPage};
use crate::rpc::snapshots;

/// Customers of one answer, and orders from which on it ends: reading either takes some milliseconds.
const CUSTOMERS: usize = 50;
const ORDERS: usize = 500;

impl ProfileShard {
    /// Some customers after a profile. One whose row cannot be read is counted and passed over.
    pub(super) async fn customers_route(&self, ask: &CustomersAsk) -> Result<Response, EdgeError> {
        let snapshot = snapshots::current(&self.env, clock::now()).await?;
        let zone = Zone::parse(&ask.rules.time_zone)?;
        let found = self.store.customers_after(&ask.after)?;
        let (mut customers, mut unreadable, mut orders, mut last) = (Vec::new(), 0, 0, None);
        for id in &found.ids {
            last = Some(id);
            match self.store.orders_of(id, &snapshot) {
                Ok(found) => {
                    orders += found.len();
                    customers.extend(customer(id, &found, &ask.rules, &zone));
                }
                Err(error) => {
                    worker::console_error!("the orders of {id} cannot be read: {error}");
                    unreadable += 1;
                }
            }
            if orders >= ORDERS {
                break;
            }
        }
        let has_more = found.has_more || last != found.ids.last();
        response::json(&CustomersPage {
            customers: BASE64.encode(pack(&customers)?),
            count: customers.len() as u64,
            unreadable,
            next: last.filter(|_| has_more).cloned(),
        })
    }
}

fn customer(id: &str, orders: &[OrderRecord], rules: &OrderRules, zone: &Zone) -> Option<Customer> {
    Customer::of(id, orders, rules, &|at| zone.day(at))
}

/// Some customers, by profile.
pub(super) struct SomeCustomers {
    /// Their profiles.
    pub(super) ids: Vec<String>,
    /// Whether there may be more.
    pub(super) has_more: bool,
}

impl Store {
    /// Profiles with orders after one, by name: they have a stage other than prospect.
    pub(super) fn customers_after(&self, after: &str) -> Result<SomeCustomers, EdgeError> {
        let query = "SELECT profile_id FROM membership WHERE profile_id > ? AND stage <> ?
                     AND bucket NOT IN (SELECT bucket FROM unserved) ORDER BY profile_id LIMIT ?";
        let values = vec![after.into(), Stage::Prospect.as_str().into(), (CUSTOMERS as i64).into()];
        let ids: Vec<String> = self.db.rows(query, values)?.iter().map(|row| row.text(0)).collect();
        Ok(SomeCustomers { has_more: ids.len() == CUSTOMERS, ids })
    }

    /// A profile with all that tells of its orders; None where it has moved.
    pub(super) fn customer(&self, profile_id: &str, snapshot: &Snapshot) -> Result<Option<ProfileRow>, EdgeError> {
        let Some(mut row) = self.load_with(profile_id, Wanted::Named(&[].into()))? else { return Ok(None) };
        row.read_digests(self, Some(&snapshot.settings.identity))?;
        Ok(Some(row))
    }

    /// A profile's orders; none where it has moved, or they have.
    fn orders_of(&self, profile_id: &str, snapshot: &Snapshot) -> Result<Vec<OrderRecord>, EdgeError> {
        Ok(self.customer(profile_id, snapshot)?.map(|row| Person::of(&row).orders).unwrap_or_default())
    }
}
