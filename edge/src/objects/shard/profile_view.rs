//! Showing one profile.

use endcap_engine::computed_traits::Reference;
use endcap_engine::customer_model::grouping::groups_now;
use endcap_engine::profile_view::{ProfileView, Unproved};
use endcap_engine::score::customers::Customer;
use endcap_engine::score::person::PersonScores;
use endcap_engine::segment::view::PersonSegment;
use endcap_engine::shop::calendar::utc_hour;
use endcap_identity::FragmentId;
use endcap_profile::fragment_rows::Wanted;
use endcap_profile::resolution::Resolution;
use endcap_validation::DomainError;
use worker::Response;

use super::object::ProfileShard;
use crate::platform::error::EdgeError;
use crate::platform::zone::Zone;
use crate::platform::{clock, response};
use crate::rpc::profile::{FragmentAsk, FragmentSeen, Moved, ProfileQuestion};
use crate::rpc::snapshots;

impl ProfileShard {
    /// What a fragment did; nothing where it moved on since.
    pub(super) fn fragment(&self, ask: &FragmentAsk) -> Result<Response, EdgeError> {
        let row = self.store.load_with(ask.profile_id.as_str(), Wanted::Named(&[ask.fragment.clone()].into()))?;
        let held = row.as_ref().and_then(|row| row.fragments.get(&ask.fragment));
        let seen = held.map(|fragment| FragmentSeen {
            events: fragment.accepted,
            orders: fragment.orders.len() as u64,
            last_seen: fragment.behaviour.last_seen,
        });
        response::json(&seen.unwrap_or_default())
    }

    /// The profile as of now. Looking changes nothing.
    pub(super) async fn profile(&self, question: &ProfileQuestion) -> Result<Response, EdgeError> {
        let snapshot = snapshots::current(&self.env, clock::now()).await?;
        let now = clock::now().saturating_add(question.later_ms);
        let row = self.store.load(&question.profile_id)?;
        let mut row = row.ok_or(DomainError::NotFound("profile"))?;
        if let Some(browser) = &question.anonymous_id {
            match row.resolve(browser, question.fragment.as_ref())? {
                Resolution::Here(_) => {}
                Resolution::Next { profile, fragment, .. } => {
                    return response::json(&Moved { moved_to: profile, fragment });
                }
                Resolution::Begins(_) => return Err(DomainError::NotFound("profile").into()),
                Resolution::Coming => return Err(DomainError::Moving.into()),
            }
        }
        if row.fragments.is_empty() {
            // The profile that it is named after may have become part of another.
            let own = FragmentId::parse(&question.profile_id)?;
            let away = row.moved.get(&own).filter(|_| question.anonymous_id.is_none());
            let away = away.ok_or(DomainError::NotFound("profile"))?;
            return response::json(&Moved { moved_to: away.to.clone(), fragment: own });
        }
        let mut person = self.store.refresh(&mut row, &snapshot, now)?.person;
        person.add_history(&row.fragments);
        let zone = Zone::parse(&snapshot.settings.time_zone).ok();
        let hour_of = |at| zone.as_ref().map_or_else(|| utc_hour(at), |zone| zone.hour(at));
        let reference = Reference { catalogue: &snapshot.catalogue, hour_of: &hour_of };
        let view = ProfileView::new(&row, &person, reference);
        let day_of = |at| snapshot.calendar.day(at);
        let rules = snapshot.settings.order_rules(day_of(now));
        let customer = Customer::of(row.id.as_str(), &person.orders, &rules, &day_of);
        let scores = customer.and_then(|customer| PersonScores::of(&customer, &snapshot.scores, rules.until));
        let unproved = question.unproved.then_some(Unproved::Lookup(true));
        let segments = PersonSegment::all_of(row.memberships.as_ref(), &snapshot.segments);
        let groups = groups_now(&person.orders, &snapshot, now);
        response::json(&ProfileView { unproved, scores, groups, segments, ..view })
    }
}
