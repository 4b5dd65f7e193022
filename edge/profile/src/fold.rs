//! The left fold over a person's fragments, one after the other in canonical order, as far as a decision needs it.
//!
//! Its state after some fragments can be stored, and the fold go on from there: the result is that of folding all of them. So a
//! person of many browsers costs a batch no more than the few that came last.

use std::collections::BTreeMap;

use endcap_identity::FragmentId;
use endcap_protocol::{Consent, UnixMillis};
use endcap_targeting::Behaviour;
use serde::{Deserialize, Serialize};

use crate::bounded::keep_greatest;
use crate::digest::Foldable;
use crate::timeline::OrderRecord;

/// Orders that a person keeps; of earlier ones only the number.
const MAX_PERSON_ORDERS: usize = 1000;

/// A fragment's place in canonical order: by its latest event, then by name, so that what happened last comes last.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Place {
    /// Time of the latest event.
    pub last_seen: UnixMillis,
    /// The fragment.
    pub fragment: FragmentId,
}

/// Fragments in canonical order, without those that an earlier version joined by a claim: they count for nothing until
/// they went home. Where there are no others, here or at rest, all of them are one visitor's who proved nothing.
pub(crate) fn canonical<'a, T: Copy + Into<Foldable<'a>>>(
    all: impl Iterator<Item = (&'a FragmentId, T)>,
    others_at_rest: bool,
) -> Vec<(&'a FragmentId, T)> {
    let mut all: Vec<_> = all.map(|(id, fragment)| (id, fragment, fragment.into())).collect();
    let none_other = !others_at_rest && all.iter().all(|(.., fragment)| fragment.is_joined_by_claim);
    all.retain(|(.., fragment)| none_other || !fragment.is_joined_by_claim);
    all.sort_by_key(|(id, _, fragment)| (fragment.behaviour.last_seen, *id));
    all.into_iter().map(|(id, fragment, _)| (id, fragment)).collect()
}

/// An order as it was told.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
struct ToldOrder {
    /// Whether a browser told of it, and not the shop's server, which knows better.
    by_browser: bool,
    order: OrderRecord,
}

/// What was folded so far.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Fold {
    /// Fragments so far.
    fragments: u32,
    #[serde(with = "crate::packed::behaviour")]
    behaviour: Behaviour,
    /// By order number.
    orders: BTreeMap<String, ToldOrder>,
    /// Orders of which only the number is kept, as browsers told it, and as the shop's server did: mostly they are the same ones.
    earlier_by_browser: u32,
    earlier_by_server: u32,
    /// What all agreed to that said anything of it.
    consent: Option<Consent>,
}

impl Fold {
    /// Adds the fragment that comes next in canonical order.
    pub(crate) fn add(&mut self, id: &FragmentId, fragment: Foldable<'_>) {
        if self.fragments == 0 {
            self.behaviour = fragment.behaviour.clone();
        } else {
            self.behaviour.merge(fragment.behaviour);
        }
        self.fragments = self.fragments.saturating_add(1);
        if fragment.says_consent {
            let said = fragment.behaviour.consent;
            self.consent = Some(self.consent.map_or(said, |held| held.stricter(said)));
        }
        self.add_orders(!id.is_of_server(), fragment);
    }

    /// An order that browser and server tell of counts once: as the server tells it, else as it was told first.
    fn add_orders(&mut self, by_browser: bool, fragment: Foldable<'_>) {
        for order in fragment.orders {
            let told = ToldOrder { by_browser, order: order.clone() };
            match self.orders.get_mut(&order.order_id) {
                Some(held) if told < *held => *held = told,
                Some(_) => {}
                None => drop(self.orders.insert(order.order_id.clone(), told)),
            }
        }
        let completed = fragment.behaviour.orders as usize;
        let forgotten = u32::try_from(completed.saturating_sub(fragment.orders.len())).unwrap_or(u32::MAX);
        self.forget_orders(by_browser, forgotten);
        for told in keep_greatest(&mut self.orders, MAX_PERSON_ORDERS, |told, other| told.order.cmp(&other.order)) {
            self.forget_orders(told.by_browser, 1);
        }
    }

    fn forget_orders(&mut self, by_browser: bool, count: u32) {
        let sum = if by_browser { &mut self.earlier_by_browser } else { &mut self.earlier_by_server };
        *sum = sum.saturating_add(count);
    }

    /// Whether one of the fragments tells of an order.
    pub(crate) fn knows_order(&self, order_id: &str) -> bool {
        self.orders.contains_key(order_id)
    }

    /// The behaviour and the orders of what was folded.
    pub(crate) fn finish(self) -> (Behaviour, Vec<OrderRecord>) {
        let mut orders: Vec<OrderRecord> = self.orders.into_values().map(|told| told.order).collect();
        orders.sort();
        let mut behaviour = self.behaviour;
        let earlier = self.earlier_by_browser.max(self.earlier_by_server);
        behaviour.orders = u32::try_from(orders.len()).unwrap_or(u32::MAX).saturating_add(earlier);
        behaviour.consent = self.consent.unwrap_or_default();
        (behaviour, orders)
    }
}
