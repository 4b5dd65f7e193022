//! Answering what a condition asks that only the edge knows: the page gets a condition without it.

use crate::codec::Writer;
use crate::condition::Condition;
use crate::edge_fact::EdgeFact;
use crate::evaluate::leaves;

/// The different questions of a condition, in the order of their first place.
#[must_use]
pub fn asked(condition: &Condition) -> Vec<EdgeFact> {
    let mut found = Vec::new();
    collect(condition, &mut found);
    found
}

fn collect(condition: &Condition, found: &mut Vec<EdgeFact>) {
    match condition {
        Condition::Edge(fact) if !found.contains(fact) => found.push(fact.clone()),
        _ => condition.parts().iter().for_each(|part| collect(part, found)),
    }
}

/// Whether a condition asks for texts about a person.
#[must_use]
pub fn asks_for_texts(condition: &Condition) -> bool {
    condition.some(&|part| matches!(part, Condition::Edge(fact) if fact.asks_for_texts()))
}

/// A condition whose questions for the edge are answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decided {
    /// What is left: the page can judge it alone.
    pub condition: Condition,
    /// Which leaves of the condition are left, by their number in it.
    pub leaves: Vec<usize>,
}

impl Decided {
    fn always() -> Self {
        Self { condition: Condition::All(Vec::new()), leaves: Vec::new() }
    }

    fn never() -> Self {
        Self { condition: Condition::Any(Vec::new()), leaves: Vec::new() }
    }

    fn is_always(&self) -> bool {
        matches!(&self.condition, Condition::All(parts) if parts.is_empty())
    }

    fn is_never(&self) -> bool {
        matches!(&self.condition, Condition::Any(parts) if parts.is_empty())
    }

    fn within(self, join: fn(Box<Condition>) -> Condition) -> Self {
        Self { condition: join(Box::new(self.condition)), leaves: self.leaves }
    }
}

/// The condition with these answers. It holds of every visitor on every page exactly where the condition does.
#[must_use]
pub fn decided(condition: &Condition, holds: &dyn Fn(&EdgeFact) -> bool) -> Decided {
    decide(condition, holds, 0)
}

/// `first` is the number of the condition's first leaf.
fn decide(condition: &Condition, holds: &dyn Fn(&EdgeFact) -> bool, first: usize) -> Decided {
    match condition {
        Condition::Edge(fact) if holds(fact) => Decided::always(),
        Condition::Edge(_) => Decided::never(),
        Condition::All(parts) => joined(parts, holds, first, true),
        Condition::Any(parts) => joined(parts, holds, first, false),
        Condition::AtLeast(least, parts) => counted(*least, parts, holds, first),
        Condition::Not(part) => match decide(part, holds, first) {
            part if part.is_always() => Decided::never(),
            part if part.is_never() => Decided::always(),
            part => part.within(Condition::Not),
        },
        // It finds a category, which texts may name: so one that always holds for the latest category stays.
        Condition::SomeCategory(part) => match decide(part, holds, first) {
            part if part.is_never() => Decided::never(),
            part => part.within(Condition::SomeCategory),
        },
        Condition::Compare(..) | Condition::StageIn(_) | Condition::Path(_) => {
            Decided { condition: condition.clone(), leaves: vec![first] }
        }
    }
}

/// `every`: all parts have to hold, else one is enough. A part that decides nothing is left out.
fn joined(parts: &[Condition], holds: &dyn Fn(&EdgeFact) -> bool, mut first: usize, every: bool) -> Decided {
    let (mut left, mut kept) = (Vec::new(), Vec::new());
    for part in parts {
        let part_of = decide(part, holds, first);
        first += leaves(part);
        match (every, part_of.is_always(), part_of.is_never()) {
            (true, _, true) => return Decided::never(),
            // A part before it may have found a category, which texts may name.
            (false, true, _) if left.iter().any(finds_category) => {
                left.push(part_of.condition);
                return Decided { condition: Condition::Any(left), leaves: kept };
            }
            (false, true, _) => return Decided::always(),
            (true, true, _) | (false, _, true) => {}
            _ => {
                left.push(part_of.condition);
                kept.extend(part_of.leaves);
            }
        }
    }
    let condition = if every { Condition::All(left) } else { Condition::Any(left) };
    Decided { condition, leaves: kept }
}

