//! From what was said to people: nothing but what was said decides, and no claim takes anything from anybody.

use std::collections::{BTreeMap, BTreeSet};

use endcap_identity::graph::{
    Alteration, Cut, GraphStore, MAX_CLAIMS, assignment_of, change, claims_about, find, hear, take,
};
use endcap_identity::resolve::{ResolvedPeople, resolve};
use endcap_identity::{
    Alias, Assertion, Assignment, Edge, Evidence, FragmentId, Identifier, IdentityRules, LinkStrength, MemoryGraph,
    Namespace, Verdict, Witness,
};
use endcap_protocol::UnixMillis;
use endcap_validation::Trust;
use proptest::prelude::*;

use crate::support::{NOW, first, user};

/// Something said about one fragment.
type Word = (FragmentId, Evidence);

fn identifier(text: &str) -> Identifier {
    let (namespace, value) = text.split_once('=').unwrap();
    Identifier::new(Namespace::parse(namespace).unwrap(), value).unwrap()
}

fn word(fragment: &str, named: &str, trust: Trust, at: UnixMillis) -> Word {
    let witness = Witness { at, message_id: format!("{fragment}-{named}-{at}"), source: "shop".to_owned() };
    (first(fragment), Evidence { identifier: identifier(named), trust, witness })
}

fn fact(fragment: &str, named: &str, at: UnixMillis) -> Word {
    word(fragment, named, Trust::Fact, at)
}

fn claim(fragment: &str, named: &str, at: UnixMillis) -> Word {
    word(fragment, named, Trust::Claim, at)
}

fn heard_by(rules: &IdentityRules, words: &[Word]) -> MemoryGraph {
    let mut graph = MemoryGraph::default();
    for (fragment, evidence) in words {
        hear(&mut graph, rules, fragment, std::slice::from_ref(evidence)).unwrap();
    }
    graph
}

fn heard(words: &[Word]) -> MemoryGraph {
    heard_by(&IdentityRules::default(), words)
}

fn profile(graph: &MemoryGraph, fragment: &str) -> String {
    assignment_of(graph, &first(fragment)).unwrap().profile.as_str().to_owned()
}

fn verdict(graph: &MemoryGraph, fragment: &str, named: &str) -> Verdict {
    graph.verdicts[&(first(fragment), identifier(named))]
}

/// Where everybody belongs, whatever way the graph came there.
fn places(graph: &MemoryGraph) -> BTreeMap<FragmentId, (String, LinkStrength)> {
    let placed = graph.assignments.iter().filter(|(id, assignment)| {
        assignment.link_strength != LinkStrength::Own || assignment.profile.as_str() != id.as_str()
    });
    placed
        .map(|(id, assignment)| (id.clone(), (assignment.profile.as_str().to_owned(), assignment.link_strength)))
        .collect()
}

fn alias(graph: &mut MemoryGraph, one: &str, other: &str, at: UnixMillis) {
    let witness = Witness { at, message_id: format!("{one}={other}"), source: "shop".to_owned() };
    let mut said = Assertion::new(first("server~1"));
    said.aliases.push(Alias { user_id: user(one), previous_id: user(other), witness });
    take(graph, &IdentityRules::default(), &said, b"").unwrap();
}

#[test]
fn equal_facts_join_and_the_earliest_names_the_profile() {
    let graph =
        heard(&[fact("laptop", "user_id=ann", 20), fact("phone", "user_id=ann", 10), fact("till", "user_id=bob", 5)]);
    assert_eq!(["laptop", "phone", "till"].map(|name| profile(&graph, name)), ["phone", "phone", "till"]);
    let found = find(&graph, &IdentityRules::default(), &identifier("user_id=ann")).unwrap();
    assert_eq!(
        found.map(|named| (named.profile.as_str().to_owned(), named.trust)),
        Some(("phone".to_owned(), Trust::Fact))
    );
    assert_eq!(find(&graph, &IdentityRules::default(), &identifier("user_id=cy")).unwrap(), None);
}

