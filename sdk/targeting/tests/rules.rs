//! The rule engine from JSON to verdict, as campaign authors meet it.
#![cfg(feature = "serde")]
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

use endcap_protocol::commerce::{DEFAULT_CURRENCY, parse};
use endcap_protocol::repair::Repairs;
use endcap_protocol::{Consent, SessionId};
use endcap_targeting::compile::compile;
use endcap_targeting::condition::Condition;
use endcap_targeting::edge_fact::Nobody;
use endcap_targeting::evaluate::{Verdict, evaluate};
use endcap_targeting::explain::explain;
use endcap_targeting::text::print;
use endcap_targeting::{Act, Behaviour, Eligibility, Frequency, PageFacts, Program, Stage, Trigger, judge};
use proptest::prelude::*;
use serde_json::{Value, json};

fn act(name: &str, props: Value) -> Act {
    Act::Commerce(parse(name, &props, DEFAULT_CURRENCY, &mut Repairs::default()).unwrap().unwrap())
}

fn view(product: &str, category: &str) -> Act {
    act("Product Viewed", json!({"product_id": product, "category": category}))
}

fn add(product: &str, category: &str) -> Act {
    act("Product Added", json!({"product_id": product, "category": category, "price": 10, "quantity": 1}))
}

fn order(product: &str, category: &str) -> Act {
    act("Order Completed", json!({"order_id": "o1", "products": [{"product_id": product, "category": category}]}))
}

fn after(acts: &[Act]) -> Behaviour {
    let mut behaviour = Behaviour::default();
    for (at, act) in (1..).zip(acts) {
        behaviour.apply(act, at);
    }
    behaviour
}

fn verdict(condition: &Value, behaviour: &Behaviour) -> Verdict {
    let compiled = compile(&json!({"condition": condition})).unwrap();
    evaluate(&compiled.program.condition, behaviour, &PageFacts { path: "/c/shoes", now: 1_000 })
}

fn undecided() -> Value {
    json!({"all": [
        {"fact": "stage", "in": ["prospect", "new", "active"]},
        {"some_category": {"all": [
            {"fact": "products_viewed", "category": "$", "op": ">=", "value": 2},
            {"fact": "units_bought", "category": "$", "op": "=", "value": 0}]}},
        {"fact": "cart_units", "op": ">=", "value": 1}]})
}

#[test]
fn viewed_two_of_a_category_bought_none_and_the_cart_is_not_empty() {
    let shoes = [view("s1", "shoes"), view("s2", "shoes"), add("c1", "coats")];
    let held = verdict(&undecided(), &after(&shoes));
    assert!(held.holds);
    assert_eq!(held.category.as_deref(), Some("shoes"));

    assert!(!verdict(&undecided(), &after(&shoes[..2])).holds, "the cart is empty");
    let same = [view("s1", "shoes"), view("s1", "shoes"), add("c1", "coats")];
    assert!(!verdict(&undecided(), &after(&same)).holds, "one product seen twice is one product");
    let bought = [order("s9", "shoes"), view("s1", "shoes"), view("s2", "shoes"), add("c1", "coats")];
    assert!(!verdict(&undecided(), &after(&bought)).holds, "bought from the category");
}

#[test]
fn a_category_counts_only_where_its_part_holds() {
    let viewed = json!({"some_category": {"fact": "products_viewed", "category": "$", "op": ">=", "value": 1}});
    let (always, never) =
        (json!({"fact": "url_path", "matches": "*"}), json!({"fact": "url_path", "matches": "/nowhere"}));
    let cases = [
        (json!({"any": [{"all": [viewed, never]}, always]}), None),
        (json!({"all": [viewed, {"any": [never, always]}]}), Some("shoes")),
        (json!({"all": [viewed, {"not": never}]}), Some("shoes")),
        (json!({"not": {"all": [viewed, never]}}), None),
    ];
    let (behaviour, page) = (after(&[view("s1", "shoes")]), PageFacts { path: "/", now: 1 });
    for (condition, category) in cases {
        let told = verdict(&condition, &behaviour);
        assert_eq!((told.holds, told.category.as_deref()), (true, category), "{condition}");
        let program = compile(&json!({"condition": condition})).unwrap().program;
        let judged = judge(&program.encode(), "a", &behaviour, &page);
        assert_eq!(judged, Ok(Eligibility::Eligible(program.trigger, category)), "{condition}");
    }
}

#[test]
fn says_which_leaf_failed() {
    let compiled = compile(&json!({"condition": undecided()})).unwrap();
    let failed = verdict(&undecided(), &after(&[view("s1", "shoes"), view("s2", "shoes")])).failed.unwrap();
    assert_eq!(compiled.labels[failed], "cart_units >= 1");
    let failed = verdict(&undecided(), &Behaviour::default()).failed.unwrap();
    assert_eq!(compiled.labels[failed], "products_viewed in the category >= 2");
}

#[test]
fn an_order_empties_the_cart_and_moves_the_stage() {
    let once = after(&[add("a", "x"), order("a", "x")]);
    assert_eq!((once.cart.units(), once.stage), (0, Stage::New));
    assert_eq!(after(&[order("a", "x"), order("a", "x")]).stage, Stage::Active);
}

