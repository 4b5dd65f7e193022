//! Putting the shard's customers into the groups of a model.

use std::time::Duration;

use endcap_engine::customer_model::CustomerModel;
use endcap_engine::customer_model::customer_orders::CustomerOrders;
use endcap_engine::customer_model::people::MovedCustomer;
use endcap_engine::customer_model::tally::Movement;
use endcap_engine::shop::Snapshot;
use endcap_profile::Person;
use endcap_profile::fragment_rows::Wanted;
use worker::{Delay, Response};

use super::object::ProfileShard;
use super::store::Store;
use crate::platform::error::EdgeError;
use crate::platform::zone::calendar_of;
use crate::platform::{clock, response};
use crate::rpc::customer_models::{GroupQuestion, GroupsAsk, GroupsPage};
use crate::rpc::snapshots;

/// Steps of one answer, each of which reads so many customers as take some milliseconds.
const STEPS: usize = 100;
/// The rest between two steps, in milliseconds, in which others have their turn.
const REST_MS: u64 = 1;

impl ProfileShard {
    /// Looks at some of the customers here. One whose row cannot be read is counted and passed over.
    pub(super) async fn groups_route(&self, ask: &GroupsAsk) -> Result<Response, EdgeError> {
        let snapshot = snapshots::current(&self.env, clock::now()).await?;
        let is_same_zone = snapshot.settings.time_zone == ask.grouping.time_zone;
        let calendar = if is_same_zone { snapshot.calendar.clone() } else { calendar_of(&ask.grouping.time_zone) };
        let shop = ask.grouping.shop(calendar);
        let mut page = GroupsPage { next: Some(ask.after.clone()), ..GroupsPage::default() };
        for step in 0..STEPS {
            if step > 0 {
                Delay::from(Duration::from_millis(REST_MS)).await;
            }
            let Some(after) = page.next.take() else { break };
            self.store.group_some(ask, &after, &shop, &snapshot, &mut page)?;
            if is_full(ask, &page) {
                break;
            }
        }
        page.survey = std::mem::take(&mut page.survey).for_sending();
        response::json(&page)
    }
}

/// Whether as many people were found as were asked for.
fn is_full(ask: &GroupsAsk, page: &GroupsPage) -> bool {
    matches!(ask.question, GroupQuestion::People { limit, .. } if page.people.len() >= limit)
}

impl Store {
    fn group_some(
        &self,
        ask: &GroupsAsk,
        after: &str,
        shop: &Snapshot,
        snapshot: &Snapshot,
        page: &mut GroupsPage,
    ) -> Result<(), EdgeError> {
        let found = self.customers_after(after)?;
        let mut last = None;
        for id in &found.ids {
            last = Some(id);
            if let Err(error) = self.group_one(ask, id, shop, snapshot, page) {
                worker::console_error!("the orders of {id} cannot be read: {error}");
                page.unreadable += 1;
            }
            if is_full(ask, page) {
                break;
            }
        }
        page.next = last.filter(|last| found.has_more || Some(*last) != found.ids.last()).cloned();
        Ok(())
    }

    fn group_one(
        &self,
        ask: &GroupsAsk,
        id: &str,
        shop: &Snapshot,
        snapshot: &Snapshot,
        page: &mut GroupsPage,
    ) -> Result<(), EdgeError> {
        let grouping = &ask.grouping;
        // What people did lies in the fragments themselves.
        let is_of_now = grouping.model.known().is_some_and(CustomerModel::is_of_now);
        let row = if is_of_now { self.load_with(id, Wanted::All)? } else { self.customer(id, snapshot)? };
        let Some(row) = row else { return Ok(()) };
        let person = Person::of(&row);
        let events = Person::counting(&row.fragments).flat_map(|fragment| &fragment.events);
        let orders = CustomerOrders::new(&person.orders, shop);
        let orders = if is_of_now { orders.with_events(events) } else { orders };
        match ask.question {
            GroupQuestion::Survey => page.survey.add(grouping, &orders),
            GroupQuestion::Tally => page.tally.add(grouping, &orders),
            GroupQuestion::People { who, .. } => {
                let groups = grouping.groups(&orders);
                let (Some(was), Some(is)) = (groups.first().copied(), groups.last().copied()) else { return Ok(()) };
                if who.holds(was, is) {
                    let user_ids = row.users().into_iter().map(str::to_owned).collect();
                    let movement = Movement::of(grouping, &orders);
                    page.people.push(MovedCustomer { profile_id: id.to_owned(), user_ids, was, is, movement });
                }
            }
        }
        Ok(())
    }
}
