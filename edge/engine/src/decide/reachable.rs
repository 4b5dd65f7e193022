//! Whether a condition can come to hold while the visitor stays on a page, before the edge is asked again.
//!
//! A campaign whose condition cannot is left out of the answer. The page judges by the visitor's behaviour, to which it adds
//! what they do. Some numbers only grow with that, so a comparison that such a number has passed stays as it is. The path stays
//! too: on another page the edge is asked again.

use endcap_targeting::condition::{Condition, Fact, Op, Scope};
use endcap_targeting::evaluate::number;
use endcap_targeting::pattern::matches;
use endcap_targeting::{Behaviour, PageFacts, Stage};

/// What can become of a condition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Prospect {
    /// It holds, or can come to hold.
    can_hold: bool,
    /// It does not hold, or can come not to.
    can_fail: bool,
}

impl Prospect {
    const OPEN: Self = Self { can_hold: true, can_fail: true };

    fn fixed(holds: bool) -> Self {
        Self { can_hold: holds, can_fail: !holds }
    }
}

/// Whether a condition holds, or can come to hold on the page.
#[must_use]
pub(super) fn can_hold(condition: &Condition, behaviour: &Behaviour, page: &PageFacts<'_>) -> bool {
    prospect(condition, behaviour, page).can_hold
}

fn prospect(condition: &Condition, behaviour: &Behaviour, page: &PageFacts<'_>) -> Prospect {
    let of = |part: &Condition| prospect(part, behaviour, page);
    match condition {
        // Each part is looked at once, however deep it lies.
        Condition::All(parts) => parts.iter().map(of).fold(Prospect::fixed(true), |all, part| Prospect {
            can_hold: all.can_hold && part.can_hold,
            can_fail: all.can_fail || part.can_fail,
        }),
        Condition::Any(parts) => parts.iter().map(of).fold(Prospect::fixed(false), |any, part| Prospect {
            can_hold: any.can_hold || part.can_hold,
            can_fail: any.can_fail && part.can_fail,
        }),
        Condition::AtLeast(least, parts) => {
            let parts: Vec<Prospect> = parts.iter().map(of).collect();
            let can_hold = parts.iter().filter(|part| part.can_hold).count() >= *least;
            Prospect { can_hold, can_fail: parts.iter().filter(|part| !part.can_fail).count() < *least }
        }
        Condition::Not(part) => {
            let Prospect { can_hold, can_fail } = of(part);
            Prospect { can_hold: can_fail, can_fail: can_hold }
        }
        // Categories come with what the visitor does, and without any it holds for none.
        Condition::SomeCategory(part) => Prospect { can_hold: of(part).can_hold, can_fail: true },
        Condition::Compare(fact, scope, op, value) => compare((*fact, scope), *op, *value, behaviour, page),
        Condition::StageIn(bits) => {
            let holds = |stage: Stage| bits >> stage.code() & 1 == 1;
            // An order changes the stage at once.
            let stages = [behaviour.stage, Stage::New, Stage::Active];
            Prospect { can_hold: stages.into_iter().any(holds), can_fail: !stages.into_iter().all(holds) }
        }
        // Whoever asks has these decided.
        Condition::Edge(_) => Prospect::fixed(false),
        Condition::Path(pattern) => Prospect::fixed(matches(pattern.as_bytes(), page.path.as_bytes())),
    }
}

fn compare((fact, scope): (Fact, &Scope), op: Op, value: i64, behaviour: &Behaviour, page: &PageFacts<'_>) -> Prospect {
    let category = match scope {
        Scope::All => None,
        Scope::Named(name) => Some(name.as_str()),
        Scope::Bound => return Prospect::OPEN,
    };
    let grows = matches!(fact, Fact::UnitsBought | Fact::UnitsAdded | Fact::Orders | Fact::Sessions);
    let Some(least) = number(behaviour, page.now, fact, category).filter(|_| grows) else { return Prospect::OPEN };
    match op {
        Op::Equal => Prospect { can_hold: least <= value, can_fail: true },
        Op::NotEqual => Prospect { can_hold: true, can_fail: least <= value },
        Op::Above => Prospect { can_hold: true, can_fail: least <= value },
        Op::AtLeast => Prospect { can_hold: true, can_fail: least < value },
        Op::Below => Prospect { can_hold: least < value, can_fail: true },
        Op::AtMost => Prospect { can_hold: least <= value, can_fail: true },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn leaf(fact: Fact, op: Op, value: i64) -> Condition {
        Condition::Compare(fact, Scope::All, op, value)
    }

    #[test]
    fn what_has_grown_past_a_bound_stays_past_it() {
        let behaviour = Behaviour { orders: 2, ..Behaviour::default() };
        let page = PageFacts { path: "/c/shoes", now: 0 };
        let reached = |condition: &Condition| can_hold(condition, &behaviour, &page);
        for (op, value, can, can_not) in [
            (Op::Equal, 1, false, true),
            (Op::Equal, 2, true, true),
            (Op::NotEqual, 1, true, false),
            (Op::NotEqual, 2, true, true),
            (Op::Above, 1, true, false),
            (Op::Above, 2, true, true),
            (Op::AtLeast, 2, true, false),
            (Op::AtLeast, 3, true, true),
            (Op::Below, 2, false, true),
            (Op::Below, 3, true, true),
            (Op::AtMost, 1, false, true),
            (Op::AtMost, 2, true, true),
        ] {
            let condition = leaf(Fact::Orders, op, value);
            assert_eq!(reached(&condition), can, "orders {op:?} {value}");
            assert_eq!(reached(&Condition::Not(Box::new(condition))), can_not, "not: orders {op:?} {value}");
        }
        // A cart can be emptied and a session can end.
        for fact in [Fact::CartUnits, Fact::PageViews, Fact::ConsentMarketing, Fact::DaysSinceLastOrder] {
            assert!(reached(&leaf(fact, Op::Below, 0)), "{fact:?}");
        }
        assert!(!reached(&Condition::Path("/p/*".to_owned())) && reached(&Condition::Path("/c/*".to_owned())));
    }

    #[test]
    fn lists_hold_by_their_parts_and_a_stage_can_change_by_an_order() {
        let behaviour = Behaviour { orders: 1, stage: Stage::Sleep, ..Behaviour::default() };
        let page = PageFacts { path: "/", now: 0 };
        let reached = |condition: Condition| can_hold(&condition, &behaviour, &page);
        let never = || leaf(Fact::Orders, Op::Equal, 0);
        let open = || leaf(Fact::CartUnits, Op::Equal, 0);
        assert!(!reached(Condition::All(vec![open(), never()])) && reached(Condition::All(Vec::new())));
        assert!(reached(Condition::Any(vec![open(), never()])) && !reached(Condition::Any(Vec::new())));
        assert!(!reached(Condition::SomeCategory(Box::new(never()))));
        let bound = Condition::Compare(Fact::UnitsBought, Scope::Bound, Op::Equal, 0);
        assert!(reached(Condition::SomeCategory(Box::new(bound))));
        let among =
            |stages: &[Stage]| Condition::StageIn(stages.iter().fold(0, |bits, stage| bits | 1 << stage.code()));
        assert!(reached(among(&[Stage::Sleep])) && reached(among(&[Stage::Active])) && !reached(among(&[Stage::Lost])));
        assert!(reached(Condition::Not(Box::new(among(&[Stage::Sleep])))));
    }
}
