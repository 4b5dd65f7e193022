//! Links that the shop's server states of a browser without its token: listed at first, facts once the browser says the same.
//!
//! Role in the flow of one event: after a batch was applied, what the browser named meets what the server stated. What comes of
//! it goes to the identity graph with the evidence of the batch.

use endcap_identity::possession::Holder;
use endcap_identity::{Assertion, FragmentId, Possession, StatedLink};
use endcap_profile::ProfileRow;
use endcap_profile::evidence_policy::EvidencePolicy;
use endcap_validation::Trust;

use crate::visit::Visit;

/// Notes links that the shop's server states of a fragment's browser, and lists them. One that the fragment knows as a fact
/// says nothing new. Only what is stated of an ID that somebody has may be confirmed: whoever takes an open one later could say
/// the same. Where the source's claims are not even listed, no browser's word counts.
pub fn state(
    row: &mut ProfileRow,
    at: &FragmentId,
    links: &[StatedLink],
    possession: &mut Possession,
    policy: &EvidencePolicy<'_>,
    visit: &mut Visit,
) {
    let Some(fragment) = row.fragments.get_mut(at) else { return };
    for link in links.iter().filter(|link| !policy.rules.blocks(&link.identifier)) {
        if fragment.has_said(link, Trust::Fact) {
            continue;
        }
        let keeps = policy.keeps(Trust::Claim);
        let listed = if keeps { fragment.hear_stated(link, Trust::Claim) } else { None };
        assertion(visit, at).said.extend(listed);
        if possession.is_the_servers() || (keeps && possession.holder != Holder::Anybody) {
            possession.links.state(link.clone());
        }
    }
    settle(row, at, possession, visit);
}

/// Makes facts of the links that wait no more: the browser named the same, or nobody but the shop's server has the ID.
pub fn settle(row: &mut ProfileRow, at: &FragmentId, possession: &mut Possession, visit: &mut Visit) {
    for name in visit.named.drain(..) {
        possession.links.name(name);
    }
    let Some(fragment) = row.fragments.get_mut(at) else { return };
    let links =
        if possession.is_the_servers() { possession.links.take_all() } else { possession.links.take_confirmed() };
    for link in links {
        let fact = fragment.hear_stated(&link, Trust::Fact);
        assertion(visit, at).said.extend(fact);
    }
    visit.assertion = visit.assertion.take().filter(|assertion| !assertion.is_empty());
}

fn assertion<'a>(visit: &'a mut Visit, at: &FragmentId) -> &'a mut Assertion {
    visit.assertion.get_or_insert_with(|| Assertion::new(at.clone()))
}
