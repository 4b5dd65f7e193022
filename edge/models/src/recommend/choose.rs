//! Fills a slot: first what goes with the visitor's context, then the same category, then what sells, then anything.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::model::Model;

/// What a slot needs to know of a product.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CatalogueItem<'a> {
    /// The product's ID.
    pub id: &'a str,
    /// Its category; empty if it has none.
    pub category: &'a str,
    /// Whether it can be bought now.
    pub available: bool,
}

/// The shop's products, as far as recommending needs them. Products that are not in it are never recommended.
pub trait Catalogue {
    /// A product by ID.
    fn get(&self, id: &str) -> Option<CatalogueItem<'_>>;

    /// Every product, in the shop's own order.
    fn items(&self) -> impl Iterator<Item = CatalogueItem<'_>>;
}

/// One slot to fill.
#[derive(Debug, Clone, Copy)]
pub struct Request<'a> {
    /// The visit's latest products, latest first (see [`VisitContext`](super::visit_context::VisitContext)). None of them is recommended.
    pub context: &'a [&'a str],
    /// Further products not to recommend: the one on the page, those in the cart, those just bought.
    pub exclude: &'a BTreeSet<&'a str>,
    /// How many products fit.
    pub limit: usize,
}

/// Why a product is in the slot.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// Visits that went to a product of the context went there too.
    CoViewed,
    /// It is of the latest product's category.
    Category,
    /// It is popular.
    BestSellers,
    /// Nothing is known yet, so the shop's own order decides.
    Catalogue,
}

impl Reason {
    /// The name on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::CoViewed => "co_viewed",
            Self::Category => "category",
            Self::BestSellers => "best_sellers",
            Self::Catalogue => "catalogue",
        }
    }
}

/// A product for the slot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recommendation {
    /// The product's ID.
    pub item: String,
    /// Why it is here.
    pub reason: Reason,
    /// The product of the context that spoke most for it, for [`Reason::CoViewed`] and [`Reason::Category`].
    pub because: Option<String>,
}

/// Fills a slot with up to `limit` available products, best first, none twice. Fewer only if the catalogue has no
/// more to give.
pub fn recommend(model: &Model, catalogue: &impl Catalogue, request: &Request<'_>) -> Vec<Recommendation> {
    let mut slot = Slot { catalogue, request, chosen: Vec::new(), taken: request.exclude.clone() };
    slot.taken.extend(request.context);
    for (item, because) in model.co_visits.related(request.context) {
        slot.offer(item, Reason::CoViewed, Some(because));
    }
    slot.fill_from_category(model);
    slot.fill_with_sellers(model);
    for item in catalogue.items() {
        slot.offer(item.id, Reason::Catalogue, None);
    }
    slot.chosen
}

/// A slot while it is being filled.
struct Slot<'a, C> {
    catalogue: &'a C,
    request: &'a Request<'a>,
    chosen: Vec<Recommendation>,
    taken: BTreeSet<&'a str>,
}