/// So many parts have to hold: said with `all` and `any`, which is all that a page knows. The choices come in the order in which
/// the parts are tried, so that the same category is found.
fn counted(least: usize, parts: &[Condition], holds: &dyn Fn(&EdgeFact) -> bool, mut first: usize) -> Decided {
    let mut left = Vec::new();
    for part in parts {
        left.push(decide(part, holds, first));
        first += leaves(part);
    }
    left.retain(|part| !part.is_never());
    let before = left.len();
    // Where a category may be found, it counts which parts held first.
    if !left.iter().any(|part| finds_category(&part.condition)) {
        left.retain(|part| !part.is_always());
    }
    let least = least.saturating_sub(before - left.len());
    let choices: Vec<Decided> = choices(least, left.len())
        .map(|choice| {
            let chosen = choice.into_iter().filter_map(|place| left.get(place));
            let (conditions, leaves): (Vec<Condition>, Vec<&[usize]>) =
                chosen.map(|part| (part.condition.clone(), part.leaves.as_slice())).unzip();
            Decided { condition: Condition::All(conditions), leaves: leaves.concat() }
        })
        .collect();
    if least == 0 {
        return Decided::always();
    }
    match <[Decided; 1]>::try_from(choices) {
        Ok([only]) => only,
        Err(choices) => {
            let leaves = choices.iter().flat_map(|choice| choice.leaves.clone()).collect();
            let conditions = choices.into_iter().map(|choice| choice.condition).collect();
            Decided { condition: Condition::Any(conditions), leaves }
        }
    }
}

/// The ways to choose so many of the places from 0 on, the earliest places first.
fn choices(chosen: usize, places: usize) -> impl Iterator<Item = Vec<usize>> {
    let mut next = Some((0..chosen).collect::<Vec<usize>>()).filter(|_| chosen <= places);
    std::iter::from_fn(move || {
        let found = next.take()?;
        let moved = (0..chosen).rev().find(|at| found.get(*at).is_some_and(|place| *place < places - chosen + at));
        next = moved.map(|at| {
            let kept = found.iter().copied().take(at);
            let from = found.get(at).map_or(0, |place| place + 1);
            kept.chain(from..from + chosen - at).collect()
        });
        Some(found)
    })
}

/// How many bytes a page may get of a condition at most, whatever the answers are.
#[must_use]
pub fn most_bytes(condition: &Condition) -> usize {
    let all = || condition.parts().iter().map(most_bytes).fold(0, usize::saturating_add);
    match condition {
        // What always holds, and what never does.
        Condition::Edge(_) => JOINS,
        Condition::Compare(..) | Condition::StageIn(_) | Condition::Path(_) => {
            let mut out = Writer::default();
            condition.write(&mut out);
            out.finish().len()
        }
        Condition::AtLeast(least, parts) => {
            let each = choices(least - 1, parts.len() - 1).count().saturating_mul(all());
            each.saturating_add(JOINS.saturating_mul(1 + choices(*least, parts.len()).count()))
        }
        Condition::All(_) | Condition::Any(_) | Condition::Not(_) | Condition::SomeCategory(_) => {
            all().saturating_add(JOINS)
        }
    }
}

/// Bytes of joining parts at most: the kind, and how many there are.
const JOINS: usize = 3;

