//! Why a condition holds of somebody, or does not: each part with the value that it saw.

use crate::Behaviour;
use crate::condition::Condition;
use crate::edge_fact::{EdgeFacts, Seen};
use crate::evaluate::{PageFacts, number};
use crate::pattern::matches;
use crate::text::print;

/// A part of a condition, and what became of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Explanation {
    /// The part in its text form.
    pub text: String,
    /// Whether it holds.
    pub holds: bool,
    /// What it compared. None for a part that joins others, and where there is nothing to count from.
    pub saw: Option<Seen>,
    /// The category that was tried: the latest for which the part holds, else the latest of all.
    pub category: Option<String>,
    /// What it joins, all of them, whatever the first came to.
    pub parts: Vec<Explanation>,
}

/// Explains a condition. It holds where [`evaluate_of`](crate::evaluate::evaluate_of) says so.
#[must_use]
pub fn explain(
    condition: &Condition,
    behaviour: &Behaviour,
    page: &PageFacts<'_>,
    facts: &dyn EdgeFacts,
) -> Explanation {
    Person { behaviour, page, facts }.explain(condition, None)
}

struct Person<'a> {
    behaviour: &'a Behaviour,
    page: &'a PageFacts<'a>,
    facts: &'a dyn EdgeFacts,
}

impl Person<'_> {
    fn explain(&self, condition: &Condition, bound: Option<&str>) -> Explanation {
        let part = |holds, saw| Explanation { text: print(condition), holds, saw, category: None, parts: Vec::new() };
        let joined = |parts: Vec<Explanation>, holds| Explanation { parts, ..part(holds, None) };
        match condition {
            Condition::All(list) => {
                let parts = self.each(list, bound);
                let holds = parts.iter().all(|part| part.holds);
                joined(parts, holds)
            }
            Condition::Any(list) => {
                let parts = self.each(list, bound);
                let holds = parts.iter().any(|part| part.holds);
                joined(parts, holds)
            }
            Condition::AtLeast(least, list) => {
                let parts = self.each(list, bound);
                let holds = parts.iter().filter(|part| part.holds).count() >= *least;
                joined(parts, holds)
            }
            Condition::Not(inner) => {
                let inner = self.explain(inner, bound);
                let holds = !inner.holds;
                joined(vec![inner], holds)
            }
            Condition::SomeCategory(inner) => self.some_category(condition, inner),
            Condition::Compare(fact, scope, op, value) => {
                let found = number(self.behaviour, self.page.now, *fact, scope.category(bound));
                part(found.is_some_and(|number| op.holds(number, *value)), found.map(Seen::Number))
            }
            Condition::StageIn(bits) => {
                let stage = self.behaviour.stage;
                part(stage.is_in(*bits), Some(Seen::Text(stage.as_str().to_owned())))
            }
            Condition::Edge(fact) => {
                let now = self.page.now;
                part(self.facts.holds(fact, now), self.facts.saw(fact, now))
            }
            Condition::Path(pattern) => {
                let path = self.page.path;
                part(matches(pattern.as_bytes(), path.as_bytes()), Some(Seen::Text(path.to_owned())))
            }
        }
    }

    fn each(&self, parts: &[Condition], bound: Option<&str>) -> Vec<Explanation> {
        parts.iter().map(|part| self.explain(part, bound)).collect()
    }

    fn some_category(&self, condition: &Condition, inner: &Condition) -> Explanation {
        let mut latest = None;
        for category in self.behaviour.categories_by_recency() {
            let tried = self.explain(inner, Some(category));
            let holds = tried.holds;
            if holds || latest.is_none() {
                latest = Some((category.to_owned(), tried));
            }
            if holds {
                break;
            }
        }
        let holds = latest.as_ref().is_some_and(|(_, tried)| tried.holds);
        let (category, parts) = latest.map_or((None, Vec::new()), |(category, tried)| (Some(category), vec![tried]));
        Explanation { text: print(condition), holds, saw: None, category, parts }
    }
}