impl<C: Catalogue> Slot<'_, C> {
    fn room(&self) -> usize {
        self.request.limit.saturating_sub(self.chosen.len())
    }

    fn is_free(&self, item: &str) -> bool {
        !self.taken.contains(item) && !self.chosen.iter().any(|chosen| chosen.item == item)
    }

    /// Takes the product if there is room, it can be bought and it is not there yet.
    fn offer(&mut self, item: &str, reason: Reason, because: Option<&str>) {
        let wanted = self.room() > 0 && self.is_free(item);
        if wanted && self.catalogue.get(item).is_some_and(|item| item.available) {
            let because = because.map(str::to_owned);
            self.chosen.push(Recommendation { item: item.to_owned(), reason, because });
        }
    }

    /// The category of the latest product, its best sellers first, the unsold ones in the shop's order.
    fn fill_from_category(&mut self, model: &Model) {
        let latest = self.request.context.first().and_then(|latest| self.catalogue.get(latest));
        let Some(latest) = latest.filter(|latest| self.room() > 0 && !latest.category.is_empty()) else { return };
        let kin = self.catalogue.items().filter(|item| item.category == latest.category && item.available);
        let mut kin: Vec<&str> = kin.map(|item| item.id).filter(|id| self.is_free(id)).collect();
        // A stable sort keeps the shop's order among equals.
        kin.sort_by_cached_key(|id| core::cmp::Reverse(model.sellers.score(id)));
        let kin: Vec<String> = kin.into_iter().take(self.room()).map(str::to_owned).collect();
        let because = latest.id.to_owned();
        kin.iter().for_each(|item| self.offer(item, Reason::Category, Some(&because)));
    }

    fn fill_with_sellers(&mut self, model: &Model) {
        let free = |item: &str| self.is_free(item) && self.catalogue.get(item).is_some_and(|item| item.available);
        for item in model.sellers.top(self.room(), free) {
            self.offer(item, Reason::BestSellers, None);
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::recommend::visit_context::{Step, VisitContext};

    struct Shop(Vec<(&'static str, &'static str, bool)>);

    impl Catalogue for Shop {
        fn get(&self, id: &str) -> Option<CatalogueItem<'_>> {
            self.items().find(|item| item.id == id)
        }

        fn items(&self) -> impl Iterator<Item = CatalogueItem<'_>> {
            self.0.iter().map(|&(id, category, available)| CatalogueItem { id, category, available })
        }
    }

    fn shop() -> Shop {
        Shop(vec![
            ("tent", "camping", true),
            ("stove", "camping", true),
            ("lamp", "camping", true),
            ("gone", "camping", false),
            ("sofa", "living", true),
            ("rug", "living", true),
            ("vase", "", true),
        ])
    }

    fn fill(model: &Model, context: &[&str], exclude: &[&str], limit: usize) -> Vec<(String, &'static str)> {
        let exclude: BTreeSet<&str> = exclude.iter().copied().collect();
        let slot = recommend(model, &shop(), &Request { context, exclude: &exclude, limit });
        slot.into_iter().map(|chosen| (chosen.item, chosen.reason.as_str())).collect()
    }

    fn pairs<'a>(expected: &[(&str, &'a str)]) -> Vec<(String, &'a str)> {
        expected.iter().map(|(item, reason)| ((*item).to_owned(), *reason)).collect()
    }

    fn visit(model: &mut Model, items: &[&str]) {
        let mut visit_context = VisitContext::default();
        items.iter().filter_map(|item| visit_context.visit(item)).for_each(|step| model.step(&step, 0));
    }

    #[test]
    fn with_nothing_known_the_shops_order_decides() {
        let expected = [("tent", "catalogue"), ("stove", "catalogue"), ("lamp", "catalogue")];
        assert_eq!(fill(&Model::default(), &[], &[], 3), pairs(&expected));
    }

    #[test]
    fn the_first_visit_gets_best_sellers() {
        let mut model = Model::default();
        model.ordered("rug", 2, 0);
        model.added("sofa", 0);
        model.ordered("gone", 9, 0);
        model.ordered("no-longer-in-the-catalogue", 9, 0);
        assert_eq!(
            fill(&model, &[], &[], 3),
            pairs(&[("rug", "best_sellers"), ("sofa", "best_sellers"), ("tent", "catalogue")])
        );
    }

    #[test]
    fn a_context_gets_what_others_saw_then_its_category_then_best_sellers() {
        let mut model = Model::default();
        visit(&mut model, &["tent", "rug"]);
        model.ordered("lamp", 1, 0);
        model.ordered("sofa", 5, 0);
        let expected = [
            ("rug", "co_viewed"),
            ("lamp", "category"),
            ("stove", "category"),
            ("sofa", "best_sellers"),
            ("vase", "catalogue"),
        ];
        assert_eq!(fill(&model, &["tent"], &[], 9), pairs(&expected));
    }

    #[test]
    fn the_product_on_the_page_and_what_is_excluded_never_appear() {
        let mut model = Model::default();
        visit(&mut model, &["tent", "stove", "lamp"]);
        model.ordered("tent", 5, 0);
        assert_eq!(fill(&model, &["tent"], &["stove"], 2), pairs(&[("lamp", "co_viewed"), ("sofa", "catalogue")]));
    }

    #[test]
    fn the_reason_names_what_spoke_for_it() {
        let mut model = Model::default();
        visit(&mut model, &["tent", "rug"]);
        let nothing = BTreeSet::new();
        let slot = recommend(&model, &shop(), &Request { context: &["sofa", "tent"], exclude: &nothing, limit: 1 });
        let expected = Recommendation { item: "rug".into(), reason: Reason::CoViewed, because: Some("tent".into()) };
        assert_eq!(slot, [expected]);
    }

    proptest! {
        #[test]
        fn a_slot_is_full_of_distinct_available_products(
            walks in proptest::collection::vec(proptest::collection::vec(0usize..7, 1..6), 0..12),
            sold in proptest::collection::vec(0usize..7, 0..6),
            context in proptest::collection::vec(0usize..7, 0..4),
            exclude in proptest::collection::vec(0usize..7, 0..3),
            limit in 0usize..9,
        ) {
            let shop = shop();
            let name = |at: &usize| shop.0[*at].0;
            let mut model = Model::default();
            for walk in &walks {
                visit(&mut model, &walk.iter().map(name).collect::<Vec<_>>());
            }
            sold.iter().for_each(|item| model.ordered(name(item), 1, 0));
            let context: Vec<&str> = context.iter().map(name).collect();
            let exclude: BTreeSet<&str> = exclude.iter().map(name).collect();
            let slot = recommend(&model, &shop, &Request { context: &context, exclude: &exclude, limit });
            let items: BTreeSet<&str> = slot.iter().map(|chosen| chosen.item.as_str()).collect();
            let barred: BTreeSet<&str> = context.iter().chain(&exclude).copied().chain(["gone"]).collect();
            prop_assert_eq!(items.len(), slot.len());
            prop_assert!(items.is_disjoint(&barred));
            prop_assert_eq!(slot.len(), limit.min(7 - barred.len()));
            prop_assert!(slot.windows(2).all(|pair| pair[0].reason <= pair[1].reason));
        }
    }

    #[test]
    fn a_step_counts_as_a_view() {
        let mut model = Model::default();
        model.step(&Step { recent: Vec::new(), item: "sofa".into() }, 0);
        assert_eq!(fill(&model, &[], &[], 1), pairs(&[("sofa", "best_sellers")]));
    }
}