#[test]
fn a_fact_takes_an_identifier_from_every_claim_and_a_claim_says_that_it_is_one() {
    let (squatter, owner) =
        (claim("squatter", "email=boss@shop.example", 1), fact("desk", "email=boss@shop.example", 9));
    let asked = |graph: &MemoryGraph| {
        let named = find(graph, &IdentityRules::default(), &identifier("email=boss@shop.example")).unwrap();
        named.map(|named| (named.profile.as_str().to_owned(), named.trust))
    };
    let alone = heard(&[fact("squatter", "user_id=mallory", 1), squatter.clone()]);
    assert_eq!(asked(&alone), Some(("squatter".to_owned(), Trust::Claim)));
    let both = heard(&[fact("squatter", "user_id=mallory", 1), squatter, fact("desk", "user_id=boss", 8), owner]);
    assert_eq!(asked(&both), Some(("desk".to_owned(), Trust::Fact)));
}

#[test]
fn numbers_and_addresses_join_however_they_are_written() {
    let graph = heard(&[
        fact("a", "email= Ann@Shop.Example ", 1),
        fact("b", "email=ann@shop.example", 2),
        fact("b", "phone=+81 90-1234-5678", 2),
        fact("c", "phone=0081 (0)90 1234 5678", 3),
    ]);
    assert_eq!(["b", "c"].map(|name| profile(&graph, name)), ["a", "a"]);
}

#[test]
fn hashed_identifiers_join_like_those_in_the_clear() {
    let hashed = |named: &str, pepper: &[u8]| identifier(named).hashed(pepper);
    let mut graph = MemoryGraph::default();
    for (name, pepper) in [("a", b"one".as_slice()), ("b", b"one"), ("c", b"two")] {
        let (fragment, mut evidence) = fact(name, "email=ann@shop.example", 1);
        evidence.identifier = hashed("email=ann@shop.example", pepper);
        hear(&mut graph, &IdentityRules::default(), &fragment, &[evidence]).unwrap();
    }
    assert_eq!(["b", "c"].map(|name| profile(&graph, name)), ["a", "c"]);
    assert!(graph.edges().all(|edge| !edge.identifier.value.contains("ann")));
}

#[test]
fn two_known_people_who_share_an_address_stay_two_and_it_is_listed() {
    let words = [
        fact("a", "user_id=ann", 1),
        fact("b", "user_id=bob", 2),
        fact("b", "email=o@s.example", 3),
        fact("a", "email=o@s.example", 4),
    ];
    let graph = heard(&words);
    assert_eq!(["a", "b"].map(|name| profile(&graph, name)), ["a", "b"]);
    assert_eq!(verdict(&graph, "a", "email=o@s.example"), Verdict::Conflict);
    assert_eq!(verdict(&graph, "b", "email=o@s.example"), Verdict::Joined, "the earlier has it");
}