#[test]
fn no_order_is_neither_recent_nor_old() {
    let leaf = |op: &str| json!({"fact": "days_since_last_order", "op": op, "value": 0});
    assert!(!verdict(&leaf(">="), &Behaviour::default()).holds);
    assert!(!verdict(&leaf("<"), &Behaviour::default()).holds);
}

#[test]
fn refuses_rules_that_cannot_work_with_their_path() {
    let refused = |campaign: Value| compile(&campaign).unwrap_err().path;
    let cases = [
        (json!({"condition": {"all": [{"fact": "nope", "op": "=", "value": 1}]}}), "condition.all[0].fact"),
        (json!({"condition": {"fact": "orders", "op": "~", "value": 1}}), "condition.op"),
        (json!({"condition": {"fact": "orders", "op": "=", "value": "1"}}), "condition.value"),
        (json!({"condition": {"fact": "orders", "category": "x", "op": "=", "value": 1}}), "condition.category"),
        (json!({"condition": {"fact": "units_bought", "category": "$", "op": "=", "value": 1}}), "condition.category"),
        (json!({"condition": {"not": {"fact": "stage", "in": ["newish"]}}}), "condition.not.in[0]"),
        (json!({"trigger": {"dwell_seconds": 0}}), "trigger.dwell_seconds"),
        (json!({"trigger": {"when": "ever"}}), "trigger"),
        (json!({"frequency": {"per_days": {"count": 2}}}), "frequency.per_days.days"),
        (json!({"pages": {"include": [""]}}), "pages.include[0]"),
    ];
    for (campaign, path) in cases {
        assert_eq!(refused(campaign.clone()), path, "{campaign}");
    }
    let deep = (0..40).fold(json!({"fact": "orders", "op": "=", "value": 0}), |inner, _| json!({"not": inner}));
    assert!(compile(&json!({"condition": deep})).is_err());
}

#[test]
fn a_program_survives_the_trip_to_the_page() {
    let campaign = json!({"condition": undecided(), "trigger": {"dwell_seconds": 8},
        "frequency": {"per_session": 1, "per_days": {"count": 2, "days": 7}},
        "pages": {"include": ["/c/*"], "exclude": ["/c/sale*"]}});
    let program = compile(&campaign).unwrap().program;
    assert_eq!(Program::decode(&program.encode()), Ok(program.clone()));
    assert_eq!(program.trigger, Trigger::Dwell(8));
    assert!(program.shows_on("/c/shoes") && !program.shows_on("/c/sale-1") && !program.shows_on("/"));
}

fn any_act() -> impl Strategy<Value = Act> {
    let names = ("[a-e]", "[x-z]");
    prop_oneof![
        names.prop_map(|(p, c)| view(&p, &c)),
        names.prop_map(|(p, c)| add(&p, &c)),
        names.prop_map(|(p, c)| order(&p, &c)),
        "[a-e]".prop_map(|p| act("Product Removed", json!({"product_id": p}))),
        "[a-c]".prop_map(|s| Act::Session(SessionId::parse(&s).unwrap())),
        Just(Act::PageViewed),
        (0_u8..8).prop_map(|bits| Act::Consented(Consent::from_bits(bits))),
        "[a-c]".prop_map(Act::Shown),
    ]
}

fn any_condition() -> impl Strategy<Value = Value> {
    let facts = ["products_viewed", "units_bought", "units_added"];
    let numbers = ["cart_units", "orders", "sessions", "page_views", "consent_marketing", "days_since_last_order"];
    let ops = ["=", "!=", ">", ">=", "<", "<="];
    let categories = ["$", "x", "y", "shoes"];
    let of_category = (0..3_usize, 0..6_usize, 0..4_usize, 0..4_i64)
        .prop_map(move |(f, o, c, v)| json!({"fact": facts[f], "category": categories[c], "op": ops[o], "value": v}));
    let of_all = (0..6_usize, 0..6_usize, 0..4_i64)
        .prop_map(move |(f, o, v)| json!({"fact": numbers[f], "op": ops[o], "value": v}));
    let leaf = prop_oneof![
        of_category,
        of_all,
        Just(json!({"fact": "stage", "in": ["new", "prospect"]})),
        Just(json!({"fact": "url_path", "matches": "/c/*"})),
        Just(json!({"fact": "url_path", "matches": "/p/*"})),
    ];
    leaf.prop_recursive(4, 24, 4, |part| {
        prop_oneof![
            proptest::collection::vec(part.clone(), 0..4).prop_map(|parts| json!({"all": parts})),
            proptest::collection::vec(part.clone(), 0..4).prop_map(|parts| json!({"any": parts})),
            part.clone().prop_map(|part| json!({"not": part})),
            part.prop_map(|part| json!({"some_category": part})),
        ]
    })
}

/// The binary form of a program with this condition alone.
fn encoded(condition: Condition) -> Vec<u8> {
    let (include, exclude) = (Vec::new(), Vec::new());
    Program { condition, trigger: Trigger::Immediately, frequency: Frequency::default(), include, exclude }.encode()
}

