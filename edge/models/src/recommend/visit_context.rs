//! A visit as the recommender sees it: the last few products, and the steps between them.

use serde::{Deserialize, Serialize};

/// How many of a visit's latest products count, when learning and when recommending.
pub const CONTEXT: usize = 5;

/// A visit arrived at a product, coming from others: one observation to learn from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    /// The products before, latest first, at most [`CONTEXT`]; further ones are ignored.
    pub recent: Vec<String>,
    /// The product arrived at.
    pub item: String,
}

/// The latest distinct products of one visit, latest first.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct VisitContext(Vec<String>);

impl VisitContext {
    /// Goes to a product. Returns the step to learn from, unless it was already the latest product (a reload).
    pub fn visit(&mut self, item: &str) -> Option<Step> {
        if self.0.first().is_some_and(|latest| latest == item) {
            return None;
        }
        self.0.retain(|earlier| earlier != item);
        let step = Step { recent: self.0.clone(), item: item.to_owned() };
        self.0.insert(0, item.to_owned());
        self.0.truncate(CONTEXT);
        Some(step)
    }

    /// The products, latest first: the context of a recommendation.
    pub fn items(&self) -> &[String] {
        &self.0
    }

    /// Begins a new visit.
    pub fn clear(&mut self) {
        self.0.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trail_keeps_the_latest_products_once_each() {
        let mut visit_context = VisitContext::default();
        let steps: Vec<usize> = ["a", "b", "b", "c", "a", "d", "e", "f", "g"]
            .iter()
            .filter_map(|item| visit_context.visit(item))
            .map(|step| step.recent.len())
            .collect();
        assert_eq!(steps, [0, 1, 2, 2, 3, 4, 5, 5], "the reload of b is no step");
        assert_eq!(visit_context.items(), ["g", "f", "e", "d", "a"]);
        visit_context.clear();
        assert_eq!(visit_context.visit("a"), Some(Step { recent: Vec::new(), item: "a".into() }));
    }
}
