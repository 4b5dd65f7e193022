//! The fold: one person out of their fragments.

use std::collections::BTreeMap;

use endcap_events::traits::Trait;
use endcap_identity::FragmentId;
use endcap_protocol::{Consent, UnixMillis};
use endcap_targeting::Behaviour;

use crate::fragment::Fragment;
use crate::timeline::{ImpressionRecord, OrderRecord, TimelineEvent};
use crate::touchpoint::Touches;

/// What all fragments together say about a person.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Person {
    /// Merged behaviour.
    pub behaviour: Behaviour,
    /// Arrivals.
    pub touches: Touches,
    /// Traits; the one set last wins.
    pub traits: BTreeMap<String, Trait>,
    /// Orders by time; an order number counts once.
    pub orders: Vec<OrderRecord>,
    /// Impressions by time.
    pub impressions: Vec<ImpressionRecord>,
    /// Recent events by time.
    pub events: Vec<TimelineEvent>,
    /// Events accepted in all.
    pub accepted: u64,
}

impl Person {
    /// Folds fragments in canonical order: by their latest event, then by name, so that what happened last comes out
    /// last however many browsers there are. The stage is set when a profile is refreshed, because it depends on time.
    #[must_use]
    pub fn fold(fragments: &BTreeMap<FragmentId, Fragment>) -> Self {
        let mut person = Self::acting(fragments);
        let mut set: BTreeMap<&str, (UnixMillis, &Trait)> = BTreeMap::new();
        for (_, fragment) in canonical(fragments) {
            person.touches.merge(&fragment.touches);
            person.impressions.extend(fragment.impressions.iter().cloned());
            person.events.extend(fragment.events.iter().cloned());
            person.accepted = person.accepted.saturating_add(fragment.accepted);
            for (name, (at, value)) in &fragment.traits {
                if set.get(name.as_str()).is_none_or(|(earlier, _)| *earlier <= *at) {
                    set.insert(name, (*at, value));
                }
            }
        }
        person.traits = set.into_iter().map(|(name, (_, value))| (name.to_owned(), value.clone())).collect();
        person.finish();
        person
    }

    /// Folds only what deciding needs, behaviour and orders; the rest stays empty. The lists that people look at make up
    /// most of a person, and each batch would copy them for nothing.
    #[must_use]
    pub fn brief(fragments: &BTreeMap<FragmentId, Fragment>) -> Self {
        let mut person = Self::acting(fragments);
        person.finish();
        person
    }

    /// Merges behaviour and orders; `finish` sorts and counts them.
    fn acting(fragments: &BTreeMap<FragmentId, Fragment>) -> Self {
        let mut person = Self::default();
        let mut orders: BTreeMap<&str, (bool, &OrderRecord)> = BTreeMap::new();
        for (index, (id, fragment)) in canonical(fragments).into_iter().enumerate() {
            if index == 0 {
                person.behaviour = fragment.behaviour.clone();
            } else {
                person.behaviour.merge(&fragment.behaviour);
            }
            // An order that browser and server tell of counts once: as the server tells it, else as it was told first.
            let told = !id.is_of_server();
            for order in &fragment.orders {
                let held = orders.entry(order.order_id.as_str()).or_insert((told, order));
                *held = (*held).min((told, order));
            }
        }
        person.orders = orders.into_values().map(|(_, order)| order.clone()).collect();
        person.behaviour.consent = consent(fragments);
        person
    }

    fn finish(&mut self) {
        self.orders.sort();
        self.behaviour.orders = u32::try_from(self.orders.len()).unwrap_or(u32::MAX);
        self.impressions.sort();
        self.events.sort();
    }

    /// Times of the orders, the earliest first.
    #[must_use]
    pub fn order_times(&self) -> Vec<UnixMillis> {
        self.orders.iter().map(|order| order.at).collect()
    }

    /// What the orders brought, in minor units by currency.
    #[must_use]
    pub fn revenue(&self) -> BTreeMap<&str, i64> {
        let mut sums = BTreeMap::new();
        for order in &self.orders {
            let sum: &mut i64 = sums.entry(order.currency.as_str()).or_default();
            *sum = sum.saturating_add(order.revenue_minor);
        }
        sums
    }
}

/// A person's consent: what all agreed to that said anything of it. A server's record of somebody often says nothing.
fn consent(fragments: &BTreeMap<FragmentId, Fragment>) -> Consent {
    let says = |of: &Fragment| of.consent_at.is_some() || of.behaviour.consent != Consent::default();
    canonical(fragments)
        .into_iter()
        .filter(|(_, fragment)| says(fragment))
        .map(|(_, fragment)| fragment.behaviour.consent)
        .reduce(Consent::stricter)
        .unwrap_or_default()
}

/// Fragments in canonical order, without those that an earlier version joined by a claim: they count for nothing until
/// they went home. Where there are no others, all of them are one visitor's who proved nothing.
fn canonical(fragments: &BTreeMap<FragmentId, Fragment>) -> Vec<(&FragmentId, &Fragment)> {
    let none_other = fragments.values().all(Fragment::is_joined_by_claim);
    let mut ordered: Vec<(&FragmentId, &Fragment)> =
        fragments.iter().filter(|(_, fragment)| none_other || !fragment.is_joined_by_claim()).collect();
    // The sort is stable, so fragments of the same moment stay in the order of their names.
    ordered.sort_by_key(|(_, fragment)| fragment.behaviour.last_seen);
    ordered
}