#[test]
fn a_category_inside_another_is_refused_by_page_and_edge() {
    let some = |inner| Condition::SomeCategory(Box::new(inner));
    let page = PageFacts { path: "/", now: 1 };
    let nested = encoded(some(Condition::Not(Box::new(some(Condition::StageIn(1))))));
    assert!(Program::decode(&nested).is_err() && judge(&nested, "a", &Behaviour::default(), &page).is_err());
    let beside = encoded(Condition::All(vec![some(Condition::StageIn(1)), some(Condition::StageIn(1))]));
    assert!(Program::decode(&beside).is_ok() && judge(&beside, "a", &Behaviour::default(), &page).is_ok());
}

proptest! {
    #[test]
    fn the_bytes_say_what_the_tree_says(
        condition in any_condition(),
        acts in proptest::collection::vec(any_act(), 0..20),
        caps in (1_u32..3, 1_u32..3),
    ) {
        let campaign = json!({"condition": condition, "frequency": {"per_session": caps.0, "per_days": {"count": caps.1, "days": 1}},
            "pages": {"include": ["/c/*", "/a"], "exclude": ["*/x"]}});
        let Ok(compiled) = compile(&campaign) else { return Ok(()) };
        let (program, behaviour) = (compiled.program, after(&acts));
        for path in ["/c/shoes", "/p/1", "/c/x", "/a"] {
            let page = PageFacts { path, now: 1_000 };
            let verdict = evaluate(&program.condition, &behaviour, &page);
            let explained = explain(&program.condition, &behaviour, &page, &Nobody);
            prop_assert_eq!(explained.holds, verdict.holds);
            prop_assert_eq!(explained.text, print(&program.condition));
            let allowed = behaviour.seen.allows(&program.frequency, "a", &behaviour.session, page.now);
            let expected = match (program.shows_on(path), allowed, verdict.holds) {
                (false, _, _) => Eligibility::Elsewhere,
                (true, false, _) => Eligibility::Capped,
                (true, true, false) => Eligibility::Unmet,
                (true, true, true) => Eligibility::Eligible(program.trigger, verdict.category.as_deref()),
            };
            prop_assert_eq!(judge(&program.encode(), "a", &behaviour, &page), Ok(expected));
        }
    }

    #[test]
    fn behaviour_survives_the_trip_to_the_page(acts in proptest::collection::vec(any_act(), 0..60)) {
        let behaviour = after(&acts);
        prop_assert_eq!(Behaviour::decode(&behaviour.encode()), Ok(behaviour));
    }

    #[test]
    fn page_and_edge_agree(acts in proptest::collection::vec(any_act(), 0..40), split in 0_usize..40) {
        // The edge saw the first acts and sent its state; the page applied the rest on top.
        let edge = after(&acts);
        let split = split.min(acts.len());
        let mut page = Behaviour::decode(&after(&acts[..split]).encode()).unwrap();
        for (at, act) in (1..).zip(&acts).skip(split) {
            page.apply(act, at);
        }
        prop_assert_eq!(verdict(&undecided(), &page), verdict(&undecided(), &edge));
        prop_assert_eq!(page, edge);
    }

    #[test]
    fn page_and_edge_read_conditions_equally_deep(levels in 1_usize..20, leaf in any::<bool>()) {
        let innermost = if leaf { Condition::StageIn(1) } else { Condition::All(Vec::new()) };
        let condition = (1..levels).fold(innermost, |inner, _| Condition::All(vec![inner]));
        let bytes = encoded(condition);
        let (nobody, page) = (Behaviour::default(), PageFacts { path: "/", now: 1 });
        let judged = judge(&bytes, "a", &nobody, &page);
        prop_assert_eq!(judged.is_ok(), Program::decode(&bytes).is_ok());
        prop_assert_eq!(judged.is_ok(), levels <= 12 + usize::from(leaf));
    }

    #[test]
    fn any_bytes_are_refused_or_read(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let page = PageFacts { path: "/", now: 1 };
        let tree = Program::decode(&bytes);
        let nobody = Behaviour::default();
        let judged = judge(&bytes, "a", &nobody, &page);
        prop_assert!(judged.is_ok() || tree.is_err(), "the page reads whatever the edge reads");
        let _ = Behaviour::decode(&bytes);
    }

    #[test]
    fn a_merge_gives_the_same_in_either_order(
        a in proptest::collection::vec(any_act(), 1..20),
        b in proptest::collection::vec(any_act(), 1..20),
    ) {
        let first = after(&a);
        let mut second = Behaviour::default();
        for (at, act) in (1_000..).zip(&b) {
            second.apply(act, at);
        }
        let (mut ab, mut ba) = (first.clone(), second.clone());
        ab.merge(&second);
        ba.merge(&first);
        // The stage is worked out after the merge, from all orders.
        ab.stage = Stage::Prospect;
        ba.stage = Stage::Prospect;
        prop_assert_eq!(ab, ba);
    }
}