#[test]
fn of_too_many_values_the_lowest_in_precedence_is_dropped_and_the_rest_stays() {
    let rules: IdentityRules = serde_json::from_str(r#"{"namespaces":{"email":{"values":1}}}"#).unwrap();
    let words = [
        fact("a", "email=second@s.example", 9),
        fact("a", "user_id=ann", 9),
        fact("a", "email=first@s.example", 1),
        fact("b", "email=second@s.example", 2),
    ];
    let graph = heard_by(&rules, &words);
    assert_eq!(verdict(&graph, "a", "email=second@s.example"), Verdict::Conflict);
    assert_eq!(verdict(&graph, "a", "email=first@s.example"), Verdict::Joined);
    assert_eq!(["a", "b"].map(|name| profile(&graph, name)), ["a", "b"]);
}

#[test]
fn an_alias_makes_two_user_ids_one_persons() {
    let mut graph = heard(&[fact("a", "user_id=old", 1), fact("b", "user_id=new", 2), fact("c", "user_id=other", 3)]);
    alias(&mut graph, "new", "old", 9);
    assert_eq!(["b", "c"].map(|name| profile(&graph, name)), ["a", "c"]);
    // A third user ID stays out, whatever address they share.
    for name in ["b", "c"] {
        let (fragment, evidence) = fact(name, "email=x@s.example", 10);
        hear(&mut graph, &IdentityRules::default(), &fragment, &[evidence]).unwrap();
    }
    assert_eq!(profile(&graph, "c"), "c");
}

#[test]
fn what_names_too_many_is_nobodys_and_claims_do_not_count_against_proofs() {
    let rules = IdentityRules { fragments_per_identifier: 3, ..IdentityRules::default() };
    let address = "email=office@s.example";
    let mut words: Vec<Word> = (0..3).map(|n| fact(&format!("f{n}"), address, n)).collect();
    words.extend((0..9).map(|n| claim(&format!("c{n}"), address, n)));
    let graph = heard_by(&rules, &words);
    assert_eq!(["f1", "f2", "c1"].map(|name| profile(&graph, name)), ["f0", "f0", "c1"]);
    assert_eq!(verdict(&graph, "c1", address), Verdict::Unproved);
    words.push(fact("f3", address, 9));
    let graph = heard_by(&rules, &words);
    assert_eq!(["f1", "f2", "f3"].map(|name| profile(&graph, name)), ["f1", "f2", "f3"]);
}

#[test]
fn what_comes_too_fast_is_held_until_somebody_approves() {
    let rules = IdentityRules { merges_per_hour: 3, ..IdentityRules::default() };
    let words: Vec<Word> = (0..6).map(|n| fact(&format!("f{n}"), "user_id=ann", n)).collect();
    let mut graph = heard_by(&rules, &words);
    let held: Vec<bool> = (0..6).map(|n| verdict(&graph, &format!("f{n}"), "user_id=ann") == Verdict::Held).collect();
    assert_eq!(held, [false, false, false, false, true, true]);
    assert_eq!(profile(&graph, "f5"), "f5");
    let orders =
        change(&mut graph, &rules, &Cut::Identifier(identifier("user_id=ann")), Alteration::Approve, NOW).unwrap();
    assert_eq!((orders.map(|moved| moved.len()), profile(&graph, "f5").as_str()), (Some(2), "f0"));
    let nobody = Cut::Identifier(identifier("user_id=nobody"));
    assert_eq!(change(&mut graph, &rules, &nobody, Alteration::Approve, NOW).unwrap(), None);
}

#[test]
fn what_names_nobody_is_not_even_kept() {
    let graph =
        heard(&[fact("a", "user_id=guest", 1), fact("b", "user_id=guest", 2), fact("b", "email=test@s.example", 2)]);
    assert_eq!(graph, MemoryGraph::default());
}

#[test]
fn a_claim_joins_nobody_and_is_listed() {
    let words = [
        fact("a", "user_id=ann", 5),
        claim("b", "user_id=ann", 1),
        fact("c", "user_id=bob", 6),
        claim("c", "email=x@s.example", 7),
        fact("a", "email=x@s.example", 8),
    ];
    let mut graph = heard(&words);
    assert_eq!(["a", "b", "c"].map(|name| profile(&graph, name)), ["a", "b", "c"]);
    assert_eq!(assignment_of(&graph, &first("b")).unwrap().link_strength, LinkStrength::Own);
    assert_eq!(
        ["b", "c"].map(|name| verdict(&graph, name, if name == "b" { "user_id=ann" } else { "email=x@s.example" })),
        [Verdict::Unproved; 2]
    );
    let claimants = claims_about(&graph, &IdentityRules::default(), &[first("a")].into(), 1).unwrap();
    let [latest] = claimants.latest.try_into().unwrap();
    let listed = (latest.edge.fragment.as_str(), latest.profile.as_str());
    assert_eq!((claimants.count, listed), (2, ("c", "c")), "two browsers claim, the latest is listed");
    let (fragment, proof) = fact("b", "user_id=ann", 9);
    let proved = hear(&mut graph, &IdentityRules::default(), &fragment, &[proof]).unwrap();
    assert_eq!((proved.profile.as_str(), proved.link_strength), ("a", LinkStrength::Proved), "a proof moves it in");
}

#[test]
fn claims_of_a_trusted_source_join_like_facts_but_nobody_who_proved_a_browser() {
    let rules: IdentityRules = serde_json::from_str(r#"{"claims":{"app":"trust"}}"#).unwrap();
    let at_app = |fragment: &str, named: &str, at| {
        let (id, mut evidence) = claim(fragment, named, at);
        evidence.witness.source = "app".to_owned();
        (id, evidence)
    };
    let server = first("server~ann");
    let record = (server.clone(), fact("a", "user_id=ann", 5).1);
    let mut words = vec![
        record,
        at_app("tablet", "user_id=ann", 1),
        at_app("phone", "user_id=ann", 2),
        claim("stranger", "user_id=ann", 0),
        at_app("till", "user_id=bob", 3),
        at_app("till", "user_id=ann", 4),
    ];
    let graph = heard_by(&rules, &words);
    let name = |name: &str| profile(&graph, name);
    assert_eq!(["tablet", "phone", "stranger", "till"].map(name), ["server~ann", "server~ann", "stranger", "till"]);
    assert_eq!(assignment_of(&graph, &first("phone")).unwrap().link_strength, LinkStrength::Trusted);
    assert_eq!(verdict(&graph, "till", "user_id=ann"), Verdict::Conflict, "one person has one user ID");
    // A claim elsewhere, said earlier, takes nothing from the trusted one.
    words.push(claim("phone", "user_id=ann", 0));
    assert_eq!(places(&heard_by(&rules, &words)), places(&graph));
    words.push(fact("laptop", "user_id=ann", 9));
    let proved = heard_by(&rules, &words);
    let name = |name: &str| profile(&proved, name);
    assert_eq!(["laptop", "tablet", "phone"].map(name), ["server~ann", "tablet", "phone"]);
}

#[test]
fn trust_in_a_source_counts_from_the_next_word_on_and_so_does_its_end() {
    let trusting: IdentityRules = serde_json::from_str(r#"{"claims":{"shop":"trust"}}"#).unwrap();
    let listing = IdentityRules::default();
    let record = (first("server~ann"), fact("a", "user_id=ann", 5).1);
    let mut graph = heard(&[record, claim("phone", "user_id=ann", 6)]);
    let mut hear_again = |rules: &IdentityRules| {
        let assignment = hear(&mut graph, rules, &first("phone"), &[]).unwrap();
        (assignment.profile.as_str().to_owned(), assignment.link_strength)
    };
    assert_eq!(hear_again(&listing), ("phone".to_owned(), LinkStrength::Own));
    assert_eq!(hear_again(&trusting), ("server~ann".to_owned(), LinkStrength::Trusted));
    assert_eq!(hear_again(&listing), ("phone".to_owned(), LinkStrength::Own));
}

#[test]
fn what_an_earlier_version_joined_by_a_claim_goes_home_when_it_is_heard_of() {
    let mut graph = heard(&[fact("a", "user_id=ann", 5), claim("b", "user_id=ann", 6)]);
    let joined = Assignment { profile: first("a").home().unwrap(), link_strength: LinkStrength::Claimed, version: 7 };
    graph.assign(&first("b"), &joined).unwrap();
    let home = hear(&mut graph, &IdentityRules::default(), &first("b"), &[]).unwrap();
    assert_eq!((home.profile.as_str(), home.link_strength, home.version), ("b", LinkStrength::Own, 8));
    assert_eq!(hear(&mut graph, &IdentityRules::default(), &first("b"), &[]).unwrap(), home);
}

#[test]
fn a_claim_of_somebody_with_an_old_fact_of_their_own_renames_nobody() {
    // The office's address is nobody's, so what it proves about `x` joins `x` with nobody.
    let rules = IdentityRules { fragments_per_identifier: 2, ..IdentityRules::default() };
    let office = |name: &str| fact(name, "email=office@s.example", 1);
    let mut words =
        vec![office("x"), office("y"), office("z"), fact("a", "user_id=ann", 5), fact("b", "user_id=ann", 6)];
    let before = heard_by(&rules, &words);
    words.push(claim("x", "user_id=ann", 7));
    let after = heard_by(&rules, &words);
    assert_eq!(["a", "b"].map(|name| profile(&before, name)), ["a", "a"]);
    assert_eq!(["a", "b", "x"].map(|name| profile(&after, name)), ["a", "a", "x"]);
}

#[test]
fn claims_do_not_crowd_out_proofs() {
    let mut words: Vec<Word> = (0..150).map(|n| claim("a", &format!("email=a{n}@s.example"), n)).collect();
    words.extend([fact("a", "user_id=ann", 200), fact("b", "user_id=ann", 201)]);
    assert_eq!(profile(&heard(&words), "b"), "a");
}

#[test]
fn a_person_of_five_hundred_fragments_is_worked_out_at_once() {
    let rules = IdentityRules { merges_per_hour: 10_000, ..IdentityRules::default() };
    let edges: Vec<Edge> = (0..500)
        .flat_map(|n| {
            let name = format!("f{n}");
            [fact(&name, "user_id=ann", n), fact(&name, &format!("member_no={}", n % 3), n)]
        })
        .map(|(fragment, said)| {
            let mut edge = Edge::new(fragment, said.identifier);
            edge.note(said.trust, &said.witness, &rules);
            edge
        })
        .collect();
    let people = resolve(&edges, &rules).unwrap();
    let profiles: BTreeSet<&str> = people.places.values().map(|(profile, _)| profile.as_str()).collect();
    assert_eq!((people.places.len(), profiles.len()), (500, 1));
    let mut graph = MemoryGraph::default();
    for edge in &edges {
        graph.save(edge).unwrap();
    }
    hear(&mut graph, &rules, &first("f7"), &[fact("f7", "email=a@s.example", 9).1]).unwrap();
    assert_eq!(graph.assignments.len(), 500, "one word places all of them");
}

fn any_word() -> impl Strategy<Value = Word> {
    let named = prop::sample::select(vec![
        "user_id=ann",
        "user_id=bob",
        "user_id=cy",
        "email=x@s.example",
        "email=y@s.example",
        "email=z@s.example",
        "phone=+819012345678",
        "member_no=7",
        "member_no=8",
        "anonymous_id=f1",
        "anonymous_id=f9",
        "user_id=guest",
    ]);
    (0_usize..7, named, any::<bool>(), 0_i64..20).prop_map(|(fragment, named, proved, hours)| {
        let trust = if proved { Trust::Fact } else { Trust::Claim };
        word(&format!("f{fragment}"), named, trust, NOW + hours * 600_000)
    })
}

fn any_rules() -> impl Strategy<Value = IdentityRules> {
    (1_u16..6, 2_u16..8, 2_u16..6, 1_u16..3).prop_map(
        |(merges_per_hour, fragments_per_person, fragments_per_identifier, values)| {
            let email = serde_json::from_value(serde_json::json!({"priority": 60, "values": values})).unwrap();
            let namespaces = [("email".to_owned(), email)].into();
            IdentityRules {
                namespaces,
                merges_per_hour,
                fragments_per_person,
                fragments_per_identifier,
                ..IdentityRules::default()
            }
        },
    )
}

fn words() -> impl Strategy<Value = Vec<Word>> {
    proptest::collection::vec(any_word(), 0..25)
}

fn resolved(words: &[Word], rules: &IdentityRules) -> ResolvedPeople {
    resolve(&heard_by(rules, words).edges().cloned().collect::<Vec<_>>(), rules).unwrap()
}

/// Aliases between users, as pairs.
fn aliases() -> impl Strategy<Value = Vec<(&'static str, &'static str)>> {
    proptest::collection::vec(prop::sample::select(vec![("ann", "bob"), ("bob", "cy")]), 0..2)
}

proptest! {
    #[test]
    fn the_order_of_hearing_changes_nothing(
        rules in any_rules(),
        (straight, shuffled) in words().prop_flat_map(|all| (Just(all.clone()), Just(all).prop_shuffle())),
    ) {
        let (one, other) = (heard_by(&rules, &straight), heard_by(&rules, &shuffled));
        prop_assert_eq!(places(&one), places(&other));
        prop_assert_eq!(&one.verdicts, &other.verdicts);
    }

    #[test]
    fn hearing_again_changes_nothing(rules in any_rules(), all in words()) {
        let mut graph = heard_by(&rules, &all);
        let once = graph.clone();
        for (fragment, evidence) in &all {
            hear(&mut graph, &rules, fragment, std::slice::from_ref(evidence)).unwrap();
        }
        prop_assert_eq!(graph, once);
    }

    #[test]
    fn cut_is_never_heard_and_restored_is_as_before(
        rules in any_rules(), all in words(), which in any::<prop::sample::Index>(), kind in 0_u8..3,
    ) {
        prop_assume!(!all.is_empty());
        let mut graph = heard_by(&rules, &all);
        let (before, (fragment, evidence)) = (graph.clone(), all[which.index(all.len())].clone());
        let names = |word: &Word| word.1.identifier.namespace == Namespace::AnonymousId && word.1.identifier.value == fragment.as_str();
        let (what, rest): (Cut, Vec<Word>) = match kind {
            0 => (Cut::Fragment(fragment.clone()), all.iter().filter(|w| w.0 != fragment && !names(w)).cloned().collect()),
            1 => (
                Cut::Identifier(evidence.identifier.clone()),
                all.iter().filter(|w| w.1.identifier != evidence.identifier).cloned().collect(),
            ),
            _ => (
                Cut::Edge(fragment.clone(), evidence.identifier.clone()),
                all.iter().filter(|w| w.0 != fragment || w.1.identifier != evidence.identifier).cloned().collect(),
            ),
        };
        change(&mut graph, &rules, &what, Alteration::Cut, NOW).unwrap();
        prop_assert_eq!(places(&graph), places(&heard_by(&rules, &rest)));
        for (fragment, evidence) in &all {
            hear(&mut graph, &rules, fragment, std::slice::from_ref(evidence)).unwrap();
        }
        prop_assert_eq!(places(&graph), places(&heard_by(&rules, &rest)), "what is said again brings nothing back");
        change(&mut graph, &rules, &what, Alteration::Restore, NOW).unwrap();
        prop_assert_eq!(places(&graph), places(&before));
        prop_assert_eq!(&graph.verdicts, &before.verdicts);
    }

    #[test]
    fn every_change_is_an_order_or_the_answer(rules in any_rules(), all in words()) {
        let mut graph = MemoryGraph::default();
        let mut told: BTreeMap<FragmentId, _> = BTreeMap::new();
        for (fragment, evidence) in &all {
            graph.reassignments.clear();
            let answer = hear(&mut graph, &rules, fragment, std::slice::from_ref(evidence)).unwrap();
            told.extend(graph.reassignments.iter().map(|(id, order)| (id.clone(), order.assignment.clone())));
            told.insert(fragment.clone(), answer);
            for (id, assignment) in &graph.assignments {
                prop_assert_eq!(told.get(id), Some(assignment));
            }
        }
    }

    #[test]
    fn no_claim_takes_anything_from_what_is_proved(rules in any_rules(), all in words()) {
        let facts: Vec<Word> = all.iter().filter(|word| word.1.trust == Trust::Fact).cloned().collect();
        let (proved, both) = (resolved(&facts, &rules), resolved(&all, &rules));
        for (edge, verdict) in &proved.verdicts {
            prop_assert_eq!(both.verdicts.get(edge), Some(verdict));
        }
        for (fragment, (profile, link_strength)) in proved.places.iter().filter(|(_, (_, link_strength))| *link_strength == LinkStrength::Proved) {
            prop_assert_eq!(both.places.get(fragment), Some(&(profile.clone(), *link_strength)));
        }
    }

    #[test]
    fn two_user_ids_share_a_profile_by_an_alias_only(rules in any_rules(), all in words(), aliases in aliases()) {
        let mut graph = heard_by(&rules, &all);
        for (one, other) in &aliases {
            alias(&mut graph, one, other, NOW);
        }
        let people = resolve(&graph.edges().cloned().collect::<Vec<_>>(), &rules).unwrap();
        let profile = |name: &str| people.named.get(&identifier(&format!("user_id={name}")));
        let mut linked: BTreeSet<BTreeSet<&str>> = aliases.iter().map(|(one, other)| BTreeSet::from([*one, *other])).collect();
        if linked.len() == 2 {
            linked.insert(BTreeSet::from(["ann", "cy"]));
        }
        for pair in [["ann", "bob"], ["bob", "cy"], ["ann", "cy"]] {
            let same = profile(pair[0]).is_some() && profile(pair[0]) == profile(pair[1]);
            prop_assert!(!same || linked.contains(&BTreeSet::from(pair)), "{pair:?}");
        }
    }
}

#[test]
fn one_identifier_keeps_as_many_claims_as_it_says_and_facts_beside_them() {
    let claims: Vec<Word> = (0..=MAX_CLAIMS).map(|n| claim(&format!("b{n}"), "user_id=ann", NOW)).collect();
    let mut graph = heard(&claims);
    let edges = |graph: &MemoryGraph| graph.edges().count();
    assert_eq!(edges(&graph), MAX_CLAIMS, "the last claim is one too many");
    let (fragment, evidence) = fact("laptop", "user_id=ann", NOW);
    hear(&mut graph, &IdentityRules::default(), &fragment, &[evidence]).unwrap();
    assert_eq!(edges(&graph), MAX_CLAIMS + 1, "claims take no room from a proof");
}