/// Whether a condition can find a category.
fn finds_category(condition: &Condition) -> bool {
    condition.some(&|part| matches!(part, Condition::SomeCategory(_)))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use endcap_protocol::{SegmentId, UnixMillis};

    use super::*;
    use crate::Behaviour;
    use crate::edge_fact::{EdgeFacts, Seen};
    use crate::evaluate::{PageFacts, evaluate, evaluate_of};
    use crate::text::{parse, print};

    /// Who is in these segments.
    struct In<'a>(&'a [&'a str]);

    impl EdgeFacts for In<'_> {
        fn knows(&self, _: &EdgeFact) -> bool {
            true
        }

        fn holds(&self, fact: &EdgeFact, _: UnixMillis) -> bool {
            matches!(fact, EdgeFact::Segment(id) if self.0.contains(&id.as_str()))
        }

        fn saw(&self, _: &EdgeFact, _: UnixMillis) -> Option<Seen> {
            None
        }

        fn changes(&self, _: &EdgeFact, _: UnixMillis) -> Option<UnixMillis> {
            None
        }
    }

    fn of(condition: &Condition, segments: &[&str]) -> Decided {
        decided(condition, &|fact| In(segments).holds(fact, 0))
    }

    #[test]
    fn answers_take_the_place_of_questions() {
        for (text, segments, expected) in [
            ("segment(\"a\")", &["a"][..], "all()"),
            ("segment(\"a\")", &[], "any()"),
            ("not segment(\"a\")", &[], "all()"),
            ("segment(\"a\") and cart_units > 0", &["a"], "all(cart_units > 0)"),
            ("segment(\"a\") and cart_units > 0", &[], "any()"),
            ("segment(\"a\") or cart_units > 0", &["a"], "all()"),
            ("segment(\"a\") or cart_units > 0", &[], "any(cart_units > 0)"),
            ("orders = 0 and (segment(\"a\") or not segment(\"b\"))", &["b"], "any()"),
            ("orders = 0 and (segment(\"a\") or not segment(\"b\"))", &[], "all(orders = 0)"),
            ("some_category(segment(\"a\"))", &["a"], "some_category(all())"),
        ] {
            assert_eq!(print(&of(&parse(text).unwrap(), segments).condition), expected, "{text}");
        }
    }

    #[test]
    fn what_is_left_is_known_by_its_number() {
        let condition =
            parse("orders = 0 and segment(\"a\") and (segment(\"b\") or cart_units > 0) and sessions > 1").unwrap();
        assert_eq!(of(&condition, &["a"]).leaves, [0, 3, 4]);
        assert_eq!(of(&condition, &["a", "b"]).leaves, [0, 4]);
        let names: Vec<_> = asked(&condition).into_iter().map(|fact| print(&Condition::Edge(fact))).collect();
        assert_eq!(names, ["segment(\"a\")", "segment(\"b\")"]);
    }

    fn any_condition() -> impl Strategy<Value = Condition> {
        let leaf = prop_oneof![
            "[abc]".prop_map(|id| Condition::Edge(EdgeFact::Segment(SegmentId::parse(&id).unwrap()))),
            (0_u32..3).prop_map(|orders| parse(&format!("orders >= {orders}")).unwrap()),
            Just(parse("url_path matches \"/c/*\"").unwrap()),
            Just(parse("some_category(units_added(category = $) >= 2)").unwrap()),
        ];
        leaf.prop_recursive(4, 24, 4, |inner| {
            prop_oneof![
                proptest::collection::vec(inner.clone(), 0..4).prop_map(Condition::All),
                proptest::collection::vec(inner.clone(), 0..4).prop_map(Condition::Any),
                (proptest::collection::vec(inner.clone(), 2..5), 1_usize..5)
                    .prop_map(|(parts, least)| Condition::AtLeast(least.min(parts.len()), parts)),
                inner.prop_map(|part| Condition::Not(Box::new(part))),
            ]
        })
    }

    proptest! {
        #[test]
        fn the_page_says_with_the_answers_what_the_edge_says_with_the_questions(
            condition in any_condition(), segments in proptest::collection::vec(prop_oneof!["a", "b", "c"], 0..3),
            orders in 0_u32..3, path in prop_oneof!["/", "/c/shoes"],
        ) {
            let names: Vec<&str> = segments.iter().map(String::as_str).collect();
            let mut behaviour = Behaviour { orders, ..Behaviour::default() };
            behaviour.categories.entry("shoes").added = orders;
            let page = PageFacts { path: &path, now: 0 };
            let left = of(&condition, &names);
            prop_assert!(asked(&left.condition).is_empty());
            prop_assert_eq!(leaves(&left.condition), left.leaves.len());
            let mut written = Writer::default();
            left.condition.write(&mut written);
            prop_assert!(written.finish().len() <= most_bytes(&condition), "{}", print(&condition));
            prop_assert!(!left.condition.some(&|part| matches!(part, Condition::AtLeast(..))));
            let at_edge = evaluate_of(&condition, &behaviour, &page, &In(&names));
            let in_page = evaluate(&left.condition, &behaviour, &page);
            prop_assert_eq!((in_page.holds, in_page.category), (at_edge.holds, at_edge.category), "{}", print(&condition));
        }
    }
}
