use proptest::prelude::*;

use super::*;
use crate::recommend::visit_context::VisitContext;

fn learned(visits: &[&[&str]]) -> CoVisits {
    let mut model = CoVisits::default();
    for visit in visits {
        let mut visit_context = VisitContext::default();
        visit.iter().filter_map(|item| visit_context.visit(item)).for_each(|step| model.learn(&step, 0));
    }
    model
}

fn weight(model: &CoVisits, from: &str, to: &str) -> u32 {
    let row = &model.rows[model.index[from] as usize];
    row.neighbours.iter().find(|n| n.row == model.index[to]).map_or(0, |n| n.weight)
}

fn names<'a>(model: &'a CoVisits, context: &[&'a str]) -> Vec<&'a str> {
    model.related(context).into_iter().map(|(item, _)| item).collect()
}

#[test]
fn a_step_weighs_by_distance_and_three_quarters_of_it_backwards() {
    let model = learned(&[&["a", "b", "c"]]);
    assert_eq!((weight(&model, "a", "b"), weight(&model, "b", "a")), (240, 180));
    assert_eq!((weight(&model, "a", "c"), weight(&model, "c", "a")), (120, 90));
    assert_eq!(weight(&model, "a", "a"), 0);
}

#[test]
fn what_was_visited_together_comes_first_and_says_because_of_what() {
    let model =
        learned(&[&["tent", "stove"], &["tent", "stove"], &["tent", "lamp"], &["sofa", "lamp"], &["sofa", "rug"]]);
    let related = model.related(&["tent"]);
    assert_eq!(related, [("stove", "tent"), ("lamp", "tent")]);
    // The lamp has a vote of both, the more recent one is the stronger.
    let of_both = [("lamp", "sofa"), ("rug", "sofa"), ("stove", "tent")];
    assert_eq!(model.related(&["sofa", "tent"]), of_both);
    assert!(model.related(&["unknown"]).is_empty());
    assert!(CoVisits::default().related(&["tent"]).is_empty());
}

#[test]
fn the_context_itself_is_not_related_to_itself() {
    let model = learned(&[&["a", "b", "c"], &["a", "b"]]);
    assert_eq!(names(&model, &["b", "a"]), ["c"]);
}

#[test]
fn ties_go_by_product_id_whatever_was_seen_first() {
    for visits in [[["x", "b"], ["x", "a"]], [["x", "a"], ["x", "b"]]] {
        let model = learned(&[&visits[0], &visits[1]]);
        assert_eq!(names(&model, &["x"]), ["a", "b"]);
    }
}

#[test]
fn a_full_row_keeps_its_heavy_neighbours() {
    let heavy: Vec<String> = (0..10).map(|n| format!("heavy{n}")).collect();
    let light: Vec<String> = (0..500).map(|n| format!("light{n}")).collect();
    let mut model = CoVisits::default();
    let mut step = |to: &String| model.learn(&Step { recent: vec!["hub".into()], item: to.clone() }, 0);
    for _ in 0..40 {
        heavy.iter().for_each(&mut step);
    }
    light.iter().for_each(&mut step);
    let row = &model.rows[model.index["hub"] as usize];
    assert_eq!(row.neighbours.len(), MAX_NEIGHBOURS);
    assert!(heavy.iter().all(|item| weight(&model, "hub", item) == 40 * UNIT));
    let newest = row.neighbours.iter().find(|n| n.row == model.index["light499"]).unwrap();
    assert_eq!(newest.earned(), UNIT, "what it took over does not count for it");
}

#[test]
fn weights_halve_with_time_and_vanish_at_last() {
    let mut model = learned(&[&["a", "b"]]);
    let later = |model: &mut CoVisits, lives: i64| {
        model.learn(&Step { recent: Vec::new(), item: "z".into() }, lives * HALF_LIFE_MS);
    };
    later(&mut model, 1);
    assert_eq!((weight(&model, "a", "b"), weight(&model, "b", "a")), (120, 90));
    later(&mut model, 200);
    assert_eq!(model.rows.len(), 1, "only the latest visit is left");
    assert_eq!(names(&model, &["z"]), Vec::<&str>::new());
}

#[test]
fn the_number_of_products_is_bounded_and_the_visited_ones_stay() {
    let mut model = CoVisits::with_capacity(1000);
    for _ in 0..3 {
        model.learn(&Step { recent: vec!["pear".into()], item: "apple".into() }, 0);
        model.learn(&Step { recent: vec!["apple".into()], item: "pear".into() }, 0);
    }
    for n in 0..3000 {
        model.learn(&Step { recent: Vec::new(), item: format!("once{n}") }, 0);
    }
    assert!(model.rows.len() <= 1000);
    assert_eq!(names(&model, &["apple"]), ["pear"]);
    assert_eq!(model.index.len(), model.rows.len());
}

fn visits() -> impl Strategy<Value = Vec<Vec<u8>>> {
    proptest::collection::vec(proptest::collection::vec(0u8..20, 1..8), 0..30)
}

fn learned_from(visits: &[Vec<u8>]) -> CoVisits {
    let names: Vec<Vec<String>> = visits.iter().map(|visit| visit.iter().map(|n| format!("p{n}")).collect()).collect();
    let names: Vec<Vec<&str>> = names.iter().map(|visit| visit.iter().map(String::as_str).collect()).collect();
    learned(&names.iter().map(Vec::as_slice).collect::<Vec<_>>())
}

proptest! {
    #[test]
    fn below_the_bounds_the_order_of_visits_does_not_matter(visits in visits(), context in proptest::collection::vec(0u8..20, 1..4)) {
        let forward = learned_from(&visits);
        let backward = learned_from(&visits.iter().rev().cloned().collect::<Vec<_>>());
        let context: Vec<String> = context.iter().map(|n| format!("p{n}")).collect();
        let context: Vec<&str> = context.iter().map(String::as_str).collect();
        prop_assert_eq!(forward.related(&context), backward.related(&context));
    }

    #[test]
    fn merging_is_learning_together(left in visits(), right in visits(), context in 0u8..20) {
        let mut merged = learned_from(&left);
        merged.merge(&learned_from(&right));
        let both: Vec<Vec<u8>> = left.iter().chain(&right).cloned().collect();
        let context = format!("p{context}");
        let together = learned_from(&both);
        prop_assert_eq!(merged.related(&[&context]), together.related(&[&context]));
    }

    #[test]
    fn a_snapshot_reads_back_and_learns_on(visits in visits()) {
        let model = learned_from(&visits);
        let bytes = postcard::to_allocvec(&model).unwrap();
        let mut read: CoVisits = postcard::from_bytes(&bytes).unwrap();
        prop_assert_eq!(&read, &model);
        let step = Step { recent: vec!["p1".into()], item: "new".into() };
        let mut model = model;
        read.learn(&step, 0);
        model.learn(&step, 0);
        prop_assert_eq!(read, model);
    }

    #[test]
    fn no_stored_bytes_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        if let Ok(mut model) = postcard::from_bytes::<CoVisits>(&bytes) {
            model.learn(&Step { recent: vec!["a".into()], item: "b".into() }, i64::MAX);
            let _ = model.related(&["a"]);
        }
    }
}
