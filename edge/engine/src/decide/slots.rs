//! Filling slots with products.

use std::collections::BTreeSet;

use endcap_events::ingest::wire::{Ask, SlotAsk};
use endcap_models::recommend::CONTEXT;
use endcap_models::recommend::{Reason, Recommendation, Request, recommend};
use endcap_profile::Person;

use super::offer::{SlotOffer, SlotReason};
use crate::shop::{Product, Snapshot};

/// Fills one slot with products that go with the product on the page, with the cart, or with what the visitor viewed
/// last. Leaves out the product on the page and those in the cart. A visitor who did not agree to personalization gets
/// what anybody would get on this page.
pub(super) fn fill(slot: &SlotAsk, person: &Person, ask: &Ask, snapshot: &Snapshot) -> SlotOffer {
    let behaviour = &person.behaviour;
    let personal = behaviour.consent.personalization;
    let viewed = if personal { behaviour.recent.as_slice() } else { &[] };
    let mut context: Vec<&str> = match slot.name.as_str() {
        "product" => ask.product_id.as_deref().into_iter().collect(),
        "cart" if personal => behaviour.cart.lines.iter().rev().map(|line| line.product.as_str()).collect(),
        _ => Vec::new(),
    };
    let rest = viewed.iter().map(String::as_str).filter(|id| !context.contains(id)).collect::<Vec<_>>();
    context.extend(rest);
    let found = choose(&context, person, ask, snapshot, slot.limit);
    let reason = found.first().map_or(SlotReason::Catalogue, |first| first.reason.into());
    SlotOffer { reason, items: products(found, snapshot) }
}

/// Products that go with `context`, the latest first.
pub(super) fn related(
    context: &[String],
    person: &Person,
    ask: &Ask,
    snapshot: &Snapshot,
    limit: usize,
) -> Vec<Product> {
    let context: Vec<&str> = context.iter().map(String::as_str).collect();
    products(choose(&context, person, ask, snapshot, limit), snapshot)
}

/// What sells best in a category; products viewed come first, because the message is about them.
pub(super) fn of_category(
    category: &str,
    person: &Person,
    ask: &Ask,
    snapshot: &Snapshot,
    limit: usize,
) -> Vec<Product> {
    let excluded = excluded(person, ask);
    let free = |id: &str| !excluded.contains(id);
    let viewed = person.behaviour.categories.get(category).map(|facts| facts.viewed.as_slice()).unwrap_or_default();
    let mut ids: Vec<&str> = viewed.iter().rev().map(String::as_str).filter(|id| free(id)).collect();
    let mut kin: Vec<&Product> = snapshot.catalogue.of_category(category).collect();
    kin.sort_by_cached_key(|product| std::cmp::Reverse(snapshot.model.sellers.score(&product.id)));
    let fresh: Vec<&str> = kin.iter().map(|p| p.id.as_str()).filter(|id| free(id) && !ids.contains(id)).collect();
    ids.extend(fresh);
    let known = ids.into_iter().filter_map(|id| snapshot.catalogue.get(id)).filter(|product| product.available);
    known.take(limit).cloned().collect()
}

fn excluded<'a>(person: &'a Person, ask: &'a Ask) -> BTreeSet<&'a str> {
    let cart = person.behaviour.cart.lines.iter().map(|line| line.product.as_str());
    cart.chain(ask.product_id.as_deref()).collect()
}

fn choose(context: &[&str], person: &Person, ask: &Ask, snapshot: &Snapshot, limit: usize) -> Vec<Recommendation> {
    let context = context.get(..context.len().min(CONTEXT)).unwrap_or_default();
    let exclude = excluded(person, ask);
    recommend(&snapshot.model, &snapshot.catalogue, &Request { context, exclude: &exclude, limit })
}

fn products(found: Vec<Recommendation>, snapshot: &Snapshot) -> Vec<Product> {
    found.into_iter().filter_map(|one| snapshot.catalogue.get(&one.item).cloned()).collect()
}

impl From<Reason> for SlotReason {
    fn from(reason: Reason) -> Self {
        match reason {
            Reason::CoViewed => Self::CoViewed,
            Reason::Category => Self::Category,
            Reason::BestSellers => Self::BestSellers,
            Reason::Catalogue => Self::Catalogue,
        }
    }
}
