//! Evaluating a condition: the same code at the edge and in the page.

use endcap_protocol::{DAY_MS, UnixMillis};

use crate::Behaviour;
use crate::condition::{Condition, Fact, Op, Scope};
#[cfg(feature = "serde")]
use crate::edge_fact::{EdgeFacts, Nobody};
use crate::pattern::matches;

/// What is known about the page besides the visitor's behaviour.
#[derive(Debug, Clone, Copy)]
pub struct PageFacts<'a> {
    /// Path of the page, as `/c/shoes`.
    pub path: &'a str,
    /// The time to evaluate at.
    pub now: UnixMillis,
}

/// The outcome of an evaluation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    /// Whether the condition holds.
    pub holds: bool,
    /// The category for which [`Condition::SomeCategory`] held, for the message's text.
    pub category: Option<String>,
    /// The last leaf that did not hold and made the difference, counted from 0 in the order written, for 'why not' in
    /// debug views.
    pub failed: Option<usize>,
}

/// Evaluates a condition in which everything is decided that only the edge knows.
#[must_use]
pub fn evaluate(condition: &Condition, behaviour: &Behaviour, page: &PageFacts<'_>) -> Verdict {
    Run {
        behaviour,
        page,
        #[cfg(feature = "serde")]
        facts: &Nobody,
        category: None,
        failed: None,
    }
    .verdict(condition)
}

/// Evaluates a condition with what the edge knows of the person.
#[cfg(feature = "serde")]
#[must_use]
pub fn evaluate_of(
    condition: &Condition,
    behaviour: &Behaviour,
    page: &PageFacts<'_>,
    facts: &dyn EdgeFacts,
) -> Verdict {
    Run { behaviour, page, facts, category: None, failed: None }.verdict(condition)
}

struct Run<'a> {
    behaviour: &'a Behaviour,
    page: &'a PageFacts<'a>,
    #[cfg(feature = "serde")]
    facts: &'a dyn EdgeFacts,
    category: Option<&'a str>,
    failed: Option<usize>,
}

impl Run<'_> {
    fn verdict(mut self, condition: &Condition) -> Verdict {
        let holds = self.holds(condition, None, 0);
        Verdict { holds, category: self.category.map(str::to_owned), failed: self.failed.filter(|_| !holds) }
    }

    /// `first` is the number of the condition's first leaf. What failed inside a condition that holds is forgotten, and a
    /// category found inside one that does not.
    fn holds(&mut self, condition: &Condition, bound: Option<&str>, first: usize) -> bool {
        let (failed, category) = (self.failed, self.category);
        let holds = self.judge(condition, bound, first);
        if holds {
            self.failed = failed;
        } else {
            self.category = category;
        }
        holds
    }

    fn judge(&mut self, condition: &Condition, bound: Option<&str>, first: usize) -> bool {
        let holds = match condition {
            Condition::All(parts) => return self.list(parts, bound, first, true),
            Condition::Any(parts) => return self.list(parts, bound, first, false),
            #[cfg(feature = "serde")]
            Condition::AtLeast(least, parts) => return self.at_least(*least, parts, bound, first),
            Condition::Not(part) => {
                let holds = !self.holds(part, bound, first);
                self.failed = Some(first);
                return holds;
            }
            Condition::SomeCategory(part) => return self.some_category(part, first),
            Condition::Compare(fact, scope, op, value) => self.compare(*fact, scope, *op, *value, bound),
            Condition::StageIn(bits) => self.behaviour.stage.is_in(*bits),
            Condition::Path(pattern) => matches(pattern.as_bytes(), self.page.path.as_bytes()),
            #[cfg(feature = "serde")]
            Condition::Edge(fact) => self.facts.holds(fact, self.page.now),
        };
        if !holds {
            self.failed = Some(first);
        }
        holds
    }

    /// `every`: all parts have to hold, else one is enough.
    fn list(&mut self, parts: &[Condition], bound: Option<&str>, mut first: usize, every: bool) -> bool {
        for part in parts {
            if self.holds(part, bound, first) != every {
                return !every;
            }
            first += leaves(part);
        }
        every
    }

    #[cfg(feature = "serde")]
    fn at_least(&mut self, mut least: usize, parts: &[Condition], bound: Option<&str>, mut first: usize) -> bool {
        for part in parts {
            least -= usize::from(self.holds(part, bound, first));
            if least == 0 {
                return true;
            }
            first += leaves(part);
        }
        false
    }

    fn some_category(&mut self, part: &Condition, first: usize) -> bool {
        self.failed = Some(first);
        for category in self.behaviour.categories_by_recency() {
            if self.holds(part, Some(category), first) {
                self.category = Some(category);
                return true;
            }
        }
        false
    }

    fn compare(&self, fact: Fact, scope: &Scope, op: Op, value: i64, bound: Option<&str>) -> bool {
        number(self.behaviour, self.page.now, fact, scope.category(bound)).is_some_and(|number| op.holds(number, value))
    }
}

/// The number of a fact; None where there is nothing to count from.
#[must_use]
pub fn number(behaviour: &Behaviour, now: UnixMillis, fact: Fact, category: Option<&str>) -> Option<i64> {
    let days_since = |at: UnixMillis| now.saturating_sub(at).max(0) / DAY_MS;
    Some(match fact {
        Fact::ProductsViewed => behaviour.sum(category, |c| c.viewed.len() as i64),
        Fact::UnitsBought => behaviour.sum(category, |c| c.bought.into()),
        Fact::UnitsAdded => behaviour.sum(category, |c| c.added.into()),
        Fact::CartUnits => behaviour.cart.units(),
        Fact::CartValue => behaviour.cart.value(),
        Fact::Orders => behaviour.orders.into(),
        Fact::Sessions => behaviour.sessions.into(),
        Fact::PageViews => behaviour.page_views.into(),
        Fact::DaysSinceLastOrder => days_since(behaviour.last_order?),
        Fact::DaysSinceFirstSeen => days_since(behaviour.first_seen),
        Fact::ConsentMarketing => behaviour.consent.marketing.into(),
        Fact::PushSubscribed => behaviour.push_subscribed.into(),
    })
}

/// Number of leaves below a condition.
#[must_use]
pub fn leaves(condition: &Condition) -> usize {
    match condition {
        Condition::All(parts) | Condition::Any(parts) => parts.iter().map(leaves).sum(),
        Condition::Not(part) | Condition::SomeCategory(part) => leaves(part),
        Condition::Compare(..) | Condition::StageIn(_) | Condition::Path(_) => 1,
        #[cfg(feature = "serde")]
        Condition::AtLeast(_, parts) => parts.iter().map(leaves).sum(),
        #[cfg(feature = "serde")]
        Condition::Edge(_) => 1,
    }
}
