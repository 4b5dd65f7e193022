//! The fold: one person out of their fragments.

use std::collections::BTreeMap;

use endcap_events::traits::Trait;
use endcap_identity::FragmentId;
use endcap_protocol::{SegmentId, UnixMillis};
use endcap_targeting::Behaviour;

use crate::bounded::keep_latest;
use crate::fold::{Fold, canonical};
use crate::fragment::Fragment;
use crate::memberships::Membership;
use crate::row::ProfileRow;
use crate::timeline::{ImpressionRecord, OrderRecord, TimelineEvent};
use crate::touchpoint::Touches;

/// Events, and impressions, that are shown of a person, the latest.
pub const MAX_PERSON_HISTORY: usize = 1000;

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
    /// Segments that the person is in. Like the stage they are set when a profile is refreshed.
    pub segments: BTreeMap<SegmentId, Membership>,
}

impl Person {
    /// Folds fragments in canonical order: by their latest event, then by name, so that what happened last comes out
    /// last however many browsers there are. The stage is set when a profile is refreshed, because it depends on time.
    #[must_use]
    pub fn fold(fragments: &BTreeMap<FragmentId, Fragment>) -> Self {
        let mut person = Self::brief(fragments);
        person.add_history(fragments);
        person
    }

    /// Folds only what deciding needs, behaviour and orders; the rest stays empty. The lists that people look at make up
    /// most of a person, and each batch would copy them for nothing.
    #[must_use]
    pub fn brief(fragments: &BTreeMap<FragmentId, Fragment>) -> Self {
        let mut fold = Fold::default();
        for (id, fragment) in canonical(fragments.iter(), false) {
            fold.add(id, fragment.into());
        }
        Self::of_fold(fold)
    }

    fn of_fold(fold: Fold) -> Self {
        let (behaviour, orders) = fold.finish();
        Self { behaviour, orders, ..Self::default() }
    }

    /// The brief person of a profile, of whose fragments some may lie apart.
    #[must_use]
    pub fn of(row: &ProfileRow) -> Self {
        match &row.apart {
            Some(apart) => Self::of_fold(apart.fold(&row.fragments)),
            None => Self::brief(&row.fragments),
        }
    }

    /// Adds what only people look at, the latest of it.
    pub fn add_history(&mut self, fragments: &BTreeMap<FragmentId, Fragment>) {
        let mut set: BTreeMap<&str, (UnixMillis, &Trait)> = BTreeMap::new();
        for (_, fragment) in canonical(fragments.iter(), false) {
            self.touches.merge(&fragment.touches);
            self.impressions.extend(fragment.impressions.iter().cloned());
            self.events.extend(fragment.events.iter().cloned());
            self.accepted = self.accepted.saturating_add(fragment.accepted);
            for (name, (at, value)) in &fragment.traits {
                if set.get(name.as_str()).is_none_or(|(earlier, _)| *earlier <= *at) {
                    set.insert(name, (*at, value));
                }
            }
        }
        self.traits = set.into_iter().map(|(name, (_, value))| (name.to_owned(), value.clone())).collect();
        self.impressions.sort();
        keep_latest(&mut self.impressions, MAX_PERSON_HISTORY);
        self.events.sort();
        keep_latest(&mut self.events, MAX_PERSON_HISTORY);
    }

    /// The fragments that count, those that acted last at the end.
    pub fn counting(fragments: &BTreeMap<FragmentId, Fragment>) -> impl Iterator<Item = &Fragment> {
        canonical(fragments.iter(), false).into_iter().map(|(_, fragment)| fragment)
    }

    /// The value of one trait, the one set last.
    #[must_use]
    pub fn trait_of<'a>(fragments: &'a BTreeMap<FragmentId, Fragment>, name: &str) -> Option<&'a Trait> {
        let set = canonical(fragments.iter(), false).into_iter().filter_map(|(_, fragment)| fragment.traits.get(name));
        set.max_by_key(|(at, _)| *at).map(|(_, value)| value)
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
