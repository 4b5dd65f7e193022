//! Telling what the shard's customers ordered, to fit scores to.

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use endcap_engine::score::customers::Customer;
use endcap_engine::shop::Snapshot;
use endcap_profile::Person;
use endcap_profile::fragment_rows::Wanted;
use endcap_protocol::UnixMillis;
use endcap_targeting::Stage;
use endcap_validation::DomainError;
use worker::Response;

use super::object::ProfileShard;
use super::store::Store;
use crate::platform::error::EdgeError;
use crate::platform::zone::Zone;
use crate::platform::{clock, response};
use crate::rpc::scores::{CustomersAsk, CustomersPage};
use crate::rpc::snapshots;

/// Customers of one answer: reading one takes about a tenth of a millisecond.
const PAGE: usize = 50;

impl ProfileShard {
    /// Some customers after a profile.
    pub(super) async fn customers_route(&self, ask: &CustomersAsk) -> Result<Response, EdgeError> {
        let snapshot = snapshots::current(&self.env, clock::now()).await?;
        let zone = Zone::parse(&snapshot.settings.time_zone)?;
        let ids = self.store.customers_after(&ask.after)?;
        let mut customers = Vec::with_capacity(ids.len());
        for id in &ids {
            customers.extend(self.store.customer(id, &snapshot, &|at| zone.day(at))?);
        }
        let packed = postcard::to_allocvec(&customers).map_err(|error| DomainError::Internal(error.to_string()))?;
        response::json(&CustomersPage {
            customers: BASE64.encode(packed),
            count: customers.len() as u64,
            next: ids.last().filter(|_| ids.len() == PAGE).cloned(),
        })
    }
}

impl Store {
    /// Profiles with orders after one, by name. Who has bought has a stage that says so.
    fn customers_after(&self, after: &str) -> Result<Vec<String>, EdgeError> {
        let query = "SELECT profile_id FROM membership WHERE profile_id > ? AND stage <> ?
                     AND bucket NOT IN (SELECT bucket FROM unserved) ORDER BY profile_id LIMIT ?";
        let rows = self.db.rows(query, vec![after.into(), Stage::Prospect.as_str().into(), (PAGE as i64).into()])?;
        Ok(rows.iter().map(|row| row.text(0)).collect())
    }

    /// What a profile ordered. None where it has moved, or its orders have.
    fn customer(
        &self,
        profile_id: &str,
        snapshot: &Snapshot,
        day_of: &dyn Fn(UnixMillis) -> i64,
    ) -> Result<Option<Customer>, EdgeError> {
        let Some(mut row) = self.load_with(profile_id, Wanted::Named(&[].into()))? else { return Ok(None) };
        row.read_digests(self, Some(&snapshot.settings.identity))?;
        let orders = Person::of(&row).orders;
        Ok((!orders.is_empty()).then(|| Customer::of(&orders, &snapshot.settings.currency, day_of)))
    }
}
