//! What travels to the page: any bytes are refused, or give a state and rules that evaluate and travel on unchanged.
#![no_main]

use endcap_targeting::evaluate::{evaluate, leaves};
use endcap_targeting::{Behaviour, Eligibility, PageFacts, Program, judge};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: (&[u8], &[u8])| {
    let (state, rules) = input;
    let (behaviour, program) = (Behaviour::decode(state), Program::decode(rules));
    if let Ok(behaviour) = &behaviour {
        assert_eq!(Behaviour::decode(&behaviour.encode()).as_ref(), Ok(behaviour));
    }
    let mut behaviour = behaviour.unwrap_or_default();
    let page = PageFacts { path: "/c/shoes", now: 1_763_800_000_000 };
    let judged = judge(rules, "c1", &behaviour, &page);
    let Ok(program) = program else { return };
    assert_eq!(Program::decode(&program.encode()).as_ref(), Ok(&program));
    let verdict = evaluate(&program.condition, &behaviour, &page);
    match judged.expect("the page reads whatever the edge reads") {
        Eligibility::Eligible(_, category) => {
            assert_eq!((true, category), (verdict.holds, verdict.category.as_deref()))
        }
        Eligibility::Unmet => assert!(!verdict.holds),
        Eligibility::Elsewhere => assert!(!program.shows_on(page.path)),
        Eligibility::Capped => {}
    }
    assert!(verdict.holds || verdict.category.is_none());
    assert!(!verdict.holds || verdict.failed.is_none());
    // A part without leaves is named by the leaf that would come next.
    assert!(verdict.failed.is_none_or(|leaf| leaf <= leaves(&program.condition)));
    let _ = behaviour.seen.allows(&program.frequency, "c1", "s1", page.now);
    behaviour.merge(&behaviour.clone());
    behaviour.seen_at(page.now);
    assert!(Behaviour::decode(&behaviour.encode()).is_ok(), "what moved on can travel on");
});
