//! Erasing a person from the identity graph.

use std::collections::BTreeSet;

use endcap_protocol::ProfileId;

use crate::assignment::Reassignment;
use crate::fragment_id::FragmentId;
use crate::graph::{GraphStore, region, resolve_around};
use crate::identifier::Identifier;
use crate::namespace::Namespace;
use crate::resolve::resolve;
use crate::rules::IdentityRules;

/// A graph that can forget.
pub trait Forget: GraphStore {
    /// Forgets a fragment: what was said about it, what was said of others being the same browser, where it belongs and
    /// a reassignment for it.
    ///
    /// # Errors
    /// As the store's.
    fn forget(&mut self, fragment: &FragmentId) -> Result<(), Self::Error>;
}

/// Erases fragments, as if nothing had ever been said of them, and the aliases of their people. Records and returns a
/// reassignment for every other fragment whose assignment changes.
///
/// # Errors
/// As the store's.
pub fn erase<S: Forget>(
    store: &mut S,
    rules: &IdentityRules,
    fragments: &BTreeSet<FragmentId>,
) -> Result<Vec<Reassignment>, S::Error> {
    let (gone, left) = going(store, rules, fragments)?;
    gone.iter().try_for_each(|fragment| store.forget(fragment))?;
    resolve_around(store, rules, left, None)
}

/// The fragments to erase, their people's aliases included, and those that remain around them.
pub(super) fn going<S: GraphStore>(
    store: &S,
    rules: &IdentityRules,
    fragments: &BTreeSet<FragmentId>,
) -> Result<(BTreeSet<FragmentId>, BTreeSet<FragmentId>), S::Error> {
    let around = region(store, rules, fragments.clone())?;
    let people = resolve(&around.edges, rules)?;
    let profiles: BTreeSet<&ProfileId> =
        fragments.iter().filter_map(|id| people.places.get(id)).map(|(profile, _)| profile).collect();
    let theirs = |identifier: &Identifier| {
        let named = people.named.get(identifier).is_some_and(|profile| profiles.contains(profile));
        named && identifier.namespace == Namespace::UserId
    };
    let aliases = around.edges.iter().filter(|edge| edge.fragment.is_alias() && theirs(&edge.identifier));
    let gone: BTreeSet<FragmentId> =
        aliases.map(|edge| edge.fragment.clone()).chain(fragments.iter().cloned()).collect();
    let left = around.fragments.difference(&gone).cloned().collect();
    Ok((gone, left))
}

#[cfg(test)]
mod tests {
    use endcap_protocol::UserId;
    use endcap_validation::Trust;
    use proptest::prelude::*;

    use super::*;
    use crate::graph::{assignment_of, hear, take};
    use crate::{Alias, Assertion, Evidence, MemoryGraph, Witness};

    fn id(name: &str) -> FragmentId {
        FragmentId::parse(name).unwrap()
    }

    fn said(namespace: Namespace, value: &str, trust: Trust, at: i64) -> Evidence {
        let identifier = Identifier::new(namespace, value).unwrap();
        let witness = Witness { at, message_id: format!("m{at}"), source: "shop".to_owned() };
        Evidence { identifier, trust, witness }
    }

    fn members(graph: &MemoryGraph, profile: &ProfileId) -> BTreeSet<FragmentId> {
        graph
            .assignments
            .iter()
            .filter(|(_, assignment)| assignment.profile == *profile)
            .map(|(id, _)| id.clone())
            .collect()
    }

    proptest! {
        #[test]
        fn who_is_erased_was_never_heard_of(
            words in proptest::collection::vec((0_u8..6, 0_u8..6, any::<bool>(), 0_i64..50), 1..24),
            who in 0_u8..6,
        ) {
            let rules = IdentityRules::default();
            let hear_all = |skip: &BTreeSet<FragmentId>| {
                let mut graph = MemoryGraph::default();
                for (fragment, value, fact, at) in &words {
                    let fragment = id(&format!("f{fragment}"));
                    let trust = if *fact { Trust::Fact } else { Trust::Claim };
                    let evidence = match value {
                        0..3 => said(Namespace::UserId, &format!("u{value}"), trust, *at),
                        _ => said(Namespace::Email, &format!("e{value}@shop.example"), trust, *at),
                    };
                    if !skip.contains(&fragment) {
                        hear(&mut graph, &rules, &fragment, &[evidence]).unwrap();
                    }
                }
                graph
            };
            let mut graph = hear_all(&BTreeSet::new());
            let profile = assignment_of(&graph, &id(&format!("f{who}"))).unwrap().profile;
            let gone = members(&graph, &profile);
            erase(&mut graph, &rules, &gone).unwrap();
            let never = hear_all(&gone);
            prop_assert!(graph.edges().eq(never.edges()));
            prop_assert_eq!(&graph.verdicts, &never.verdicts);
            for fragment in (0..6).map(|n| id(&format!("f{n}"))).filter(|fragment| !gone.contains(fragment)) {
                let (here, there) = (assignment_of(&graph, &fragment).unwrap(), assignment_of(&never, &fragment).unwrap());
                prop_assert_eq!((here.profile, here.link_strength), (there.profile, there.link_strength));
            }
            prop_assert!(gone.iter().all(|fragment| !graph.reassignments.contains_key(fragment)));
        }
    }

    #[test]
    fn aliases_go_with_the_people_they_name() {
        let (mut graph, rules) = (MemoryGraph::default(), IdentityRules::default());
        let user = |name: &str| UserId::parse(name).unwrap();
        let [evidence, other] = ["ann", "bob"].map(|name| said(Namespace::UserId, name, Trust::Fact, 1));
        let witness = evidence.witness.clone();
        let alias = Alias { user_id: user("ann"), previous_id: user("old-ann"), witness };
        let assertion = Assertion { fragment: id("hers"), said: vec![evidence], aliases: vec![alias] };
        take(&mut graph, &rules, &assertion, b"").unwrap();
        hear(&mut graph, &rules, &id("his"), &[other]).unwrap();
        erase(&mut graph, &rules, &[id("hers")].into()).unwrap();
        let left: Vec<_> = graph.edges().map(|edge| edge.fragment.as_str()).collect();
        assert_eq!(left, ["his"]);
    }
}
